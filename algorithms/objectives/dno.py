"""DNO, direct Nash optimisation: Rosset et al. 2024, arXiv:2404.03715, algorithm 1, with labels as preferences.

    L = - mean over pairs of [ sigma(w_i - w_j) log sigma(s_i - s_j) + sigma(w_j - w_i) log sigma(s_j - s_i) ]
    s_k = eta log pi_theta(y_k) / pi_t(y_k)             w_k = mean over the other rollouts j of P(y_k beats y_j)

A reward is the rate of wins against the policy's own answers, and a step regresses scores on it: at the minimum s_i -
s_j is w_i - w_j, which is pi_t e^(w/eta), a step of soft policy iteration towards the game's equilibrium. pi_t is the
policy of this iteration, a copy synced every so many steps.

    symbol   name here        symbol   name here
    eta      eta              w_k      credit "win_rate"
    pi_t     reference        s_k      score_GK

From memory of the paper, and summaries of it: the loss above, and that it is "batched on-policy". A verifiable label
prefers a correct rollout to an incorrect one always, and of equal ones neither, a half. Then the gap in w is K / (2K -
2) in every group, whatever P: the target for a correct rollout over an incorrect one is sigma of that, 0.64 for K = 8,
so that DNO is DPO with soft labels and a pull of equal rollouts to each other. Where the paper is silent, and what is
not here:
- w is over the K - 1 others, without bias; all pairs are taken, equal ones too, and no group is dropped;
- eta is the paper's to choose; 0.1 is ours, DPO's usual beta. The mean is over groups, and importance weights scale the
  gradient that each token passes to its score (`ratios.sequence_score`);
- the paper's practical form, DNO-Prct, ranks by GPT-4 and adds its answers: a teacher, which this harness does not
  have. What is left of it, DPO on pairs with a large margin to a synced reference, is `group_dpo` with these labels.

Known variants and relations: `online_dpo` is the limit of hard labels; SPPO (arXiv:2405.00675) regresses each score on
its own win rate instead of differences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from algorithms._torch import torch
from algorithms.base import Activity, Algorithm, Reference
from algorithms.hyperparameters import check_ranges
from algorithms.objectives.online_dpo import SATURATION
from algorithms.ops.contrast import pair_table
from algorithms.ops.groups import GroupTable
from algorithms.ops.kl import base_logp
from algorithms.ops.metrics import MOVED, as_means, movement
from algorithms.ops.ratios import sequence_score
from algorithms.rollouts import Loss, Rng, Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class DNO(Algorithm):
    """Scores regressed on rates of wins within the group."""

    title: ClassVar[str] = "DNO"
    source: ClassVar[str] = "Rosset et al. 2024, arXiv:2404.03715, alg. 1"
    rewards_alone: ClassVar[bool] = True

    eta: float = 0.1
    """temperature of the log-ratio; smaller steps further"""
    ref_policy: Reference = "synced"
    """pi_t: a copy synced every `reference_sync_steps` steps, or the initial model"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, eta="(0, inf)")

    @property
    def activity(self) -> tuple[Activity, ...]:
        return (SATURATION, MOVED)

    @property
    def reference(self) -> Reference:
        return self.ref_policy

    def credit(self, batch: Rollouts, rng: Rng) -> Mapping[str, Tensor]:
        """win_rate_B: against the others of the group, a draw being half a win; 0 for a rollout alone."""
        table = GroupTable.of(batch)
        reward_GK, other_GKK = table(batch.reward_B), _others(table)
        gap_GKK = reward_GK[:, :, None] - reward_GK[:, None, :]
        wins_GK = torch.where(other_GKK, (gap_GKK.sign() + 1) / 2, 0).sum(2)
        rate_GK = wins_GK / other_GKK.sum(2).clamp(min=1)
        return {"win_rate": rate_GK[table.group_B, table.place_B]}

    def loss(self, batch: Rollouts, logp_BT: Tensor, totals: Totals) -> Loss:
        table = GroupTable.of(batch)
        score_GK = self.eta * table(sequence_score(logp_BT, base_logp(batch, self.ref_policy), batch))
        rate_GK, other_GKK = table(batch.credit["win_rate"]), _others(table)
        logit_GKK = score_GK[:, :, None] - score_GK[:, None, :]
        target_GKK = (rate_GK[:, :, None] - rate_GK[:, None, :]).sigmoid()
        loss_GKK = torch.where(other_GKK, target_GKK * torch.nn.functional.softplus(-logit_GKK), 0)
        # the table has each pair twice, with one of its two terms each time
        pairs_G = other_GKK.sum((1, 2)) / 2
        value = (loss_GKK.sum((1, 2)) / pairs_G.clamp(min=1)).sum() / max(totals.groups, 1)

        saturation_GKK = torch.where(other_GKK, (logit_GKK.detach() / 2).tanh().abs(), 0)
        metrics = {
            **movement(value, logp_BT, batch, totals),
            "dpo/saturation": ((saturation_GKK.sum((1, 2)) / 2 / pairs_G.clamp(min=1)).sum(), (pairs_G > 0).sum()),
        }
        return Loss(value, as_means(metrics))

    def spec(self) -> dict[str, str]:
        return {
            "reward": "label",
            "baseline": "rate of wins against the others in the group, all pairs, soft targets",
            "scale": f"eta {self.eta:g} on the sum of log-ratios",
            "trust region": "sigmoid of the logit",
            "aggregation": "mean over pairs, then over groups",
            "KL": "implicit (eta)",
            "filter": "none",
            "refill": "no",
            "reference": self.ref_policy,
        }


def _others(table: GroupTable) -> Tensor:
    """bool_GKK: two different rollouts of a group."""
    itself_KK = torch.eye(table.shape[1], dtype=torch.bool, device=table.group_B.device)
    return pair_table(table.filled, table.filled) & ~itself_KK
