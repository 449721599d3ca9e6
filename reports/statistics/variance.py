"""Where the uncertainty of a score or of a paired difference comes from: training seed, problem, seed x problem, and
the sampling of answers.

An answer to problem j by the checkpoint of seed s is correct with probability p_sj; a score is the mean of k such
answers. Expected mean squares of the crossed layout, over S J (Cornfield & Tukey 1956; Searle, Casella & McCulloch
1992, Variance Components, ch. 4):

    seed       v_seed / S    + residual
    problem    v_problem / J + residual
    residual   (v_seed_x_problem + v_sampling / k) / (S J)

and v_sampling = E[p (1 - p)], estimated without bias by p^ (1 - p^) k / (k - 1), which needs k of 2 or more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from reports.statistics.crossed import contrast
from reports.statistics.estimate import MeanSquare, Parts
from reports.statistics.satterthwaite import Floats, pool


@dataclass(frozen=True)
class VarianceSplit:
    """Contributions to the variance of an estimate. They add up to it; an estimate below zero is taken as zero, which
    the mean squares it is made of are there to tell.

    With one seed an arm `seed` is None, and what is seed x problem is in `problem`. With k = 1 `sampling` is None, and
    what is sampling is in `interaction`. `problem` is None where a benchmark has one problem.
    """

    seeds: tuple[MeanSquare, ...]
    """mean squares over S J of each arm that has several, on the average; the others are for each benchmark"""
    problems: tuple[MeanSquare | None, ...]
    residuals: tuple[MeanSquare | None, ...]
    samplings: tuple[float | None, ...]

    @property
    def parts(self) -> Parts:
        """The mean squares that it is made of, those of the benchmarks pooled."""
        return Parts(self.seeds, _pooled(self.problems), _pooled(self.residuals))

    @property
    def cells(self) -> list[tuple[float, float]]:
        """Of each benchmark, what single cells add: seed x problem, and sampling. One of them holds both where they
        cannot be told apart."""
        return [_cell(rest, sampling) for rest, sampling in zip(self.residuals, self.samplings, strict=True)]

    @property
    def seed(self) -> float | None:
        """Of training seeds, less what single cells add to their mean square; None with one seed an arm."""
        squares = self.parts.seed
        return max(0.0, squares.variance - self._cells) if squares else None

    @property
    def problem(self) -> float | None:
        """Of problems, the sum over benchmarks; None where a benchmark has one problem."""
        own = self.by_problem
        return None if own is None else float(sum(own))

    @property
    def by_problem(self) -> list[float] | None:
        """The problems' own part, for each benchmark."""
        if any(p is None for p in self.problems):
            return None
        return [max(0.0, p.variance - sum(c)) for p, c in zip(self.problems, self.cells, strict=True) if p]

    @property
    def interaction(self) -> float | None:
        """Of seed x problem, with sampling in it where k = 1; None with one seed an arm."""
        return sum(own for own, _ in self.cells) if self.seeds else None

    @property
    def sampling(self) -> float | None:
        """Of answers drawn anew to the same problem; None where k = 1 on a benchmark."""
        return None if None in self.samplings else sum(sampling for _, sampling in self.cells)

    @property
    def total(self) -> float:
        """The sum of all parts: the squared standard error, but for parts below zero taken as zero."""
        return sum(part for part in (self.seed, self.problem) if part) + self._cells

    @property
    def _cells(self) -> float:
        return sum(map(sum, self.cells))


def split(
    arms: Sequence[Sequence[Floats]], attempts: Sequence[Sequence[Sequence[int]]], weights: Sequence[float] = (1.0,)
) -> VarianceSplit:
    """Of sum_a weight_a x (mean over benchmarks of the arm's score), as `statistics.contrast` estimates it.

    Args:
        arms: arms[a][b] is S_a x J_b.
        attempts: attempts[a][b] is k for each seed.
    """
    alone = [contrast([[matrix] for matrix in one], weights).parts for one in zip(*arms, strict=True)]
    return _split(arms, attempts, weights, [parts.problem for parts in alone])


