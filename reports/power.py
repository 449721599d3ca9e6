"""What difference a design can see: before the run from stated variances, after it from the estimated ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

POWER = 0.8


def detectable(se: float, df: float, alpha: float = 0.05, power: float = POWER) -> float:
    """Smallest true difference that a two-sided t test finds with this power: se times the noncentrality at which
    P(T'_df > t_(1-alpha/2)) = power (Cohen 1988, ch. 2; the other tail is neglected)."""
    critical = special.stdtrit(df, 1 - alpha / 2)
    return float(se * special.nctdtrinc(df, 1 - power, critical))


def upper_ratio(df: float, bound: float = 0.8) -> float:
    """Upper confidence bound of a standard error over its estimate, sqrt(df / chi2_(1-bound, df)). Variances from a
    few seeds are hardly known: power is planned at this bound (Browne 1995, Statistics in Medicine 14, 1933-1940)."""
    return float(np.sqrt(df / special.chdtri(df, bound)))


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

    V = 2 sd_seed^2 / S + mean over benchmarks of (sd_effect^2 / J + 2 sampling / (S J k)), Satterthwaite's degrees
    of freedom. With one seed the seed part cannot be estimated and is left out: the effect is then about these
    checkpoints.

    Args:
        benchmarks: name -> (problems, attempts a problem)
    """
    designs = {name: [design] for name, design in benchmarks.items()} | {"average": list(benchmarks.values())}
    return {name: _detectable(design, seeds, variances, alpha, power) for name, design in designs.items()}


def _detectable(design: list[tuple[int, int]], seeds: int, v: Variances, alpha: float, power: float) -> float:
    j, k = np.array(design, dtype=float).T
    problem = (v.sd_effect**2 / j + 2 * v.sampling / (seeds * j * k)) / len(design) ** 2
    seed = 2 * v.sd_seed**2 / seeds if seeds > 1 else 0.0
    total = seed + problem.sum()
    spread = (problem**2 / np.maximum(j - 1, 1)).sum() + (seed**2 / (2 * (seeds - 1)) if seeds > 1 else 0.0)
    return detectable(float(np.sqrt(total)), float(total**2 / spread), alpha, power)
