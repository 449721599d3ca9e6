"""Yardsticks of width near 0 and 1, where a t interval with the true variance is none: Clopper & Pearson's interval of
a share (1934, Biometrika 26, 404-413), Tango's score interval of a paired difference of shares (1998, Statistics in
Medicine 17, 891-908), and the same for counts that are not whole, of attempts that are not independent.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from reports.statistics.satterthwaite import Floats

Bounds = tuple[Floats, Floats]
STEPS = 50
"""of bisection"""


def clopper_pearson(correct: Floats, attempts: Floats, confidence: float = 0.95) -> Bounds:
    """Exact limits of a share; with `attempts` that are not whole, the same tails of the beta distribution."""
    tail = (1 - confidence) / 2
    wrong = attempts - correct
    with np.errstate(invalid="ignore"):
        low = np.where(correct > 0, special.betaincinv(np.maximum(correct, 1e-300), wrong + 1, tail), 0.0)
        high = np.where(wrong > 0, special.betaincinv(correct + 1, np.maximum(wrong, 1e-300), 1 - tail), 1.0)
    return low, high


def tango(better: Floats, worse: Floats, pairs: Floats, confidence: float = 0.95) -> Bounds:
    """Limits of the difference of two shares of the same problems: all differences that a score test does not reject.

    Args:
        better, worse: how many pairs differ in either way, of `pairs`.
    """
    z = special.ndtri(0.5 + confidence / 2)
    estimate = (better - worse) / pairs

    def score(delta: Floats) -> Floats:
        a, c = 2 * pairs, -worse * delta * (1 - delta)
        b = -better - worse + (2 * pairs - better + worse) * delta
        q = (np.sqrt(np.maximum(b**2 - 4 * a * c, 0)) - b) / (2 * a)
        variance = pairs * (2 * q + delta * (1 - delta))
        return (better - worse - pairs * delta) / np.sqrt(np.maximum(variance, 1e-300))

    low = _root(lambda delta: score(delta) <= z, np.full_like(estimate, -1 + 1e-12), estimate)
    high = _root(lambda delta: score(delta) < -z, estimate, np.full_like(estimate, 1 - 1e-12))
    return low, high


def _root(beyond: Callable[[Floats], Floats], low: Floats, high: Floats) -> Floats:
    """Where `beyond` turns from false to true."""
    for _ in range(STEPS):
        middle = (low + high) / 2
        right = beyond(middle)
        low, high = np.where(right, low, middle), np.where(right, middle, high)
    return (low + high) / 2
