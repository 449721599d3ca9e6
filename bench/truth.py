"""Binary attempts of two or more arms with known truth: seeds and problems crossed, both new in every replicate.

    logit p_asj = difficulty_j + effect_aj + gain_a + seed_as + rest_asj,     y_asj = Binomial(k, p_asj) / k

All terms are normal and independent. The expected score of an arm and the variance components of a difference between
two arms on the scale of scores follow exactly, by Gauss's quadrature (Hoeffding's decomposition of p; what is neither
the seeds' nor the problems' own is left to single cells).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import optimize, special

SD_DIFFICULTY = 2.0
SD_REST = 0.3
"""of seed x problem"""
MOST_SD_SEED = 1.0
"""logits: more would be a seed that learns and one that does not, which no normal variable describes"""
CHUNK = 2_000_000
"""cells drawn at once"""


@dataclass(frozen=True)
class Setting:
    problems: int
    seeds: int
    k: int = 1
    base: float = 0.0
    """the average problem's logit: 0 is a rate of one half, -4.3 and 4.3 are rates near .05 and .95"""
    sd_seed: tuple[float, ...] = (0.0, 0.0)
    """logits, one for each arm"""
    gains: tuple[float, ...] = (0.3, 0.0)
    """logits, one for each arm"""
    sd_effect: float = 0.4 / 2**0.5
    """logits, of an arm's own deviation on a problem; .4 of a difference"""

    @cached_property
    def mean(self) -> np.ndarray:
        """Expected score of each arm."""
        other = np.hypot(np.hypot(SD_DIFFICULTY, self.sd_effect), SD_REST)
        return np.array(
            [_logistic(self.base + g, np.hypot(other, s))[0] for g, s in zip(self.gains, self.sd_seed, strict=True)]
        )

    @property
    def _two(self) -> list[tuple[float, float]]:
        """Gain and sd between seeds of the arms whose difference is looked at."""
        return list(zip(self.gains, self.sd_seed, strict=True))[:2]

    @property
    def difference(self) -> float:
        return float(self.mean[0] - self.mean[1])

    @cached_property
    def seed(self) -> np.ndarray:
        """Variance between seeds of the expected score, of the first two arms."""
        other = np.hypot(np.hypot(SD_DIFFICULTY, self.sd_effect), SD_REST)
        return np.array([_spread(self.base + g, s, other) for g, s in self._two])

    @cached_property
    def problem(self) -> float:
        """Variance between problems of the expected difference."""
        own = [
            _spread(self.base + g, np.hypot(SD_DIFFICULTY, self.sd_effect), np.hypot(SD_REST, s)) for g, s in self._two
        ]
        inner = [np.hypot(np.hypot(self.sd_effect, SD_REST), s) for s in self.sd_seed[:2]]
        z, weight = _nodes()
        one, other = (
            _logistic(self.base + g + SD_DIFFICULTY * z, sd) for g, sd in zip(self.gains, inner, strict=False)
        )
        shared = weight @ (one * other) - (weight @ one) * (weight @ other)
        return float(own[0] + own[1] - 2 * shared)

    @cached_property
    def residual(self) -> np.ndarray:
        """Variance of one cell, a share of k attempts, beside its seed's and its problem's; of the first two arms."""
        z, weight = _nodes()
        found = []
        for (g, s), seed in zip(self._two, self.seed, strict=True):
            at = self.base + g
            sd = np.sqrt(SD_DIFFICULTY**2 + self.sd_effect**2 + SD_REST**2 + s**2)
            p = special.expit(at + sd * z)
            mean = weight @ p
            problem = _spread(at, np.hypot(SD_DIFFICULTY, self.sd_effect), np.hypot(SD_REST, s))
            found.append(weight @ p**2 - mean**2 - seed - problem + weight @ (p * (1 - p)) / self.k)
        return np.array(found)

    @property
    def parts(self) -> tuple[np.ndarray, float, np.ndarray]:
        """Expected contributions to the variance as the estimator sees them: mean squares of seeds (one an arm), of
        problems, of what is left (one an arm), each over S J."""
        s, j = self.seeds, self.problems
        rest = self.residual / (s * j)
        return self.seed / s + rest, self.problem / j + rest.sum(), rest

    @property
    def variance(self) -> float:
        """Of the estimated difference, over new seeds and new problems."""
        seed, problem, rest = self.parts
        return float(seed.sum() + problem - rest.sum())

    @property
    def df(self) -> float:
        """Satterthwaite's, of the true mean squares: what an estimator that knew their ratios would go by."""
        seed, problem, rest = self.parts
        s, j = self.seeds - 1, self.problems - 1
        spread = (seed**2 / s).sum() + problem**2 / j + (rest**2 / (s * j)).sum()
        return float(self.variance**2 / spread)

    @property
    def share(self) -> float:
        """Of the seeds in the variance."""
        return float((self.seed / self.seeds).sum() / self.variance)

    def with_share(self, share: float, ratio: float = 1.0) -> Setting:
        """The seed noise that makes this share of the variance, up to `MOST_SD_SEED`.

        Args:
            ratio: of the second arm's sd over the first's
        """

        def at(sd: float) -> Setting:
            return replace(self, sd_seed=(sd, sd * ratio))

        if share == 0:
            return at(0.0)
        most = MOST_SD_SEED / max(1.0, ratio)
        if at(most).share <= share:
            return at(most)
        return at(float(optimize.brentq(lambda sd: at(sd).share - share, 0, most, xtol=1e-3)))

    def draw(self, rng: np.random.Generator, replicates: int, seeds: np.ndarray | None = None) -> Iterator[np.ndarray]:
        """Chunks of replicates x arms x S x J shares.

        Args:
            seeds: replicates x arms x S x 1 standard normal effects of the seeds, to share them between benchmarks.
        """
        arms = len(self.gains)
        size = max(1, CHUNK // (arms * self.seeds * self.problems))
        gain, sd = (np.array(v, np.float32)[None, :, None, None] for v in (self.gains, self.sd_seed))
        for first in range(0, replicates, size):
            n = min(size, replicates - first)
            x = SD_REST * rng.standard_normal((n, arms, self.seeds, self.problems), np.float32)
            own = (
                rng.standard_normal((n, arms, self.seeds, 1), np.float32) if seeds is None else seeds[first : first + n]
            )
            x += sd * own + gain
            x += np.float32(self.sd_effect) * rng.standard_normal((n, arms, 1, self.problems), np.float32)
            x += np.float32(SD_DIFFICULTY) * rng.standard_normal((n, 1, 1, self.problems), np.float32)
            x += np.float32(self.base)
            special.expit(x, out=x)
            right = np.zeros(x.shape, np.float32)
            for _ in range(self.k):
                right += rng.random(x.shape, np.float32) < x
            yield right / np.float32(self.k)


def _nodes() -> tuple[np.ndarray, np.ndarray]:
    z, weight = np.polynomial.hermite_e.hermegauss(100)
    return z, weight / weight.sum()


def _logistic(at: np.ndarray | float, sd: float) -> np.ndarray:
    """E[expit(at + sd z)] over a standard normal z, for each of `at`."""
    z, weight = _nodes()
    return special.expit(np.atleast_1d(at)[:, None] + sd * z) @ weight


def _spread(at: float, own: float, other: float) -> float:
    """Variance over one normal term, of sd `own`, of what is expected over the others."""
    z, weight = _nodes()
    expected = _logistic(at + own * z, other)
    return float(weight @ expected**2 - (weight @ expected) ** 2)
