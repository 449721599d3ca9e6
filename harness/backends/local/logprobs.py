"""The forward pass of training: log-probs of responses, computed on as few tokens as can be.

Responses are laid end to end in rows, behind a copy of their prompt that they share: each sees the prompt and
itself. Against one padded row for each response this saves repeated prompts and padding, about half the time for
short answers (`bench/training.py --row-widths 0`). Only positions that predict a response token go through the LM head.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from harness.backends.groups import TokenRollouts
from harness.models.attention import packed_mask
from harness.models.language_model import LanguageModel


@dataclass(frozen=True)
class Layout:
    """Where everything is: B responses behind C copies of prompts, in rows."""

    prompt_C: list[tuple[int, ...]]
    place_C: list[tuple[int, int]]
    """row and first column"""
    copy_B: list[int]
    """the copy that a response belongs to"""
    column_B: list[int]
    """its first column"""
    rows: int
    width: int

    @property
    def packed(self) -> bool:
        """Whether any row holds more than one response."""
        return self.rows < len(self.copy_B)


def lay_out(batch: TokenRollouts, row_tokens: int) -> Layout:
    """Responses in their order, each in the row of the one before if it fits.

    Args:
        row_tokens: tokens of a row, or more if the longest sequence needs them; 0: every response has its own row.
    """
    groups, lengths = batch.group_B.tolist(), batch.length_B.tolist()
    prompts = [batch.prompts[batch.problem_ids[group]] for group in groups]
    longest = max(len(prompt) + length for prompt, length in zip(prompts, lengths, strict=True))
    limit = max(row_tokens, longest) if row_tokens else 0
    prompt_C, place_C, copy_B, column_B = [], [], [], []
    row, column, width, group_before = -1, limit, 0, -1
    for group, prompt, length in zip(groups, prompts, lengths, strict=True):
        if group != group_before or column + length > limit:
            if column + len(prompt) + length > limit:
                row, column = row + 1, 0
            prompt_C.append(prompt)
            place_C.append((row, column))
            column += len(prompt)
        copy_B.append(len(prompt_C) - 1)
        column_B.append(column)
        column += length
        width, group_before = max(width, column), group
    return Layout(prompt_C, place_C, copy_B, column_B, row + 1, width)


@dataclass(frozen=True)
class ForwardPass:
    """What a model gives a batch, at the sampling temperature; 0 on padding."""

    logp_BT: Tensor
    entropy_BT: Tensor | None
    """nats, of the whole next-token distribution; None where it was not asked for"""


def response_logp(model: LanguageModel, batch: TokenRollouts, temperature: float) -> Tensor:
    """logp_BT of the responses alone."""
    return forward_logprobs(model, batch, temperature).logp_BT


def forward_logprobs(
    model: LanguageModel, batch: TokenRollouts, temperature: float, entropy: bool = False
) -> ForwardPass:
    """Log-probs of the responses, and how unsure the model was."""
    layout = lay_out(batch, model.row_tokens)
    device = batch.tokens_BT.device
    ids_RW = torch.zeros(layout.rows, layout.width, dtype=torch.int64, device=device)
    position_RW, copy_RW, owner_RW = torch.zeros_like(ids_RW), torch.full_like(ids_RW, -1), torch.zeros_like(ids_RW)
    for copy, (prompt, (row, column)) in enumerate(zip(layout.prompt_C, layout.place_C, strict=True)):
        there = (row, slice(column, column + len(prompt)))
        ids_RW[there] = torch.tensor(prompt, device=device)
        position_RW[there] = torch.arange(len(prompt), device=device)
        copy_RW[there] = copy

    copy_B = torch.tensor(layout.copy_B, device=device)
    place_C2 = torch.tensor(layout.place_C, device=device)
    prompt_C = torch.tensor([len(prompt) for prompt in layout.prompt_C], device=device)
    b, t = torch.nonzero(batch.mask_BT, as_tuple=True)  # every response token, in order
    copy, tokens = copy_B[b], batch.tokens_BT[b, t]
    row, column = place_C2[copy, 0], torch.tensor(layout.column_B, device=device)[b] + t
    ids_RW[row, column] = tokens
    position_RW[row, column] = prompt_C[copy] + t
    copy_RW[row, column] = copy
    owner_RW[row, column] = b + 1
    # the token before predicts this one; before the first is the last of the prompt
    source = torch.where(t == 0, place_C2[copy, 1] + prompt_C[copy] - 1, column - 1)

    options = {"position_ids": position_RW, "attention_mask": packed_mask(copy_RW, owner_RW)} if layout.packed else {}
    logits = _logits_at(model.net, ids_RW, row, source, options).float()
    if temperature != 1:
        logits = logits / temperature
    logp = -cross_entropy(logits, tokens, reduction="none")

    def spread(value: Tensor) -> Tensor:
        return torch.zeros_like(batch.old_logp_BT).index_put((b, t), value)

    return ForwardPass(spread(logp), spread(entropy_of(logits)) if entropy else None)


def entropy_of(logits: Tensor) -> Tensor:
    """-sum p log p over the last dimension, in nats."""
    logp = logits.log_softmax(-1)
    return -(logp.exp() * logp).sum(-1)


@torch.no_grad()
def fixed_logp(model: LanguageModel, batch: TokenRollouts, temperature: float, limit: int) -> Tensor:
    """logp_BT under a policy that is not being trained, in pieces of at most `limit` padded tokens; where the batch is,
    whatever the model computes on."""
    logp_BT = torch.zeros_like(batch.old_logp_BT)
    for groups in micro_batches(batch, limit):
        rows = torch.cat([torch.nonzero(batch.group_B == group)[:, 0] for group in groups])
        there = batch.select(groups).to(model.device)
        logp_BT[rows] = response_logp(model, there, temperature).to(logp_BT.device)
    return logp_BT


def micro_batches(batch: TokenRollouts, limit: int) -> Iterator[Tensor]:
    """Indices of groups of like length, as many as fit `limit` tokens if each response took a padded row of its own;
    a larger group goes alone."""
    size_G = batch.size_G.tolist()
    response_G = torch.zeros_like(batch.size_G).scatter_reduce_(0, batch.group_B, batch.length_B, "amax").tolist()
    prompt_G = [len(batch.prompts[problem]) for problem in batch.problem_ids]
    longest_G = [prompt + response for prompt, response in zip(prompt_G, response_G, strict=True)]
    chosen: list[int] = []
    rows = 0
    for group in sorted(range(batch.groups), key=lambda g: longest_G[g]):
        if chosen and (rows + size_G[group]) * longest_G[group] > limit:
            yield torch.tensor(chosen, device=batch.group_B.device)
            chosen, rows = [], 0
        chosen.append(group)
        rows += size_G[group]
    yield torch.tensor(chosen, device=batch.group_B.device)


def _logits_at(net: PreTrainedModel, ids: Tensor, row: Tensor, place: Tensor, options: dict[str, Tensor]) -> Tensor:
    """(n, V). The hook narrows what enters the LM head; what a model does to logits after it still happens."""
    head: torch.nn.Module = net.get_output_embeddings()  # type: ignore[assignment]
    with head.register_forward_pre_hook(lambda _, args: (args[0][row, place],)):
        return net(input_ids=ids, use_cache=False, **options).logits
