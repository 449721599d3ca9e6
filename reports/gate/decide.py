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

Single benchmarks are a second family, at 1 %: one of them fails the gate by itself only if it is shown to have lost
more than the margin, H0: d_b >= -m, adjusted by Bonferroni over the benchmarks. So a checkpoint that lost nothing
is called a regression by either family at most about one time in twenty, and not by each.

That nothing differs is evidence, and no proof: with no discordant problem among n a loss of 1 - .05^(1/n) or more on
new problems is ruled out, and no smaller one (n = 149 for 2 points). Answers that are equal text by text are proof:
whatever is asked, the two answer alike. All right against all wrong is a difference, though nothing varies: the bounds
are exact where few problems differ, or all alike (`statistics`).

With one checkpoint on either side nothing is known about other seeds: the interval is about these checkpoints. Asked
about these problems alone, answers are all that is drawn (estimand `answers`), and bounds need two attempts a problem;
with one, a gate can only say that no problem's score differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from reports.statistics import Estimand, Estimate, Floats, contrast
from reports.statistics.design import AS_IT_IS, sight
from reports.statistics.multiple import adjusted
from reports.statistics.variance import split

ALPHA = 0.05
"""one-sided, each way"""
SINGLE_ALPHA = 0.01
"""of the family of single benchmarks"""
SIDES = 2
"""a two-sided level of SIDES x ALPHA has the one-sided bounds as its ends"""
Attempts = tuple[Sequence[Sequence[int]], Sequence[Sequence[int]]]
"""new and old: for each benchmark, k of each seed"""


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
class Levels:
    """One-sided levels of the two families."""

    average: float = ALPHA
    single: float = SINGLE_ALPHA


@dataclass(frozen=True)
class ScoreChange:
    """new - baseline of one benchmark, or of the average."""

    old: float
    new: float
    estimate: Estimate
    problems: int
    identical: bool
    """every problem's score is the baseline's, in each seed"""
    provable_margin: float | None
    """the margin at which a gate of this design passes four times in five if nothing was lost"""

    @property
    def bounds(self) -> tuple[float, float] | None:
        """One-sided, lower and upper; None where the data cannot tell."""
        return self.estimate.interval

    def p_lost_more(self, margin: float) -> float | None:
        """Of H0: the loss is at most the margin; None where the data cannot tell."""
        return self.estimate.p_below(-margin)

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
    levels: Levels
    equal: bool = False
    """every answer is the baseline's, text by text"""

    @property
    def failed(self) -> list[bool]:
        """Which benchmarks are shown to have lost more than the margin."""
        return [p is not None and p <= self.levels.single for p in self.p_lost_more]


def decide(
    new: Sequence[Floats],
    old: Sequence[Floats],
    margin: float,
    levels: Levels = Levels(),
    estimand: Estimand | None = None,
    equal: bool = False,
    attempts: Attempts | None = None,
) -> Decision:
    """
    Args:
        new, old: for each benchmark, seeds x problems; the problems are the same in the same order.
        margin: above 0, as a fraction
        estimand: None: new problems, and new seeds where both sides have several
        equal: whether every answer is the baseline's, text by text
        attempts: a problem, of new and of old, for each benchmark and seed; None: as few as the scores allow
    """
    average = change(new, old, levels.average, estimand, attempts)
    changes = [
        change([n], [o], levels.average, estimand, attempts and ([attempts[0][b]], [attempts[1][b]]))
        for b, (n, o) in enumerate(zip(new, old, strict=True))
    ]
    p_values = adjusted([1.0 if equal else one.p_lost_more(margin) for one in changes])
    by_average = GateOutcome.PASS if equal else outcome(average, margin)
    lost = any(p is not None and p <= levels.single for p in p_values)
    found = GateOutcome.REGRESSION if lost else by_average
    return Decision(found, average, by_average, changes, p_values, margin, levels, equal)


def outcome(average: ScoreChange, margin: float) -> GateOutcome:
    """What the average alone says, by the table of this module's docstring."""
    if average.bounds is None:
        nothing_else = average.estimate.estimand == "answers" and average.identical
        return GateOutcome.PASS if nothing_else else GateOutcome.INCONCLUSIVE
    lower, upper = average.bounds
    if lower > 0:
        return GateOutcome.IMPROVEMENT
    if lower > -margin:
        return GateOutcome.PASS
    return GateOutcome.REGRESSION if upper < 0 else GateOutcome.INCONCLUSIVE


def change(
    new: Sequence[Floats],
    old: Sequence[Floats],
    alpha: float = ALPHA,
    estimand: Estimand | None = None,
    attempts: Attempts | None = None,
) -> ScoreChange:
    """new - baseline on the unweighted mean of the benchmarks given, which may be a single one.

    Args:
        new, old, estimand, attempts: as in `decide`.
        alpha: one-sided, of the bounds
    """
    single = min(len(new[0]), len(old[0])) == 1
    asked = estimand or ("checkpoints" if single else "algorithm")
    estimate = contrast([new, old], (1.0, -1.0), asked, 1 - SIDES * alpha, attempts=attempts)
    return ScoreChange(
        old=float(np.mean([o.mean() for o in old])),
        new=float(np.mean([n.mean() for n in new])),
        estimate=estimate,
        problems=sum(n.shape[1] for n in new),
        identical=all(np.array_equal(n, o) for n, o in zip(new, old, strict=True)),
        provable_margin=None if estimand or not estimate.se else _provable_margin(new, old, estimate),
    )


def _provable_margin(new: Sequence[Floats], old: Sequence[Floats], estimate: Estimate) -> float | None:
    any_k = [[[1] * len(scores) for scores in side] for side in (new, old)]  # it is not changed, so it does not matter
    seen = sight(split([new, old], any_k, (1.0, -1.0)), AS_IT_IS, estimate.estimand, SIDES * ALPHA)
    return seen.estimate if seen else None
