"""What is estimated, and how sure we are of it. Formulas only: no file, no arm, no benchmark by name.

Scores are matrices of seeds x problems (S x J), one for each benchmark; an entry is the share of the k attempts
that were correct. Seeds and problems are crossed: every seed answers every problem. Resampling one within the other
is wrong here, and the intervals come from the analysis of variance of the crossed layout instead:

    V = (MS_seed + MS_problem - MS_residual) / (S J)

(Cornfield & Tukey 1956, Annals of Mathematical Statistics 27(4), 907-949; Brennan 2001, Generalizability Theory,
ch. 2), floored at max(MS_seed, MS_problem) / (S J), with Satterthwaite's degrees of freedom (1946, Biometrics
Bulletin 2(6), 110-114). What problems add to the bounds has the shape of `bounds`, not of a t variable.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from reports.statistics import bounds
from reports.statistics.estimate import ROUNDING, Estimand, Estimate, MeanSquare, Parts, ProblemBounds, pooled
from reports.statistics.satterthwaite import Floats, of_seeds, seeds_and_problems

MOST_ATTEMPTS = 256
"""more answers to a problem than this are as good as a continuous share"""


def contrast(
    arms: Sequence[Sequence[Floats]],
    weights: Sequence[float] = (1.0,),
    estimand: Estimand = "algorithm",
    confidence: float = 0.95,
    fixed: Collection[int] = (),
    paired: bool = False,
    attempts: Sequence[Sequence[Sequence[int]]] | None = None,
) -> Estimate:
    """sum_a weight_a x (unweighted mean over benchmarks of the arm's score), with its interval.

    One arm and weight 1 is a score; two arms and weights (1, -1) a difference that is paired by problem. Seeds of
    different arms are taken as independent; the seed effect of an arm is one effect across all its benchmarks.

    What is not to be had is not covered: an arm of one seed brings no variance between seeds, so a contrast with such
    an arm is about these checkpoints, whatever was asked for; on fixed problems it is about answers.

    Args:
        arms: arms[a][b] is S_a x J_b, the same problems in the same order for all arms of a benchmark.
        fixed: places of arms that have no seeds to be new, such as the untrained model: they count as they are.
        paired: seeds are paired, too: row s of every arm is one seed. Arms have equally many then.
        attempts: attempts[a][b] is k for each seed; None: the least of which all shares are multiples, and no interval
            where only answers are new.

    Raises: ValueError if paired arms have different numbers of seeds.
    """
    layout = _Layout(arms, weights, frozenset(fixed), paired, attempts)
    covered = layout.covered(estimand)
    if covered == "answers":
        return _answers(layout, confidence)
    parts = layout.parts
    variance, df = _combine(layout, covered)
    se = None if variance is None else float(np.sqrt(variance))
    return Estimate(
        value=layout.value,
        se=0.0 if se is not None and se < ROUNDING else se,
        df=df,
        confidence=confidence,
        parts=parts,
        estimand=covered,
        # on fixed problems none is new, so their bounds have no part in it
        shape=None if covered == "benchmark" else layout.shape(covered),
        normal=None if covered == "benchmark" else parts.problem,
        span=layout.span,
    )


@dataclass(frozen=True)
class _Layout:
    """The crossed layout of one contrast."""

    arms: Sequence[Sequence[Floats]]
    weights: Sequence[float]
    fixed: frozenset[int]
    paired: bool
    known: Sequence[Sequence[Sequence[int]]] | None

    def __post_init__(self) -> None:
        if self.paired and len({len(self.arms[a][0]) for a in self.trained}) > 1:
            raise ValueError("Arms that are paired by seed must have equally many seeds.")

    @property
    def trained(self) -> list[int]:
        """Places of the arms whose seeds could be new."""
        return [a for a in range(len(self.arms)) if a not in self.fixed]

    @cached_property
    def value(self) -> float:
        return float(np.dot(self.weights, [np.mean([m.mean() for m in arm]) for arm in self.arms]))

    @property
    def span(self) -> tuple[float, float]:
        """What values are possible: of shares in 0..1, or of differences of shares in -1..1."""
        least = -1.0 if any(float(m.min()) < 0 for arm in self.arms for m in arm) else 0.0
        ends = [(w * least, w) if w > 0 else (w, w * least) for w in self.weights]
        return sum(low for low, _ in ends), sum(high for _, high in ends)

    def covered(self, asked: Estimand) -> Estimand:
        """What is asked for, less what these data cannot tell."""
        new_seeds = asked in ("algorithm", "benchmark")
        several = bool(self.trained) and all(len(self.arms[a][0]) > 1 for a in self.trained)
        if not new_seeds or several:
            return asked
        return "checkpoints" if asked == "algorithm" else "answers"

    @cached_property
    def per_problem(self) -> list[Floats]:
        """For each benchmark J_b contrasted means: arms answer the same problems, and that is the pairing."""
        return [np.tensordot(self.weights, [m.mean(axis=0) for m in b], axes=1) for b in zip(*self.arms, strict=True)]

    @cached_property
    def parts(self) -> Parts:
        """The mean squares of the layout, each as it enters the variance of the contrast."""
        seeds, residual = self._seeds_and_residual()
        problem, count = [], len(self.per_problem)
        for values in self.per_problem:
            if len(values) > 1:
                problem.append(MeanSquare(float(values.var(ddof=1)) / len(values) / count**2, len(values) - 1))
        # a benchmark of one problem tells nothing of new problems, so neither does the average it is in
        if len(problem) < count:
            problem = []
        total = sum(p.variance for p in problem)
        return Parts(
            seeds=tuple(seeds),
            problem=pooled(problem),
            residual=pooled(residual),
            problem_shares=tuple(p.variance / total for p in problem) if total > 0 else (),
        )

    def seed_parts(self, seeds: Sequence[MeanSquare]) -> tuple[list[float], list[float], list[float]]:
        """Variances, degrees of freedom, and what the variances would be proportional to if all seeds varied alike."""
        weights = [1.0] if self.paired else [self.weights[a] for a in self.trained if len(self.arms[a][0]) > 1]
        alike = [weight**2 / (part.df + 1) for weight, part in zip(weights, seeds, strict=True)]
        return [s.variance for s in seeds], [s.df for s in seeds], alike

    def _seeds_and_residual(self) -> tuple[list[MeanSquare], list[MeanSquare]]:
        if self.paired:
            together = [self.arms[a] for a in self.trained]
            weights = [self.weights[a] for a in self.trained]
            groups = [(1.0, [np.tensordot(weights, list(b), axes=1) for b in zip(*together, strict=True)])]
        else:
            groups = [(self.weights[a], self.arms[a]) for a in self.trained]
        seed, residual = [], []
        for weight, arm in groups:
            seeds = arm[0].shape[0]
            if seeds < 2:
                continue
            # over all benchmarks at once: a good seed is good on all of them, its effect is one
            per_seed = np.mean([m.mean(axis=1) for m in arm], axis=0)
            seed.append(MeanSquare(weight**2 * float(per_seed.var(ddof=1)) / seeds, seeds - 1))
            residual += [_residual(m, weight / len(arm)) for m in arm if m.shape[1] > 1]
        return seed, residual

    @cached_property
    def attempts(self) -> list[list[list[float]]]:
        """k of each arm, benchmark and seed; infinity where numbers are no shares."""
        if self.known is not None:
            return [[[float(k) for k in b] for b in arm] for arm in self.known]
        return [[[_denominator(m)] * len(m) for m in arm] for arm in self.arms]

    def shape(self, covered: Estimand) -> ProblemBounds | None:
        """The bounds of the problems' part; of a score one variable in 0..1, of a difference gains and losses."""
        low, high = self.span
        scale = max(-low, high)
        if scale <= 0 or min(map(len, self.per_problem)) < 2:
            return None
        values = [v / scale for v in self.per_problem]
        answers = [max(sum(k) for k in b) for b in zip(*self.attempts, strict=True)]
        doubt = bounds.DOUBT_WITH_SEEDS if covered == "algorithm" else bounds.DOUBT
        of_one = bounds.cumulants if low == 0 else bounds.gain
        return bounds.Scaled(of_one(values, answers, doubt=doubt), scale)


def _denominator(matrix: Floats) -> float:
    """The least k of which all shares are multiples: the attempts a problem. Infinity if there is none."""
    values = np.unique(np.round(matrix, 9))
    for k in range(1, MOST_ATTEMPTS + 1):
        if np.abs(values * k - np.rint(values * k)).max() < 1e-6:
            return float(k)
    return float("inf")


def _residual(matrix: Floats, weight: float) -> MeanSquare:
    seeds, problems = matrix.shape
    rest = matrix - matrix.mean(axis=0) - matrix.mean(axis=1, keepdims=True) + matrix.mean()
    df = (seeds - 1) * (problems - 1)
    return MeanSquare(weight**2 * float((rest**2).sum()) / df / (seeds * problems), df)


def _combine(layout: _Layout, covered: Estimand) -> tuple[float | None, float | None]:
    parts = layout.parts
    if covered == "benchmark":
        variance, df = of_seeds(*layout.seed_parts(parts.seeds))
        return float(variance), float(df)
    if covered == "checkpoints" or parts.problem is None:
        return _known(parts.problem)
    rest = parts.residual or MeanSquare(0.0, 1.0)
    problem = (parts.problem.variance, parts.problem.df)
    variance, df = seeds_and_problems(layout.seed_parts(parts.seeds), problem, (rest.variance, rest.df))
    return float(variance), float(df)


def _known(part: MeanSquare | None) -> tuple[float | None, float | None]:
    return (None, None) if part is None else (part.variance, part.df)


def _answers(layout: _Layout, confidence: float) -> Estimate:
    """These checkpoints on these problems: only answers are new. Arms are independent then, and within a problem the
    k answers of a seed tell their variance, p (1 - p) / (k - 1); with one answer each, or if k is not stated, nothing
    does."""
    stated = layout.known or [[[1] * len(m) for m in arm] for arm in layout.arms]
    found = [bounds.answers(arm, ks) for arm, ks in zip(layout.arms, stated, strict=True)]
    known = [arm for arm in found if arm is not None]
    variance = sum(w**2 * float(arm.second) for w, arm in zip(layout.weights, known, strict=False))
    se = float(np.sqrt(variance)) if len(known) == len(found) else None
    normal = MeanSquare(variance, float("inf"))
    return Estimate(
        value=layout.value,
        se=None if se is None else 0.0 if se < ROUNDING else se,
        df=None if se is None else normal.df,
        confidence=confidence,
        parts=layout.parts,
        estimand="answers",
        shape=None if se is None else bounds.Independent(tuple(known), tuple(layout.weights)),
        normal=None if se is None else normal,
        span=layout.span,
    )
