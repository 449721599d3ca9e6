"""Advantages of whole rollouts: rewards less a baseline, over a scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from algorithms._torch import torch
from algorithms.ops.groups import centred, group_std
from algorithms.rollouts import Rollouts

if TYPE_CHECKING:
    from torch import Tensor

Baseline = Literal["none", "group_mean", "leave_one_out"]
Scale = Literal["none", "std", "batch_std", "batch_advantage_std"]
"""what is divided by, all of them standard deviations with `std_ddof`:

none                 nothing
std                  of the rewards of the group
batch_std            of the rewards of the rollout batch
batch_advantage_std  of the rollout batch's rewards less their baselines
"""

STD_EPSILON = 1e-6
"""added to a standard deviation (verl's value); it only matters to rewards that differ by less than about 1e-4"""
BASELINES: dict[str, str] = {
    "none": "none",
    "group_mean": "group mean",
    "leave_one_out": "mean of the others in the group",
}
SCALES: dict[str, str] = {
    "none": "none",
    "std": "std of the group",
    "batch_std": "std of the batch's rewards",
    "batch_advantage_std": "std of the batch's centred rewards",
}


def advantages(
    batch: Rollouts, baseline: Baseline, scale: Scale, ddof: int = 1, among_B: Tensor | None = None
) -> Tensor:
    """advantage_B; 0 for a rollout that is alone in its group, unless there is no baseline.

    Args:
        among_B: bool, the rows that enter means and standard deviations; None means all.
    """
    reward_B, group_B, groups = batch.reward_B, batch.group_B, batch.groups
    others = baseline == "leave_one_out"
    less_B = reward_B if baseline == "none" else centred(reward_B, group_B, groups, others, among_B)
    if scale == "none":
        return less_B
    if scale == "std":
        # a group of one has no spread to divide by; its centred reward is 0 already
        return less_B / (group_std(reward_B, group_B, groups, ddof, among_B)[group_B] + STD_EPSILON)
    of_B = reward_B if scale == "batch_std" else less_B
    return less_B / (group_std(of_B, torch.zeros_like(group_B), 1, ddof, among_B) + STD_EPSILON)


def scale_words(scale: Scale, ddof: int) -> str:
    """As a row of a spec sheet."""
    return SCALES[scale] if scale == "none" else f"{SCALES[scale]}, ddof {ddof}"
