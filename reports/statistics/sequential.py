"""Looking at results while they come in, without erring more often. Formulas only: no file, no benchmark by name.

A test that is made at several looks, each at its full level, rejects a true hypothesis far more often than its level
says. Group-sequential tests spend one level over all looks (Lan & DeMets 1983, Biometrika 70(3), 659-663): up to the
look at the share t of the information, alpha t^2 (Kim & DeMets 1987, Biometrika 74(1), 149-154, with exponent 2: less
at the first looks than equal shares, more than O'Brien & Fleming's, which save less where nothing is lost).

The looks' z values are taken as those of a Brownian motion: Z_k = S(t_k) / sqrt(t_k), with independent increments
(Jennison & Turnbull 2000, Group Sequential Methods with Applications to Clinical Trials, ch. 3). What is compared with
a look's level is a p-value of that look, from whatever test is right for its numbers, an exact one where few differ.
A stop for futility is non-binding: no level counts on it, so that going on past it costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from reports.statistics.lean_scipy import special
from reports.statistics.roots import zero

Floats = NDArray[np.float64]
Values = Floats | float
LOOKS = 5
EXPONENT = 2.0
"""of the share of the information, in what is spent"""
REACH = 0.05
"""conditional power below which a test is given up"""
_NODES = 200
_FAR = 8.0
"""standard deviations: nothing that matters lies beyond"""


def spent(share: float, alpha: float) -> float:
    """Of a level alpha, once this share (0 to 1) of the information is there."""
    return alpha * share**EXPONENT


def levels(shares: Sequence[float], alpha: float) -> list[float]:
    """The one-sided level of each look, so that over all of them a true hypothesis is rejected with probability alpha.

    Args:
        shares: of the information at each look, ascending, above 0 and at most 1. A test that ends before 1 has not
            spent all of alpha.
    """
    found: list[float] = []
    # where the motion is at the look before, if it has not crossed, and with what chance; it begins at 0
    at, density = np.zeros(1), np.ones(1)
    before = used = 0.0
    for share in shares:
        step, more = np.sqrt(share - before), spent(share, alpha) - used
        bound = _crossing(at, density, step, more, share)
        found.append(float(special.ndtr(-bound / np.sqrt(share))))
        at, density = _moved(at, density, step, bound, share)
        before, used = share, used + more
    return found


def _crossing(at: Floats, density: Floats, step: float, chance: float, share: float) -> float:
    """The bound that the motion crosses at this look with this chance."""

    def excess(bound: float) -> float:
        return float(density @ special.ndtr((at - bound) / step)) - chance

    far = _FAR * np.sqrt(share)
    return float(zero(excess, -far, far, within=1e-12))


def _moved(at: Floats, density: Floats, step: float, bound: float, share: float) -> tuple[Floats, Floats]:
    """Nodes below the bound, and the chance to be at each: Gauss and Legendre's rule."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    low = -_FAR * np.sqrt(share)
    half = (bound - low) / 2
    there = low + half * (nodes + 1)
    kernel = np.exp(-0.5 * ((there[:, None] - at) / step) ** 2) / (step * np.sqrt(2 * np.pi))
    return there, half * weights * (kernel @ density)


def sizes(problems: Mapping[str, int], looks: int = LOOKS) -> list[dict[str, int]]:
    """How many problems of each benchmark each look sees, at equal steps of the information.

    As many of each benchmark, or all it has: so the mean of the benchmarks, which weighs small ones like large ones, is
    known best for the problems that were answered. Looks that would see the same are one.
    """
    found = [_evenly(problems, look / looks) for look in range(1, looks + 1)]
    return [now for now, before in zip(found, [{}, *found[:-1]], strict=True) if now != before]


def _evenly(problems: Mapping[str, int], share: float) -> dict[str, int]:
    """The fewest problems, as many of each benchmark as it has, that hold this share of the information."""
    least, most = 1, max(problems.values())
    while least < most:
        middle = (least + most) // 2
        now = {name: min(n, middle) for name, n in problems.items()}
        # a share of 3/5 of 30 problems is 18, whatever the last digit of the sum of 1 / n
        least, most = (least, middle) if information(now, problems) >= share - 1e-12 else (middle + 1, most)
    return {name: min(n, least) for name, n in problems.items()}


def information(now: Mapping[str, int], whole: Mapping[str, int]) -> float:
    """Share of the information about the unweighted mean of the benchmarks, if problems vary alike in all of them.

    The variance of that mean is in proportion to the sum of 1 / n over the benchmarks.
    """
    return sum(1 / n for n in whole.values()) / sum(1 / n for n in now.values())


def drift(difference: float, se: Values, share: float, problems: int) -> Floats:
    """Expected z of the last look, if the truth is this far from what is tested. At most what so many problems show if
    none of them differs, for where next to none does the standard error says nothing.

    Args:
        se: of this look; 0 where nothing varied
    """
    end = np.asarray(se, float) * np.sqrt(share)
    most = -special.ndtri(max((1 - difference) ** problems, 1e-300))
    return np.where(end * most < difference, most, difference / np.where(end > 0, end, 1.0))


def out_of_reach(p: Values, share: float, drift: Values, level: float) -> NDArray[np.bool_]:
    """Whether a test that has not rejected so far will hardly do so: its conditional power is below `REACH`, both if
    things go on as they are and if they are as they should be for the test to reject.

    Args:
        p: one-sided, of this look
        share: of the information at this look, below 1
        drift: expected z of the last look, where things are as they should be
        level: one-sided, of the last look
    """
    z = -special.ndtri(np.asarray(p, float))
    best = np.maximum(z / np.sqrt(share), drift)
    return chance_to_reject(z, share, best, level) < REACH


def chance_to_reject(z: Values, share: float, drift: Values, level: float) -> Floats:
    """Conditional power: that the last look rejects, with z at this look's share of the information.

    That a look between may reject is left out, which makes it a little small (Jennison & Turnbull 2000, ch. 10).

    Args:
        drift: expected z of the last look
        level: one-sided, of the last look
    """
    z, drift, left = np.asarray(z, float), np.asarray(drift, float), 1 - share
    return special.ndtr((z * np.sqrt(share) + drift * left + special.ndtri(level)) / np.sqrt(left))
