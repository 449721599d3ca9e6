"""Does a difference depend on a choice? The paired interaction: under another choice, less the headline's difference.

    (a' - b') - (a - b)  =  (a' - a) - (b' - b)

The same checkpoints answer in both, mostly the same problems too. So what the choice changes is taken within a seed and
a problem first, and the contrast of the two arms' changes is then one of the crossed layout (`crossed.py`) like any
other: four matrices as four independent arms would count every seed twice, and forget how much of its luck cancels.

An order or a sign that differs is no evidence by itself: arms that are equal stand in another order under every draw.
A sign depends on a choice only if it differs and the interaction is material: it excludes 0 in the family of all that
is looked at (every choice with every alternative and every pair of arms; Bonferroni, tests and simultaneous intervals
alike), and its estimate lies beyond the margin: within it a change does not matter, however surely it is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reports.statistics.crossed import contrast
from reports.statistics.estimate import Estimand, Estimate
from reports.statistics.lean_scipy import special
from reports.statistics.satterthwaite import CAUTION, Floats, crossed, of_seeds

MARGIN = 0.02
"""a change below it does not matter, where a plan states no margin"""

Matrices = Sequence[Floats]
"""of one arm: seeds x problems for each benchmark; the arm's average is the unweighted mean of their means"""


@dataclass(frozen=True)
class Interaction:
    """What a choice changes in a difference. `estimate` is None where there was nothing to test."""

    estimate: Estimate | None
    """its interval holds for the whole family together"""
    tests: int
    """in the family"""
    margin: float

    @property
    def excludes_zero(self) -> bool:
        """Whether its simultaneous interval does; the same as an adjusted p-value below alpha."""
        bounds = self.estimate.interval if self.estimate else None
        return bounds is not None and not bounds[0] <= 0 <= bounds[1]

    @property
    def material(self) -> bool:
        """Whether it excludes 0 in its family and is, as estimated, beyond the margin."""
        beyond = self.estimate is not None and abs(self.estimate.value) > self.margin
        return beyond and self.excludes_zero

    @property
    def p_adjusted(self) -> float | None:
        """By Bonferroni's method; None where there is no test."""
        p = self.estimate.p_value if self.estimate else None
        return None if p is None else min(1.0, p * self.tests)


def change(under: Matrices, base: Matrices) -> list[Floats]:
    """What a choice changes in an arm, seed by seed and problem by problem."""
    return [ours - theirs for ours, theirs in zip(under, base, strict=True)]


def seed_left_out(matrices: Matrices, row: int) -> list[Floats]:
    """What leaving a seed out changes in an arm of S seeds, of which the others tell how much seeds differ: S - 1 rows.

    The change is (others' mean - seed's) / S. If the seed is one like the others, its variance is s^2 / (S (S - 1)),
    and the rows are set so far from their mean that a mean over S - 1 of them has just this one. The question is then
    whether a seed is an outlier, as an externally studentised residual asks (Cook & Weisberg 1982, Residuals and
    Influence in Regression, 2.2): that seeds differ is no more than what the headline's interval covers. Ask it with
    the estimand `benchmark`: seeds that are alike scatter on these problems, by chance in answers too, and an estimate
    of the problems' part besides is wrong as often as right.
    """
    found = []
    for matrix in matrices:
        others = np.delete(matrix, row, axis=0)
        mean = others.mean(axis=0, keepdims=True)
        seeds = len(matrix)
        found.append((mean + np.sqrt(seeds) * (others - mean) - matrix[row]) / seeds)
    return found


def checkpoint_left_out(matrices: Matrices, row: int) -> list[Floats]:
    """The same of checkpoints that stay what they are: one row, about new problems alone."""
    return [(matrix.mean(axis=0, keepdims=True) - matrix[row]) / (len(matrix) - 1) for matrix in matrices]


def interaction(a: Matrices, b: Matrices, estimand: Estimand, confidence: float, pair_seeds: bool = False) -> Estimate:
    """a - b, of two arms' changes.

    Args:
        a, b: as `change` gives them, or `seed_left_out`. One row where seeds are fixed: the interval then covers new
            problems alone.
        pair_seeds: row s of both is one seed.
    """
    # a score changes by 1 at most, that of a problem not yet seen too; a change of a ratio by more
    most = max(1.0, *(float(np.abs(m).max()) for m in (*a, *b)))
    scaled = [[matrix / most for matrix in arm] for arm in (a, b)]
    # a single checkpoint brings no seeds, so on fixed problems its sampling noise would go uncounted
    single = 1 in (len(a[0]), len(b[0]))
    asked = "algorithm" if single and estimand == "benchmark" else estimand
    paired = pair_seeds and len(a[0]) == len(b[0]) > 1
    found = contrast(scaled, (most, -most), asked, confidence, paired=paired)
    return _cautious(found, [1 / len(a[0])] if paired else [1 / len(a[0]), 1 / len(b[0])])


def _cautious(found: Estimate, alike: Sequence[float]) -> Estimate:
    """With the degrees of freedom that it has if the variance between seeds is at its upper bound, as where an arm has
    two seeds (`satterthwaite.CAUTION`). Over many tests each is at a small level, and there Satterthwaite's formula is
    liberal with three seeds: where they happen to be alike it takes the problems for the whole of the variance.

    Args:
        alike: as in `of_seeds`.
    """
    seeds, problem, rest = found.parts.seeds, found.parts.problem, found.parts.residual
    if found.estimand != "algorithm" or found.df is None or problem is None or rest is None:
        return found
    raised = [part.variance * part.df / float(special.chdtri(part.df, CAUTION)) for part in seeds]
    part = of_seeds(raised, [part.df for part in seeds], alike)
    df = crossed(*part, problem.variance, problem.df, rest.variance, rest.df)[1]
    return replace(found, df=min(found.df, float(df)))


def common(alpha: float, tests: int) -> float:
    """The confidence of one of so many intervals that hold together at 1 - alpha (Bonferroni, as in `multiple.py`)."""
    return 1 - alpha / max(tests, 1)
