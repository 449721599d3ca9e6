"""Where every token of a batch stands: once in a flat list, and in the rows that attention looks along.

Responses are laid end to end in rows, behind a copy of their prompt that they share: each sees the prompt and itself.
How wide rows are is chosen by what they would cost. The last token of a response is not there: nothing is predicted
from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import torch
from torch import Tensor

from harness.backends.groups import TokenRollouts
from harness.models.attention import packed_mask

WIDTHS = (0, 1, 1.5, 2, 3, 4)
"""rows that are tried, in longest sequences; 0: a row for each response"""


@dataclass(frozen=True)
class Layout:
    """Where everything is: B responses behind C copies of prompts, in rows."""

    group_C: list[int]
    """the group whose prompt it is; copies of one are adjacent"""
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

    def cost(self, cell: float) -> float:
        """Of a pass, in pairs of tokens that attention looks at.

        Args:
            cell: what a cell of a row costs besides, in such pairs.
        """
        return self.rows * self.width * (self.width + cell)


def cheapest(batch: TokenRollouts, packs: bool, cell: float) -> Layout:
    """The layout of lowest cost, the first of equals.

    Args:
        packs: whether several responses may share a row.
        cell: as in `Layout.cost`.
    """
    lengths = zip(batch.length_B.tolist(), batch.group_B.tolist(), strict=True)
    longest = max(length - 1 + len(batch.prompts[batch.problem_ids[group]]) for length, group in lengths)
    tried = [lay_out(batch, round(width * longest)) for width in (WIDTHS if packs else WIDTHS[:1])]
    return min(tried, key=lambda layout: layout.cost(cell))


def lay_out(batch: TokenRollouts, row_tokens: int) -> Layout:
    """Responses in their order, each in the row of the one before if it fits.

    Args:
        row_tokens: tokens of a row, or more if the longest sequence needs them; 0: every response has its own row.
    """
    groups, lengths = batch.group_B.tolist(), [length - 1 for length in batch.length_B.tolist()]
    prompts = [len(batch.prompts[batch.problem_ids[group]]) for group in groups]
    longest = max(prompt + length for prompt, length in zip(prompts, lengths, strict=True))
    limit = max(row_tokens, longest) if row_tokens else 0
    group_C, place_C, copy_B, column_B = [], [], [], []
    row, column, width, group_before = -1, limit, 0, -1
    for group, prompt, length in zip(groups, prompts, lengths, strict=True):
        if not limit or group != group_before or column + length > limit:
            if not limit or column + prompt + length > limit:
                row, column = row + 1, 0
            group_C.append(group)
            place_C.append((row, column))
            column += prompt
        copy_B.append(len(group_C) - 1)
        column_B.append(column)
        column += length
        width, group_before = max(width, column), group
    return Layout(group_C, place_C, copy_B, column_B, row + 1, width)


class FlatTokens:
    """All N tokens that a model must read to predict the n response tokens of a batch, each once: prompts by groups,
    then responses without their last tokens."""

    def __init__(self, batch: TokenRollouts) -> None:
        """On the batch's device. Ends of names: n response tokens, N read ones, S asked ones, G groups."""
        prompts = [batch.prompts[problem] for problem in batch.problem_ids]
        device = batch.tokens_BT.device
        self.device = device
        self.prompt_G = torch.tensor([len(prompt) for prompt in prompts], device=device)
        self.end_G = self.prompt_G.cumsum(0)
        self.prompts = sum(map(len, prompts))
        """tokens of all prompts"""
        self.row_n, self.step_n = torch.nonzero(batch.mask_BT, as_tuple=True)
        """which response a predicted token is of, and which of its tokens"""
        self.token_n = batch.tokens_BT[self.row_n, self.step_n]
        read_B = batch.length_B - 1
        read = self.step_n < read_B[self.row_n]
        self.read_row, self.read_step = self.row_n[read], self.step_n[read]
        """of the response tokens that are read"""
        prompt_ids = torch.tensor(list(chain.from_iterable(prompts)), device=device)
        self.ids_N = torch.cat([prompt_ids, self.token_n[read]])
        ahead = self.prompt_G[batch.group_B][self.read_row]
        self.position_N = torch.cat([_counted(self.prompt_G, prompts), ahead + self.read_step])
        # The token before predicts this one; before the first is the last of the prompt, asked once for its group.
        self.asked_S = torch.cat([self.end_G - 1, torch.arange(self.prompts, len(self.ids_N), device=device)])
        first_B = len(prompts) + read_B.cumsum(0) - read_B
        first = self.step_n == 0
        self.source_n = torch.where(first, batch.group_B[self.row_n], first_B[self.row_n] + self.step_n - 1)
        """which of S each is predicted from"""


def _counted(length_G: Tensor, parts: Sequence[Sequence[int]]) -> Tensor:
    """0, 1, ... for each part anew."""
    total = sum(map(len, parts))
    start_G = length_G.cumsum(0) - length_G
    return torch.arange(total, device=length_G.device) - start_G.repeat_interleave(length_G, output_size=total)


class Cells:
    """The rows of a layout, cell by cell."""

    def __init__(self, flat: FlatTokens, layout: Layout) -> None:
        """On the device of `flat`; cells are counted row by row."""
        self.layout = layout
        shape, device = (layout.rows, layout.width), flat.device
        group_C = torch.tensor(layout.group_C, device=device)
        first_C = torch.tensor([row * layout.width + column for row, column in layout.place_C], device=device)
        prompt_C = flat.prompt_G[group_C]
        copy = torch.arange(len(group_C), device=device).repeat_interleave(prompt_C)
        nth = torch.arange(len(copy), device=device) - (prompt_C.cumsum(0) - prompt_C)[copy]
        of_prompts = first_C[copy] + nth
        token = (flat.end_G - flat.prompt_G)[group_C[copy]] + nth
        row_B = [layout.place_C[copy][0] * layout.width for copy in layout.copy_B]
        first_B = torch.tensor(
            [row + column for row, column in zip(row_B, layout.column_B, strict=True)], device=device
        )
        of_responses = first_B[flat.read_row] + flat.read_step
        there = torch.arange(flat.prompts, len(flat.ids_N), device=device)

        self.token_RW = torch.zeros(shape, dtype=torch.int64, device=device)
        """the flat token in each cell; in padding the first"""
        self.token_RW.view(-1)[of_prompts] = token
        self.token_RW.view(-1)[of_responses] = there
        # A token that stands in several cells is taken back from the first.
        new_C = [at == 0 or group != layout.group_C[at - 1] for at, group in enumerate(layout.group_C)]
        new = torch.tensor(new_C, device=device)[copy]
        self.cell_N = torch.zeros_like(flat.ids_N)
        self.cell_N[token[new]] = of_prompts[new]
        self.cell_N[there] = of_responses
        self._of_prompts, self._copy, self._of_responses = of_prompts, copy, of_responses
        self._read_copy = torch.tensor(layout.copy_B, device=device)[flat.read_row]
        self._read_row = flat.read_row

    @cached_property
    def mask(self) -> Tensor | None:
        """bool (R, 1, W, W); None where causal is enough, a response a row."""
        if not self.layout.packed:
            return None
        copy_RW, owner_RW = torch.full_like(self.token_RW, -1), torch.zeros_like(self.token_RW)
        copy_RW.view(-1)[self._of_prompts] = self._copy
        copy_RW.view(-1)[self._of_responses] = self._read_copy
        owner_RW.view(-1)[self._of_responses] = self._read_row + 1
        return packed_mask(copy_RW, owner_RW)
