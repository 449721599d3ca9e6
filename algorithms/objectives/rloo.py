"""RLOO: Ahmadian et al. 2024, "Back to Basics", arXiv:2402.14740, equation 7, after Kool et al. 2019.

    J = mean over rollouts of  [ R_k - mean of R_j, j != k ] sum_t log pi_theta(y_k,t | x, y_k,<t)
    R_k = r_k - beta sum_t (log pi_old - log pi_ref)

REINFORCE on whole responses, with the mean of the others in the group as baseline: unbiased, where the group's own
mean shrinks the gradient by (K-1)/K. KL to the initial model is charged in the reward, by k1.

    symbol   name here        symbol   name here
    beta     kl_coef          R_k      reward_B

beta is TRL's 0.03; the paper tuned it for each task. K is the recipe's; the paper took 2 and 4. No ratio to the
sampler, as in the paper, which makes one update a batch.

Known variants: TRL's RLOOTrainer clips the ratio of whole sequences and standardises advantages on demand; verl's
`rloo` is the baseline alone, under PPO's clipped surrogate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from algorithms.objectives.reinforce import Reinforce
from algorithms.ops.advantages import Baseline
from algorithms.ops.kl import Estimator


@dataclass(frozen=True)
class RLOO(Reinforce):
    """REINFORCE with the mean of the other rollouts as baseline, and KL in the reward."""

    title: ClassVar[str] = "RLOO"
    source: ClassVar[str] = "Ahmadian et al. 2024, arXiv:2402.14740, eq. 7"
    rewards_alone: ClassVar[bool] = True

    baseline: Baseline = "leave_one_out"
    """the mean of the others in the group"""
    kl_coef: float = 0.03
    """beta; 0: no KL and no reference policy"""
    kl_place: Literal["loss", "reward"] = "reward"
    """where it is charged: in the reward, summed over the response"""
    kl_estimator: Estimator = "k1"
    """the one without bias in a reward"""
