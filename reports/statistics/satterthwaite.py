"""Variances put together from mean squares, with Satterthwaite's degrees of freedom (1946, Biometrics Bulletin 2(6),
110-114). Everything here works on single numbers and on arrays of them alike: a report has one of each, a study of
coverage or of power has thousands.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reports.statistics.lean_scipy import special

Floats = NDArray[np.float64]
Real = Floats | float
ROUNDING = 1e-9
"""mean squares of scores that are multiples of 1/k are often equal; whether they are may not hang on the last digit"""
CAUTION = 0.75
"""confidence of the bound at which the variance between two seeds enters the degrees of freedom. At .7 coverage in the
worst setting (two seeds against eight, the two with sixteen times the variance) was .938, at .5 it was .906"""


def pool(variances: Sequence[Real], dfs: Sequence[Real]) -> tuple[Floats, Floats]:
    """Sum of independent components, and (sum v)^2 / sum(v^2 / df); the least df where nothing varies."""
    v, df = np.array(np.broadcast_arrays(*variances), float), np.array(np.broadcast_arrays(*dfs), float)
    df = df.reshape(df.shape + (1,) * (v.ndim - df.ndim))
    total, spread = v.sum(axis=0), (v**2 / df).sum(axis=0)
    return total, _ratio(total**2, spread, np.broadcast_to(df.min(axis=0), total.shape))


def of_seeds(variances: Sequence[Real], dfs: Sequence[float], alike: Sequence[float]) -> tuple[Floats, Floats]:
    """The seeds' part of several arms. As `pool`, but its degrees of freedom are at most those that they would have if
    the seeds of all arms varied alike: an arm of two seeds whose variance happens to be estimated as small would
    otherwise hand the word to an arm of eight.

    Args:
        alike: what the variances are proportional to if the seeds of all arms vary alike, weight^2 / seeds.
    """
    total, df = pool(variances, dfs)
    return total, np.minimum(df, pool(list(alike), list(dfs))[1])


def seeds_and_problems(
    seeds: tuple[Sequence[Real], Sequence[float], Sequence[float]],
    problem: tuple[Real, Real],
    residual: tuple[Real, Real],
) -> tuple[Floats, Floats]:
    """The variance over new seeds and new problems, with degrees of freedom that two seeds do not inflate.

    One degree of freedom knows a variance so badly that it is estimated at a tenth of itself in a quarter of all
    studies; Satterthwaite's formula then takes the problems for the whole of it. So where an arm has two seeds its
    variance enters the formula, not the interval, at its upper bound (`CAUTION`).

    Args:
        seeds: the arguments of `of_seeds`.
        problem, residual: variance and degrees of freedom.
    """
    variances, dfs, alike = seeds
    variance, df = crossed(*of_seeds(variances, dfs, alike), *problem, *residual)
    if min(dfs) > 1:
        return variance, df
    raised = [v / special.chdtri(1, CAUTION) if f <= 1 else v for v, f in zip(variances, dfs, strict=True)]
    return variance, np.minimum(df, crossed(*of_seeds(raised, dfs, alike), *problem, *residual)[1])


def crossed(
    seed: Real, seed_df: Real, problem: Real, problem_df: Real, residual: Real, residual_df: Real
) -> tuple[Floats, Floats]:
    """The variance over new seeds and new problems, seed + problem - residual, and its degrees of freedom.

    Floored at the larger of seed and problem, which then brings its own degrees of freedom: the mean squares of both
    hold the residual's, so an estimate below either is noise. Degrees of freedom are at least the fewer of the two,
    as those of any sum of the two are.

    Args:
        seed, problem, residual: mean squares over S J, summed over arms.
    """
    a, p, r = (np.asarray(x, float) for x in (seed, problem, residual))
    floor = np.maximum(a, p)
    variance = a + p - r
    least = np.minimum(seed_df, problem_df)
    df = np.maximum(_ratio(variance**2, a**2 / seed_df + p**2 / problem_df + r**2 / residual_df, least), least)
    low = variance <= floor * (1 + ROUNDING)
    return np.where(low, floor, variance), np.where(low, np.where(a >= p, seed_df, problem_df), df)


def upper_bound(
    plus: Sequence[tuple[Real, Real]], minus: Sequence[tuple[Real, Real]] = (), confidence: float = 0.8
) -> Floats:
    """Upper confidence bound of a sum and difference of independent mean squares.

        sum + sqrt(sum_plus (H v)^2 + sum_minus (G v)^2),   H = df / chi2_(1 - c) - 1,   G = 1 - df / chi2_c

    (modified large samples: Graybill & Wang 1980, JASA 75(372), 869-873; with differences, less a small term, Ting et
    al. 1990, Journal of Statistical Computation and Simulation 35, 135-143.) Of one mean square it is the exact bound,
    v df / chi2. Satterthwaite's degrees of freedom will not do for this: where the floor leaves the problems' part
    they say that next to nothing is unknown, and such a bound held in half of the cases.

    Args:
        plus, minus: (variance, degrees of freedom) of each mean square.
    """
    total = sum(np.asarray(v, float) for v, _ in plus) - sum(np.asarray(v, float) for v, _ in minus)
    squares = [(v * (df / special.chdtri(df, confidence) - 1)) ** 2 for v, df in plus]
    squares += [(v * (1 - df / special.chdtri(df, 1 - confidence))) ** 2 for v, df in minus]
    return np.asarray(total + np.sqrt(sum(squares)))


def _ratio(over: Floats, under: Floats, otherwise: Real) -> Floats:
    return np.where(under > 0, over / np.where(under > 0, under, 1.0), otherwise)
