"""Two checkpoints on the same problems: which of the two gave which answers is exchanged within each problem.

If both answer problem j correctly at one rate p_j, then of the m_j correct ones among its k_a + k_b answers the number
A_j that are the first's is hypergeometric, whatever p_j is (Fisher 1935, Journal of the Royal Statistical Society 98,
39-82): a test of "these are the same on these problems", exact, with no model of problems, and with k that may differ.

    mean      D = mean over benchmarks of mean_j (A_j / k_a - B_j / k_b)
    pattern   X = sum_j D_j^2 / var(D_j),  var(D_j) = m (K - m) / (k_a k_b (K - 1)),  K = k_a + k_b

D misses changes that cancel out, X does not. With one answer on each side D_j^2 is fixed by m_j: X says nothing then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce
from math import comb, gcd, lcm

import numpy as np
from numpy.typing import NDArray

from reports.statistics.crossed import Floats
from reports.statistics.lean_scipy import special
from reports.statistics.roots import zero

DRAWS = 9_999
MOST_PLACES = 2**17
"""of the lattice that the mean difference lies on, to be enumerated; on a finer one it is drawn"""
ROUNDING = 1e-9
"""sums this close are equal: a case as far out as the observed one counts as such"""
POWER = 0.8
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Exchanged:
    """A test."""

    p_value: float
    exact: bool
    """every case was counted; otherwise cases were drawn, and p is (1 + as far out) / (1 + drawn), which is valid
    (Phipson & Smyth 2010, Statistical Applications in Genetics and Molecular Biology 9(1), 39)"""


@dataclass(frozen=True)
class AnswerCounts:
    """One benchmark: correct answers of two checkpoints to each of J problems."""

    a: Ints
    b: Ints
    k_a: int
    k_b: int

    @property
    def step(self) -> Fraction:
        """What one answer of A's more (and one of B's less) adds to the difference of the benchmark's scores."""
        return (Fraction(1, self.k_a) + Fraction(1, self.k_b)) / len(self.a)

    @property
    def difference(self) -> float:
        """A's score less B's."""
        return float(self.a.mean() / self.k_a - self.b.mean() / self.k_b)

    @cached_property
    def cases(self) -> list[tuple[int, int, Floats]]:
        """For each number of correct answers that problems have: of how many problems, the least that may be A's, and
        the chance of that and of each more."""
        numbers, counts = np.unique(self.a + self.b, return_counts=True)
        return [(int(n), *self._hypergeometric(int(m))) for m, n in zip(numbers, counts, strict=True)]

    def _hypergeometric(self, m: int) -> tuple[int, Floats]:
        low, high = max(0, m - self.k_b), min(m, self.k_a)
        total = comb(self.k_a + self.k_b, m)
        ways = [comb(self.k_a, x) * comb(self.k_b, m - x) / total for x in range(low, high + 1)]
        return low, np.array(ways)

    @property
    def variances(self) -> Floats:
        """J: of each problem's difference, if both sides are the same: unbiased for p (1 - p) (1/k_a + 1/k_b)."""
        m, k = self.a + self.b, self.k_a + self.k_b
        return m * (k - m) / (self.k_a * self.k_b * (k - 1))


def difference(tables: Sequence[AnswerCounts]) -> float:
    """Unweighted mean over benchmarks of A's score less B's."""
    return float(np.mean([table.difference for table in tables]))


def mean_test(tables: Sequence[AnswerCounts], rng: np.random.Generator) -> Exchanged:
    """Two-sided, of D: how often a difference is as far from 0 as the one that is there.

    Args:
        tables: a benchmark each.
        rng: where the lattice is too fine to be enumerated.
    """
    observed = abs(difference(tables))
    steps = [table.step / len(tables) for table in tables]
    unit = Fraction(reduce(gcd, (s.numerator for s in steps)), lcm(*(s.denominator for s in steps)))
    # the two of a fraction have no common factor, so this unit divides each step
    stretch = [int(step / unit) for step in steps]
    places = 1 + sum(by * sum(n * (len(p) - 1) for n, _, p in t.cases) for by, t in zip(stretch, tables, strict=True))
    if places <= MOST_PLACES:
        chances = _sum_of(tables, stretch, places)
        values = _least(tables) + np.arange(places) * float(unit)
        p = float(chances[np.abs(values) >= observed - ROUNDING].sum())
        return Exchanged(min(1.0, max(p, np.finfo(float).eps)), True)
    drawn = np.full(DRAWS, _least(tables))
    for table, step in zip(tables, steps, strict=True):
        size = 1 + sum(n * (len(p) - 1) for n, _, p in table.cases)
        cumulated = np.cumsum(_sum_of([table], [1], size))
        drawn += float(step) * np.searchsorted(cumulated, rng.random(DRAWS) * cumulated[-1], side="right")
    return Exchanged((1 + int(np.sum(np.abs(drawn) >= observed - ROUNDING))) / (1 + DRAWS), False)


def _least(tables: Sequence[AnswerCounts]) -> float:
    """The smallest difference there can be, with this many correct answers to each problem."""
    found = 0.0
    for table in tables:
        least = sum(n * low for n, low, _ in table.cases)
        found += float(table.step * least) - float((table.a + table.b).mean()) / table.k_b
    return found / len(tables)


