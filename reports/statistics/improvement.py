"""Which of two arms' seeds is better: the probability of improvement, with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.statistics.collapse import ROUNDING
from reports.statistics.lean_scipy import special

FEWEST_SEEDS = 8
"""a side: there the interval still has a median width of .56 of 1"""


@dataclass(frozen=True)
class Improvement:
    """The chance that a new seed of one arm scores higher than one of another on these problems, with its interval."""

    value: float
    interval: tuple[float, float]


def improvement(ours: Sequence[float], theirs: Sequence[float], confidence: float = 0.95) -> Improvement | None:
    """P(a > b) + P(a = b) / 2 over all pairs of seeds, Mann & Whitney's U over their number (1947, Annals of
    Mathematical Statistics 18(1), 50-60). None below `FEWEST_SEEDS` a side.

    The interval is Wilson's (1927, JASA 22, 209-212) at the number of trials that has the variance of Brunner & Munzel
    (2000, Biometrical Journal 42(1), 17-25), with their degrees of freedom: it allows arms of unequal spread, stays in
    0..1, and exists where every seed of one arm is above all of the other. There the number of trials is that of the
    smaller side: a bad seed that was not drawn may be as frequent as that allows. It is never more than for two arms
    without a difference, 3 m n / (m + n + 1): one seed in the wrong place says little of how rare that is.

    Args:
        ours, theirs: each seed's score.
    """
    a, b = np.asarray(ours, float), np.asarray(theirs, float)
    least = min(len(a), len(b))
    if least < FEWEST_SEEDS:
        return None
    gap = a[:, None] - b
    wins = (gap > ROUNDING) + 0.5 * (np.abs(gap) <= ROUNDING)
    value = float(wins.mean())
    parts = np.array([wins.mean(axis=1).var(ddof=1) / len(a), wins.mean(axis=0).var(ddof=1) / len(b)])
    variance = float(parts.sum())
    trials, df = float(least), least - 1.0
    if variance > 0:
        most = 3 * len(a) * len(b) / (len(a) + len(b) + 1)
        trials = min(most, value * (1 - value) / variance)
        df = variance**2 / float((parts**2 / (len(a) - 1, len(b) - 1)).sum())
    return Improvement(value, _wilson(value, trials, float(special.stdtrit(df, 0.5 + confidence / 2))))


def _wilson(share: float, trials: float, quantile: float) -> tuple[float, float]:
    square = quantile**2 / trials
    centre = (share + square / 2) / (1 + square)
    half = np.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))
