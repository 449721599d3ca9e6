"""CoPG, contrastive policy gradient: Flet-Berliac et al. 2024, arXiv:2406.19185.

    s(y)     = log pi_theta(y) / pi_ref(y)                                        R_b(y) = r(y) - b s(y)
    L(y, y') = - ( R_{beta/2}(y) - R_{beta/2}(y') ) ( s(y) - s(y') )
    grad L   = - ( R_beta(y) - R_beta(y') ) grad [ log pi_theta(y) - log pi_theta(y') ]

Each of two generations is the other's baseline, and it is the regularised reward that is compared: that makes pi_ref
e^(r/beta), the optimum of E r - beta KL(pi || pi_ref), the minimum whatever policy the two come from. So there is no
ratio to the sampler and no clip. L is a regression: 2 beta L = ( r - r' - beta (s - s') )^2 - (r - r')^2. With K
rollouts the baseline is the mean over the others, which is the mean of L over the pairs of the group (times a half, as
in RLOO):

    L = - mean_k ( R_{beta/2}(y_k) - mean_{j != k} R_{beta/2}(y_j) ) s_k          K = 2: L(y, y') / 2

    symbol   name here        symbol   name here
    beta     beta             R_b      regularised_B
    s_k      score_B          pi_ref   reference

From memory of the paper, of which a public summary shows the pairwise form: the losses above. Their identity with the
gradient and with the regression is worked out and tested here. Beta is the paper's to sweep and 0.1 is ours. Where the
paper is silent:
- K > 2, above; the mean is over rollouts, which is the mean over groups when these are equally large;
- no group is dropped: one of equal labels has no reward to compare, and is pulled to equal log-ratios;
- importance weights scale the gradient that each token passes to its score (`ratios.sequence_score`).

Known variants and relations: IPO (arXiv:2310.12036) on pairs of one correct and one incorrect rollout, with its tau =
beta / 2, has this gradient divided by beta / 2; where the rollouts were sampled the gradient is that of RLOO with KL in
the reward; the policy update of Kimi k1.5 (arXiv:2501.12599) is the square with the mean of all K as baseline and the
sampler as reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from algorithms.base import Activity, Algorithm, Reference
from algorithms.hyperparameters import check_ranges
from algorithms.ops.groups import centred
from algorithms.ops.kl import base_logp
from algorithms.ops.metrics import MOVED, as_means, movement
from algorithms.ops.ratios import sequence_score
from algorithms.rollouts import Loss, Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor

PULL = Activity("copg/pull", "mean |beta × log-ratio| against the others', in units of reward", 0.01)


@dataclass(frozen=True)
class CoPG(Algorithm):
    """Regularised rewards compared within the group, off-policy."""

    title: ClassVar[str] = "CoPG"
    source: ClassVar[str] = "Flet-Berliac et al. 2024, arXiv:2406.19185"
    rewards_alone: ClassVar[bool] = True

    beta: float = 0.1
    """what a nat of log-ratio to the reference costs, in units of reward"""
    ref_policy: Reference = "init"
    """what the log-ratio is taken to: the initial model, or a copy synced every `reference_sync_steps` steps"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, beta="(0, inf)")

    @property
    def activity(self) -> tuple[Activity, ...]:
        return (PULL, MOVED)

    @property
    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        """beta is above 0; so small, its pull is below rounding."""
        return {"KL": {"beta": 1e-12}}

    @property
    def reference(self) -> Reference:
        return self.ref_policy

    def loss(self, batch: Rollouts, logp_BT: Tensor, totals: Totals) -> Loss:
        score_B = sequence_score(logp_BT, base_logp(batch, self.ref_policy), batch)
        # half of beta: the derivative of the product brings the other half
        regularised_B = batch.reward_B - self.beta / 2 * score_B
        against_B = centred(regularised_B, batch.group_B, batch.groups, leave_one_out=True)
        value = -(against_B * score_B).sum() / max(totals.rollouts, 1)
        pull_B = self.beta * centred(score_B.detach(), batch.group_B, batch.groups, leave_one_out=True)
        metrics = {
            **movement(value, logp_BT, batch, totals),
            "copg/pull": (pull_B.abs().sum(), len(batch)),
        }
        return Loss(value, as_means(metrics))

    def spec(self) -> dict[str, str]:
        return {
            "reward": "label",
            "baseline": "regularised reward of the others in the group",
            "scale": "none",
            "trust region": "none, a regression",
            "aggregation": "sum over tokens, mean over rollouts",
            "KL": f"{self.beta:g} × log-ratio to {self.ref_policy}, in the reward, differentiated",
            "filter": "none",
            "refill": "no",
            "reference": self.ref_policy,
        }
