"""What is estimated, and how sure we are of it. Formulas only: no file, no arm, no benchmark by name.

Scores are matrices of seeds x problems (S x J), one for each benchmark; an entry is the share of the k attempts
that were correct. Seeds and problems are crossed: every seed answers every problem. Resampling one within the other
is wrong here, and the intervals come from the analysis of variance of the crossed layout instead:

    V = (MS_seed + MS_problem - MS_residual) / (S J)

(Cornfield & Tukey 1956, Annals of Mathematical Statistics 27(4), 907-949; Brennan 2001, Generalizability Theory,
ch. 2), floored at max(MS_seed, MS_problem) / (S J), with Satterthwaite's degrees of freedom (1946, Biometrics
Bulletin 2(6), 110-114) and a t quantile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from reports.statistics.satterthwaite import Floats, crossed, pool

Estimand = Literal["algorithm", "benchmark", "checkpoints"]
"""what an interval covers: new seeds and new problems; new seeds on these problems; these seeds, new problems"""
ESTIMANDS: tuple[Estimand, ...] = ("algorithm", "benchmark", "checkpoints")
ROUNDING = 1e-12
"""a standard error below this is what is left of equal numbers after adding them up; scores lie in 0..1"""


@dataclass(frozen=True)
class MeanSquare:
    """One component of a variance estimate: its estimated contribution and the degrees of freedom it rests on."""

    variance: float
    df: float


@dataclass(frozen=True)
class Parts:
    """The estimated variance of a mean, split by what varies. None: not to be had from these data."""

    seeds: tuple[MeanSquare, ...]
    """between the seeds of each arm that has several"""
    problem: MeanSquare | None
    residual: MeanSquare | None
    problem_shares: tuple[float, ...] = ()
    """share of each benchmark in the problem part; empty if that is zero or unknown"""

    @property
    def seed(self) -> MeanSquare | None:
        """The arms' seed parts together; None if no arm has several seeds."""
        return _pool(self.seeds)


@dataclass(frozen=True)
class Estimate:
    """A mean or a contrast of means, with what its interval rests on.

    `se` is None where the data cannot tell (one problem, or new seeds asked of one seed). It is zero where nothing
    varied at all; then there is no interval and no test either, for a width of nothing would claim certainty.
    """

    value: float
    se: float | None
    df: float | None
    confidence: float
    parts: Parts
    estimand: Estimand
    """what the interval covers; `checkpoints` where new seeds were asked for and no arm has two"""

    @property
    def half_width(self) -> float | None:
        """Of the two-sided t interval at `confidence`; None where there is no interval."""
        if not self.se:
            return None
        return self.se * float(special.stdtrit(self.df, 0.5 + self.confidence / 2))

    @property
    def interval(self) -> tuple[float, float] | None:
        """Lower and upper bound; None where the data cannot tell or nothing varied."""
        half = self.half_width
        return None if half is None else (self.value - half, self.value + half)

    @property
    def p_value(self) -> float | None:
        """Two-sided, of the hypothesis that the estimated quantity is zero."""
        if not self.se:
            return None
        return float(2 * special.stdtr(self.df, -abs(self.value) / self.se))


def contrast(
    arms: Sequence[Sequence[Floats]],
    weights: Sequence[float] = (1.0,),
    estimand: Estimand = "algorithm",
    confidence: float = 0.95,
) -> Estimate:
    """sum_a weight_a x (unweighted mean over benchmarks of the arm's score), with its interval.

    One arm and weight 1 is a score; two arms and weights (1, -1) a difference that is paired by problem. Seeds of
    different arms are taken as independent; the seed effect of an arm is one effect across all its benchmarks. An arm
    of a single seed brings no seed variance: the interval is then about that checkpoint. (A checkpoint that was never
    trained, the start, is meant to be such an arm.)

    Args:
        arms: arms[a][b] is S_a x J_b, the same problems in the same order for all arms of a benchmark.
    """
    parts = _parts(arms, weights)
    value = np.dot(weights, [np.mean([m.mean() for m in arm]) for arm in arms])
    if estimand == "algorithm" and parts.seed is None:
        estimand = "checkpoints"
    variance, df = _combine(parts, estimand)
    se = None if variance is None else float(np.sqrt(variance))
    if se is not None and se < ROUNDING:
        se = 0.0
    return Estimate(float(value), se, df, confidence, parts, estimand)


