"""What difference a test can see, from the mean squares that are expected: stated before a run (`planned.py`),
estimated after it (`design.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from reports.statistics.estimate import Estimand, Parts
from reports.statistics.lean_scipy import special
from reports.statistics.satterthwaite import Floats, of_seeds, seeds_and_problems

POWER = 0.8
POINTS = 2048
"""of the lattice over which power is averaged"""
LARGEST = 1 / 3
"""an effect beyond this share of the scale is none that anybody looks for"""
_ROOT_2_PI = float(np.sqrt(2 * np.pi))
_EXACT = 1e-12
"""of a standard error"""
CANNOT_DETECT = "cannot detect anything"


@dataclass(frozen=True)
class Detectable:
    """A minimum detectable effect as it may be shown."""

    effect: float | None
    """a fraction; None where a number would mislead"""
    reason: str = ""
    """why there is none; begins with `CANNOT_DETECT` where the test can be made and finds next to nothing"""


def detectable(effect: float | None, otherwise: str = "the test cannot be made") -> Detectable:
    """What is shown of a minimum detectable effect: one beyond a third of the scale is not, for the design can detect
    nothing.

    Args:
        effect: a fraction; None where there is no test.
        otherwise: why there is no test.
    """
    if effect is None:
        return Detectable(None, otherwise)
    if effect > LARGEST:
        return Detectable(
            None,
            f"{CANNOT_DETECT}: the smallest difference found would be {100 * effect:.0f} points, more than a third of "
            "the scale",
        )
    return Detectable(effect)


@lru_cache(maxsize=1024)
def detectable_effect(
    expected: Parts, estimand: Estimand, alpha: float = 0.05, power: float = POWER, correlation: float = 0.0
) -> float | None:
    """Smallest true difference that the test of `statistics.contrast` finds with this power, in a study whose mean
    squares have these expectations.

    The test estimates its degrees of freedom and floors its variance; a noncentral t at Satterthwaite's degrees of
    freedom overlooks both, and with three seeds the difference it promises to find with 80 % power is found with 70 to
    77. So the procedure itself is averaged: mean squares are independent multiples of chi-squared variables (exactly
    for normal scores), each draw has its critical value c = t(df) sqrt(V), and the power at x standard errors is the
    mean of Phi(x - c) + Phi(-x - c). The draws are a lattice (Richtmyer's; Niederreiter 1978, Bulletin of the AMS
    84(6), 957-1041), so nothing is random. None where the test cannot be made.

    Args:
        correlation: of two arms' scores over the seeds, which the test of unpaired seeds takes as 0: the difference is
            then known better than that test believes.
    """
    seeds = () if estimand == "checkpoints" else expected.seeds
    problem = None if estimand == "benchmark" else expected.problem
    residual = expected.residual if seeds and problem else None
    layers = [*seeds, *(part for part in (problem, residual) if part)]
    # The mean squares of seeds and of problems both hold the residual's, so it is in their sum twice too often.
    true = sum(part.variance for part in layers) - 2 * (residual.variance if residual else 0.0)
    if len(seeds) == 2:
        true -= 2 * correlation * (seeds[0].variance * seeds[1].variance) ** 0.5
    if not layers or true <= 0 or (estimand == "algorithm" and problem is None):
        return None
    drawn = [part.variance * _chi2(part.df, place) / part.df for place, part in enumerate(layers)]
    seed, rest = drawn[: len(seeds)], drawn[len(seeds) :]
    if correlation and len(seeds) == 2:
        seed[1] = seeds[1].variance * _correlated(seeds[0].df, seeds[1].df, correlation) / seeds[1].df
    # From here on as `statistics.contrast` does it, with draws in place of estimates.
    arms = seed, [part.df for part in seeds], [1 / (part.df + 1) for part in seeds]
    if seeds and problem:
        of_residual = (rest[1], residual.df) if residual else (0.0, 1.0)
        variance, df = seeds_and_problems(arms, (rest[0], problem.df), of_residual)
    else:
        variance, df = of_seeds(*arms) if seeds else (rest[0], np.array(layers[0].df))
    critical = special.stdtrit(df, 1 - alpha / 2) * np.sqrt(variance / true)
    return float(np.sqrt(true) * _solve(critical, power))


def _solve(critical: Floats, power: float) -> float:
    """Newton's steps, halved where they leave the bracket; in standard errors."""
    low, high = 0.0, 8.0 + float(critical.max())
    x = float(np.median(critical)) + 1.0
    for _ in range(60):
        missing = power - float(np.mean(special.ndtr(x - critical) + special.ndtr(-x - critical)))
        low, high = (x, high) if missing > 0 else (low, x)
        slope = float(np.mean(np.exp(-((x - critical) ** 2) / 2) - np.exp(-((x + critical) ** 2) / 2))) / _ROOT_2_PI
        step = x + missing / slope if slope > 0 else high
        before, x = x, step if low < step < high else (low + high) / 2
        if abs(x - before) < _EXACT:
            break
    return x


@lru_cache(maxsize=256)
def _chi2(df: float, place: int) -> Floats:
    """Quantiles at the lattice's points, in one of its dimensions. The same few designs ask again and again."""
    return special.chdtri(df, _lattice(place))


def _lattice(place: int) -> Floats:
    step = np.sqrt((2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0)[place]) % 1
    return (0.5 + np.arange(POINTS) * step) % 1


def _correlated(first: float, df: float, correlation: float) -> Floats:
    """Chi-squared draws of a second arm's seeds, whose normal scores are correlated with the first's, of `_chi2` at
    place 0. Bartlett's decomposition of a Wishart matrix (Anderson 2003, Multivariate Statistical Analysis, 7.2)."""
    along, across = correlation, (1 - correlation**2) ** 0.5
    normal = special.ndtri(_lattice(4))
    rest = _chi2(df - 1, 1) if df > 1 else 0.0
    return (along * np.sqrt(_chi2(first, 0)) + across * normal) ** 2 + across**2 * rest
