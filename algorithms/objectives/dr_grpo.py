"""Dr. GRPO: Liu et al. 2025, arXiv:2503.20783: GRPO without its two biases.

    J = mean over rollouts of (1/L_max) sum_t min(rho A, clip(rho, 1-eps, 1+eps) A)            A_k = r_k - mean r

1. Not divided by the group's standard deviation, which weighs prompts by how nearly all or none are right.
2. Sums over tokens are divided by a constant and not by |y_k|, which favours short right and long wrong answers.

The constant is the response limit. With the longest response of the batch, which some code takes, the size of a step
would follow the length of answers. No KL, as in the paper. `aggregation.py`'s `const` is verl's
`seq-mean-token-sum-norm` with the limit as `loss_scale_factor`, and TRL's `dr_grpo`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from algorithms.objectives.grpo import GRPO
from algorithms.ops.advantages import Scale
from algorithms.ops.aggregation import Aggregation


@dataclass(frozen=True)
class DrGRPO(GRPO):
    """GRPO with centred rewards alone, and sums over tokens."""

    title: ClassVar[str] = "Dr. GRPO"
    source: ClassVar[str] = "Liu et al. 2025, arXiv:2503.20783"
    rewards_alone: ClassVar[bool] = True

    scale: Scale = "none"
    """not divided by anything"""
    aggregation: Aggregation = "const"
    """sums over tokens / the token limit"""
    kl_coef: float = 0.0
    """no KL in Dr. GRPO"""
