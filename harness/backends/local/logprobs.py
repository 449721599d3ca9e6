"""The forward pass of training: log-probs of responses, computed on as few tokens as can be.

The responses of one prompt share a row: the prompt once, then response after response, each of which sees the
prompt and itself. Against one padded row for each response this saves the repeated prompts and most of the padding.
Only positions that predict a response token go through the LM head.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from harness.backends.local.attention import shared_row_mask
from harness.backends.local.batch import TokenRollouts
from harness.backends.local.model import LanguageModel

ROW_TOKENS = 256
"""responses join a row up to this length; beyond, attention over the whole row costs more than the prompt again"""


@dataclass(frozen=True)
class Layout:
    """Where everything is: B responses in R rows of W tokens; responses keep their order."""

    row_B: list[int]
    group_R: list[int]
    start_B: list[int]
    """place of the first response token in its row"""
    prompt_R: list[tuple[int, ...]]
    width_R: list[int]

    @property
    def shared(self) -> bool:
        """Whether any row holds more than one response."""
        return len(self.row_B) > len(self.prompt_R)


def lay_out(model: LanguageModel, batch: TokenRollouts) -> Layout:
    """Responses in their order; a new row starts with every new group and when the row is full."""
    row_tokens = ROW_TOKENS if model.shares_rows else 0
    layout = Layout([], [], [], [], [])
    for group, length in zip(batch.group_B.tolist(), batch.length_B.tolist(), strict=True):
        if not layout.group_R or group != layout.group_R[-1] or layout.width_R[-1] + length > row_tokens:
            prompt = batch.prompts[batch.problem_ids[group]]
            layout.group_R.append(group)
            layout.prompt_R.append(prompt)
            layout.width_R.append(len(prompt))
        layout.row_B.append(len(layout.prompt_R) - 1)
        layout.start_B.append(layout.width_R[-1])
        layout.width_R[-1] += length
    return layout


def micro_batches(model: LanguageModel, batch: TokenRollouts, limit: int) -> Iterator[Tensor]:
    """Indices of groups with rows of like length, as many as fit `limit` padded tokens; a larger group goes alone."""
    layout = lay_out(model, batch)
    rows_G, width_G = [0] * batch.groups, [0] * batch.groups
    for group, width in zip(layout.group_R, layout.width_R, strict=True):
        rows_G[group] += 1
        width_G[group] = max(width_G[group], width)
    chosen: list[int] = []
    rows = 0
    for group in sorted(range(batch.groups), key=lambda g: width_G[g]):
        if chosen and (rows + rows_G[group]) * width_G[group] > limit:
            yield torch.tensor(chosen, device=batch.group_B.device)
            chosen, rows = [], 0
        chosen.append(group)
        rows += rows_G[group]
    yield torch.tensor(chosen, device=batch.group_B.device)


def response_logp(model: LanguageModel, batch: TokenRollouts, temperature: float) -> Tensor:
    """logp_BT of the responses at the sampling temperature, 0 on padding. Rows of a group must be adjacent."""
    layout = lay_out(model, batch)
    rows, width = len(layout.width_R), max(layout.width_R)
    device = batch.tokens_BT.device
    ids = torch.zeros(rows, width, dtype=torch.int64, device=device)
    for row, prompt in enumerate(layout.prompt_R):
        ids[row, : len(prompt)] = torch.tensor(prompt, device=device)
    row_B = torch.tensor(layout.row_B, device=device)
    start_B = torch.tensor(layout.start_B, device=device)
    prompt_B = torch.tensor([len(layout.prompt_R[row]) for row in layout.row_B], device=device)

    b, t = torch.nonzero(batch.mask_BT, as_tuple=True)  # every response token, in order
    row, place, tokens = row_B[b], start_B[b] + t, batch.tokens_BT[b, t]
    ids[row, place] = tokens
    source = torch.where(t == 0, prompt_B[b] - 1, place - 1)  # the token before: its logits predict this one

    if layout.shared:
        position = torch.arange(width, device=device).repeat(rows, 1)
        position[row, place] = prompt_B[b] + t
        owner = torch.zeros_like(ids)  # 0 for the prompt, then one number for each response
        owner[row, place] = b + 1
        options = {"position_ids": position, "attention_mask": shared_row_mask(owner)}
    else:
        options = {}
    logits = _logits_at(model.net, ids, row, source, options)
    if temperature != 1:
        logits = logits / temperature
    logp = -cross_entropy(logits.float(), tokens, reduction="none")
    return torch.zeros_like(batch.old_logp_BT).masked_scatter(batch.mask_BT, logp)


@torch.no_grad()
def fixed_logp(model: LanguageModel, batch: TokenRollouts, temperature: float, limit: int) -> Tensor:
    """logp_BT under a policy that is not being trained, in pieces of at most `limit` padded tokens."""
    logp_BT = torch.zeros_like(batch.old_logp_BT)
    for groups in micro_batches(model, batch, limit):
        rows = torch.cat([torch.nonzero(batch.group_B == group)[:, 0] for group in groups])
        logp_BT[rows] = response_logp(model, batch.select(groups), temperature)
    return logp_BT


def _logits_at(net: PreTrainedModel, ids: Tensor, row: Tensor, place: Tensor, options: dict[str, Tensor]) -> Tensor:
    """(n, V). The hook narrows what enters the LM head; what a model does to logits after it still happens."""
    head: torch.nn.Module = net.get_output_embeddings()  # type: ignore[assignment]
    with head.register_forward_pre_hook(lambda _, args: (args[0][row, place],)):
        return net(input_ids=ids, use_cache=False, **options).logits
