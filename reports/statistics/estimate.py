"""A mean or a contrast of means, with its interval and its tests. All of them ask one function, `Estimate.reach`: how
far a one-sided bound at some level lies from the estimate. So an interval, a simultaneous interval, a p-value, an
equivalence and a gate can never disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from reports.statistics.lean_scipy import special
from reports.statistics.roots import zero
from reports.statistics.satterthwaite import pool

Estimand = Literal["algorithm", "benchmark", "checkpoints", "answers"]
"""what an interval covers: new seeds and new problems; new seeds on these problems; these seeds, new problems; these
checkpoints on these problems, answering anew"""
ESTIMANDS: tuple[Estimand, ...] = ("algorithm", "benchmark", "checkpoints", "answers")
ROUNDING = 1e-12
"""a standard error below this is what is left of equal numbers after adding them up; scores lie in 0..1"""
FEW = 7
"""degrees of freedom of the problems' part below which bounds of a score are at least the t interval's"""
SMALLEST = 1e-30
"""p-values below it are zero"""


@dataclass(frozen=True)
class MeanSquare:
    """One component of a variance estimate: its estimated contribution and the degrees of freedom it rests on."""

    variance: float
    df: float


@dataclass(frozen=True)
class Parts:
    """The estimated variance of a mean, split by what varies. None: not to be had from these data."""

    seeds: tuple[MeanSquare, ...]
    """between the seeds of each arm that has several, or of their paired differences"""
    problem: MeanSquare | None
    residual: MeanSquare | None
    problem_shares: tuple[float, ...] = ()
    """share of each benchmark in the problem part; empty if that is zero or unknown"""

    @property
    def seed(self) -> MeanSquare | None:
        """The arms' seed parts together; None if no arm has several seeds."""
        return pooled(self.seeds)


def pooled(parts: Sequence[MeanSquare]) -> MeanSquare | None:
    """Sum of independent components, with Satterthwaite's degrees of freedom; None if there is none."""
    if not parts:
        return None
    variance, df = pool([p.variance for p in parts], [p.df for p in parts])
    return MeanSquare(float(variance), float(df))


class ProblemBounds(Protocol):
    """What the problems, or the answers, alone say of how far bounds reach: exact where few of them differ."""

    def below(self, alpha: float) -> float:
        """How far the one-sided lower bound at level alpha lies below the estimate."""
        ...

    def above(self, alpha: float) -> float:
        """How far the upper bound lies above it."""
        ...


@dataclass(frozen=True)
class Estimate:
    """A mean or a contrast of means, with what its interval rests on.

    `se` is None where the data cannot tell: one problem, or one answer each where only answers are new. It is zero
    where nothing varied; the interval is not, for what was not seen may still be there.
    """

    value: float
    se: float | None
    df: float | None
    confidence: float
    parts: Parts
    estimand: Estimand
    """what the interval covers: read off the parts of the variance that entered it, never off what was asked for"""
    shape: ProblemBounds | None = None
    normal: MeanSquare | None = None
    """the part of the variance that `shape` stands in for"""
    span: tuple[float, float] = (-1.0, 1.0)
    """what values are possible"""

    def at(self, confidence: float) -> Estimate:
        """The same at another level of confidence."""
        return replace(self, confidence=confidence)

    @property
    def stated_df(self) -> float | None:
        """`df` for files: None without a standard error, and where answers alone are new, which has no end of them."""
        return self.df if self.se and self.df != float("inf") else None

    @property
    def bounded(self) -> bool:
        """Whether there are bounds and tests. On fixed problems, seeds that are all alike tell nothing of others."""
        return self.se is not None and (self.se > 0 or self.shape is not None)

    def reach(self, alpha: float, up: bool) -> float:
        """How far the one-sided bound at level alpha lies above (or below) the value, within `span`.

        The half-width of the t interval of the crossed layout, t(df) sqrt(V), in which the symmetrical half-width of
        the problems' part alone, t sqrt(P), gives way to what the problems really say, `shape`.
        """
        assert self.se is not None and self.df is not None
        room = self.span[1] - self.value if up else self.value - self.span[0]
        half = -float(special.stdtrit(self.df, alpha)) * self.se
        if self.shape is not None and self.normal is not None:
            half += self._of_problems(alpha, up, self.normal)
        return min(max(half, 0.0), max(room, 0.0))

    def _of_problems(self, alpha: float, up: bool, normal: MeanSquare) -> float:
        """What the problems' part reaches beyond its share of the t interval.

        At the larger degrees of freedom of the two: so the whole reaches at least as far as the problems alone, and
        further the smaller alpha is. `shape` takes the problems' variance for known, which it is not; so a
        difference, which is nearly symmetrical, reaches at least as far as the problems' t interval. A score does so
        with few problems alone: near 0 and 1 it is skewed, and its t interval lies beyond what is possible.
        """
        assert self.shape is not None and self.df is not None
        root = normal.variance**0.5
        exact = float(self.shape.above(alpha) if up else self.shape.below(alpha))
        if self.span[0] < 0 or normal.df < FEW:
            exact = max(exact, -float(special.stdtrit(normal.df, alpha)) * root)
        return exact + float(special.stdtrit(max(self.df, normal.df), alpha)) * root

    @property
    def interval(self) -> tuple[float, float] | None:
        """Lower and upper bound, each at (1 - confidence) / 2; None where the data cannot tell."""
        if not self.bounded:
            return None
        alpha = (1 - self.confidence) / 2
        return self.value - self.reach(alpha, False), self.value + self.reach(alpha, True)

    @property
    def p_value(self) -> float | None:
        """Two-sided, of the hypothesis that the estimated quantity is zero: the least alpha whose 1 - alpha interval
        leaves zero out."""
        if not self.bounded:
            return None
        return min(1.0, 2 * self._level(0.0))

    def p_above(self, x: float) -> float | None:
        """One-sided, of the hypothesis that the quantity is x or less: small where it is above x."""
        if not self.bounded:
            return None
        return self._level(x) if self.value > x else 1 - self._level(x)

    def p_below(self, x: float) -> float | None:
        """One-sided, of the hypothesis that the quantity is x or more: small where it is below x."""
        above = self.p_above(x)
        return None if above is None else self._level(x) if self.value <= x else 1 - above

    def _level(self, x: float) -> float:
        """The level, at most 1/2, at which the bound on x's side is x."""
        # a little less than the distance: where x is the end of what is possible, bounds reach it and go no further
        up, distance = self.value < x, abs(self.value - x) - ROUNDING

        def beyond(log_alpha: float) -> float:
            return self.reach(float(np.exp(log_alpha)), up) - distance

        highest, lowest = np.log(0.5), np.log(SMALLEST)
        if beyond(highest) >= 0:
            return 0.5
        if beyond(lowest) <= 0:
            return 0.0
        return float(np.exp(zero(beyond, float(lowest), float(highest), within=1e-10)))
