"""A second interval, without mean squares: seeds and problems resampled independently of each other.

The crossed or pigeonhole bootstrap (Owen 2007, Annals of Applied Statistics 1(2), 386-411). Where nothing depends on
seeds its variance is too large, for it counts the noise of single answers up to three times (McCullagh 2000, Bernoulli
6(2), 285-301); with few seeds that matter it is too small by (S - 1) / S and knows no t quantile. It is a line to
compare with, not the interval that claims rest on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reports.statistics.estimate import Estimand
from reports.statistics.satterthwaite import Floats

RESAMPLES = 4_000
CHUNK = 500
"""resamples made at once: bounds memory"""


def crossed_bootstrap(
    arms: Sequence[Sequence[Floats]],
    weights: Sequence[float],
    rng: np.random.Generator,
    estimand: Estimand = "algorithm",
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> tuple[float, float] | None:
    """Percentile interval of sum_a weight_a x (mean over benchmarks of the arm's score).

    A seed that is drawn brings its scores on all benchmarks; a problem that is drawn brings all arms' answers. What the
    estimand holds fixed is not resampled. None where nothing varies.

    Args:
        arms: arms[a][b] is S_a x J_b, the same problems in the same order for all arms of a benchmark.
    """
    found = np.zeros(resamples)
    for first in range(0, resamples, CHUNK):
        n = min(CHUNK, resamples - first)
        seeds = [_counts(rng, n, len(arm[0]), estimand != "checkpoints") for arm in arms]
        for matrices in zip(*arms, strict=True):
            problems = _counts(rng, n, matrices[0].shape[1], estimand != "benchmark")
            for weight, of_seeds, matrix in zip(weights, seeds, matrices, strict=True):
                found[first : first + n] += weight / len(arms[0]) * np.sum(of_seeds @ matrix * problems, axis=1)
    if np.ptp(found) < 1e-12:
        return None
    low, high = np.quantile(found, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return float(low), float(high)


def _counts(rng: np.random.Generator, n: int, size: int, resample: bool) -> Floats:
    """n x size: how often each is drawn, over the size."""
    if not resample:
        return np.full((n, size), 1 / size)
    drawn = rng.integers(0, size, (n, size)) + size * np.arange(n)[:, None]
    return np.bincount(drawn.ravel(), minlength=n * size).reshape(n, size) / size
