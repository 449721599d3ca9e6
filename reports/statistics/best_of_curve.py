"""What reporting the best checkpoint of a curve adds over reporting its last, and how much of that noise alone adds.

A curve of n evaluations is y_t = m_t + e_t: what the checkpoint is worth, and noise. Its maximum less its last lies
above zero even where m never falls, for the largest of n noises is above the last one. That part is estimated as if
there were no peak:

    sigma   from the second differences of each seed's own curve, e = a y_(t-1) + b y_(t+1) - y_t with a + b = 1 so that
            a straight line leaves nothing: sigma^2 = mean of e^2 / (a^2 + b^2 + 1)   (Gasser, Sroka & Jennen-Steinmetz
            1986, Biometrika 73(3), 625-633); all seeds of an arm together
    m       the mean over seeds, smoothed by local lines (tricube weights over half of the range; Cleveland 1979, JASA
            74(368), 829-836), then made to never fall (isotonic least squares): it may rise and level off
    noise   E[max_t (m_t + sigma z_t)] - m_last for independent normal z, by numerical integration

A smoothed curve keeps some of its noise, so the expectation comes out low; the same is done to curves drawn from m and
sigma, and what is lost there is added. Noise is taken as independent from one evaluation to the next. Where the curve
itself wanders for several evaluations, that is no noise here: it is in the rest, and so is a real peak.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from reports.statistics.lean_scipy import special
from reports.statistics.satterthwaite import Floats

LEAST_POINTS = 6
"""evaluations of a curve: with fewer, trend and noise cannot be told apart"""
MOST_POINTS = 20_000
SPAN = 0.5
"""of the range of steps that a local line looks at to each side"""
KNOTS = 200
"""at most so many local lines, with straight lines between"""
REFITS, FEW_REFITS, LONG = 40, 10, 1000
"""curves that are smoothed again, to see what smoothing loses; fewer of a long curve, which loses little"""
DRAWS = 400
"""curves that are drawn for the range of what noise gives"""
GRID = 256
"""points of the integral, over so many standard deviations beyond the trend's ends"""
REACH = 7.0


@dataclass(frozen=True)
class NoiseGain:
    """What noise alone adds to the mean over seeds of best less last."""

    expected: float
    low: float
    high: float
    """95 % of the gains that curves without a peak would show"""
    sigma: float
    """of one evaluation"""


def gains(curves: Floats) -> Floats:
    """Best less last of each seed; S x n -> S."""
    return curves.max(axis=1) - curves[:, -1]


def chosen_by_others(curves: Floats) -> float | None:
    """Mean over seeds of what the step that is best on the other seeds' mean adds over the last: a choice made without
    looking at the seed it is used on. None with one seed."""
    if len(curves) < 2:
        return None
    rest = curves.sum(axis=0) - curves
    steps = np.argmax(rest, axis=1)
    return float(np.mean(curves[np.arange(len(curves)), steps] - curves[:, -1]))


def noise_gain(steps: Floats, curves: Floats, rng: np.random.Generator) -> NoiseGain | None:
    """
    Args:
        steps: n, ascending.
        curves: S x n, the seeds of one arm.
    Returns: None with fewer than LEAST_POINTS or more than MOST_POINTS evaluations.
    """
    if not LEAST_POINTS <= curves.shape[1] <= MOST_POINTS:
        return None
    smoother = _Smoother(steps)
    sigma = noise(steps, curves)
    if sigma == 0:
        return NoiseGain(0.0, 0.0, 0.0, 0.0)
    trend = smoother.rising(curves.mean(axis=0))
    expected = expected_gain(trend, sigma)
    drawn = [trend + sigma * rng.standard_normal(curves.shape) for _ in range(DRAWS)]
    refits = REFITS if len(steps) <= LONG else FEW_REFITS
    again = [expected_gain(smoother.rising(one.mean(axis=0)), noise(steps, one)) for one in drawn[:refits]]
    lost = expected - float(np.mean(again))
    low, high = np.quantile([gains(one).mean() for one in drawn], (0.025, 0.975)) + lost
    return NoiseGain(max(0.0, expected + lost), max(0.0, float(low)), max(0.0, float(high)), sigma)


def noise(steps: Floats, curves: Floats) -> float:
    """Standard deviation of one evaluation, from second differences; S x n, n of 3 or more."""
    after = (steps[1:-1] - steps[:-2]) / (steps[2:] - steps[:-2])
    before = 1 - after
    left = before * curves[:, :-2] + after * curves[:, 2:] - curves[:, 1:-1]
    found = float(np.sqrt(np.mean(left**2 / (before**2 + after**2 + 1))))
    return found if found > 1e-12 * max(1.0, float(np.abs(curves).max())) else 0.0


def expected_gain(trend: Floats, sigma: float) -> float:
    """E[max_t (m_t + sigma z_t)] - m_last, the z independent normal: high - integral of P(max <= x) dx."""
    if sigma == 0:
        return float(trend.max() - trend[-1])
    # values far below the highest never are the largest
    near = trend[trend >= trend.max() - 2 * REACH * sigma]
    low, high = float(near.min()) - REACH * sigma, float(near.max()) + REACH * sigma
    x = np.linspace(low, high, GRID)
    below = np.exp(special.log_ndtr((x[:, None] - near) / sigma).sum(axis=1))
    return float(high - np.trapezoid(below, x) - trend[-1])


class _Smoother:
    """Local lines at some knots, as weights of the points."""

    def __init__(self, steps: Floats) -> None:
        self.steps = steps
        self.knots = steps if len(steps) <= KNOTS else np.linspace(steps[0], steps[-1], KNOTS)
        distance = np.abs(self.knots[:, None] - steps)
        # where steps are uneven, at least three points
        least = np.partition(distance, 2, axis=1)[:, 2:3] * 1.001
        width = np.maximum(SPAN * (steps[-1] - steps[0]), least)
        weight = np.clip(1 - (distance / width) ** 3, 0, None) ** 3
        weight /= weight.sum(axis=1, keepdims=True)
        centre = weight @ steps
        apart = steps - centre[:, None]
        spread = (weight * apart**2).sum(axis=1)
        slope = (self.knots - centre) / np.where(spread > 0, spread, np.inf)
        self.weights = weight * (1 + slope[:, None] * apart)

    def rising(self, mean: Floats) -> Floats:
        """n -> n: smoothed, and never falling."""
        from scipy import optimize  # costs a tenth of a second, which reports without curves save

        found = cast(Floats, optimize.isotonic_regression(self.weights @ mean).x)
        return found if len(found) == len(self.steps) else np.interp(self.steps, self.knots, found)
