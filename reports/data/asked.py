"""What a caller may ask of a comparison: numbers that the command line has checked are checked for Python too."""

from __future__ import annotations

from reports.statistics import ESTIMANDS
from reports.words import listing


def check_asked(alpha: float, margin: float | None, estimand: str = ESTIMANDS[0]) -> None:
    """Raises: ValueError for a level, a margin (a fraction) or an estimand that is none."""
    if not 0 < alpha < 1:
        raise ValueError(f"`alpha` must be above 0 and below 1, but is {alpha:g} instead.")
    if margin is not None and not 0 < margin < 1:
        raise ValueError(
            f"`margin` is a fraction and must be above 0 and below 1 (0.01 is one point), but is {margin:g} instead."
        )
    if estimand not in ESTIMANDS:
        raise ValueError(f"`estimand` must be {listing(ESTIMANDS, 'or')}, but is `{estimand}` instead.")
