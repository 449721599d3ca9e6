"""Models that are made for a measurement: Qwen3's architecture, random weights, the shipped model's tokenizer.

They are what they are called by the number of their parameters; see `MADE`. Nearly all of their answers reach the
limit of tokens, since no token is likelier than others.
"""

from __future__ import annotations

from pathlib import Path

MADE = {
    "10m": {"hidden_size": 256, "num_hidden_layers": 8, "intermediate_size": 1152, "num_key_value_heads": 4},
    "44m": {"hidden_size": 256, "num_hidden_layers": 4, "intermediate_size": 1152, "num_key_value_heads": 4,
            "vocab_size": 151_936},
}  # fmt: skip
"""`10m`: with the shipped tokenizer's 403 tokens. `44m`: a small model with the head of a large vocabulary (Qwen's
151,936), of which the tokenizer knows the first 403 and nothing ends an answer but by the limit."""


def made(name: str, folder: Path) -> Path:
    """Make it in a folder, equal each time, and give the folder; one that is there stays.

    Args:
        name: of `MADE`.
    """
    if (folder / "config.json").exists():
        return folder
    import torch
    from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

    from harness.models.resolving import resolve

    tokenizer = AutoTokenizer.from_pretrained(resolve("quickstart-base"))
    ids = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "bos_token_id": None}
    sizes = {"vocab_size": len(tokenizer), "num_attention_heads": 8, "head_dim": 32, **MADE[name]}
    config = Qwen3Config(**sizes, **ids, max_position_embeddings=2048, tie_word_embeddings=True)
    torch.manual_seed(0)
    Qwen3ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
