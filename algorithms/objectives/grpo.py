"""GRPO: Shao et al. 2024, DeepSeekMath, arXiv:2402.03300, equations 3 and 4.

    J = mean over prompts of (1/K) sum_k (1/|y_k|) sum_t [ min(rho A, clip(rho, 1-eps, 1+eps) A) - beta k3 ]
    A_k = (r_k - mean r) / std r              rho = pi_theta / pi_old              k3: see `kl.py`

    symbol   name here                 symbol   name here
    A_k      advantage_B               eps      clip_low, clip_high
    r_k      reward_B                  beta     kl_coef
    rho      ratio_BT                  pi_ref   kl_reference

Where the paper is silent, or practice has left it:
- the standard deviation is the sample's (ddof 1), as in verl, and eps is PPO's 0.2; the paper states neither;
- the mean is taken over rollouts, which is the paper's mean over prompts when groups are equally large;
- a rollout alone in its group has advantage 0 (verl gives it its raw reward).

Known variants: Dr. GRPO, DAPO, Lite PPO, Magistral's, GSPO and CISPO have files of their own. verl's default is
`aggregation="token_mean"` with a dual clip of 3 and no KL, TRL's `token_mean` and no KL; DeepSeek-R1 took
`kl_coef=0.001` and next to no upper clip; 2-GRPO (arXiv:2510.00977) is the recipe's `group_size: 2`; RGRA
(arXiv:2603.18756) leaves out ratio and clip, which is `reinforce` with `baseline="group_mean", scale="std"`.
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
from algorithms.ops.ratios import UNCLIPPED, Surrogate, clipped_surrogate, ratio
from algorithms.policy_gradient import CLIPPED, PolicyGradient
from algorithms.rollouts import Rollouts

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class GRPO(PolicyGradient):
    """Group-standardised rewards under a clipped surrogate with a KL penalty."""

    title: ClassVar[str] = "GRPO"
    source: ClassVar[str] = "Shao et al. 2024, arXiv:2402.03300, eq. 3"
    rewards_alone: ClassVar[bool] = True

    baseline: Baseline = "group_mean"
    """what rewards are compared with: nothing, group_mean, or leave_one_out as in RLOO"""
    scale: Scale = "std"
    """what they are then divided by: std of the group; none, as in Dr. GRPO; batch_std as in Lite PPO"""
    aggregation: Aggregation = "seq_mean_token_mean"
    """from tokens to a number; see `aggregation.py`"""
    kl_coef: float = 0.04
    """beta; 0: no KL and no reference policy. R1 took 0.001"""
    clip_low: float = 0.2
    """the ratio is held above 1 - clip_low; 1 turns it off"""
    clip_high: float = 0.2
    """the ratio is held below 1 + clip_high"""
    clip_dual: float | None = None
    """above 1: with a negative advantage a token costs at most clip_dual |A|; None: off (verl's default is 3)"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, clip_low="(0, 1]", clip_high="(0, inf)", clip_dual="(1, inf)")

    @property
    def activity(self) -> tuple[Activity, ...]:
        return (CLIPPED, MOVED)

    @property
    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        dual = {} if self.clip_dual is None else {"dual clip": {"clip_dual": None}}
        clip = {} if (self.clip_low, self.clip_high) == tuple(UNCLIPPED.values()) else {"clip": UNCLIPPED}
        return {**clip, **dual, **super().parts}

    def surrogate(self, batch: Rollouts, logp_BT: Tensor, advantage_BT: Tensor) -> Surrogate:
        return clipped_surrogate(ratio(logp_BT, batch), advantage_BT, self.clip_low, self.clip_high, self.clip_dual)

    @property
    def trust_region(self) -> str:
        dual = "" if self.clip_dual is None else f", dual clip {self.clip_dual:g}"
        return f"token ratio in [{1 - self.clip_low:g}, {1 + self.clip_high:g}]{dual}"
