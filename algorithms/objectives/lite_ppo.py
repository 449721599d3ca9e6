"""Lite PPO: Liu et al. 2025, "Tricks or Traps?", arXiv:2508.08221: two tricks on plain PPO, and no others.

    J = sum_k sum_t min(rho A, clip(rho, 1-eps, 1+eps) A) / sum_k |y_k|       A_k = (r_k - mean of group) / std of batch

1. Advantages take their mean from the group and their standard deviation from the rewards of the whole batch, so that
   a group which is nearly all right or all wrong is not blown up.
2. Token-level mean.

No KL, no clip-higher, no filter, no penalty for length. The paper compares it with PPO's eps of 0.2.
The batch is the rollout batch, from which mini-batches are then cut.

Known variants: the standard deviation of the centred rewards instead of the rewards (`batch_advantage_std`) is
REINFORCE++'s and Magistral's; ROLL and AReaL offer both levels as settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from algorithms.objectives.grpo import GRPO
from algorithms.ops.advantages import Scale
from algorithms.ops.aggregation import Aggregation


@dataclass(frozen=True)
class LitePPO(GRPO):
    """Mean of the group, standard deviation of the batch, mean over tokens."""

    title: ClassVar[str] = "Lite PPO"
    source: ClassVar[str] = "Liu et al. 2025, arXiv:2508.08221"
    rewards_alone: ClassVar[bool] = True

    scale: Scale = "batch_std"
    """std of the rewards of the rollout batch"""
    aggregation: Aggregation = "token_mean"
    """mean over the tokens of the mini-batch"""
    kl_coef: float = 0.0
    """no KL in Lite PPO"""
