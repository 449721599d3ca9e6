"""How often gates err, with known truth: a fixed gate and one that stops early.

    OMP_NUM_THREADS=1 python bench/gating.py [--replicates 10000] [--designs 30 six] [--rates .5]

Problems are drawn anew in every replicate: difficulty normal on the logit scale (sd 2), each model's own deviation on a
problem (sd .28), each seed's on a problem (sd .3); the new model's logits are shifted so that the expected score is
lower by the true loss, exactly. With several seeds their own effects have mean zero on the scale of logits.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy import optimize, special

from reports.gate import looks
from reports.gate.decide import Levels
from reports.statistics import bounds, contrast, sequential

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
AT_ONCE = 2000
"""replicates"""
INCONCLUSIVE, PASS, REGRESSION = range(3)
"""an improvement is a pass here"""


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
            [
                sum(many[..., i - j] * seed[..., j] for j in range(k + 1) if 0 <= i - j < many.shape[-1])
                for i in range(width)
            ],
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


@dataclass(frozen=True)
class Bounds:
    """`Estimate.reach` where only problems are new, for many replicates at once."""

    gain: bounds.Gain
    se: np.ndarray
    df: np.ndarray

    @property
    def value(self) -> np.ndarray:
        return np.asarray(self.gain.gains.mean) - np.asarray(self.gain.losses.mean)

    @property
    def turned(self) -> Bounds:
        """Of old - new."""
        return Bounds(bounds.Gain(self.gain.losses, self.gain.gains, self.gain.correlation), self.se, self.df)

    def below(self, alpha: np.ndarray) -> np.ndarray:
        return np.maximum(self.gain.below(alpha), -special.stdtrit(self.df, alpha) * self.se)

    def above(self, alpha: np.ndarray) -> np.ndarray:
        return np.maximum(self.gain.above(alpha), -special.stdtrit(self.df, alpha) * self.se)


@dataclass(frozen=True)
class Tests:
    """What `decide` asks of its estimates, for many replicates of two models at once: about these checkpoints, so that
    bounds are those of `statistics.bounds` alone."""

    counts: np.ndarray
    """benchmarks x replicates x values"""
    truth: Truth

    @cached_property
    def average(self) -> Bounds:
        return self._gain(self.counts)

    @cached_property
    def single(self) -> list[Bounds]:
        """Each benchmark by itself."""
        return [self._gain(one[None]) for one in self.counts]

    def _gain(self, counts: np.ndarray) -> Bounds:
        differing = list(counts @ (np.abs(self.truth.values) > 1e-9).astype(int))
        sides = [self._side(counts, np.maximum(sign * self.truth.values, 0), differing) for sign in (1, -1)]
        gain = bounds.Gain(*sides, bounds._correlation(*sides, counts.sum(axis=-1)[:, 0].tolist()))
        variances = self._variances(counts)
        dfs = (counts.sum(axis=-1) - 1) * np.ones_like(variances)
        total = variances.sum(axis=0)
        least = (variances**2 / dfs).sum(axis=0)
        df = np.where(least > 0, total**2 / np.where(least > 0, least, 1.0), dfs.sum(axis=0))
        return Bounds(gain, np.sqrt(total), df)

    def _variances(self, counts: np.ndarray) -> np.ndarray:
        """Of each benchmark's mean, as they enter the average's variance."""
        j = counts.sum(axis=-1)
        mean, square = counts @ self.truth.values / j, counts @ self.truth.values**2 / j
        return np.maximum(square - mean**2, 0) / np.maximum(j - 1, 1) / len(counts) ** 2

    def _side(self, counts: np.ndarray, values: np.ndarray, differing: list[np.ndarray]) -> bounds.Cumulants:
        """`bounds.cumulants`, from how often each value is there: much faster. `check` compares the two."""
        b, sizes = len(counts), counts.sum(axis=-1)[:, 0]
        mean, j = counts @ values / sizes[:, None], sizes[:, None]
        square, cube = counts @ values**2 / j, counts @ values**3 / j
        most, least = int(np.argmax(sizes)), int(np.argmin(sizes))
        seen, full = (counts @ which.astype(int) for which in (values > 1e-9, values > 1 - 1e-9))
        short, answers = list(sizes[:, None] - full), [float(self.truth.k * self.truth.seeds)] * b
        seen, full = seen.sum(axis=0), full.sum(axis=0)
        return bounds.Cumulants(
            mean=mean.sum(axis=0) / b,
            second=(np.maximum(square - mean**2, 0) / np.maximum(j - 1, 1)).sum(axis=0) / b**2,
            third=((cube - 3 * mean * square + 2 * mean**3) / j**2).sum(axis=0) / b**3,
            none=(seen == 0) & ((answers[least] == 1) | (sum(differing) == 0)),
            full=sum(short) == 0,
            lattice=np.maximum(1 / answers[0], full / np.maximum(seen, 1)) / (b * sizes[most]),
            unseen=bounds._unseen(differing, sizes.tolist(), answers, bounds.DOUBT),
            missing=bounds._unseen(short, sizes.tolist(), answers, bounds.DOUBT),
            weight=1 / (b * int(sizes[least])),
            problems=int(sizes[least]),
        )

    @property
    def se(self) -> np.ndarray:
        """Of the average."""
        return np.sqrt(self._variances(self.counts).sum(axis=0))


def check() -> None:
    """That bounds from counts are those of the report's own function from numbers."""
    truth = Truth(0.9, 0.02, 4, 1)
    counts = draw(truth, [{"0": 30, "1": 83}], 50, np.random.default_rng(0))[0]
    many = Tests(counts, truth).average
    for replicate in range(counts.shape[1]):
        numbers = [np.repeat(truth.values, one[replicate])[None] for one in counts]
        one = contrast([numbers], estimand="checkpoints", attempts=[[[4], [4]]])
        for alpha in (0.05, 0.001):
            found = [float(reach(np.full(50, alpha))[replicate]) for reach in (many.below, many.above)]
            assert np.allclose(found, [one.reach(alpha, False), one.reach(alpha, True)])


