"""REINFORCE: Williams 1992, Machine Learning 8, equation 4, with the response as one action.

    J = mean over rollouts of  (r_k - b) sum_t log pi_theta(y_k,t | x, y_k,<t)                  b = 0

No baseline, no ratio to the sampler, no trust region, no KL: with labels of 0 and 1 it learns from correct rollouts
alone, in proportion to their number. What every other method here is a correction of.

In the later updates of a rollout batch its gradient is that of samples from an older policy, uncorrected; the textbook
makes one update a batch (the recipe's `epochs: 1, minibatches: 1`). Where theta is the sampler it equals PSR.

Known variants: `baseline="group_mean"` is the centred REINFORCE that all group methods come down to on-policy, and
with `scale="std"` RGRA (arXiv:2603.18756); GPG (arXiv:2504.02546) is that with token means; RLOO has its own file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from algorithms.policy_gradient import PolicyGradient


@dataclass(frozen=True)
class Reinforce(PolicyGradient):
    """Rewards times log-likelihoods."""

    title: ClassVar[str] = "REINFORCE"
    source: ClassVar[str] = "Williams 1992, Machine Learning 8:229-256"
    rewards_alone: ClassVar[bool] = True
