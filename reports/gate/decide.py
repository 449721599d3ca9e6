"""The test. Formulas only: no file, no name of a model.

The average is tested for non-inferiority (Wellek 2010, Testing Statistical Hypotheses of Equivalence and
Noninferiority, 2nd ed., ch. 1-2), and reported as the CONSORT extension asks (Piaggio et al. 2012, JAMA 308(24),
2594-2604). With d the true difference new - baseline of the unweighted mean of the benchmarks, m > 0 the margin, and
L, U the lower and upper one-sided 95 % bounds of d (together a 90 % interval) from the crossed-effects estimate that is
paired by problem (`statistics.contrast`):

    improvement    L > 0             d <= 0 is rejected at 5 %; a pass
    pass           L > -m            d <= -m is rejected at 5 %: not worse by the margin or more
    regression     L <= -m, U < 0    d >= 0 is rejected at 5 %, and a loss of the margin is not
    inconclusive   L <= -m, U >= 0   neither a loss nor its absence is shown

So where the true loss is the margin, at most 5 % of gates pass; where there is none, at most 5 % find a regression.
U < 0 < m + L is a pass: a loss that is shown to be smaller than the margin is what the margin allows.

Single benchmarks are a second family. One of them fails the gate by itself only if it is shown to have lost more than
the margin, H0: d_b >= -m, one-sided t, adjusted by Holm's method over the benchmarks.

Equal results pass: nothing differs, and the noise of seeds and problems has no say. Where every problem changed by one
and the same amount nothing varied, and there is no t test; such a shift of n problems has the sign test's p-value 2^-n
(Conover 1999, Practical Nonparametric Statistics, 3rd ed., 3.4): from five problems on it is its own bound, below that
nothing is shown.

With one checkpoint on either side nothing is known about other seeds: the interval is about these checkpoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import special

from reports.statistics import ROUNDING, Estimate, Floats, contrast
from reports.statistics.design import AS_IT_IS, sight
from reports.statistics.multiple import adjusted
from reports.statistics.variance import split

ALPHA = 0.05
"""one-sided, each way"""
SIDES = 2
"""a two-sided level of SIDES x ALPHA has the one-sided bounds as its ends"""


class GateOutcome(StrEnum):
    IMPROVEMENT = "improvement"
    """above the baseline; a pass"""
    PASS = "pass"
    """not below the baseline by the margin or more"""
    INCONCLUSIVE = "inconclusive"
    """neither shown"""
    REGRESSION = "regression"
    """below the baseline, or a single benchmark lost more than the margin"""


@dataclass(frozen=True)
class ScoreChange:
    """new - baseline of one benchmark, or of the average."""

    old: float
    new: float
    estimate: Estimate
    problems: int
    identical: bool
    """every problem's score is the baseline's, in each seed"""
    common: bool
    """nothing varied: every problem's score changed by the same amount"""
    provable_margin: float | None
    """the margin at which a gate of this design passes four times in five if nothing was lost"""

    @property
    def bounds(self) -> tuple[float, float] | None:
        """One-sided, lower and upper; None where nothing differs, or the data cannot tell."""
        e = self.estimate
        if self.identical:
            return None
        if self.common and 0.5**self.problems <= ALPHA:
            return e.value, e.value
        return e.interval

    def p_lost_more(self, margin: float) -> float | None:
        """Of H0: the loss is at most the margin."""
        e = self.estimate
        if self.identical:
            return 1.0
        if self.common:
            return 0.5**self.problems if e.value < -margin - ROUNDING else 1.0
        if not e.se or e.df is None:
            return None
        return float(special.stdtr(e.df, (e.value + margin) / e.se))

    @property
    def passing_margin(self) -> float | None:
        """The gate would have passed with any margin above this one."""
        return None if self.bounds is None else max(0.0, -self.bounds[0])


@dataclass(frozen=True)
class Decision:
    outcome: GateOutcome
    average: ScoreChange
    by_average: GateOutcome
    """what the average alone says"""
    benchmarks: list[ScoreChange]
    p_lost_more: list[float | None]
    """of each benchmark, adjusted; None where it cannot be tested"""
    margin: float

    @property
    def failed(self) -> list[bool]:
        """Which benchmarks are shown to have lost more than the margin."""
        return [p is not None and p <= ALPHA for p in self.p_lost_more]


def decide(new: Sequence[Floats], old: Sequence[Floats], margin: float) -> Decision:
    """
    Args:
        new, old: for each benchmark, seeds x problems; the problems are the same in the same order.
        margin: above 0, as a fraction
    """
    average = change(new, old)
    changes = [change([n], [o]) for n, o in zip(new, old, strict=True)]
    p_values = adjusted([one.p_lost_more(margin) for one in changes])
    by_average = outcome(average, margin)
    lost = any(p is not None and p <= ALPHA for p in p_values)
    return Decision(GateOutcome.REGRESSION if lost else by_average, average, by_average, changes, p_values, margin)


def outcome(average: ScoreChange, margin: float) -> GateOutcome:
    """What the average alone says, by the table of this module's docstring."""
    if average.identical:
        return GateOutcome.PASS
    if average.bounds is None:
        return GateOutcome.INCONCLUSIVE
    lower, upper = average.bounds
    if lower > 0:
        return GateOutcome.IMPROVEMENT
    if lower > -margin:
        return GateOutcome.PASS
    return GateOutcome.REGRESSION if upper < 0 else GateOutcome.INCONCLUSIVE


def change(new: Sequence[Floats], old: Sequence[Floats]) -> ScoreChange:
    """new - baseline on the unweighted mean of the benchmarks given, which may be a single one.

    Args:
        new, old: as in `decide`.
    """
    single = min(len(new[0]), len(old[0])) == 1
    estimate = contrast([new, old], (1.0, -1.0), "checkpoints" if single else "algorithm", 1 - SIDES * ALPHA)
    shifts = np.concatenate([n.mean(axis=0) - o.mean(axis=0) for n, o in zip(new, old, strict=True)])
    return ScoreChange(
        old=float(np.mean([o.mean() for o in old])),
        new=float(np.mean([n.mean() for n in new])),
        estimate=estimate,
        problems=len(shifts),
        identical=all(np.array_equal(n, o) for n, o in zip(new, old, strict=True)),
        common=not estimate.se and bool(np.ptp(shifts) < ROUNDING),
        provable_margin=_provable_margin(new, old, estimate) if estimate.se else None,
    )


def _provable_margin(new: Sequence[Floats], old: Sequence[Floats], estimate: Estimate) -> float | None:
    any_k = [[[1] * len(scores) for scores in side] for side in (new, old)]  # it is not changed, so it does not matter
    seen = sight(split([new, old], any_k, (1.0, -1.0)), AS_IT_IS, estimate.estimand, SIDES * ALPHA)
    return seen.estimate if seen else None
