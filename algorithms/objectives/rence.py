"""ReNCE (reconstruction): Zhang and Stratos 2026, arXiv:2601.22432, as far as public text determines it.

The paper has released no code, and its formula is in no text that could be read. Known from the abstract: outcomes
are split into positives and negatives, and the likelihood of positives is maximised as "an online instantiation of
(multi-label) noise contrastive estimation". Known from a digest: scores are log-ratios to the old policy, with a
reward-scaled margin, an adaptive window of the KL penalty, and filtering of prompts. The form of multi-label NCE is
that of the authors' own EntQA (ICLR 2022, equation 1). This is our reading, fixed before any comparison was run:

    S_k  = sum_t (log pi_theta - log pi_old)           s_k = beta S_k            m_ij = alpha (r_i - r_j)
    p_i  = e^s_i / (e^s_i + sum_{j in N} e^(s_j + m_ij))                         for positives i in P
    L    = mean over prompts of (1/K) sum_{i in P} -log p_i  +  c max(0, KL - w)

Prompts without a positive or a negative, and those with P/K > t_easy, are dropped and replaced.

    symbol   name here             symbol   name here            symbol   name here
    beta     score_beta            c        kl_coef              P, N     split by label_B, never by reward
    alpha    margin_alpha          w        kl_window            r        reward_B
    t_easy   t_easy                KL       to kl_reference, nats per token of the mini-batch

Every open choice is a field. More that the paper may do otherwise:
- K is the number of rollouts that the group has, and prompts without a contrast are left out of the mean;
- at the first update after sampling all s_k are 0, so that p_i = 1 / (1 + sum_j e^m_ij) and ReNCE is REINFORCE with
  prompt weights; the metric `nce/weight_shift` says how far training moves from there;
- a KL penalty whose reference is refreshed every W steps is `kl_mode="penalty", kl_reference="synced"` with the
  recipe's `reference_sync_steps`;
- importance weights scale the gradient that each token passes to its score (`ratios.sequence_score`); the NLL term
  and the KL ignore them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from algorithms._torch import torch
from algorithms.base import Activity, Algorithm, Reference
from algorithms.hyperparameters import check_ranges
from algorithms.ops.contrast import NceForm, mean_over_contrasts, nce_losses, nce_reduced, pair_table, positive_nll
from algorithms.ops.groups import GroupTable, keyed_uniform, lowest, mean_old_logp
from algorithms.ops.kl import KL_GATE, Base, Estimator, Gate, base_logp, charge, controlled, kl_tokens
from algorithms.ops.margins import Margin, margins
from algorithms.ops.metrics import MOVED, as_means, movement
from algorithms.ops.ratios import sequence_score
from algorithms.ops.reward import less_overlong, overlong_words
from algorithms.rollouts import Loss, Rng, Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor

WEIGHT_SHIFT = Activity("nce/weight_shift", "mean change of 1 - p from its on-policy value", 0.005)
_OFF: Mapping[str, Mapping[str, Any]] = {
    "margin": {"margin_mode": "none"},
    "choice of negatives": {"negatives": "all"},
    "overlong penalty": {"overlong_factor": 0.0},
    "KL": {"kl_mode": "off"},
    "KL gate": {"kl_mode": "penalty"},
    "NLL of positives": {"nll_coef": 0.0},
}
"""part -> settings without it; without the gate the KL is charged always"""
TIE = 1e-6
"""slack of a comparison with t_easy, so that rounding of P/K never decides"""


@dataclass(frozen=True)
class ReNCE(Algorithm):
    """ReNCE (reconstruction): multi-label NCE of positives against the negatives of their group."""

    title: ClassVar[str] = "ReNCE (reconstruction)"
    source: ClassVar[str] = "Zhang and Stratos 2026, arXiv:2601.22432; our reconstruction, the formula is not public"

    nce_form: NceForm = "sum_log_nce"
    """which rivals a positive has and how positives are combined; see `contrast.py`"""
    pos_reduction: Literal["sum", "mean"] = "sum"
    """for the two sums over positives: divided by K (sum) or by P (mean)"""
    score_ref: Literal["old", "init", "synced", "none"] = "old"
    """what the score's log-ratio is taken to; none: log pi_theta alone, as in DisCO and ConSPO"""
    score_norm: Literal["sum", "mean"] = "sum"
    """over the tokens of a response; mean wants a larger score_beta"""
    score_beta: float = 0.1
    """beta, temperature of the score; 1 is NCE proper, 1/tau in ConSPO's terms"""
    margin_mode: Margin = "reward_gap"
    """how much better than a negative a positive has to be; see `margins.py`"""
    margin_alpha: float = 0.5
    """alpha, scale of the margin"""
    margin_warmup: float = 0.5
    """curriculum only: share of the budget after which the margin has reached alpha"""
    overlong_factor: float = 0.0
    """weight of DAPO's overlong penalty, on rewards of 0 and 1; 0: off"""
    overlong_buffer: float = 0.2
    """its L_cache as a share of L_max"""
    t_easy: float = 0.8
    """prompts above it are too easy and dropped; 1 (of P/K) turns it off"""
    t_hard: float = 0.0
    """prompts below it are too hard and dropped"""
    easy_stat: Literal["pos_frac", "pos_neg_ratio"] = "pos_frac"
    """what t_easy and t_hard bound: P/K or P/N"""
    refill_dropped: bool = True
    """whether dropped prompts are replaced by freshly generated ones"""
    negatives: Literal["all", "topk", "random_k"] = "all"
    """topk: those likeliest under the old policy, per token (on-policy all scores are 0 and cannot tell)"""
    negatives_k: int = 4
    """how many negatives of a group, for topk and random_k"""
    kl_mode: Gate = "window"
    """when KL is charged; see `kl.py`"""
    kl_coef: float = 1e-3
    """c"""
    kl_window: float = 0.02
    """w, nats per token: the window, the hinge's threshold or the controller's target"""
    kl_estimator: Estimator = "rho_k3"
    """k1, k2, k3 or rho_k3; see `kl.py`"""
    kl_reference: Base = "init"
    """what KL is taken to: the initial model, a synced copy, or the old policy"""
    nll_coef: float = 0.0
    """weight of the NLL of the positives, against likelihood displacement; no importance weight multiplies it"""

    def __post_init__(self) -> None:
        """Some ranges depend on other fields; a trial has one reference policy, which score and KL must share."""
        super().__post_init__()
        check_ranges(
            self,
            score_beta="(0, inf)",
            margin_alpha="[0, inf)",
            margin_warmup="(0, 1]",
            overlong_factor="[0, 1]",
            overlong_buffer="(0, 1]",
            t_easy="(0, 1]" if self.easy_stat == "pos_frac" else "(0, inf)",
            t_hard=f"[0, {self.t_easy}]",
            negatives_k="[1, inf)",
            kl_coef="(0, inf)" if self.kl_mode == "controller" else "[0, inf)",
            kl_window="(0, inf)" if self.kl_mode == "controller" else "[0, inf)",
            nll_coef="[0, inf)",
        )
        if {self.score_ref, self._kl_base} >= {"init", "synced"}:
            raise ValueError(
                f"`kl_reference` must be {self.score_ref}, as `score_ref` is, but is {self.kl_reference} instead: "
                "a trial has one reference policy."
            )

    @property
    def activity(self) -> tuple[Activity, ...]:
        return (WEIGHT_SHIFT, MOVED, KL_GATE) if self.measures else (WEIGHT_SHIFT, MOVED)

    @property
    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        on = {
            "margin": self.margin_mode != "none" and self.margin_alpha > 0,
            "choice of negatives": self.negatives != "all",
            "overlong penalty": self.overlong_factor > 0,
            "KL": self.kl_mode != "off" and self.kl_coef > 0,
            "KL gate": self.measures and self.kl_coef > 0,
            "NLL of positives": self.nll_coef > 0,
        }
        return {part: off for part, off in _OFF.items() if on[part]}

    @property
    def reference(self) -> Reference | None:
        for base in (self.score_ref, self._kl_base):
            if base == "init" or base == "synced":
                return base
        return None

    @property
    def refill(self) -> bool:
        return self.refill_dropped

    def keep(self, batch: Rollouts) -> Tensor:
        """bool_G: 0 < P < K, and P/K (or P/N) within t_hard and t_easy."""
        positives_G, size_G = batch.positives_G, batch.size_G
        of_G = size_G if self.easy_stat == "pos_frac" else size_G - positives_G
        stat_G = positives_G / of_G
        return batch.contrast_G & (stat_G <= self.t_easy + TIE) & (stat_G >= self.t_hard - TIE)

    def keeps(self, correct: int, size: int) -> bool:
        if not 0 < correct < size:
            return False
        stat = correct / (size if self.easy_stat == "pos_frac" else size - correct)
        return self.t_hard - TIE <= stat <= self.t_easy + TIE

    def shape(self, batch: Rollouts) -> Tensor:
        return less_overlong(batch.reward_B, batch, self.overlong_factor, self.overlong_buffer)

    def credit(self, batch: Rollouts, rng: Rng) -> Mapping[str, Tensor]:
        """negative_B: bool, the negatives that positives are set against."""
        negative_B = ~batch.label_B
        if self.negatives == "all":
            return {"negative": negative_B}
        order_B = -mean_old_logp(batch) if self.negatives == "topk" else keyed_uniform(batch, rng)
        return {"negative": lowest(order_B, negative_B, self.negatives_k, batch.group_B, batch.groups)}

    @property
    def measures(self) -> bool:
        return self.kl_mode in ("window", "sq_hinge", "controller")

    def measure(self, batch: Rollouts, logp_BT: Tensor) -> Mapping[str, Tensor]:
        return {"kl": self._kl_tokens(batch, logp_BT.detach()).sum()} if self.measures else {}

    def adapt(self, state: Mapping[str, float], means: Mapping[str, float]) -> Mapping[str, float]:
        if self.kl_mode != "controller":
            return state
        return {"kl_coef": controlled(state.get("kl_coef", self.kl_coef), means["kl"], self.kl_window)}

    def loss(self, batch: Rollouts, logp_BT: Tensor, totals: Totals) -> Loss:
        """L of the module's docstring, on the groups of this batch; in `_GKK` i is the second index, j the third."""
        table = GroupTable.of(batch)
        positive_GK = table(batch.label_B)
        pair_GKK = pair_table(positive_GK, table(batch.credit["negative"]))
        pair_GKK, margin_GKK = margins(
            self.margin_mode, self.margin_alpha, self.margin_warmup, batch, table, pair_GKK, totals
        )

        # a function of the log-probs, for the same losses are asked of the sampler's below
        def losses(logp_BT: Tensor) -> Tensor:
            return nce_losses(self._scores(batch, logp_BT, table), positive_GK, pair_GKK, margin_GKK, self.nce_form)

        loss_GK, size_G, positives_G = losses(logp_BT), batch.size_G, positive_GK.sum(1)
        # groups that are all correct or all wrong add nothing, should a backend not have dropped them
        contrast_G = (positives_G > 0) & (positives_G < size_G)
        divisor_G = size_G if self.pos_reduction == "sum" else positives_G
        loss_G = nce_reduced(loss_GK, positive_GK, self.nce_form, divisor_G)
        value = nce = mean_over_contrasts(loss_G, contrast_G, totals)
        if self.nll_coef:
            value = value + self.nll_coef * positive_nll(logp_BT, batch.label_B, batch, totals)

        # 1 - p_i is the weight of positive i in the gradient of `sum_log_nce`. How far it is from its value under the
        # sampler says how far the update is from REINFORCE with prompt weights
        with torch.no_grad():
            weight_GK, sampled_weight_GK = -torch.expm1(-loss_GK), -torch.expm1(-losses(batch.old_logp_BT))
            counted_GK = positive_GK & contrast_G[:, None]
            shift_GK = (weight_GK - sampled_weight_GK).abs()
        positives = counted_GK.sum()
        metrics = {
            **movement(nce, logp_BT, batch, totals),
            "nce/weight": ((weight_GK * counted_GK).sum(), positives),
            "nce/weight_on_policy": ((sampled_weight_GK * counted_GK).sum(), positives),
            "nce/weight_shift": ((shift_GK * counted_GK).sum(), positives),
            "nce/margin": (torch.where(pair_GKK, margin_GKK, 0).sum(), pair_GKK.sum()),
        }
        if self.kl_mode == "off":
            return Loss(value, as_means(metrics))
        price = charge(self.kl_mode, self.kl_coef, self.kl_window, totals.means, totals.state)
        # where nothing is charged the KL is only looked at, and needs no gradient
        kl = self._kl_tokens(batch, logp_BT if price.coefficient else logp_BT.detach()).sum()
        metrics |= price.metrics(kl, batch, totals)
        return Loss(value + price.on(kl, batch, totals), as_means(metrics))

    def spec(self) -> dict[str, str]:
        refs = {"old": "the sampling policy", "init": "the initial model", "synced": "a synced copy", "none": "nothing"}
        sums = self.nce_form in ("sum_log_nce", "sum_log")
        reduction = {"sum": ", divided by K", "mean": ", divided by P"}[self.pos_reduction] if sums else ""
        picked = "all" if self.negatives == "all" else f"{self.negatives} {self.negatives_k}"
        stat = {"pos_frac": "P/K", "pos_neg_ratio": "P/N"}[self.easy_stat]
        hard = f", {stat} ≥ {self.t_hard:g}" if self.t_hard else ""
        easy = "" if self.easy_stat == "pos_frac" and self.t_easy == 1 else f", {stat} ≤ {self.t_easy:g}"
        nll = f", + {self.nll_coef:g} × NLL of positives" if self.nll_coef else ""
        return {
            "reward": "label" + overlong_words(self.overlong_factor, self.overlong_buffer),
            "baseline": f"{self.nce_form} against negatives of the group ({picked})",
            "scale": f"beta {self.score_beta:g} on the {self.score_norm} of log-ratios to {refs[self.score_ref]}",
            "margin": self._margin_spec(),
            "trust region": "saturation of the softmax",
            "aggregation": f"over positives{reduction}; mean over groups with a contrast{nll}",
            "KL": self._kl_spec(),
            "filter": f"0 < P < K by label{easy}{hard}",
            "refill": "yes" if self.refill_dropped else "no",
            "reference": self.reference or "none",
        }

    @property
    def _kl_base(self) -> Base | None:
        return None if self.kl_mode == "off" else self.kl_reference

    def _scores(self, batch: Rollouts, logp_BT: Tensor, table: GroupTable) -> Tensor:
        base_BT = None if self.score_ref == "none" else base_logp(batch, self.score_ref)
        return self.score_beta * table(sequence_score(logp_BT, base_BT, batch, self.score_norm))

    def _kl_tokens(self, batch: Rollouts, logp_BT: Tensor) -> Tensor:
        return kl_tokens(logp_BT, base_logp(batch, self.kl_reference), batch, self.kl_estimator)

    def _margin_spec(self) -> str:
        if self.margin_mode == "none":
            return "none"
        warmup = (
            f", risen after {100 * self.margin_warmup:g}% of the budget" if self.margin_mode == "curriculum" else ""
        )
        return f"{self.margin_alpha:g} × {self.margin_mode}{warmup}"

    def _kl_spec(self) -> str:
        if self.kl_mode == "off":
            return "none"
        window = f", {self.kl_window:g} nats/token" if self.measures else ""
        return f"{self.kl_mode}: {self.kl_coef:g} × {self.kl_estimator} to {self.kl_reference}{window}, in the loss"
