"""What a seed may do, rather than what seeds do on average: the rate of collapses, and which arm's seed is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

FEWEST_SEEDS = 8
"""a side, for an interval of a probability of improvement: at 8 v 8 it still has a median width of .56 of 1"""
ROUNDING = 1e-12
"""scores this close are equal"""


def rate_bound(events: int, trials: int, confidence: float = 0.95) -> float:
    """Exact one-sided upper bound of a rate (Clopper & Pearson 1934, Biometrika 26(4), 404-413).

    The rate at which `events` or fewer of `trials` have probability 1 - confidence; without events that is
    1 - (1 - confidence)^(1 / trials).

    >>> round(rate_bound(0, 3), 3)
    0.632

    Raises: ValueError without trials.
    """
    if trials < 1 or not 0 <= events <= trials:
        raise ValueError(
            f"`events` must be 0 to `trials`, and these at least 1, but are {events} and {trials} instead."
        )
    return 1.0 if events == trials else float(special.betaincinv(events + 1, trials - events, confidence))


def collapse_level(
    median: float | None, start: float | None, below_start: bool = True, towards_start: float | None = 0.5
) -> float | None:
    """The score below which a seed counts as collapsed; None where neither part of the definition can be used.

    Args:
        median: of the arm's seeds; None if there is none
        start: the untrained model's score; None if there is none
        below_start: whether a seed below the start collapsed
        towards_start: the share of the way from the median down to the start that is too far; None: no such part. Where
            the median is not above the start there is no such way.
    """
    if start is None:
        return None
    levels = [start] if below_start else []
    if towards_start is not None and median is not None and median > start:
        levels.append(median - towards_start * (median - start))
    return max(levels, default=None)


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
