"""GSPO: Zheng et al. 2025, arXiv:2507.18071, equation 5: GRPO with the ratio, and its clip, of whole sequences.

    J = mean over rollouts of min(s A, clip(s, 1-eps_low, 1+eps_high) A)
    s_k = ( pi_theta(y_k | x) / pi_old(y_k | x) )^(1/|y_k|)                     A_k = (r_k - mean r) / std r

A response is the action, so it is clipped as a whole or not at all. The length in the exponent keeps s near 1: the clip
range is a thousandth of GRPO's.

    symbol          name here
    eps_low, _high  clip_low, clip_high: the paper's 3e-4 and 4e-4, for 4 mini-batches a rollout batch
    s_k             ratio_BT, on each token with that token's own gradient

On-policy it is GRPO. The value of each token is that of s and its gradient its own part of it, as in the paper's
GSPO-token with equal advantages, and in verl; an importance weight then scales what its token passes on. No KL, of
which the paper's objective has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from algorithms.objectives.grpo import GRPO
from algorithms.ops.ratios import MAX_LOG_RATIO, Surrogate, clipped_surrogate, log_ratio
from algorithms.rollouts import Rollouts

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class GSPO(GRPO):
    """Group-standardised rewards under a clipped surrogate of whole sequences."""

    title: ClassVar[str] = "GSPO"
    source: ClassVar[str] = "Zheng et al. 2025, arXiv:2507.18071, eq. 5"
    rewards_alone: ClassVar[bool] = True

    kl_coef: float = 0.0
    """no KL in GSPO"""
    clip_low: float = 3e-4
    """eps_low: a sequence's ratio is held above 1 - clip_low"""
    clip_high: float = 4e-4
    """eps_high: a sequence's ratio is held below 1 + clip_high"""

    def surrogate(self, batch: Rollouts, logp_BT: Tensor, advantage_BT: Tensor) -> Surrogate:
        # each token has the value of the sequence's ratio, and passes back its own part of the gradient
        with_gradient_BT = log_ratio(logp_BT, batch.old_logp_BT, batch)
        constant_BT = with_gradient_BT.detach()
        mean_B1 = constant_BT.sum(1, keepdim=True) / batch.length_B.clamp(min=1)[:, None]
        ratio_BT = (mean_B1 + with_gradient_BT - constant_BT).clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO).exp()
        return clipped_surrogate(ratio_BT, advantage_BT, self.clip_low, self.clip_high, self.clip_dual)

    @property
    def trust_region(self) -> str:
        return super().trust_region.replace("token ratio", "sequence ratio, mean of log-ratios,")
