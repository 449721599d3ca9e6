"""Tests that rest on exchanging labels rather than on a distribution of scores.

Each says something narrower than the crossed test: two checkpoints on problems like these, or training on these
problems. They need that what is exchanged has the same distribution if nothing differs, so the same k on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from reports.statistics.lean_scipy import special

Floats = NDArray[np.float64]
MOST_CASES = 2**20
"""enumerated; above it cases are drawn"""
DRAWS = 9_999
FEWEST_SEEDS = 4
"""a side, to exchange seeds: C(8, 4) = 70 cases, so that p = 2 / 70 can be reached; with 3 it is 2 / 20"""
ROUNDING = 1e-9
"""sums this close are equal: a case as far out as the observed one counts as such"""


@dataclass(frozen=True)
class Permutation:
    p_value: float
    """two-sided"""
    cases: int
    """looked at, the observed one included"""
    exact: bool
    """all there are; otherwise drawn, and the p-value is (1 + as far out) / (1 + drawn), which is a valid one (Phipson
    & Smyth 2010, Statistical Applications in Genetics and Molecular Biology 9(1), 39)"""


@dataclass(frozen=True)
class McNemar:
    gained: int
    """problems that the first alone solved"""
    lost: int
    """problems that the second alone solved"""
    exact: float
    """binomial, two-sided (McNemar 1947, Psychometrika 12(2), 153-157)"""
    mid_p: float
    """with half the observed case: nearer to its level (Fagerland, Lydersen & Laake 2013, BMC Medical Research
    Methodology 13, 91)"""


def mcnemar(gained: int, lost: int) -> McNemar:
    """For one attempt a problem on both sides. Problems on which the two agree say nothing of the difference."""
    n, less = gained + lost, min(gained, lost)
    tail, point = float(special.bdtr(less, n, 0.5)), comb(n, less) / 2**n
    # In the middle the two tails share the observed case.
    return McNemar(gained, lost, min(1.0, 2 * tail), 1.0 if gained == lost else 2 * tail - point)


def sign_flip(differences: Floats, rng: np.random.Generator) -> Permutation | None:
    """Two checkpoints, paired by problem: which of the two gave which answers is exchanged within each problem.

    With one attempt a problem and equal weights it is McNemar's exact test. None if no problem differs.

    Args:
        differences: one for each problem, with its weight in the average.
    """
    d = differences[np.abs(differences) > ROUNDING * np.abs(differences).max(initial=0)]
    if not len(d):
        return None
    observed, tolerance = abs(d.sum()), ROUNDING * np.abs(d).sum()
    if len(d) <= np.log2(MOST_CASES):
        sums = np.zeros(1)
        for one in d:
            sums = np.concatenate([sums + one, sums - one])
        return Permutation(float(np.mean(np.abs(sums) >= observed - tolerance)), len(sums), True)
    far = 0
    for first in range(0, DRAWS, 1000):
        signs = 2 * rng.integers(0, 2, (min(1000, DRAWS - first), len(d)), dtype=np.int8) - 1
        far += int(np.sum(np.abs(signs @ d) >= observed - tolerance))
    return Permutation((1 + far) / (1 + DRAWS), 1 + DRAWS, False)


def seed_labels(a: Floats, b: Floats, rng: np.random.Generator) -> Permutation | None:
    """Two arms on these problems: which seeds belong to which arm is exchanged.

    Of the hypothesis that training with either gives checkpoints of the same distribution. None below `FEWEST_SEEDS`,
    or if all scores are equal.

    Args:
        a, b: each seed's score.
    """
    n, total = len(a), len(a) + len(b)
    scores = np.concatenate([a, b])
    if min(len(a), len(b)) < FEWEST_SEEDS or np.ptp(scores) == 0:
        return None
    cases = comb(total, n)
    exact = cases <= MOST_CASES
    ours = _choices(total, n) if exact else rng.random((DRAWS, total)).argpartition(n - 1, axis=1)[:, :n].ravel()
    # The sum of one side fixes the difference of the means.
    off = np.abs(scores[ours].reshape(-1, n).sum(axis=1) - n * scores.mean())
    far = int(np.sum(off >= abs(a.sum() - n * scores.mean()) - ROUNDING))
    return Permutation(far / cases, cases, True) if exact else Permutation((1 + far) / (1 + DRAWS), 1 + DRAWS, False)


@lru_cache(4)  # arms of a run have as many seeds as each other
def _choices(total: int, n: int) -> np.ndarray:
    """Every choice of n of so many, one after the other."""
    chosen = (i for each in combinations(range(total), n) for i in each)
    return np.fromiter(chosen, np.int64, comb(total, n) * n)
