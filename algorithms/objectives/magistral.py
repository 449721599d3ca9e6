"""Magistral's GRPO: Mistral AI 2025, arXiv:2506.10910, section 2: DAPO's changes with another normalisation.

    J = mean over groups of sum_k sum_t min(rho A, clip(rho, 1-eps_low, 1+eps_high) A) / sum_k |y_k|
    A_k = (r_k - mean of group) / std of the batch's centred rewards

As in DAPO: no KL, clip-higher, groups without a contrast dropped, a soft penalty for length. Unlike DAPO:
1. Centred rewards are divided by their standard deviation over the batch, not by the group's.
2. Sums over tokens are divided by the tokens of the group, then averaged over groups.
3. The reward is 1 for a correct answer and 0 otherwise, and the penalty for length reaches at most 0.1.

Where we depart from the paper:
- its 1 is 0.1 for the format and 0.9 for the answer, with 0.1 more for the language of the answer. Here a rollout has
  one label, so that a well-formed wrong answer earns 0;
- its mini-batches are cut from an asynchronous stream and normalised one by one, ours from one rollout batch, which
  is normalised whole; the mean that the paper subtracts once more is 0 then;
- its eps_high was tuned between 0.26 and 0.28; eps_low and the share of the penalty's buffer are DAPO's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from algorithms.objectives.dapo import DAPO
from algorithms.ops.advantages import Scale
from algorithms.ops.aggregation import Aggregation


@dataclass(frozen=True)
class Magistral(DAPO):
    """Group-centred rewards over the batch's deviation, token mean of each group, clip-higher, filtered groups."""

    title: ClassVar[str] = "Magistral's GRPO"
    source: ClassVar[str] = "Mistral AI 2025, arXiv:2506.10910, section 2"
    wrong: ClassVar[float] = 0.0

    scale: Scale = "batch_advantage_std"
    """std of the rollout batch's centred rewards"""
    aggregation: Aggregation = "group_token_mean"
    """mean over the tokens of each group, then over groups"""
    overlong_factor: float = 0.1
    """the most that a response loses for its length, on rewards of 0 and 1; 0: off"""
