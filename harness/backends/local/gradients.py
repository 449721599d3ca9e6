"""Token weights through the model: what each algorithm would do to every parameter.

Two passes: values first, without gradient, for the losses; then micro-batch by
micro-batch one forward pass for all algorithms and one backward pass for each, with its token weights. So memory holds
one micro-batch's graph and a gradient for each algorithm, however large the batch is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.backends.groups import TokenRollouts
from harness.backends.local.logprobs import forward_logprobs, micro_batches
from harness.backends.local.token_weights import ENTROPY, LOGP
from harness.base.errors import UserError
from harness.models.language_model import LanguageModel

MICRO_TOKENS = 16384
"""padded tokens in one forward pass"""
MOST_MEMORY = 0.6
"""share of the machine's that the gradients of all algorithms may take"""
_BLOCK = re.compile(r"\.(?:layers|h|blocks|block)\.(\d+)\.")
EMBEDDINGS, HEAD = "embeddings", "head"


@dataclass(frozen=True)
class Layers:
    """Where the parameters of each layer are in a flat gradient; a layer's are adjacent."""

    names: list[str]
    parameters: list[torch.nn.Parameter]
    of: list[str]
    """the layer of each parameter"""

    def spans(self) -> dict[str, slice]:
        """Layer -> where it is in the flat gradient, counted in parameters."""
        spans: dict[str, slice] = {}
        at = 0
        for layer, parameter in zip(self.of, self.parameters, strict=True):
            begin = spans[layer].start if layer in spans else at
            at += parameter.numel()
            spans[layer] = slice(begin, at)
        return spans


def layers(model: LanguageModel) -> Layers:
    """Embeddings, each block, and the head: what comes after the last block, the final norm included. A head that
    shares the embeddings' weights is counted there."""
    inputs = {id(parameter) for parameter in model.net.get_input_embeddings().parameters()}
    named = [(_layer(name, id(p) in inputs), p) for name, p in model.net.named_parameters() if p.requires_grad]
    blocks = sorted({layer for layer, _ in named} - {EMBEDDINGS, HEAD}, key=lambda layer: int(layer.split()[1]))
    names = [name for name in (EMBEDDINGS, *blocks, HEAD) if any(layer == name for layer, _ in named)]
    ordered = sorted(named, key=lambda pair: names.index(pair[0]))
    return Layers(names, [parameter for _, parameter in ordered], [layer for layer, _ in ordered])


def _layer(name: str, is_input: bool) -> str:
    block = _BLOCK.search(name)
    if block:
        return f"block {block[1]}"
    positions = "wpe" in name or "embed_positions" in name
    return EMBEDDINGS if is_input or positions else HEAD


@torch.no_grad()
def values(model: LanguageModel, batch: TokenRollouts, temperature: float, wanted: Sequence[str]) -> dict[str, Tensor]:
    """Quantities of the forward pass, of shape BT, without gradient, on the CPU as the batch is."""
    found = {name: torch.zeros(batch.mask_BT.shape) for name in wanted}
    for micro, rows in _micros(batch):
        for name, value in quantities(model, micro, temperature, wanted).items():
            found[name][rows] = value.cpu()
    return found


def quantities(
    model: LanguageModel, batch: TokenRollouts, temperature: float, wanted: Sequence[str]
) -> dict[str, Tensor]:
    """What of one forward pass an objective may differentiate: values of shape BT, with gradient, on the model's
    device."""
    now = forward_logprobs(model, batch.to(model.device), temperature, ENTROPY in wanted)
    return {LOGP: now.logp_BT} | ({} if now.entropy_BT is None else {ENTROPY: now.entropy_BT})


def gradients(
    model: LanguageModel,
    batch: TokenRollouts,
    temperature: float,
    weights: Sequence[Mapping[str, Tensor]],
    of: Layers,
    pieces: Sequence[Tensor] | None = None,
) -> Tensor:
    """(A, P), on the CPU, of single precision: the direction each of A algorithms pulls P parameters in; its loss's
    gradient with the sign turned.

    Args:
        weights: of each algorithm, for each quantity it differentiates.
        pieces: groups that share no forward pass with those of another piece; None: they all may.
    Raises: UserError if so many gradients have no room.
    """
    _check_memory(len(weights), of)
    flat = torch.zeros(len(weights), sum(parameter.numel() for parameter in of.parameters))
    wanted = list(dict.fromkeys(name for weight in weights for name in weight))
    for micro, rows in _micros(batch, pieces):
        outputs = list(quantities(model, micro, temperature, wanted).values())
        for row, weight in zip(flat, weights, strict=True):
            pulls = [weight[n][rows].float() if n in weight else torch.zeros(micro.mask_BT.shape) for n in wanted]
            if not any(pull.any() for pull in pulls):
                continue
            there = [pull.to(model.device) for pull in pulls]  # the batch and what is found are on the CPU
            found = torch.autograd.grad(outputs, of.parameters, there, retain_graph=True, allow_unused=True)
            for piece, part in zip(row.split([p.numel() for p in of.parameters]), found, strict=True):
                if part is not None:
                    piece += part.flatten().cpu()
    return flat


def _check_memory(algorithms: int, of: Layers) -> None:
    if not fit(algorithms, of):
        most, there = _most(of), os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        parameters = sum(parameter.numel() for parameter in of.parameters)
        raise UserError(
            f"{algorithms} gradients of {parameters:,} parameters take {4 * algorithms * parameters / 1e9:.1f} GB, and "
            f"this machine has {there / 1e9:.1f}. Name at most {most} algorithms at once."
        )


def fit(count: int, of: Layers) -> bool:
    """Whether so many gradients have room in this machine's memory."""
    return count <= _most(of)


def _most(of: Layers) -> int:
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return int(MOST_MEMORY * there / 4 / sum(parameter.numel() for parameter in of.parameters))


def cosines(flat: Tensor) -> list[list[float | None]]:
    """Of each pair of rows, clamped to [-1, 1] and exactly 1 with itself; None where a row is zero. Sums in double
    precision."""
    gram = products(flat)
    norm = gram.diagonal().sqrt()
    cosine = (gram / (norm[:, None] * norm)).clamp(-1, 1)
    return [
        [None if x != x else 1.0 if i == j else x for j, x in enumerate(row)] for i, row in enumerate(cosine.tolist())
    ]


def norms(flat: Tensor) -> list[float]:
    return products(flat).diagonal().sqrt().tolist()


def products(flat: Tensor) -> Tensor:
    """Inner products of rows, exactly symmetric. Piece by piece: the whole in double precision would take twice the
    memory of all gradients."""
    gram = torch.zeros(len(flat), len(flat), dtype=torch.float64)
    for part in flat.split(1 << 20, 1):
        gram += part.double() @ part.double().T
    return gram.triu() + gram.triu(1).T


def _micros(batch: TokenRollouts, pieces: Sequence[Tensor] | None = None) -> Iterator[tuple[TokenRollouts, Tensor]]:
    """Micro-batches of whole groups, and the rows of the batch that each holds."""
    for piece in pieces or [torch.arange(batch.groups)]:
        for groups in micro_batches(batch.select(piece), MICRO_TOKENS):
            some = piece[groups]
            yield batch.select(some), torch.cat([torch.nonzero(batch.group_B == group)[:, 0] for group in some])
