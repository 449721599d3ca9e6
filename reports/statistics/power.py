"""What difference a design can see: before the run from stated variances, after it from the estimated ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from reports.statistics.estimate import Estimand, MeanSquare, Parts
from reports.statistics.satterthwaite import Floats, crossed, pool

POWER = 0.8
POINTS = 2048
"""of the lattice over which power is averaged"""


def detectable_effect(expected: Parts, estimand: Estimand, alpha: float = 0.05, power: float = POWER) -> float | None:
    """Smallest true difference that the test of `statistics.contrast` finds with this power, in a study whose mean
    squares have these expectations.

    The test estimates its degrees of freedom and floors its variance; a noncentral t at Satterthwaite's degrees of
    freedom overlooks both, and with three seeds the difference it promises to find with 80 % power is found with 70 to
    77. So the procedure itself is averaged: mean squares are independent multiples of chi-squared variables (exactly
    for normal scores), each draw has its critical value c = t(df) sqrt(V), and the power at x standard errors is the
    mean of Phi(x - c) + Phi(-x - c). The draws are a lattice (Richtmyer's; Niederreiter 1978, Bulletin of the AMS
    84(6), 957-1041), so nothing is random. None where the test cannot be made.
    """
    seeds = () if estimand == "checkpoints" else expected.seeds
    problem = None if estimand == "benchmark" else expected.problem
    residual = expected.residual if seeds and problem else None
    layers = [*seeds, *(part for part in (problem, residual) if part)]
    true = sum(part.variance for part in layers) - 2 * (residual.variance if residual else 0.0)
    if not layers or true <= 0 or (estimand == "algorithm" and problem is None):
        return None
    drawn = [part.variance * _chi2(part.df, place) / part.df for place, part in enumerate(layers)]
    seed, rest = drawn[: len(seeds)], drawn[len(seeds) :]
    variance, df = pool(seed, [part.df for part in seeds]) if seeds else (rest[0], np.array(layers[0].df))
    if seeds and problem:
        of_residual = (rest[1], residual.df) if residual else (0.0, 1.0)
        variance, df = crossed(variance, df, rest[0], problem.df, *of_residual)
    critical = special.stdtrit(df, 1 - alpha / 2) * np.sqrt(variance / true)
    return float(np.sqrt(true) * _solve(critical, power))


def _solve(critical: Floats, power: float) -> float:
    low, high = 0.0, 8.0 + float(critical.max())
    for _ in range(40):
        x = (low + high) / 2
        found = np.mean(special.ndtr(x - critical) + special.ndtr(-x - critical))
        low, high = (x, high) if found < power else (low, x)
    return high


@lru_cache(maxsize=256)
def _chi2(df: float, place: int) -> Floats:
    """Quantiles at the lattice's points, in one of its dimensions. The same few designs ask again and again."""
    step = np.sqrt((2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0)[place]) % 1
    return special.chdtri(df, (0.5 + np.arange(POINTS) * step) % 1)


@dataclass(frozen=True)
class Variances:
    """What a plan assumes of two arms that do not differ; all on the scale of scores, 0 to 1."""

    sd_seed: float = 0.02
    """of one arm's score between training seeds"""
    sd_effect: float = 0.10
    """of the true difference between the arms from problem to problem"""
    difficulty: tuple[float, float] = (0.5, 0.7)
    """Beta(a, b) of a problem's chance of being solved; most are nearly always or nearly never solved"""

    @property
    def sampling(self) -> float:
        """Variance of one attempt given its problem: E[p (1 - p)] = a b / ((a + b) (a + b + 1))."""
        a, b = self.difficulty
        return a * b / ((a + b) * (a + b + 1))


def detectable_effects(
    benchmarks: Mapping[str, tuple[int, int]],
    seeds: int,
    variances: Variances = Variances(),
    alpha: float = 0.05,
    power: float = POWER,
) -> dict[str, float]:
    """Minimum detectable difference between two arms, for each benchmark and for the `average`.

    V = 2 sd_seed^2 / S + mean over benchmarks of (sd_effect^2 / J + 2 sampling / (S J k)), and the test as it is made,
    `detectable_effect`. With one seed the seed part cannot be estimated and is left out: the effect is then about these
    checkpoints.

    Args:
        benchmarks: name -> (problems, attempts a problem)
    """
    designs = {name: [design] for name, design in benchmarks.items()} | {"average": list(benchmarks.values())}
    return {name: _detectable(design, seeds, variances, alpha, power) for name, design in designs.items()}


def _detectable(design: list[tuple[int, int]], seeds: int, v: Variances, alpha: float, power: float) -> float:
    j, k = np.array(design, dtype=float).T
    rest = v.sampling / (seeds * j * k) / len(design) ** 2
    problem = MeanSquare(*_pooled(v.sd_effect**2 / j / len(design) ** 2 + 2 * rest, j - 1))
    if seeds < 2:
        parts = Parts((), problem, None)
    else:
        seed = MeanSquare(v.sd_seed**2 / seeds + float(rest.sum()), seeds - 1)
        parts = Parts((seed, seed), problem, MeanSquare(*_pooled(2 * rest, 2 * (seeds - 1) * (j - 1))))
    found = detectable_effect(parts, "algorithm" if seeds > 1 else "checkpoints", alpha, power)
    assert found is not None
    return found


def _pooled(variances: Floats, dfs: Floats) -> tuple[float, float]:
    """One problem, of which nothing can be estimated, is taken to have one degree of freedom."""
    variance, df = pool(list(variances), list(np.maximum(dfs, 1)))
    return float(variance), float(df)
