"""How often gates err, with known truth: a fixed gate and one that stops early.

    OMP_NUM_THREADS=1 python bench/gating.py [--replicates 10000] [--designs 30,60,...] [--only RATE] [--markdown]

Problems are drawn anew in every replicate: difficulty normal on the logit scale (sd 2), each model's own deviation on a
problem (sd .28), each seed's on a problem (sd .3); the new model's logits are shifted so that the expected score is
lower by the true loss, exactly. With several seeds their own effects have mean zero on the scale of logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy import optimize, special

SD_DIFFICULTY, SD_EFFECT, SD_REST = 2.0, 0.4 / 2**0.5, 0.3
RATES = (0.5, 0.9, 0.98, 0.999, 0.02)
LOSSES = (0.0, 0.5, 1.0, 2.0)
"""true ones, in margins"""
DESIGNS: dict[str, tuple[int, ...]] = {
    "30": (30,),
    "60": (60,),
    "100": (100,),
    "500": (500,),
    "six": (500, 30, 30, 83, 272, 675),
}
MARGIN = 0.02
NEVER = -60.0
"""logits"""


@lru_cache
def _nodes(number: int) -> tuple[np.ndarray, np.ndarray]:
    z, weight = np.polynomial.hermite_e.hermegauss(number)
    return z, weight / weight.sum()


def _given(logit: np.ndarray, k: int, seeds: int) -> np.ndarray:
    """... x (k S + 1): chance of so many correct attempts at a problem, over deviations of model and of seeds."""
    (e, we), (r, wr) = _nodes(12), _nodes(8)
    p = special.expit(logit[..., None, None] + SD_EFFECT * e[:, None] + SD_REST * r)
    count = np.arange(k + 1)
    one = special.comb(k, count) * p[..., None] ** count * (1 - p[..., None]) ** (k - count)
    seed = np.einsum("...ern,r->...en", one, wr)
    many = seed
    for _ in range(seeds - 1):
        width = many.shape[-1] + k
        many = np.stack(
            [sum(many[..., i - j] * seed[..., j] for j in range(k + 1) if 0 <= i - j < many.shape[-1]) for i in range(width)],
            axis=-1,
        )
    return np.einsum("...en,e->...n", many, we)


@dataclass(frozen=True)
class Truth:
    """Two models on one problem: `pmf` of the difference of their shares correct, new - old."""

    rate: float
    loss: float
    k: int
    seeds: int

    @cached_property
    def pmf(self) -> np.ndarray:
        z, weight = _nodes(80)
        at, total = SD_DIFFICULTY * z, self.k * self.seeds
        old = _given(at + _base(self.rate), self.k, self.seeds)
        new = _given(at + _base(self.rate - self.loss), self.k, self.seeds)
        joint = np.einsum("z,za,zb->ab", weight, new, old)
        found = np.zeros(2 * total + 1)
        for a in range(total + 1):
            for b in range(total + 1):
                found[a - b + total] += joint[a, b]
        return found / found.sum()

    @property
    def values(self) -> np.ndarray:
        total = self.k * self.seeds
        return np.arange(-total, total + 1) / total

    @property
    def mean(self) -> float:
        return float(self.pmf @ self.values)


@lru_cache
def _base(rate: float) -> float:
    """The logit at which the expected score is `rate`."""
    if rate <= 0:
        return NEVER
    z, weight = _nodes(80)

    def excess(base: float) -> float:
        return float(weight @ _given(SD_DIFFICULTY * z + base, 1, 1)[:, 1]) - rate

    return float(optimize.brentq(excess, -40, 40, xtol=1e-12))


def draw(truth: Truth, sizes: Sequence[dict[str, int]], replicates: int, rng: np.random.Generator) -> np.ndarray:
    """looks x benchmarks x replicates x values: how many of the first problems differ by each value."""
    names = list(sizes[-1])
    found = np.empty((len(sizes), len(names), replicates, len(truth.pmf)), np.int64)
    for b, name in enumerate(names):
        before, so_far = 0, 0
        for look, size in enumerate(sizes):
            so_far = so_far + rng.multinomial(size[name] - before, truth.pmf, replicates)
            found[look, b], before = so_far, size[name]
    return found
