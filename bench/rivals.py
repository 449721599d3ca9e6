"""Intervals for a paired difference of two arms, ours and those it is held against, for many replicates at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from reports.statistics import bounds, contrast
from reports.statistics.bootstrap import crossed_bootstrap
from reports.statistics.satterthwaite import pool, seeds_and_problems

Z = float(special.ndtri(0.975))
RESAMPLES = 1000


@dataclass(frozen=True)
class Seen:
    """What replicates of two arms show: their difference, and mean squares over S J. First axis: replicates."""

    difference: np.ndarray
    seed: np.ndarray
    """of each arm"""
    problem: np.ndarray
    residual: np.ndarray
    """of each arm"""
    of_problem: np.ndarray
    """replicates x J differences, means over seeds"""
    seeds: int
    problems: int
    k: int

    @cached_property
    def crossed(self) -> tuple[np.ndarray, np.ndarray]:
        """Our variance and its degrees of freedom."""
        s, j = self.seeds - 1, self.problems - 1
        residual = pool(list(self.residual.T), [s * j, s * j])
        alike = [1 / self.seeds] * 2
        return seeds_and_problems((list(self.seed.T), [s, s], alike), (self.problem, j), residual)

    @property
    def half_width(self) -> np.ndarray:
        """Of the t interval of the crossed layout by itself."""
        return half(*self.crossed)

    @cached_property
    def _shape(self) -> bounds.Gain:
        return bounds.gain([self.of_problem], [self.seeds * self.k], bounds.DOUBT_WITH_SEEDS)

    def reach(self, alpha: float) -> tuple[np.ndarray, np.ndarray]:
        """How far our one-sided bounds lie below and above: `Estimate.reach`, of many replicates at once."""
        variance, df = self.crossed
        alike = -special.stdtrit(df, alpha) * np.sqrt(variance)
        alike += special.stdtrit(np.maximum(df, self.problems - 1), alpha) * np.sqrt(self.problem)
        floor = -special.stdtrit(self.problems - 1, alpha) * np.sqrt(self.problem)
        below, above = (np.maximum(floor, one) for one in (self._shape.below(alpha), self._shape.above(alpha)))
        return np.clip(alike + below, 0, 1 + self.difference), np.clip(alike + above, 0, 1 - self.difference)

    @property
    def by_problem(self) -> np.ndarray:
        """Clustered by problem, with a normal quantile: what lm-eval's and most papers' standard errors amount to."""
        return Z * np.sqrt(self.problem)

    @property
    def by_seed(self) -> np.ndarray:
        """Welch's t over the seeds' means."""
        return half(*pool(list(self.seed.T), [self.seeds - 1] * 2))


def half(variance: np.ndarray, df: np.ndarray) -> np.ndarray:
    return special.stdtrit(df, 0.975) * np.sqrt(variance)


def seen(chunks: Iterable[np.ndarray], k: int) -> Seen:
    """
    Args:
        chunks: replicates x arms x S x J shares of k attempts; of the arms the first two count.
    """
    found = [_seen(chunk[:, :2].astype(np.float64), k) for chunk in chunks]
    first = found[0]
    names = ("difference", "seed", "problem", "residual", "of_problem")
    arrays = [np.concatenate([getattr(one, name) for one in found]) for name in names]
    return Seen(*arrays, first.seeds, first.problems, k)


def _seen(y: np.ndarray, k: int) -> Seen:
    _, _, s, j = y.shape
    of_seed, of_problem = y.mean(axis=3), y.mean(axis=2)
    whole = of_seed.mean(axis=2)
    squares = (
        (y**2).sum(axis=(2, 3)) - j * (of_seed**2).sum(axis=2) - s * (of_problem**2).sum(axis=2) + s * j * whole**2
    )
    return Seen(
        difference=whole[:, 0] - whole[:, 1],
        seed=of_seed.var(axis=2, ddof=1) / s,
        problem=(of_problem[:, 0] - of_problem[:, 1]).var(axis=1, ddof=1) / j,
        residual=squares / ((s - 1) * (j - 1)) / (s * j),
        of_problem=of_problem[:, 0] - of_problem[:, 1],
        seeds=s,
        problems=j,
        k=k,
    )


def check(y: np.ndarray, found: Seen) -> None:
    """The first replicates against the report's own function, one at a time.

    Raises: AssertionError if they differ.
    """
    below, above = found.reach(0.025)
    for i, pair in enumerate(y[:20].astype(np.float64)):
        attempts = [[[found.k] * found.seeds]] * 2
        estimate = contrast([[pair[0]], [pair[1]]], (1.0, -1.0), attempts=attempts)
        value = found.difference[i]
        ours, theirs = (value, value - below[i], value + above[i]), (estimate.value, *(estimate.interval or (0.0, 0.0)))
        assert np.allclose(ours, theirs, rtol=1e-4, atol=1e-7), (ours, theirs)


def nested_bootstrap(pair: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """Pairs of seeds are drawn and then, anew within each, problems, as if every seed had problems of its own."""
    differences = np.round(pair[0] - pair[1], 6)
    values = np.unique(differences)
    chance = np.stack([(differences == value).mean(axis=1) for value in values], axis=1)
    chance /= chance.sum(axis=1, keepdims=True)
    seeds = rng.integers(0, len(chance), (RESAMPLES, len(chance)))
    counts = rng.multinomial(differences.shape[1], chance[seeds])  # a mean needs only how often each value is drawn
    low, high = np.quantile((counts @ values / differences.shape[1]).mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def crossed_both(pair: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    return crossed_bootstrap([[pair[0]], [pair[1]]], (1.0, -1.0), rng, resamples=RESAMPLES) or (0.0, 0.0)