def typical(arms: Sequence[Sequence[Floats]], attempts: Sequence[Sequence[Sequence[int]]]) -> VarianceSplit:
    """Of the difference between two of these arms: the mean of `split` over all pairs, and of two arms theirs.

    Arms are independent, so their seeds are counted with all their degrees of freedom; the differences between pairs
    are not, and are counted as one.
    """
    share = [(2 / len(arms)) ** 0.5] * len(arms)
    problems = []
    for one in zip(*arms, strict=True):
        pairs = [contrast([[a], [b]], (1.0, -1.0)).parts.problem for a, b in combinations(one, 2)]
        known = [pair for pair in pairs if pair]
        problems.append(MeanSquare(float(np.mean([p.variance for p in known])), known[0].df) if known else None)
    return _split(arms, attempts, share, problems)


def _split(
    arms: Sequence[Sequence[Floats]],
    attempts: Sequence[Sequence[Sequence[int]]],
    weights: Sequence[float],
    problems: Sequence[MeanSquare | None],
) -> VarianceSplit:
    """With the problems' mean squares given, for `split` and `typical` differ in these.

    Args:
        problems: for each benchmark by itself, as if it were all there is.
    """
    benchmarks = len(arms[0])
    several = [(arm, k, w) for arm, k, w in zip(arms, attempts, weights, strict=True) if len(arm[0]) > 1]
    residuals, samplings = [], []
    for b in range(benchmarks):
        rest = contrast([[arm[b]] for arm, _, _ in several], [w for _, _, w in several]).parts if several else None
        residuals.append(_scaled(rest.residual if rest else None, benchmarks))
        # Of arms of one seed beside others of several, single cells are counted with the problems.
        drawn = [_sampling(arm[b], k[b], w) for arm, k, w in several or zip(arms, attempts, weights, strict=True)]
        samplings.append(None if None in drawn else float(sum(d for d in drawn if d)) / benchmarks**2)
    return VarianceSplit(
        seeds=contrast(arms, weights).parts.seeds,
        problems=tuple(_scaled(p, benchmarks) for p in problems),
        residuals=tuple(residuals),
        samplings=tuple(samplings),
    )


def _sampling(matrix: Floats, k: Sequence[int], weight: float) -> float | None:
    """Weight^2 x the variance of the mean over seeds and problems that comes of sampling alone."""
    if min(k) < 2:
        return None
    seeds, problems = matrix.shape
    unbiased = (matrix * (1 - matrix)).mean(axis=1) / (np.array(k) - 1)  # p (1 - p) k / (k - 1), over k
    return weight**2 * float(unbiased.sum()) / (seeds**2 * problems)


def _cell(residual: MeanSquare | None, sampling: float | None) -> tuple[float, float]:
    if residual is None:
        return 0.0, sampling or 0.0
    drawn = min(sampling or 0.0, residual.variance)
    return residual.variance - drawn, drawn


def _scaled(part: MeanSquare | None, benchmarks: int) -> MeanSquare | None:
    return part and MeanSquare(part.variance / benchmarks**2, part.df)


def _pooled(parts: Sequence[MeanSquare | None]) -> MeanSquare | None:
    known = [part for part in parts if part]
    if len(known) < len(parts):
        return None
    variance, df = pool([p.variance for p in known], [p.df for p in known])
    return MeanSquare(float(variance), float(df))


def seed_correlation(a: Mapping[int, float], b: Mapping[int, float]) -> float | None:
    """Pearson's correlation of two arms' scores over the seeds they share: what pairing by seed could gain. None
    below three shared seeds or without variation."""
    shared = sorted(a.keys() & b.keys())
    if len(shared) < 3:
        return None
    x, y = np.array([a[s] for s in shared]), np.array([b[s] for s in shared])
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(np.corrcoef(x, y)[0, 1])
