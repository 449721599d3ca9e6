"""DisCO, discriminative constrained optimisation: Li et al. 2025, arXiv:2505.12366.

    J = mean over prompts of mean_{i in P} [ s_i - tau log mean_{j in N} e^(s_j / tau) ]       subject to KL <= delta
    L = -J + sg( beta max(0, KL - delta) ) KL           KL = KL(pi_old || pi_theta), nats per token of the mini-batch

Correct rollouts are told from incorrect ones by their scores: no advantage, no standard deviation, no clip. The hardest
negatives count most, and tau says by how much; DisCO-b takes their plain mean, the limit of a large tau. The constraint
is a squared hinge: its gradient is beta (KL - delta) grad KL where KL > delta, and 0 elsewhere.

    score      s_k                                           tau here
    log_l      (1/|y_k|) sum_t log pi_theta                  10
    l_ratio    (1/|y_k|) sum_t pi_theta / pi_old             1

    symbol   name here       symbol   name here
    beta     kl_coef         delta    kl_threshold
    tau      tau             P, N     split by label_B

Verified in the authors' code (Optimization-AI/DisCO): scores, both forms, the constraint with beta 1e3 and delta 1e-4,
tau, and that prompts without a contrast add nothing to J but count in its mean, and their tokens in the KL. So none is
dropped here. Where the code and the paper differ, or are not this file:
- the code's value of the log-mean-exp is a constant whose gradient is right; here the value is right too;
- its branch for DisCO with l_ratio calls DisCO-b and fails; here it is the equation;
- it takes the KL of a micro-batch, here it is the mini-batch's;
- the authors sample at temperature .6 in training; here it is the recipe's, 1 by default, for all arms alike;
- its `low_var_kl` is `kl_divergence="ufkl"`; the scripts take `kl`, which is `fkl`;
- importance weights scale the gradient that each token passes to its score, and not the KL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from algorithms._torch import torch
from algorithms.base import Activity, Algorithm
from algorithms.hyperparameters import check_ranges
from algorithms.ops.contrast import EMPTY
from algorithms.ops.groups import GroupTable
from algorithms.ops.kl import KL_GATE, charge, divergence_tokens
from algorithms.ops.metrics import MOVED, as_means, movement
from algorithms.ops.ratios import ratio, sequence_score, weigh_gradient
from algorithms.rollouts import Loss, Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor

FOCUS = Activity("disco/focus", "distance of the negatives' weights from equal ones", 0.01)


@dataclass(frozen=True)
class DisCO(Algorithm):
    """Scores of correct rollouts against a soft maximum of the incorrect ones', inside a KL constraint."""

    title: ClassVar[str] = "DisCO"
    source: ClassVar[str] = "Li et al. 2025, arXiv:2505.12366"

    score: Literal["log_l", "l_ratio"] = "log_l"
    """mean over a rollout's tokens of log pi_theta, or of the ratio to the sampler"""
    negatives: Literal["log_mean_exp", "mean"] = "log_mean_exp"
    """what a positive is set against: DisCO's soft maximum, or the mean of DisCO-b"""
    tau: float = 10.0
    """temperature of the soft maximum; the authors take 10 for log_l and 1 for l_ratio"""
    kl_coef: float = 1e3
    """beta of the squared hinge"""
    kl_threshold: float = 1e-4
    """delta, nats per token: below it KL costs nothing"""
    kl_divergence: Literal["fkl", "ufkl"] = "fkl"
    """how KL(pi_old || pi_theta) is estimated; see `kl.py`"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, tau="(0, inf)", kl_coef="[0, inf)", kl_threshold="[0, inf)")

    @property
    def activity(self) -> tuple[Activity, ...]:
        return (FOCUS, KL_GATE, MOVED) if self.negatives == "log_mean_exp" else (KL_GATE, MOVED)

    @property
    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        soft = {"soft maximum of negatives": {"negatives": "mean"}} if self.negatives == "log_mean_exp" else {}
        return soft | ({"KL constraint": {"kl_coef": 0.0}} if self.kl_coef else {})

    @property
    def measures(self) -> bool:
        return True

    def measure(self, batch: Rollouts, logp_BT: Tensor) -> Mapping[str, Tensor]:
        return {"kl": divergence_tokens(logp_BT.detach(), batch, self.kl_divergence).sum()}

    def loss(self, batch: Rollouts, logp_BT: Tensor, totals: Totals) -> Loss:
        table = GroupTable.of(batch)
        score_GK = table(self._scores(batch, logp_BT))
        positive_GK, negative_GK = table(batch.label_B), table(~batch.label_B)
        chosen_G = torch.where(positive_GK, score_GK, 0).sum(1) / positive_GK.sum(1).clamp(min=1)
        rival_G, weight_GK = self._rivals(score_GK, negative_GK)
        disco = torch.where(batch.contrast_G, rival_G - chosen_G, 0).sum() / max(totals.groups, 1)

        price = charge("sq_hinge", self.kl_coef, self.kl_threshold, totals.means, totals.state)
        # where nothing is charged the KL is only looked at, and needs no gradient
        kl = divergence_tokens(logp_BT if price.coefficient else logp_BT.detach(), batch, self.kl_divergence).sum()
        metrics = {
            **movement(disco, logp_BT, batch, totals),
            **price.metrics(kl, batch, totals),
        }
        if self.negatives == "log_mean_exp":
            # 0 for equal weights, near 1 where one of many negatives has all
            equal_G1 = 1 / negative_GK.sum(1, keepdim=True).clamp(min=1)
            focus_G = torch.where(negative_GK, weight_GK - equal_G1, 0).abs().sum(1) / 2
            metrics["disco/focus"] = (focus_G[batch.contrast_G].sum(), batch.contrast_G.sum())
        return Loss(disco + price.on(kl, batch, totals), as_means(metrics))

    def spec(self) -> dict[str, str]:
        scores = {"log_l": "log-probs", "l_ratio": "ratios to the sampling policy"}
        rivals = {"log_mean_exp": f"log-mean-exp of negatives, tau {self.tau:g}", "mean": "mean of negatives"}
        return {
            "reward": "label",
            "baseline": rivals[self.negatives],
            "scale": f"mean over tokens of {scores[self.score]}",
            "trust region": f"squared hinge on KL: {self.kl_coef:g} × max(0, KL - {self.kl_threshold:g})",
            "aggregation": "mean over positives, then over all groups, those without a contrast adding nothing",
            "KL": f"{self.kl_divergence} to the sampling policy, in the loss",
            "filter": "none",
            "refill": "no",
            "reference": "none",
        }

    def _scores(self, batch: Rollouts, logp_BT: Tensor) -> Tensor:
        """s_B"""
        if self.score == "log_l":
            return sequence_score(logp_BT, None, batch, "mean")
        ratio_BT = weigh_gradient(ratio(logp_BT, batch), batch)
        return torch.where(batch.mask_BT, ratio_BT, 0).sum(1) / batch.length_B.clamp(min=1)

    def _rivals(self, score_GK: Tensor, negative_GK: Tensor) -> tuple[Tensor, Tensor]:
        """rival_G, what positives are set against, and weight_GK, the share each negative has in it."""
        negatives_G = negative_GK.sum(1).clamp(min=1).to(score_GK.dtype)
        if self.negatives == "mean":
            return torch.where(negative_GK, score_GK, 0).sum(1) / negatives_G, negative_GK / negatives_G[:, None]
        rival_GK = torch.where(negative_GK, score_GK / self.tau, EMPTY)
        return self.tau * (rival_GK.logsumexp(1) - negatives_G.log()), rival_GK.softmax(1)
