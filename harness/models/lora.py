"""Low-rank adapters, and what they can be put on: names and sizes of a model's linear layers. Imports no torch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le, MinLen

from harness.base.errors import nearest
from harness.models.shape import ModelShape, shape
from harness.models.tensor_files import BrokenFiles, tensors

ALL_LINEAR = "all-linear"
_MOST = 65_536
_EMBEDDINGS = ("embed_tokens", "wte", "wpe", "embed_positions", "embed_in", "word_embeddings")
_HEADS = ("lm_head", "embed_out", "output")


@dataclass(frozen=True)
class Lora:
    """Low-rank adaptation (Hu et al. 2021, arXiv 2106.09685): a layer's matrix W stays as it is, and W + (alpha / rank)
    B A is computed with, of which only A and B learn. B begins at zero."""

    rank: Annotated[int, Ge(1), Le(_MOST)] = 16
    """columns of B and rows of A; at most the smaller side of a matrix, where W + B A may become any matrix"""
    alpha: Annotated[int, Ge(1), Le(_MOST)] = 32
    """the product B A is scaled by alpha / rank"""
    targets: Annotated[tuple[str, ...], MinLen(1)] = (ALL_LINEAR,)
    """the linear layers that get one, by the last parts of their names, such as [q_proj, v_proj]; [all-linear]: each
    but the output"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "targets", tuple(self.targets))  # files have lists

    @property
    def scale(self) -> float:
        return self.alpha / self.rank

    @property
    def words(self) -> str:
        """As tables have it."""
        return f"LoRA, rank {self.rank}, alpha {self.alpha}, {', '.join(self.targets)}"

    def names(self, layer: str) -> bool:
        """Whether a layer is among the targets by its full name."""
        return any(layer == target or layer.endswith(f".{target}") for target in self.targets)


Layers = Mapping[str, tuple[int, int]]
"""full name of a linear layer -> sizes of its matrix"""


@dataclass(frozen=True)
class Adaptable:
    """What of a model can have an adapter."""

    layers: Layers
    head: str = ""
    """the output's name, where it is a matrix of its own; it gets an adapter only by its name"""

    def adapted(self, lora: Lora) -> dict[str, tuple[int, int]]:
        """The layers that get one, with the sizes of their matrices."""
        all_linear = ALL_LINEAR in lora.targets
        return {n: size for n, size in self.layers.items() if lora.names(n) or (all_linear and n != self.head)}

    def parameters(self, lora: Lora) -> int:
        """Numbers that learn."""
        return sum(lora.rank * sum(size) for size in self.adapted(lora).values())


def adaptable(model: str, folder: Path | None) -> Adaptable | None:
    """By the headers of the weights, or of a model that is not here by its stated sizes; None where neither is known.

    Args:
        model: its name.
    """
    if folder is None:
        sizes = shape(model, None)
        return Adaptable(dict(_of(sizes)), "" if sizes.tied else "lm_head") if sizes else None
    try:
        found = {
            name.removesuffix(".weight"): (tensor.shape[0], tensor.shape[1])
            for name, tensor in tensors(folder).items()
            if name.endswith(".weight") and len(tensor.shape) == 2
        }
        config = json.loads((folder / "config.json").read_bytes())
    except (BrokenFiles, OSError, ValueError, RecursionError):
        return None  # whoever loads it says so
    found = {name: size for name, size in found.items() if name.rpartition(".")[2] not in _EMBEDDINGS}
    head = next((name for name in found if name.rpartition(".")[2] in _HEADS), "")
    if head and isinstance(config, dict) and config.get("tie_word_embeddings"):
        del found[head]  # written twice: it is the embeddings'
        head = ""
    return Adaptable(found, head)


def mistake(lora: Lora, model: Adaptable) -> str:
    """What of an adapter cannot be put on the model, in a sentence or two; empty: it can."""
    names = list(dict.fromkeys(layer.rpartition(".")[2] for layer in model.layers))
    has = f"It has: {', '.join(names)}."
    for target in (target for target in lora.targets if target != ALL_LINEAR):
        last = target.rpartition(".")[2]
        if last in _EMBEDDINGS or (last in _HEADS and not model.head):
            why = "shares its weights with the embeddings" if last in _HEADS else "is no linear layer"
            return f"`targets` names `{target}`, which {why}: no adapter can be put there alone. {has}"
        if not any(Lora(targets=(target,)).names(layer) for layer in model.layers):
            hint = nearest(target, names)
            return f"`targets` names `{target}`, but no linear layer of the model is called so. " + (
                f"{hint} {has}" if hint.startswith("Did") else has
            )
    chosen = model.adapted(lora)
    small = {layer: size for layer, size in chosen.items() if min(size) < lora.rank}
    if small:
        layer, size = min(small.items(), key=lambda one: min(one[1]))
        return (
            f"`rank` must be at most {min(size)} with these `targets`, but is {lora.rank} instead: `{layer}` is "
            f"{size[0]} x {size[1]}, and with {min(size)} its adapter can be any matrix."
        )
    return ""


def _of(sizes: ModelShape) -> Iterator[tuple[str, tuple[int, int]]]:
    """Of a dense decoder of the Llama kind, as transformers calls them."""
    h, q, k, i = sizes.hidden, sizes.queries, sizes.keys, sizes.intermediate
    attention = {"q_proj": (q, h), "k_proj": (k, h), "v_proj": (k, h), "o_proj": (h, q)}
    gated = {"gate_proj": (i, h), "up_proj": (i, h), "down_proj": (h, i)}
    for layer in range(sizes.layers):
        yield from ((f"model.layers.{layer}.self_attn.{name}", size) for name, size in attention.items())
        yield from ((f"model.layers.{layer}.mlp.{name}", size) for name, size in gated.items())
    if not sizes.tied:
        yield "lm_head", (sizes.vocab, h)
