"""Reading a model's folder, which somebody else wrote: whatever is broken there becomes a message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness.base.errors import UserError
from harness.base.plugins import PluginError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def read_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Raises: UserError if there is none, or a broken one."""
    from transformers import AutoTokenizer

    with reading("tokenizer", folder):
        return AutoTokenizer.from_pretrained(folder)


@contextmanager
def reading(what: str, folder: Path) -> Iterator[None]:
    """
    Args:
        what: of the folder is read here, for the message.
    Raises: UserError instead of any other exception but PluginError.
    """
    try:
        yield
    except (UserError, PluginError):
        raise
    except Exception as error:  # transformers, tokenizers, safetensors and Jinja raise all kinds, plain Exception too
        lines = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
        raise UserError(
            f"the {what} of {folder} cannot be used: {reason}\nTry the model's files again, or another model; "
            "`--debug` shows where it fails."
        ) from error
