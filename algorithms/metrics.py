"""Metrics as sums and counts, read from the device in two transfers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from algorithms._torch import torch
from algorithms.base import Activity
from algorithms.rollouts import Mean, Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor

MOVED = Activity("sequence/log_ratio_square", "mean square of the sequence log-ratio to the sampler", 1e-6)
"""below it the policy has not moved between sampling and update, and every group method is weighted REINFORCE"""


def as_means(pairs: Mapping[str, tuple[Tensor | float, Tensor | float]]) -> dict[str, Mean]:
    """(total, count) of each metric, tensors without gradient or numbers, as floats."""
    tensors = {id(x): x for pair in pairs.values() for x in pair if isinstance(x, torch.Tensor)}
    read: dict[int, float] = {}
    # counts apart from the rest: as floats of single precision they would not be exact
    for counts in (True, False):
        some = {key: x.detach() for key, x in tensors.items() if x.is_floating_point() != counts}
        read |= zip(some, torch.stack(list(some.values())).tolist() if some else [], strict=True)

    def number(x: Tensor | float) -> float:
        return float(read.get(id(x), x))

    return {name: Mean(number(total), number(count)) for name, (total, count) in pairs.items()}


def share(batch: Rollouts, totals: Totals) -> float:
    """This batch's part of the mini-batch, by rollouts: the count of a metric that exists once an update."""
    return len(batch) / totals.rollouts if totals.rollouts else 0.0


def sequence_metrics(score_B: Tensor, batch: Rollouts) -> dict[str, tuple[Tensor | float, Tensor | float]]:
    """Of the sequence log-ratio to the sampler, S: mean and mean square (its variance is their difference), and
    mean over positives and over negatives, where falling values of both are likelihood displacement."""
    positive_B = batch.label_B.to(score_B.dtype)
    total, positive = score_B.sum(), (score_B * positive_B).sum()
    positives, rollouts = positive_B.sum(), len(batch)
    return {
        "sequence/log_ratio": (total, rollouts),
        "sequence/log_ratio_square": (score_B.square().sum(), rollouts),
        "sequence/log_ratio_positive": (positive, positives),
        "sequence/log_ratio_negative": (total - positive, rollouts - positives),
    }
