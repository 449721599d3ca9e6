"""ConSPO (reconstruction), contrastive sequence-level policy optimisation: Zhang et al. 2026, arXiv:2605.12969.

    p_i = e^((s_i - m)/tau) / ( e^((s_i - m)/tau) + sum_{j in N} e^(s_j/tau) )      s_k = (1/|y_k|) sum_t log pi_theta
    L   = mean over prompts of (1/P) sum_{i in P} -log p_i                          m rises with the trial to its target

This is ReNCE's skeleton (`rence.py`) with other settings, declared below, and nothing else. Side by side:

              ReNCE                              ConSPO
    score     sum of log-ratios to the sampler   mean of log-probs, no ratio
    margin    with the gap in reward             the same for all pairs, rising with the trial
    over P    sum, divided by K                  mean
    KL        to the initial model, a window     none
    prompts   too easy ones dropped, refilled    those with a contrast, not refilled

    symbol   name here                   symbol   name here
    1/tau    score_beta                  m/tau    margin_alpha × the curriculum

From the abstract (all of the authors' text that could be read; no code is out): length-normalised log-probabilities as
scores, an InfoNCE-style objective of verified positives against the negatives of their group, a "curriculum-scheduled
margin". From digests: "target margin" and "margin warm-up ratio". Ours, for lack of a source: tau 1, target margin 0.5
tau, a cosine over the first half of the budget, the mean over positives, no KL, no filter beyond a contrast. Before tau
is set a comparison with ConSPO is one with this reading of it; `score_beta` is the first thing to tune.

Relations: where every positive still loses by far, tau L's gradient is DisCO's with log_l scores (`disco.py`), which
has no saturation and needs a KL constraint instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from algorithms.base import Activity
from algorithms.objectives.rence import ReNCE
from algorithms.ops.kl import Gate
from algorithms.ops.margins import Margin

MARGIN = Activity("nce/margin", "margin in units of tau", 0.01)


@dataclass(frozen=True)
class ConSPO(ReNCE):
    """Multi-label NCE of mean log-probs with a margin that rises."""

    title: ClassVar[str] = "ConSPO (reconstruction)"
    source: ClassVar[str] = "Zhang et al. 2026, arXiv:2605.12969; our reconstruction from its abstract"

    pos_reduction: Literal["sum", "mean"] = "mean"
    """for the two sums over positives: divided by K (sum) or by P (mean)"""
    score_ref: Literal["old", "init", "synced", "none"] = "none"
    """what the score's log-ratio is taken to; none: log pi_theta alone"""
    score_norm: Literal["sum", "mean"] = "mean"
    """over the tokens of a response"""
    score_beta: float = 1.0
    """1/tau; no source says what tau is"""
    margin_mode: Margin = "curriculum"
    """how much better than a negative a positive has to be; see `margins.py`"""
    margin_alpha: float = 0.5
    """the target margin, in units of tau"""
    t_easy: float = 1.0
    """prompts above it are too easy and dropped; 1 (of P/K) turns it off"""
    refill_dropped: bool = False
    """whether dropped prompts are replaced by freshly generated ones"""
    kl_mode: Gate = "off"
    """when KL is charged; see `kl.py`"""

    @property
    def activity(self) -> tuple[Activity, ...]:
        return (MARGIN, *super().activity)
