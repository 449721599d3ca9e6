"""The sizes of a decoder-only transformer, which memory and time follow from. Reads config.json; needs no torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FAMILIES = ("llama", "mistral", "qwen2", "qwen3")
"""`model_type` of dense decoders with a gated MLP; the third has biases, the last normalises queries and keys"""


@dataclass(frozen=True)
class ModelShape:
    """Of one model; a layer is attention and a gated MLP, with a norm before each."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int
    tied: bool
    """whether embeddings and output share their weights"""
    qk_norm: bool
    """whether queries and keys are normalised, head by head"""
    biases: bool = False
    """whether queries, keys and values have one"""

    @property
    def queries(self) -> int:
        return self.heads * self.head_dim

    @property
    def keys(self) -> int:
        return self.kv_heads * self.head_dim

    @property
    def embedding(self) -> int:
        """Parameters of the embeddings, and of the output once more where they are not shared."""
        return self.vocab * self.hidden * (1 if self.tied else 2)

    @property
    def layer(self) -> int:
        """Parameters of a layer: four projections, three of the MLP, norms."""
        norms = 2 * self.hidden + (2 * self.head_dim if self.qk_norm else 0)
        biases = self.queries + 2 * self.keys if self.biases else 0
        return 2 * self.hidden * (self.queries + self.keys) + 3 * self.hidden * self.intermediate + norms + biases

    @property
    def parameters(self) -> int:
        return self.embedding + self.layers * self.layer + self.hidden


_QWEN3 = {"vocab": 151936, "kv_heads": 8, "head_dim": 128, "qk_norm": True}
_QWEN2_5 = {"vocab": 151936, "kv_heads": 2, "tied": True, "qk_norm": False, "biases": True}
STATED = {
    "Qwen/Qwen2.5-0.5B": ModelShape(24, 896, 4864, 14, head_dim=64, **_QWEN2_5),
    "Qwen/Qwen2.5-1.5B": ModelShape(28, 1536, 8960, 12, head_dim=128, **_QWEN2_5),
    "Qwen/Qwen3-0.6B": ModelShape(28, 1024, 3072, 16, tied=True, **_QWEN3),
    "Qwen/Qwen3-1.7B": ModelShape(28, 2048, 6144, 16, tied=True, **_QWEN3),
    "Qwen/Qwen3-4B": ModelShape(36, 2560, 9728, 32, tied=True, **_QWEN3),
    "Qwen/Qwen3-8B": ModelShape(36, 4096, 12288, 32, tied=False, **_QWEN3),
}
"""of models that need not be here to be planned with, from their published config.json; base and instruction-tuned
models have the same"""


def plain_name(model: str) -> str:
    """Of a hub id, without revision and what says how it was trained."""
    return model.partition("@")[0].removesuffix("-Base").removesuffix("-Instruct")


def shape(model: str, folder: Path | None) -> ModelShape | None:
    """None where it is not known, or of a kind that is not.

    Args:
        model: its name.
        folder: where it is, if it is here.
    """
    return read(folder) if folder else STATED.get(plain_name(model))


def read(folder: Path) -> ModelShape | None:
    """By its config.json; None where that is not there, says no sizes, or is of another family."""
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        family = config.get("model_type")
        if family not in _FAMILIES:
            return None
        heads, hidden = int(config["num_attention_heads"]), int(config["hidden_size"])
        return ModelShape(
            layers=int(config["num_hidden_layers"]),
            hidden=hidden,
            intermediate=int(config["intermediate_size"]),
            heads=heads,
            kv_heads=int(config.get("num_key_value_heads") or heads),
            head_dim=int(config.get("head_dim") or hidden // heads),
            vocab=int(config["vocab_size"]),
            tied=bool(config.get("tie_word_embeddings", False)),
            qk_norm=family == "qwen3",
            biases=family == "qwen2",
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, ZeroDivisionError):
        return None