def _sum_of(tables: Sequence[AnswerCounts], stretch: Sequence[int], places: int) -> Floats:
    """Chances of a sum of independent numbers, from the product of their characteristic functions."""
    product = np.ones(places // 2 + 1, complex)
    for table, by in zip(tables, stretch, strict=True):
        for n, _, chances in table.cases:
            spread = np.zeros(places)
            spread[: by * len(chances) : by] = chances
            product *= np.fft.rfft(spread) ** n
    return np.clip(np.fft.irfft(product, places), 0.0, None)


def pattern_test(tables: Sequence[AnswerCounts], rng: np.random.Generator) -> Exchanged | None:
    """One-sided, of X over the problems of all benchmarks, drawn. None where X has one possible value: one answer on
    each side, or nothing that varies."""
    observed, drawn, varies = 0.0, np.zeros(DRAWS), False
    for table in tables:
        there = table.variances > 0
        d = table.a[there] / table.k_a - table.b[there] / table.k_b
        observed += float(np.sum(d**2 / table.variances[there]))
        m = table.a + table.b
        for m_j, (n, low, chances) in zip(np.unique(m), table.cases, strict=True):
            if len(chances) < 2:
                continue
            x = np.arange(low, low + len(chances))
            squares = (x / table.k_a - (m_j - x) / table.k_b) ** 2 / table.variances[m == m_j][0]
            varies = varies or bool(np.ptp(squares) > ROUNDING)
            drawn += rng.multinomial(n, chances / chances.sum(), DRAWS) @ squares
    if not varies:
        return None
    far = int(np.sum(drawn >= observed * (1 - ROUNDING)))
    return Exchanged((1 + far) / (1 + DRAWS), False)


def least_p(tables: Sequence[AnswerCounts]) -> float:
    """The smallest p-value that `mean_test` has for this number of answers: all of one side's are correct, and none of
    the other's. No pattern of answers has a smaller one by `pattern_test`."""
    chance = 2.0
    for table in tables:
        chance *= (1 / comb(table.k_a + table.k_b, table.k_a)) ** len(table.a)
    return min(1.0, chance)


def detectable(tables: Sequence[AnswerCounts], alpha: float, power: float = POWER) -> float | None:
    """The smallest difference of the means that `mean_test` finds with this power; None if even 1 is not found.

    Where little varies the variance is that of the difference itself: a loss of d brings answers that differ, on the
    side that has fewer answers if it is known of neither.
    """
    b = len(tables)
    same = sum(float(t.variances.sum()) / len(t.a) ** 2 for t in tables) / b**2
    lost = sum(1 / (min(t.k_a, t.k_b) * len(t.a)) for t in tables) / b**2
    at, with_power = special.ndtri(1 - alpha / 2), special.ndtri(power)

    def missing(d: float) -> float:
        null, alternative = max(same, d * (1 - d / 2) * lost), max(same, d * (1 - d) * lost)
        return at * null**0.5 + with_power * alternative**0.5 - d

    return None if missing(1.0) > 0 else zero(missing, 1e-12, 1.0, within=2e-12)


def interval(tables: Sequence[AnswerCounts], confidence: float) -> tuple[float, float]:
    """Of the difference on these problems, over answers drawn anew.

    Each side's limits are Wilson's (1927) at its effective number of answers, n = p (1 - p) / V, put together by
    recovery of variance estimates (Newcombe 1998, Statistics in Medicine 17, 873-890). V is the unbiased variance of
    the mean over k of 2 or more; with one answer on a side, its share of the variance under exchange, which is too
    large rather than too small. It is never below what an answer not yet seen could add, so that a width of zero
    claims nothing.
    """
    z = float(special.ndtri(0.5 + confidence / 2))
    one = [_wilson(*_side(tables, first), z) for first in (True, False)]
    (a, a_low, a_high), (b, b_low, b_high) = one
    d = a - b
    return d - ((a - a_low) ** 2 + (b_high - b) ** 2) ** 0.5, d + ((a_high - a) ** 2 + (b - b_low) ** 2) ** 0.5


def _side(tables: Sequence[AnswerCounts], first: bool) -> tuple[float, float, float]:
    """Score, its variance over answers drawn anew, and how many answers with equal weights it is worth at most."""
    mean = variance = share = 0.0
    for t in tables:
        x, k, other = (t.a, t.k_a, t.k_b) if first else (t.b, t.k_b, t.k_a)
        p, j = x / k, len(x)
        if min(k, other) > 1:
            own = float((p * (1 - p)).sum()) / (k - 1)
        else:
            own = float(t.variances.sum()) * other / (k + other)
        mean += float(p.mean()) / len(tables)
        variance += own / (j * len(tables)) ** 2
        share += 1 / (k * j) / len(tables) ** 2
    return mean, variance, 1 / share


def _wilson(mean: float, variance: float, answers: float, z: float) -> tuple[float, float, float]:
    least = z**2 / (answers + z**2) ** 2
    n = answers if mean in (0.0, 1.0) else mean * (1 - mean) / max(variance, least)
    centre, half = mean + z**2 / (2 * n), z * (mean * (1 - mean) / n + z**2 / (4 * n**2)) ** 0.5
    return mean, max(0.0, (centre - half) / (1 + z**2 / n)), min(1.0, (centre + half) / (1 + z**2 / n))
