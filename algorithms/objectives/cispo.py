"""CISPO: MiniMax 2025, MiniMax-M1, arXiv:2506.13585, equation 4: importance weights are clipped, tokens are not.

    J = sum_k sum_t sg( clip(rho, 1-eps_low, 1+eps_high) ) A log pi_theta(y_k,t | x, y_k,<t) / sum_k |y_k|
    A_k = (r_k - mean r) / std r                                                              sg: no gradient

GRPO's clip takes the gradient from a token whose ratio has gone too far, which are the rare ones that a chain of
thought turns on; here it keeps its gradient and loses the excess of its weight. REINFORCE with truncated importance
weights.

    symbol    name here     in the paper
    eps_high  clip_high     the one that is tuned; its value is not stated
    eps_low   clip_low      off, which is 1 here

The cap of 5 on the ratio, 1 + clip_high, is ScaleRL's (arXiv:2510.13786). Mind other code: TRL's `epsilon_high` is the
cap itself, verl's is the excess over 1, as here. No KL. The paper keeps DAPO's dynamic sampling and length penalty
beside it; here it is the objective alone. On-policy it is GRPO with token mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from algorithms.base import Activity
from algorithms.hyperparameters import check_ranges
from algorithms.ops.advantages import Baseline, Scale
from algorithms.ops.aggregation import Aggregation
from algorithms.ops.metrics import MOVED
from algorithms.ops.ratios import UNCLIPPED, Surrogate, log_ratio, ratio
from algorithms.policy_gradient import CLIPPED, PolicyGradient
from algorithms.rollouts import Rollouts

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class CISPO(PolicyGradient):
    """Group-standardised rewards times log-likelihoods, by importance weights that are clipped."""

    title: ClassVar[str] = "CISPO"
    source: ClassVar[str] = "MiniMax 2025, arXiv:2506.13585, eq. 4"
    rewards_alone: ClassVar[bool] = True

    baseline: Baseline = "group_mean"
    """what rewards are compared with"""
    scale: Scale = "std"
    """what they are then divided by"""
    aggregation: Aggregation = "token_mean"
    """mean over the tokens of the mini-batch"""
    clip_low: float = 1.0
    """importance weights are held above 1 - clip_low; 1 turns it off"""
    clip_high: float = 4.0
    """importance weights are held below 1 + clip_high"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, clip_low="(0, 1]", clip_high="(0, inf)")

    @property
    def activity(self) -> tuple[Activity, ...]:
        return (CLIPPED, MOVED)

    @property
    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        clip = {} if (self.clip_low, self.clip_high) == tuple(UNCLIPPED.values()) else {"clip": UNCLIPPED}
        return {**clip, **super().parts}

    @property
    def stop_gradient(self) -> bool:
        return True

    def surrogate(self, batch: Rollouts, logp_BT: Tensor, advantage_BT: Tensor) -> Surrogate:
        ratio_BT = ratio(logp_BT, batch).detach()
        held_BT = ratio_BT.clamp(1 - self.clip_low, 1 + self.clip_high)
        return Surrogate(-held_BT * advantage_BT * log_ratio(logp_BT, None, batch), held_BT != ratio_BT)

    @property
    def trust_region(self) -> str:
        return f"importance weight of a token held in [{1 - self.clip_low:g}, {1 + self.clip_high:g}]"
