"""InfoNCA and NCA, noise contrastive alignment: Chen et al. 2024, arXiv:2402.05369, equations for K responses with
rewards.

    s_k = beta log pi_theta(y_k) / pi_ref(y_k)          q_k = e^(r_k / alpha) / sum_j e^(r_j / alpha)

    L_InfoNCA = - sum_k q_k log ( e^s_k / sum_j e^s_j )
    L_NCA     = - sum_k [ q_k log sigma(s_k) + (1/K) log sigma(-s_k) ]

InfoNCA asks which of the K responses is the good one, and only differences of scores count. NCA asks of each response
alone whether it is data or noise, so that scores have a zero, the reference, and the likelihood of good responses may
not fall.

    symbol   name here        symbol   name here
    beta     beta             q_k      credit "target"
    alpha    alpha            pi_ref   reference
    s_k      score_GK         r_k      reward_B, the label as 0 or 1

Verified in the authors' code (thu-ml/Noise-Contrastive-Alignment): both losses, sums over tokens, a fixed reference,
beta 0.01. Its alpha is that of this file, 1/alpha in the paper's terms; scripts set 1e-4, with which q is a hard label:
1/P for each correct rollout, 0 for the others, and 1/K in a group of equal labels. Their 0.01 added to the first
response's reward, which breaks ties for preference data, is left out.

No group is dropped, as in the paper. In one of equal labels q is flat, and what is left is a pull to the reference, the
same whether all are correct or all wrong: InfoNCA's makes the s_k equal, NCA's takes each of them to 0. At the
reference it is 0.

Known variants and relations:
- K = 2 with hard labels: InfoNCA is DPO; NCA is TRL's `nca_pair`;
- hard labels: InfoNCA is `sum_log` NCE with `pos_reduction` mean (`rence.py`), the score being taken to this reference;
- at pi_theta = pi_ref NCA's gradient is half of InfoNCA's, and both are REINFORCE with weights beta (q_k - 1/K).

Where the paper is silent: the mean is over groups, and importance weights scale the gradient that each token passes to
its score (`ratios.sequence_score`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from algorithms._torch import torch
from algorithms.base import Activity, Algorithm, Reference
from algorithms.hyperparameters import check_ranges
from algorithms.ops.contrast import EMPTY
from algorithms.ops.groups import GroupTable
from algorithms.ops.kl import base_logp
from algorithms.ops.metrics import MOVED, as_means, movement
from algorithms.ops.ratios import sequence_score
from algorithms.rollouts import Loss, Rng, Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor

SATURATION = Activity("nca/saturation", "saturation of scores, |2 sigma(s) - 1|", 0.01)


@dataclass(frozen=True)
class InfoNCA(Algorithm):
    """Cross-entropy of the group's softmax of scores with the softmax of its rewards."""

    title: ClassVar[str] = "InfoNCA"
    source: ClassVar[str] = "Chen et al. 2024, arXiv:2402.05369"
    rewards_alone: ClassVar[bool] = True
    _question: ClassVar[str] = "softmax of scores over the group"
    _saturates: ClassVar[str] = "softmax of the scores"

    beta: float = 0.01
    """temperature of the log-ratio"""
    alpha: float = 1e-4
    """temperature of the rewards; towards 0 targets are hard, 1 leaves a wrong rollout 1/e of a correct one's share"""
    ref_policy: Reference = "init"
    """what the log-ratio is taken to: the initial model, or a copy synced every `reference_sync_steps` steps"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, beta="(0, inf)", alpha="(0, inf)")

    @property
    def activity(self) -> tuple[Activity, ...]:
        return (SATURATION, MOVED)

    @property
    def reference(self) -> Reference:
        return self.ref_policy

    def credit(self, batch: Rollouts, rng: Rng) -> Mapping[str, Tensor]:
        """target_B: q_k."""
        table = GroupTable.of(batch)
        target_GK = torch.where(table.filled, table(batch.reward_B) / self.alpha, EMPTY).softmax(1)
        return {"target": target_GK[table.group_B, table.place_B]}

    def loss(self, batch: Rollouts, logp_BT: Tensor, totals: Totals) -> Loss:
        table = GroupTable.of(batch)
        score_GK = self.beta * table(sequence_score(logp_BT, base_logp(batch, self.ref_policy), batch))
        loss_GK = self._losses(score_GK, table(batch.credit["target"]), table.filled)
        value = loss_GK.sum() / max(totals.groups, 1)
        metrics = {
            **movement(value, logp_BT, batch, totals),
            # empty places of the table have a score of 0 and add nothing
            "nca/saturation": ((score_GK / 2).tanh().abs().sum(), len(batch)),
        }
        return Loss(value, as_means(metrics))

    def spec(self) -> dict[str, str]:
        return {
            "reward": "label",
            "baseline": f"{self._question}, target softmax(reward / {self.alpha:g})",
            "scale": f"beta {self.beta:g} on the sum of log-ratios",
            "trust region": self._saturates,
            "aggregation": "mean over groups",
            "KL": "implicit (beta)",
            "filter": "none",
            "refill": "no",
            "reference": self.ref_policy,
        }

    def _losses(self, score_GK: Tensor, target_GK: Tensor, filled_GK: Tensor) -> Tensor:
        """loss_GK, 0 where there is no rollout."""
        together_G1 = torch.logsumexp(torch.where(filled_GK, score_GK, EMPTY), 1, keepdim=True)
        return torch.where(filled_GK, target_GK * (together_G1 - score_GK), 0)


@dataclass(frozen=True)
class NCA(InfoNCA):
    """Each response alone against the reference as noise."""

    title: ClassVar[str] = "NCA"
    rewards_alone: ClassVar[bool] = True
    _question: ClassVar[str] = "each score against the reference as noise"
    _saturates: ClassVar[str] = "sigmoid of each score"

    def _losses(self, score_GK: Tensor, target_GK: Tensor, filled_GK: Tensor) -> Tensor:
        softplus = torch.nn.functional.softplus
        noise_G1 = 1 / filled_GK.sum(1, keepdim=True).clamp(min=1)
        return torch.where(filled_GK, target_GK * softplus(-score_GK) + noise_G1 * softplus(score_GK), 0)
