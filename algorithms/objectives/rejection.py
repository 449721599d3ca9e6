"""Rejection fine-tuning: RAFT, Dong et al. 2023, arXiv:2304.06767, with binary rewards as in Xiong et al. 2025,
arXiv:2504.11343: of the K rollouts of a prompt the correct ones are fine-tuned on, the others are thrown away.

    J = sum_{k in P} sum_t log pi_theta(y_k,t | x, y_k,<t) / sum_{k in P} |y_k|        P: the correct rollouts

No baseline, no ratio to the sampler, no clip, no KL, nothing is learnt from a wrong answer. It is the plainest thing to
do with a marker, and therefore what a method has to beat at equal rollouts.

Where the papers are silent, or differ:
- RAFT takes the best of K by a reward model; of equally good ones, as all correct ones are here, all are taken, as in
  Xiong et al.;
- neither states the mean. Here it is over the tokens of the mini-batch's correct rollouts, so that the size of a step
  does not grow with the pass rate; the code of Xiong et al. divides by the tokens of all rollouts, wrong ones included;
- their script adds a KL penalty of 0.001, which the objective in the paper lacks;
- importance weights multiply each token's log-likelihood, as in the other algorithms here;
- prompts without a correct rollout are left out and not replaced.

Where the rollouts were sampled the gradient is that of REINFORCE with reward 1 for a correct rollout and 0 for a wrong
one, positive sample reinforcement (PSR, Zhu et al. 2025, arXiv:2506.01347). In later updates of a rollout batch PSR
multiplies tokens by ratios to the sampler, and this does not.

Known variant, `weighting="probability"`: Dynamic Fine-Tuning (DFT, Wu et al. 2025, arXiv:2508.05629), whose token loss
is -sg(pi_theta) log pi_theta, so that unlikely tokens of the data do not dominate. Verified in the authors' trainer,
where it is fine-tuning on fixed data; on a model's own correct rollouts it is this file's composition. Its gradient is
that of minus the sum of the tokens' probabilities, and each token's step is at most that of plain likelihood.
Probabilities are at the sampling temperature. The authors' code for offline RL also holds the weight above a minimum;
here it is not held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from algorithms._torch import torch
from algorithms.base import Activity, Algorithm
from algorithms.ops.aggregation import Aggregation, aggregate
from algorithms.ops.metrics import as_means, movement
from algorithms.ops.ratios import log_ratio
from algorithms.rollouts import Loss, Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor

ACCEPTED = Activity("rejection/accepted", "share of the kept groups' rollouts that are learnt from", 0.01)
DISCOUNT = Activity("rejection/discount", "mean discount of a token by its probability, 1 - pi", 0.01)


@dataclass(frozen=True)
class Rejection(Algorithm):
    """Maximum likelihood on the rollouts that were correct."""

    title: ClassVar[str] = "Rejection fine-tuning"
    source: ClassVar[str] = "Dong et al. 2023, arXiv:2304.06767; Xiong et al. 2025, arXiv:2504.11343"

    aggregation: Aggregation = "token_mean"
    """from tokens of correct rollouts to a number; wrong ones are in no denominator. See `aggregation.py`"""
    weighting: Literal["none", "probability"] = "none"
    """probability: each token's loss is multiplied by its probability, held constant, as in DFT"""

    @property
    def activity(self) -> tuple[Activity, ...]:
        return (ACCEPTED,) if self.weighting == "none" else (ACCEPTED, DISCOUNT)

    @property
    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        return {} if self.weighting == "none" else {"weight by probability": {"weighting": "none"}}

    @property
    def stop_gradient(self) -> bool:
        """DFT's weight is held constant."""
        return self.weighting == "probability"

    @property
    def separable(self) -> bool:
        """Each correct rollout by itself; a mean over the tokens of a group needs the whole group."""
        return self.aggregation != "group_token_mean"

    @property
    def contrastive(self) -> bool:
        """A correct rollout alone in its group is learnt from as any other."""
        return False

    def keep(self, batch: Rollouts) -> Tensor:
        """bool_G: P > 0."""
        return batch.positives_G > 0

    def loss(self, batch: Rollouts, logp_BT: Tensor, totals: Totals) -> Loss:
        likelihood_BT = log_ratio(logp_BT, None, batch)
        token_BT = -likelihood_BT if batch.weight_BT is None else -likelihood_BT * batch.weight_BT
        discount = {}
        if self.weighting == "probability":
            probability_BT, learnt_BT = likelihood_BT.detach().exp(), batch.mask_BT & batch.label_B[:, None]
            token_BT = token_BT * probability_BT
            discount["rejection/discount"] = (torch.where(learnt_BT, 1 - probability_BT, 0).sum(), learnt_BT.sum())
        # wrong rollouts are in no denominator either: a step does not grow with the pass rate
        correct = batch.rows(batch.label_B)
        value = aggregate(token_BT[batch.label_B], correct, totals.of_positives(), self.aggregation)
        metrics = {
            **movement(value, logp_BT, batch, totals),
            "rejection/accepted": (batch.label_B.sum(), len(batch)),
            **discount,
        }
        return Loss(value, as_means(metrics))

    def spec(self) -> dict[str, str]:
        return {
            "reward": "label",
            "baseline": "none",
            "scale": "none" if self.weighting == "none" else "each token by its probability, held constant",
            "trust region": "none",
            "aggregation": f"{self.aggregation} of log-likelihoods, correct rollouts only",
            "KL": "none",
            "filter": "0 < P by label",
            "refill": "no",
            "reference": "none",
        }
