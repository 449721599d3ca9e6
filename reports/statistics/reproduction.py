"""A published score against ours: how far apart chance alone can bring them, with what noise each of them has.

    the same weights   Var(ours - theirs) = M + M'                          answers drawn anew by one checkpoint
    own training       Var(ours - theirs) = s^2 / S + (s^2 - M + M') / S'   new seeds on these problems

s^2 is the variance between the scores of our S seeds, which holds the sampling noise M of one of them; theirs has M'
instead, for it was asked k' times, and S' seeds. With one published seed and equal k this is s^2 (1 + 1/S), the
variance of a prediction. Problems are the same on both sides, so they bring none. Sampling noise comes of our answers:
M = sum_b mean_j p_j (1 - p_j) / (k J_b) / B^2, p (1 - p) estimated by p^ (1 - p^) k / (k - 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.statistics.crossed import Floats
from reports.statistics.lean_scipy import special

POWER = 0.8
_Z = 1.959963984540054
"""of the floor of sampling noise: what answers not yet seen could add, at 95 %"""


@dataclass(frozen=True)
class Noise:
    """Of the difference between our score and a published one."""

    se: float
    df: float
    """infinite where no seeds are in it"""
    bounded: bool
    """with one answer a problem its variance is not known, and its upper bound stands in"""

    def p_value(self, difference: float, rounding: float) -> float:
        """Two-sided, of "chance and rounding alone".

        Args:
            rounding: half of the last printed digit.
        """
        return 2 * float(special.stdtr(self.df, -max(0.0, abs(difference) - rounding) / self.se))

    def half_width(self, alpha: float, rounding: float) -> float:
        """How far from ours a published score may be, and still have a p-value of alpha or more."""
        return self._quantile(alpha) * self.se + rounding

    def detectable(self, alpha: float, rounding: float) -> float:
        """The true difference that the test finds with 80 % power, by the noncentral t."""
        t = self._quantile(alpha)
        if np.isinf(self.df):
            return (t + float(special.ndtri(POWER))) * self.se + rounding
        return float(special.nctdtrinc(self.df, 1 - POWER, t)) * self.se + rounding

    def _quantile(self, alpha: float) -> float:
        return float(special.stdtrit(self.df, 1 - alpha / 2))


def same_weights(ours: Sequence[Floats], k: Sequence[int], theirs_k: Sequence[float]) -> Noise:
    """One checkpoint, asked twice.

    Args:
        ours: 1 x J_b for each benchmark.
        k, theirs_k: answers a problem, for each benchmark.
    """
    own, bounded = _sampling(ours, [(one,) for one in k], k)
    theirs, _ = _sampling(ours, [(one,) for one in k], theirs_k)
    return Noise((own + theirs) ** 0.5, np.inf, bounded)


def own_training(
    ours: Sequence[Floats], k: Sequence[Sequence[int]], theirs_k: Sequence[float], seeds: int
) -> Noise | None:
    """New seeds of the same training, on the same problems. None with one seed of ours: how much seeds differ is then
    not known.

    Args:
        ours: S x J_b for each benchmark.
        k: of each benchmark and seed.
        theirs_k: answers a problem, for each benchmark.
        seeds: that the published score is the mean of.
    """
    s = len(ours[0])
    if s < 2:
        return None
    between = float(np.mean([m.mean(axis=1) for m in ours], axis=0).var(ddof=1))
    mean_k = [s / sum(1 / one for one in ks) for ks in k]  # sampling noise goes with 1 / k
    sampling, bounded = _sampling(ours, k, mean_k)
    theirs, _ = _sampling(ours, k, theirs_k)
    if bounded:  # what is sampling in it is not known, and theirs has no more of it: it was asked at least once
        least = max(between, (_Z / (sum(m.shape[1] for m in ours) + _Z**2)) ** 2)
        return Noise((least * (1 / s + 1 / seeds)) ** 0.5, s - 1, True)
    between = max(between, sampling)
    rest = (theirs - sampling) / seeds
    seed_part = between * (1 / s + 1 / seeds)
    variance = seed_part + rest
    # the seeds' variance is estimated, that of sampling from so many answers that it counts as known
    return Noise(variance**0.5, (s - 1) * max(1.0, (variance / seed_part) ** 2), False)


def _sampling(ours: Sequence[Floats], k: Sequence[Sequence[int]], asked: Sequence[float]) -> tuple[float, bool]:
    """Variance of one checkpoint's score over answers drawn anew, and whether it is an upper bound.

    Args:
        asked: how many answers a problem are drawn, for each benchmark.
    """
    variance = share = 0.0
    bounded = False
    for matrix, ks, drawn in zip(ours, k, asked, strict=True):
        weight = 1 / (drawn * matrix.shape[1] * len(ours) ** 2)
        share += weight
        if min(ks) > 1:
            unbiased = (matrix * (1 - matrix)).mean(axis=1) * np.array(ks) / (np.array(ks) - 1)
            variance += float(unbiased.mean()) * weight
        else:  # mean p (1 - p) is at most that of the mean
            variance += float(matrix.mean() * (1 - matrix.mean())) * weight
            bounded = True
    answers = 1 / share
    return max(variance, (_Z / (answers + _Z**2)) ** 2), bounded