def _parts(arms: Sequence[Sequence[Floats]], weights: Sequence[float]) -> Parts:
    """The mean squares of the crossed layout, each as it enters the variance of the contrast."""
    seed, residual = [], []
    for weight, arm in zip(weights, arms, strict=True):
        seeds = arm[0].shape[0]
        if seeds < 2:
            continue
        # over all benchmarks at once: a good seed is good on all of them, its effect is one
        per_seed = np.mean([m.mean(axis=1) for m in arm], axis=0)
        seed.append(MeanSquare(weight**2 * float(per_seed.var(ddof=1)) / seeds, seeds - 1))
        residual += [_residual(m, weight / len(arm)) for m in arm if m.shape[1] > 1]
    problem = []
    for matrices in zip(*arms, strict=True):
        # contrasted before it varies, for arms answer the same problems: that is the pairing
        per_problem = np.tensordot(weights, [m.mean(axis=0) for m in matrices], axes=1)
        if len(per_problem) > 1:
            variance = float(per_problem.var(ddof=1)) / len(per_problem) / len(arms[0]) ** 2
            problem.append(MeanSquare(variance, len(per_problem) - 1))
    # a benchmark of one problem tells nothing of new problems, so neither does the average it is in
    if len(problem) < len(arms[0]):
        problem = []
    total = sum(p.variance for p in problem)
    return Parts(
        seeds=tuple(seed),
        problem=_pool(problem),
        residual=_pool(residual),
        problem_shares=tuple(p.variance / total for p in problem) if total > 0 else (),
    )


def _residual(matrix: Floats, weight: float) -> MeanSquare:
    seeds, problems = matrix.shape
    rest = matrix - matrix.mean(axis=0) - matrix.mean(axis=1, keepdims=True) + matrix.mean()
    df = (seeds - 1) * (problems - 1)
    return MeanSquare(weight**2 * float((rest**2).sum()) / df / (seeds * problems), df)


def _pool(parts: Sequence[MeanSquare]) -> MeanSquare | None:
    """Sum of independent components, with Satterthwaite's degrees of freedom."""
    if not parts:
        return None
    variance, df = pool([p.variance for p in parts], [p.df for p in parts])
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


def pass_at_k(attempts: NDArray[np.int64], correct: NDArray[np.int64], k: int) -> Floats:
    """Chance that at least one of k attempts is correct, for each problem: 1 - C(n - c, k) / C(n, k).

    Unbiased (Chen et al. 2021, arXiv:2107.03374, eq. 1), unlike a bootstrap with replacement.

    Raises: ValueError if a problem has fewer than k attempts.
    """
    return pass_at_ks(attempts, correct, [k])[..., 0]


def pass_at_ks(attempts: NDArray[np.int64], correct: NDArray[np.int64], ks: Sequence[int]) -> Floats:
    """`pass_at_k` for several k at once: problems x ks."""
    if attempts.size and attempts.min() < max(ks):
        raise ValueError(
            f"`k` must be at most the {attempts.min()} attempts of every problem, but is {max(ks)} instead."
        )
    # Product form: C(n-c, k) / C(n, k) = prod_{i<k} (n - c - i) / (n - i); a factor of zero or less ends it.
    i = np.arange(max(ks))
    left = np.clip((attempts - correct)[..., None] - i, 0, None)
    none = np.cumprod(left / (attempts[..., None] - i), axis=-1, dtype=np.float64)
    return 1.0 - none[..., np.array(ks) - 1]


def _combine(parts: Parts, estimand: Estimand) -> tuple[float | None, float | None]:
    seed, problem = parts.seed, parts.problem
    if estimand == "benchmark":
        return _known(seed)
    if estimand == "checkpoints" or problem is None or seed is None:
        return _known(problem)
    rest = parts.residual or MeanSquare(0.0, 1.0)
    variance, df = crossed(seed.variance, seed.df, problem.variance, problem.df, rest.variance, rest.df)
    return float(variance), float(df)


def _known(part: MeanSquare | None) -> tuple[float | None, float | None]:
    return (None, None) if part is None else (part.variance, part.df)
