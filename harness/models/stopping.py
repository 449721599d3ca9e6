"""Which tokens end a response: one answer for all engines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def stop_tokens(folder: Path, tokenizer: PreTrainedTokenizerBase) -> tuple[int, ...]:
    """The model's own list, which may hold several, and the tokenizer's end of sequence; ascending.

    Args:
        folder: of the model, in Hugging Face layout.
    """
    from transformers import AutoConfig, GenerationConfig

    try:
        generation = GenerationConfig.from_pretrained(folder)
    except OSError:  # a model need not have one
        generation = GenerationConfig.from_model_config(AutoConfig.from_pretrained(folder))
    configured: Any = generation.eos_token_id
    own: Any = tokenizer.eos_token_id
    stop = {own, *([configured] if isinstance(configured, int) else configured or ())}
    return tuple(sorted(stop - {None}))
