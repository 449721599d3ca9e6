"""Collapses: how often a seed may collapse, given how many did, and below which score one did."""

from __future__ import annotations

from reports.statistics.lean_scipy import special

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
