"""Means over seeds and their differences: t intervals over new seeds, Welch's where seeds do not pair.

One routine with everything else here, `statistics.contrast`, on fixed benchmarks (the estimand `benchmark`): V = sum
over arms of s^2 / S with Satterthwaite's degrees of freedom, which of two arms is Welch's test (1947, Biometrika
34(1/2), 28-35), but for arms of unequal size, where degrees of freedom are at most those that there would be if the
seeds of both varied alike: an arm of two seeds whose variance happens to come out small would otherwise be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from reports.data.pairs import Pair, PairSight, adjusted_family
from reports.seed_scores.found import AVERAGE, SeedScores
from reports.statistics import Estimate, Floats, contrast, seed_correlation
from reports.statistics.power import detectable_effect
from reports.statistics.satterthwaite import upper_bound

UNPAIRED = "t over seeds, unpaired (Welch, Satterthwaite); Bonferroni within the family"
PAIRED = "t over the differences of paired seeds; Bonferroni within the family"
Side = Mapping[int, float]
"""seed -> score"""


@dataclass(frozen=True, eq=False)
class ComparedScores:
    """All means and differences of a run; itself alone is equal to it."""

    run: SeedScores

    @property
    def alpha(self) -> float:
        return self.run.plan.comparison.alpha

    @property
    def target(self) -> str:
        return self.run.plan.comparison.target

    @property
    def paired(self) -> bool:
        return self.run.plan.comparison.pair_seeds

    @cached_property
    def scores(self) -> dict[tuple[str, str], Estimate]:
        """(arm, column) -> its mean; a missing key is a gap."""
        return {key: mean(side, 1 - self.alpha, self.run.raw) for key, side in self.run.by_seed.items()}

    @cached_property
    def pairs(self) -> list[Pair]:
        """The planned family on the headline, then that by benchmark where there are several."""
        baselines = self.run.plan.comparison.baselines
        tests = [(self.target, other, self.run.headline) for other in baselines]
        found = self._family("primary", tests)
        if self.run.headline == AVERAGE:
            found += self._family("per_benchmark", [(a, b, c) for c in self.run.plan.benchmarks for a, b, _ in tests])
        return found

    def family(self, name: str) -> list[Pair]:
        """Its pairs, in order."""
        return [pair for pair in self.pairs if pair.family == name]

    def _family(self, name: Literal["primary", "per_benchmark"], tests: Sequence[tuple[str, str, str]]) -> list[Pair]:
        sides = [(self.run.by_seed.get((a, c), {}), self.run.by_seed.get((b, c), {})) for a, b, c in tests]
        return compare(tests, sides, name, self.alpha, self.run.plan.comparison.margin, self.paired, self.run.raw)

    @property
    def ranking(self) -> list[str]:
        """Arms by their headline score, the highest first; those without one are left out."""
        mine = {arm: e.value for (arm, column), e in self.scores.items() if column == self.run.headline}
        return sorted(mine, key=lambda arm: (-mine[arm], self.run.plan.arms.index(arm)))


def compare(
    tests: Sequence[tuple[str, str, str]],
    sides: Sequence[tuple[Side, Side]],
    family: Literal["primary", "per_benchmark"],
    alpha: float,
    margin: float | None,
    paired: bool,
    raw: bool,
) -> list[Pair]:
    """One family of differences, a - b, as `adjusted_family` has it; a missing side is a gap.

    Args:
        tests: arm, arm, column.
        sides: seed -> score of both, for each test.
    """
    estimates = [difference(a, b, 1 - alpha, paired, raw) if a and b else None for a, b in sides]
    beside = [
        PairSight(_detectable(e, alpha), seed_correlation(a, b) if a and b else None, (), imported=True)
        for e, (a, b) in zip(estimates, sides, strict=True)
    ]
    return adjusted_family(family, tests, estimates, beside, "benchmark", alpha, margin)


def mean(side: Side, confidence: float, raw: bool) -> Estimate:
    """Of an arm's seeds, with its t interval; none with one seed."""
    return _unbounded(contrast([[_matrix(side)]], (1.0,), "benchmark", confidence), raw)


def difference(a: Side, b: Side, confidence: float, paired: bool, raw: bool) -> Estimate:
    """a - b over seeds; paired over those that both have, where there are two or more."""
    shared = sorted(a.keys() & b.keys())
    paired = paired and len(shared) > 1
    if paired:
        a, b = ({seed: side[seed] for seed in shared} for side in (a, b))
    arms = [[_matrix(a)], [_matrix(b)]]
    return _unbounded(contrast(arms, (1.0, -1.0), "benchmark", confidence, paired=paired), raw)


def _matrix(side: Side) -> Floats:
    return np.array([[side[seed]] for seed in sorted(side)], float)


def _unbounded(estimate: Estimate, raw: bool) -> Estimate:
    """Numbers of no known scale have no ends that an interval must stay within."""
    return replace(estimate, span=(-np.inf, np.inf)) if raw else estimate


def _detectable(e: Estimate | None, alpha: float) -> tuple[float, float] | None:
    """The smallest true difference found with 80 % power, at the estimated variance and at its upper 80 % bound."""
    if e is None or not e.se or e.interval is None:
        return None
    effect = detectable_effect(e.parts, "benchmark", alpha)
    if effect is None:
        return None
    upper = float(upper_bound([(part.variance, part.df) for part in e.parts.seeds]))
    return effect, effect * (upper / e.se**2) ** 0.5
