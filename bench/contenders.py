"""What others would print beside a score or a difference, on the same draws: name -> limits for each replicate.

The z intervals and the fits are made of problems' means and of mean squares; `unpaired z` treats two arms as asked
different problems, `clustered z` pairs them (Miller 2024, arXiv:2411.00640, lm-eval's standard errors). Of resampling
there is the paired bootstrap over problems, and rliable's over runs: stratified by task, percentile (Agarwal et al.
2021, arXiv:2108.13264), here by benchmark and arm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from bench import bayes, reml
from bench.designs import Data, Design
from bench.proportions import Bounds
from reports.statistics.satterthwaite import Floats

Z = float(special.ndtri(0.975))
RESAMPLES = 1000
RESAMPLED = 400
"""replicates of bootstraps"""
FITTED = 200
"""replicates of what is fitted or sampled one at a time"""


@dataclass(frozen=True)
class Summary:
    """All that the contenders need of a chunk of replicates. First axis: replicates."""

    design: Design
    of_problem: list[list[Floats]]
    """[arm][benchmark] replicates x J means over seeds"""
    of_seed: list[Floats]
    """[arm] replicates x S x benchmarks"""
    squares: list[reml.Squares]
    """[benchmark], where all arms have several seeds"""

    @property
    def value(self) -> Floats:
        return sum(w * y.mean(axis=(1, 2)) for w, y in zip(self.design.weights, self.of_seed, strict=True))

    @property
    def contrasts(self) -> list[Floats]:
        """[benchmark] replicates x J"""
        return [
            sum(w * y for w, y in zip(self.design.weights, arms, strict=True))
            for arms in zip(*self.of_problem, strict=True)
        ]

    def first(self, n: int) -> Summary:
        cut = [
            reml.Squares(one.rest[:n], one.seed[:n], one.between[:n], one.seeds, one.problems) for one in self.squares
        ]
        return Summary(
            self.design, [[y[:n] for y in arm] for arm in self.of_problem], [y[:n] for y in self.of_seed], cut
        )


def summary(design: Design, data: Data) -> Summary:
    several = all(arm.seeds > 1 for arm in design.arms)
    return Summary(
        design,
        [[y.mean(axis=1) for y in arm] for arm in data],
        [np.stack([y.mean(axis=2) for y in arm], axis=2) for arm in data],
        [reml.squares(list(arms)) for arms in zip(*data, strict=True)] if several else [],
    )


def joined(parts: Sequence[Summary]) -> Summary:
    """Chunks, one after the other."""
    first = parts[0]
    squares = [
        reml.Squares(
            *(np.concatenate([getattr(p.squares[b], name) for p in parts]) for name in ("rest", "seed", "between")),
            one.seeds,
            one.problems,
        )
        for b, one in enumerate(first.squares)
    ]
    return Summary(
        first.design,
        [
            [np.concatenate([p.of_problem[a][b] for p in parts]) for b in range(len(arm))]
            for a, arm in enumerate(first.of_problem)
        ],
        [np.concatenate([p.of_seed[a] for p in parts]) for a in range(len(first.of_seed))],
        squares,
    )


def unpaired_z(s: Summary, rng: np.random.Generator) -> Bounds | None:
    return None if len(s.of_seed) == 1 else _about(s, _clustered([y for arm in s.of_problem for y in arm], s), Z)


def clustered_z(s: Summary, rng: np.random.Generator) -> Bounds:
    return _about(s, _clustered(s.contrasts, s), Z)


def _clustered(columns: list[Floats], s: Summary) -> Floats:
    return sum(y.var(axis=1, ddof=1) / y.shape[1] for y in columns) / len(s.design.problems) ** 2


def _about(s: Summary, variance: Floats, quantile: float) -> Bounds:
    half = quantile * np.sqrt(variance)
    return s.value - half, s.value + half


def bootstrap(s: Summary, rng: np.random.Generator) -> Bounds:
    """Problems resampled within their benchmark, with all their arms and seeds."""
    means = np.zeros((len(s.value), RESAMPLES))
    for column in s.contrasts:
        column = np.round(column, 9)
        for i, row in enumerate(column):
            # a mean needs only how often each value is drawn
            values, counts = np.unique(row, return_counts=True)
            means[i] += rng.multinomial(len(row), counts / len(row), RESAMPLES) @ values / len(row)
    low, high = np.quantile(means / len(s.contrasts), bayes.TAILS, axis=1)
    return low, high


def rliable(s: Summary, rng: np.random.Generator) -> Bounds | None:
    """Runs resampled, for each benchmark by itself; of one run nothing can be resampled."""
    if all(y.shape[1] == 1 for y in s.of_seed):
        return None
    means = np.zeros((len(s.value), RESAMPLES))
    for weight, y in zip(s.design.weights, s.of_seed, strict=True):
        n, seeds, benchmarks = y.shape
        for b in range(benchmarks):
            drawn = rng.integers(0, seeds, (n, RESAMPLES, seeds))
            taken = np.take_along_axis(y[:, None, :, b], drawn, axis=2)
            means += weight * taken.mean(axis=2) / benchmarks
    low, high = np.quantile(means, bayes.TAILS, axis=1)
    return low, high


def reml_z(s: Summary, rng: np.random.Generator) -> Bounds | None:
    return _about(s, _fitted(s), Z) if s.squares else None


def reml_t(s: Summary, rng: np.random.Generator) -> Bounds | None:
    """With the degrees of freedom of containment: seeds less arms."""
    if not s.squares:
        return None
    return _about(s, _fitted(s), float(special.stdtrit(s.squares[0].df_seed, 0.975)))


def _fitted(s: Summary) -> Floats:
    return sum(reml.variance(one) for one in s.squares) / len(s.squares) ** 2


def hierarchy(s: Summary, rng: np.random.Generator) -> Bounds | None:
    """Bowyer et al. of one benchmark and one seed an arm; with several seeds the crossed hierarchy."""
    if s.squares:
        return bayes.crossed(s.value, s.squares, rng)
    if any(y.shape[1] > 1 for y in s.of_seed) or len(s.contrasts) > 1:
        return None
    k, j = s.design.k, s.design.problems[0]
    counts = [_counts(arm[0], k) for arm in s.of_problem]
    if k > 1:
        drawn = [bayes.clustered(one, rng) for one in counts]
        if len(drawn) == 1:
            return bayes.quantiles(*drawn[0])
        # theirs has no pairing where problems are asked several times: two posteriors, independent of each other
        alone = [_resampled(*one, rng) for one in drawn]
        return bayes.quantiles(alone[0] - alone[1], np.ones_like(alone[0]))
    if len(counts) == 1:
        return bayes.rate(counts[0][:, 1].astype(float), j)
    one, two = (arm[0] > 0 for arm in s.of_problem)
    cells = np.stack([(one & two), (one & ~two), (~one & two), (~one & ~two)], axis=1).sum(axis=2)
    return bayes.paired(cells.astype(float), rng)


def _counts(shares: Floats, k: int) -> Floats:
    """How many problems have 0, 1, ... k correct answers."""
    right = np.rint(shares * k).astype(int)
    return np.stack([(right == c).sum(axis=1) for c in range(k + 1)], axis=1).astype(float)


def _resampled(values: Floats, weights: Floats, rng: np.random.Generator) -> Floats:
    drawn = [rng.choice(v, len(v), p=w / w.sum()) for v, w in zip(values, weights, strict=True)]
    return np.array(drawn)


Contender = Callable[[Summary, np.random.Generator], Bounds | None]
CONTENDERS: dict[str, tuple[Contender, int | None]] = {
    "unpaired z": (unpaired_z, None),
    "clustered z": (clustered_z, None),
    "bootstrap, problems": (bootstrap, RESAMPLED),
    "rliable, runs": (rliable, RESAMPLED),
    "REML, z": (reml_z, FITTED),
    "REML, t": (reml_t, FITTED),
    "Bayes": (hierarchy, FITTED),
}
"""name -> function and the replicates that it is given; None: all"""