def above(found: Bounds, x: float, alpha: np.ndarray | float) -> np.ndarray:
    """Whether `Estimate.p_above(x)` is at most alpha."""
    alpha = np.broadcast_to(alpha, found.value.shape)
    low, high = np.minimum(alpha, 0.5), np.minimum(1 - alpha, 0.5)
    return np.where(alpha <= 0.5, found.value - found.below(low) >= x, found.value + found.above(high) >= x)


def below(found: Bounds, x: float, alpha: np.ndarray | float) -> np.ndarray:
    """Whether `Estimate.p_below(x)` is at most alpha."""
    return above(found.turned, -x, alpha)


def outcomes(tests: Tests, margin: float, levels: Levels) -> tuple[np.ndarray, np.ndarray]:
    """Code of the outcome of each replicate, and whether a benchmark failed by itself."""
    failed = np.zeros(tests.counts.shape[1], bool)
    for one in tests.single:
        failed |= below(one, -margin, levels.single / len(tests.single))
    lost = np.where(below(tests.average, 0.0, levels.average), REGRESSION, INCONCLUSIVE)
    passed = np.where(above(tests.average, -margin, levels.average), PASS, lost)
    return np.where(failed, REGRESSION, passed), failed


def critical(drift: np.ndarray, share: float, level: float) -> np.ndarray:
    """The p-value above which `sequential.out_of_reach` gives a test up, solved for it."""
    needed = special.ndtri(sequential.REACH) * np.sqrt(1 - share) - special.ndtri(level)
    return special.ndtr(-np.minimum(needed * np.sqrt(share), (needed - drift * (1 - share)) / np.sqrt(share)))


def stopped(tests: Tests, margin: float, plan: looks.LookPlan, look: int) -> tuple[np.ndarray, np.ndarray]:
    """The outcome at a look, and whether it stops there: `reports.gate.looks`, for arrays."""
    found, failed = outcomes(tests, margin, plan.levels[look])
    if look == len(plan.sizes) - 1:
        return found, np.ones(found.shape, bool)
    share, last = plan.shares[look], plan.levels[-1].average
    drifts = [sequential.drift(far, tests.se, share, sum(plan.whole.values())) for far in (margin, looks.LOSS * margin)]
    p, q = (critical(drift, share, last) for drift in drifts)
    no_pass, no_loss = ~above(tests.average, -margin, p), ~below(tests.average, 0.0, q)
    return found, failed | (found == PASS) | (no_pass & ((found == REGRESSION) | no_loss))


@dataclass(frozen=True)
class Row:
    """Shares of replicates, percent."""

    fixed_pass: float
    fixed_regression: float
    early_pass: float
    early_regression: float
    saved: float
    """of the attempts"""


def study(design: Sequence[int], truth: Truth, replicates: int, rng: np.random.Generator) -> Row:
    plan = looks.plan({str(b): n for b, n in enumerate(design)})
    fixed, early, used = [], [], []
    for first in range(0, replicates, AT_ONCE):
        counts = draw(truth, plan.sizes, min(AT_ONCE, replicates - first), rng)
        fixed.append(outcomes(Tests(counts[-1], truth), MARGIN, Levels())[0])
        found, asked = np.full(counts.shape[2], -1), np.ones(counts.shape[2])
        left = np.arange(counts.shape[2])
        for look, size in enumerate(plan.sizes):
            if len(left):
                now, stops = stopped(Tests(counts[look][:, left], truth), MARGIN, plan, look)
                found[left[stops]] = now[stops]
                asked[left[stops]] = sum(size.values()) / sum(design)
                left = left[~stops]
        early.append(found)
        used.append(asked)
    both = [np.concatenate(fixed), np.concatenate(early)]
    shares = [100 * float((one == code).mean()) for one in both for code in (PASS, REGRESSION)]
    return Row(*shares, 100 * (1 - float(np.concatenate(used).mean())))


def rows(options: argparse.Namespace) -> Iterator[tuple[float, str, int, int, float, Row]]:
    for rate in options.rates:
        for name in options.designs:
            for k, seeds in ((1, 1), (4, 1), (1, 3), (4, 3)):
                for loss in LOSSES:
                    if rate - loss * MARGIN > -1e-12:
                        truth = Truth(rate, loss * MARGIN, k, seeds)
                        rng = np.random.default_rng([len(name), int(1000 * rate), k, seeds, int(10 * loss)])
                        yield rate, name, k, seeds, loss, study(DESIGNS[name], truth, options.replicates, rng)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=10_000)
    parser.add_argument("--designs", nargs="+", choices=DESIGNS, default=list(DESIGNS))
    parser.add_argument("--rates", nargs="+", type=float, default=RATES)
    print(
        "| rate | problems | k | seeds | loss, margins | fixed: pass | regression | early: pass | regression | saved |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for rate, name, k, seeds, loss, row in rows(parser.parse_args()):
        numbers = " | ".join(f"{x:.2f}" for x in astuple(row)[:4])
        print(f"| {rate} | {name} | {k} | {seeds} | {loss:g} | {numbers} | {row.saved:.0f} |", flush=True)


if __name__ == "__main__":
    main()
