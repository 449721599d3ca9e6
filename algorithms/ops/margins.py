"""By how much a positive has to beat a negative: m_ij, added to the negative's score."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from algorithms._torch import torch
from algorithms.ops.groups import GroupTable
from algorithms.rollouts import Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor

Margin = Literal["reward_gap", "none", "const", "log_gap", "difficulty", "easiness", "curriculum"]
"""with a = alpha:

reward_gap  a (r_i - r_j): constant for plain labels, per pair once rewards are shaped
none        0
const       a
log_gap     a log(r_i - r_j), as in ODPO (arXiv:2402.10571); a pair without a gap is no pair
difficulty  a (1 - P/K)
easiness    a P/K
curriculum  a (1 - cos(pi min(1, progress / warmup))) / 2: rises with the trial, after ConSPO (arXiv:2605.12969)
"""


def margins(
    mode: Margin, alpha: float, warmup: float, batch: Rollouts, table: GroupTable, pair_GKK: Tensor, totals: Totals
) -> tuple[Tensor, Tensor]:
    """The pairs that count, bool_GKK, and m_ij in a shape that broadcasts to them.

    Args:
        warmup: of the curriculum, the share of the budget after which the margin has reached alpha.

    Raises: ValueError if the curriculum is not told the trial's progress.
    """
    if mode in ("reward_gap", "log_gap"):
        reward_GK = table(batch.reward_B)
        gap_GKK = reward_GK[:, :, None] - reward_GK[:, None, :]
        if mode == "reward_gap":
            return pair_GKK, alpha * gap_GKK
        pair_GKK = pair_GKK & (gap_GKK > 0)
        return pair_GKK, alpha * torch.where(pair_GKK, gap_GKK, 1).log()
    if mode in ("difficulty", "easiness"):
        rate_G = batch.positives_G / batch.size_G.clamp(min=1)
        return pair_GKK, alpha * (rate_G if mode == "easiness" else 1 - rate_G)[:, None, None]
    constant = {"none": 0.0, "const": alpha}.get(mode)
    if constant is None:
        constant = alpha * _risen(totals.progress, warmup)
    return pair_GKK, batch.reward_B.new_full((), constant)


def _risen(progress: float | None, warmup: float) -> float:
    if progress is None:
        raise ValueError("`margin_mode` curriculum needs `Totals.progress`, which the backend has not filled in.")
    return (1 - math.cos(math.pi * min(1.0, progress / warmup))) / 2
