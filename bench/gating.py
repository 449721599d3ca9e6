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


def t_p(counts: np.ndarray, values: np.ndarray, x: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """TEMPORARY: one-sided p of value<=x, of value>=x, and se. counts: benchmarks x replicates x values"""
    from reports.statistics.satterthwaite import pool

    n = counts.sum(axis=-1)
    mean = counts @ values / n
    var = (counts @ values**2 / n - mean**2) * n / (n - 1)
    v = var / n / len(counts) ** 2
    total, df = pool(list(v), [one - 1 for one in n])
    se = np.sqrt(np.maximum(total, 0))
    t = (mean.mean(axis=0) - x) / np.where(se > 1e-12, se, 1)
    p = np.where(se > 1e-12, special.stdtr(df, -t), 1.0)
    q = np.where(se > 1e-12, special.stdtr(df, t), 1.0)
    return p, q, se


def gate(counts, values, margin, level, single, bound):
    """outcome codes 0 inconclusive 1 pass 2 regression; p's"""
    up, _, se = bound(counts, values, -margin)
    _, down, _ = bound(counts, values, 0.0)
    fails = np.zeros(up.shape, bool)
    if len(counts) > 1:
        for one in counts:
            fails |= bound(one[None], values, -margin)[1] <= single / len(counts)
    passes = up < level
    out = np.where(fails, 2, np.where(passes, 1, np.where(down < level, 2, 0)))
    return out, passes, up, down, se, fails


def study(sizes_of, rate, loss, k, seeds, replicates, rng, bound, margin=MARGIN):
    from reports.statistics import sequential as s
    from reports.gate import looks as L
    names = {str(i): n for i, n in enumerate(sizes_of)}
    plan = L.plan(names)
    truth = Truth(rate, loss, k, seeds)
    counts = draw(truth, plan.sizes, replicates, rng)
    fixed = gate(counts[-1], truth.values, margin, 0.05, 0.01, bound)[0]
    final = np.full(replicates, -1); used = np.ones(replicates)
    left = np.arange(replicates)
    last = plan.levels[-1].average
    for look, size in enumerate(plan.sizes):
        now = counts[look][:, left]
        out, passes, up, down, se, fails = gate(now, truth.values, margin, plan.levels[look].average, plan.levels[look].single, bound)
        if look == len(plan.sizes) - 1:
            stop = np.ones(len(left), bool)
        else:
            drift = s.drift(margin, se, plan.shares[look], sum(sizes_of))
            nopass = s.out_of_reach(up, plan.shares[look], drift, last)
            noloss = s.out_of_reach(down, plan.shares[look], drift, last)
            stop = (out == 1) | fails | ((out == 2) & nopass) | (nopass & noloss)
        final[left[stop]] = out[stop]
        used[left[stop]] = sum(size.values()) / sum(sizes_of)
        left = left[~stop]
    f = lambda a, c: round(100 * float((a == c).mean()), 2)
    return f(fixed, 1), f(fixed, 2), f(final, 1), f(final, 2), round(100 * (1 - used.mean()), 1)
