"""Paired differences between arms, and families of tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from harness.records import START, DataError
from reports.matching import Side, unmatched
from reports.multiple import holm
from reports.power import detectable, upper_ratio
from reports.scores import Scores
from reports.statistics import Estimand, Estimate, contrast, seed_correlation

Family = Literal["primary", "per_benchmark", "start"]
"""the locked comparison on the average; the same arms benchmark by benchmark; every arm with the untrained model"""


Groups = dict[tuple[str, str], list[Scores]]
"""(arm, column) -> matrices of the column's benchmarks, over the same seeds"""
Test = tuple[str, str, str]
"""arm, arm, column"""


@dataclass(frozen=True)
class Pair:
    """A paired difference, a - b. `estimate` is None where one side has no scores."""

    a: str
    b: str
    benchmark: str
    family: Family
    estimate: Estimate | None
    p_adjusted: float | None
    mde: tuple[float, float] | None
    """minimum detectable effect, at the estimated variance and at its upper bound"""
    correlation: float | None
    """of the two arms' scores over shared seeds"""
    unmatched: tuple[str, ...]
    alpha: float
    imported: bool = False
    """whether a side was imported, so that nothing is known of its training"""

    @property
    def matched(self) -> bool | None:
        """None if that is not known."""
        return False if self.unmatched else None if self.imported else True

    @property
    def direction(self) -> int:
        """1 or -1 if the difference is significant after adjustment within its family, 0 if not separated."""
        if self.estimate is None or self.p_adjusted is None or self.p_adjusted >= self.alpha:
            return 0
        return 1 if self.estimate.value > 0 else -1


def difference(a: list[Scores], b: list[Scores], estimand: str, alpha: float) -> Estimate:
    """a - b, paired by problem.

    A single checkpoint, such as the untrained model, brings no seeds, so on fixed problems its sampling noise would
    go uncounted: a difference with one always covers new problems.

    Raises: DataError if they were asked different problems.
    """
    for ours, theirs in zip(a, b, strict=True):
        if ours.problems != theirs.problems:
            raise DataError("Two arms were asked different problems of one benchmark; they cannot be paired.")
    single = len(a[0].seeds) == 1 or len(b[0].seeds) == 1
    matrices = [[s.values for s in side] for side in (a, b)]
    asked = "algorithm" if single and estimand == "benchmark" else estimand
    return contrast(matrices, (1.0, -1.0), cast(Estimand, asked), 1 - alpha)


def compare_all(
    groups: Groups, family: Family, tests: list[Test], sides: Mapping[str, Side], estimand: str, alpha: float
) -> list[Pair]:
    """One family: every test, adjusted by Holm's method within it. A test that lacks a side stays as a gap."""
    estimates = [
        difference(groups[a, column], groups[b, column], estimand, alpha)
        if {(a, column), (b, column)} <= groups.keys()
        else None
        for a, b, column in tests
    ]
    reasons = {(a, b): tuple(unmatched(sides[a], sides[b])) for a, b, _ in tests}
    adjusted = holm([estimate.p_value if estimate else None for estimate in estimates])
    return [
        Pair(
            a=a,
            b=b,
            benchmark=column,
            family=family,
            estimate=estimate,
            p_adjusted=p,
            mde=_mde(estimate, alpha),
            correlation=_correlation(groups, a, b, column),
            unmatched=reasons[a, b],
            alpha=alpha,
            imported=sides[a].imported or sides[b].imported,
        )
        for (a, b, column), estimate, p in zip(tests, estimates, adjusted, strict=True)
    ]


def _mde(estimate: Estimate | None, alpha: float) -> tuple[float, float] | None:
    if estimate is None or not estimate.se or estimate.df is None:
        return None
    effect = detectable(estimate.se, estimate.df, alpha)
    return effect, effect * upper_ratio(estimate.df)


def _correlation(groups: Groups, a: str, b: str, column: str) -> float | None:
    if START in (a, b) or not {(a, column), (b, column)} <= groups.keys():
        return None
    return seed_correlation(*(by_seed(groups[arm, column]) for arm in (a, b)))


def by_seed(group: list[Scores]) -> dict[int, float]:
    """Unweighted mean over benchmarks of each seed."""
    return {seed: sum(s.by_seed[seed] for s in group) / len(group) for seed in group[0].seeds}
