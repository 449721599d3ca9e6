"""Groups of rollouts: statistics of a group, places in it, and the padded table that contrastive losses work on.

Groups may be ragged and their rows need not be adjacent. Nothing loops over rows or groups, but for the random
draws, which take one generator for each problem.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from algorithms._torch import torch
from algorithms.rollouts import Rng, Rollouts

if TYPE_CHECKING:
    from torch import Tensor


def group_sum(value_B: Tensor, group_B: Tensor, groups: int) -> Tensor:
    """value_G: the sum over each group, 0 for an empty one."""
    return value_B.new_zeros(groups).index_add(0, group_B, value_B)


def centred(
    value_B: Tensor, group_B: Tensor, groups: int, leave_one_out: bool = False, among_B: Tensor | None = None
) -> Tensor:
    """value_B minus the mean of its group; 0 where there is nothing to take a mean of.

    Args:
        leave_one_out: the mean of the others in the group.
        among_B: bool, the rows that enter the means; None means all.
    """
    smallest_G = value_B.new_zeros(groups).scatter_reduce(0, group_B, value_B, "amin", include_self=False)
    # shifted, so that equal values, whatever their rounding, give exactly zero
    shifted_B = value_B - smallest_G[group_B]
    in_B = torch.ones_like(value_B) if among_B is None else among_B.to(value_B.dtype)
    sum_B = group_sum(shifted_B * in_B, group_B, groups)[group_B]
    count_B = group_sum(in_B, group_B, groups)[group_B]
    if leave_one_out:
        sum_B, count_B = sum_B - shifted_B * in_B, count_B - in_B
    return torch.where(count_B > 0, shifted_B - sum_B / count_B.clamp(min=1), 0)


def group_std(value_B: Tensor, group_B: Tensor, groups: int, ddof: int = 1, among_B: Tensor | None = None) -> Tensor:
    """std_G: sqrt of the squared deviations from the group's mean over (rows - ddof); 0 with too few rows."""
    in_B = torch.ones_like(value_B) if among_B is None else among_B.to(value_B.dtype)
    deviation_B = centred(value_B, group_B, groups, among_B=among_B) * in_B
    freedom_G = group_sum(in_B, group_B, groups) - ddof
    variance_G = group_sum(deviation_B.square(), group_B, groups) / freedom_G.clamp(min=1)
    return torch.where(freedom_G > 0, variance_G, 0).sqrt()


def place_in_group(group_B: Tensor, groups: int, key_B: Tensor | None = None) -> Tensor:
    """int64_B: 0 for the first row of its group, and so on, by rising key; by order in the batch without one."""
    by_key = torch.arange(len(group_B), device=group_B.device) if key_B is None else torch.argsort(key_B, stable=True)
    order = by_key[torch.argsort(group_B[by_key], stable=True)]
    size_G = torch.bincount(group_B, minlength=groups)
    first_G = size_G.cumsum(0) - size_G
    place_B = torch.empty_like(group_B)
    place_B[order] = torch.arange(len(group_B), device=group_B.device) - first_G[group_B[order]]
    return place_B


def lowest(value_B: Tensor, among_B: Tensor, count: int, group_B: Tensor, groups: int) -> Tensor:
    """bool_B: in each group the `count` rows of lowest value among those that are eligible (all, if fewer)."""
    key_B = torch.where(among_B, value_B, torch.inf)
    return among_B & (place_in_group(group_B, groups, key_B) < count)


def mean_old_logp(batch: Rollouts) -> Tensor:
    """float_B: log-prob per token under the policy that generated the rollout."""
    total_B = torch.where(batch.mask_BT, batch.old_logp_BT, 0).sum(1)
    return total_B / batch.length_B.clamp(min=1)


def keyed_uniform(batch: Rollouts, rng: Rng) -> Tensor:
    """float64_B in [0, 1): one draw for each rollout from its problem's generator.

    The draws of a group go to its rollouts in the order of their old log-probs, never of their rows: rollouts that
    tie there are the same text, for which it makes no difference.
    """
    sizes = batch.size_G.tolist()
    draws = [
        torch.rand(size, generator=rng(problem_id), dtype=torch.float64)
        for problem_id, size in zip(batch.problem_ids, sizes, strict=True)
    ]
    place_B = place_in_group(batch.group_B, batch.groups, mean_old_logp(batch))
    first_G = batch.size_G.cumsum(0) - batch.size_G
    table = torch.cat(draws) if draws else torch.empty(0, dtype=torch.float64)
    return table.to(place_B.device)[first_G[batch.group_B] + place_B]


@dataclass(frozen=True, eq=False)
class GroupTable:
    """The rows of a batch as a (G, K) table, K the largest group; the places that stay free hold a filler."""

    group_B: Tensor
    place_B: Tensor
    shape: tuple[int, int]

    @staticmethod
    def of(batch: Rollouts) -> GroupTable:
        """Rows of a group keep their order in the batch; at least one column, also where there is no row at all."""
        place_B = place_in_group(batch.group_B, batch.groups)
        widest = int(place_B.max()) + 1 if len(batch) else 1
        return GroupTable(batch.group_B, place_B, (batch.groups, widest))

    @property
    def filled(self) -> Tensor:
        """bool_GK: where there is a row"""
        return self(torch.ones_like(self.group_B, dtype=torch.bool))

    def __call__(self, value_B: Tensor) -> Tensor:
        """value_GK, 0 or False where a group has fewer rows."""
        return value_B.new_zeros(self.shape).index_put((self.group_B, self.place_B), value_B)
