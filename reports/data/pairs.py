"""Paired differences between arms, and families of tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from harness.records import START, DataError
from reports.data.matching import Side, unmatched
from reports.data.scores import Scores
from reports.statistics import Estimand, Estimate, contrast, seed_correlation
from reports.statistics.design import AS_IT_IS, sight
from reports.statistics.equivalence import equivalence_p
from reports.statistics.multiple import adjusted, simultaneous
from reports.statistics.variance import VarianceSplit, split

Family = Literal["primary", "per_benchmark", "start"]
"""the locked comparison on the average; the same arms benchmark by benchmark; every arm with the untrained model"""


Groups = dict[tuple[str, str], list[Scores]]
"""(arm, column) -> matrices of the column's benchmarks, over the same seeds"""
UNTRAINED = -1
"""the seed of a model that was not trained here, as in the tables of `load`"""
TEST = "paired by problem, seeds crossed (Satterthwaite), exact where few problems differ; Bonferroni within the family"
Test = tuple[str, str, str]
"""arm, arm, column"""


def difference_json(
    e: Estimate | None, p_adjusted: float | None, simultaneous: tuple[float, float] | None, direction: int
) -> dict[str, Any]:
    """A difference as `verdict.json` has it, a fraction; all None where there is none. `p_adjusted` and `simultaneous`
    come from one method; `ci_low`, `ci_high` and `p_value` are raw.

    Args:
        direction: 1 or -1 where it is significant, 0 where it is not.
    """
    low, high = (e.interval if e else None) or (None, None)
    least, most = simultaneous or (None, None)
    return {
        "delta": e.value if e else None,
        "se": (e.se or None) if e else None,
        "df": e.stated_df if e else None,
        "covers": e.estimand if e else None,
        "ci_low": low,
        "ci_high": high,
        "p_value": e.p_value if e else None,
        "p_adjusted": p_adjusted,
        "simultaneous": {"low": least, "high": most},
        "significant": None if p_adjusted is None else direction != 0,
    }


@dataclass(frozen=True)
class Pair:
    """A paired difference, a - b. `estimate` is None where one side has no scores."""

    a: str
    b: str
    benchmark: str
    family: Family
    estimate: Estimate | None
    p_adjusted: float | None
    """Bonferroni's, within the family"""
    simultaneous: tuple[float, float] | None
    """the interval that belongs to it"""
    mde: tuple[float, float] | None
    """minimum detectable effect, at the estimated variance and at its upper bound"""
    correlation: float | None
    """of the two arms' scores over shared seeds"""
    unmatched: tuple[str, ...]
    alpha: float
    asked: str
    """the estimand that was asked for; what is covered is the estimate's own"""
    margin: float | None = None
    """differences smaller than this do not matter; None if nobody said so"""
    p_equivalence: float | None = None
    """of the hypothesis that the difference is the margin or more, adjusted within the family; None without a margin or
    a test"""

    imported: bool = False
    """whether a side was imported, so that nothing is known of its training"""

    @property
    def equivalent(self) -> bool | None:
        """Whether the difference is shown to be smaller than the margin; None where that was not tested."""
        return None if self.p_equivalence is None else self.p_equivalence < self.alpha

    @property
    def finding(self) -> str:
        """In the words of a table."""
        if self.estimate is None:
            return "no complete result"
        if self.simultaneous is None:
            return "could not be tested"
        words = {1: "above", -1: "below", 0: "equivalent" if self.equivalent else "not separated"}[self.direction]
        return f"{words}, yet equivalent" if self.direction and self.equivalent else words

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


def difference(a: list[Scores], b: list[Scores], estimand: str, alpha: float, pair_seeds: bool = False) -> Estimate:
    """a - b, paired by problem.

    The untrained model has no seeds to be new. It counts as it is, and on fixed problems the noise of its answers would
    go uncounted: a difference with it always covers new problems.

    Args:
        pair_seeds: pair by seed as well, on the seeds that both have, if the plan says so.

    Raises: DataError if they were asked different problems.
    """
    for ours, theirs in zip(a, b, strict=True):
        if ours.problems != theirs.problems:
            raise DataError(
                "Two arms were asked different problems of one benchmark; they cannot be paired.\n--common keeps the "
                "problems that both have, and says what it leaves out."
            )
    fixed = [place for place, side in enumerate((a, b)) if side[0].seeds == (UNTRAINED,)]
    # the untrained model has no seed that an arm's could share; with fewer than two shared ones no variance is left
    paired = pair_seeds and not fixed
    if paired:
        shared = tuple(seed for seed in a[0].seeds if seed in b[0].seeds)
        paired = len(shared) > 1
        a, b = ([s.only(shared) for s in side] if paired else side for side in (a, b))
    return contrast(
        [[s.values for s in side] for side in (a, b)],
        (1.0, -1.0),
        cast(Estimand, "algorithm" if fixed and estimand == "benchmark" else estimand),
        1 - alpha,
        fixed=fixed if len(fixed) < 2 else (),
        paired=paired,
        attempts=[[s.k for s in side] for side in (a, b)],
    )


def compare_all(
    groups: Groups,
    family: Family,
    tests: list[Test],
    sides: Mapping[str, Side],
    estimand: str,
    alpha: float,
    margin: float | None = None,
    pair_seeds: bool = False,
) -> list[Pair]:
    """One family: every test, as `adjusted_family` has it. A test that lacks a side stays as a gap."""
    # a gap stays in its place and counts, for the family was fixed before the results were in
    estimates = [
        difference(groups[a, column], groups[b, column], estimand, alpha, pair_seeds)
        if {(a, column), (b, column)} <= groups.keys()
        else None
        for a, b, column in tests
    ]
    beside = [
        PairSight(
            mde=_mde(groups, test, estimate, alpha),
            correlation=_correlation(groups, *test),
            unmatched=tuple(unmatched(sides[test[0]], sides[test[1]])),
            imported=sides[test[0]].imported or sides[test[1]].imported,
        )
        for test, estimate in zip(tests, estimates, strict=True)
    ]
    return adjusted_family(family, tests, estimates, beside, estimand, alpha, margin)


@dataclass(frozen=True)
class PairSight:
    """What is known of a difference beside its estimate."""

    mde: tuple[float, float] | None
    correlation: float | None
    unmatched: tuple[str, ...]
    imported: bool


def adjusted_family(
    family: Family,
    tests: Sequence[Test],
    estimates: Sequence[Estimate | None],
    beside: Sequence[PairSight],
    asked: str,
    alpha: float,
    margin: float | None,
) -> list[Pair]:
    """Estimates of one family as pairs, adjusted by Bonferroni's method within it; None is a gap, and counts.

    Two adjustments, differences and equivalences, each over the whole family at level alpha: a pair can be wrong in one
    of the two only, for a true difference is not at once nil and beyond the margin.
    """
    # a gap takes its share of alpha too
    ps = adjusted([estimate.p_value if estimate else None for estimate in estimates])
    equivalence = adjusted([equivalence_p(estimate, margin) for estimate in estimates])
    return [
        Pair(
            a=a,
            b=b,
            benchmark=column,
            family=family,
            estimate=estimate,
            p_adjusted=p,
            simultaneous=simultaneous(estimate, alpha, len(tests)),
            mde=one.mde,
            correlation=one.correlation,
            unmatched=one.unmatched,
            alpha=alpha,
            asked=asked,
            margin=margin,
            p_equivalence=p_equivalence,
            imported=one.imported,
        )
        for (a, b, column), estimate, one, p, p_equivalence in zip(
            tests, estimates, beside, ps, equivalence, strict=True
        )
    ]


def _mde(groups: Groups, test: Test, estimate: Estimate | None, alpha: float) -> tuple[float, float] | None:
    if estimate is None or not estimate.se:
        return None
    seen = sight(sources(*(groups[arm, test[2]] for arm in test[:2])), AS_IT_IS, estimate.estimand, alpha)
    return (seen.estimate, seen.upper) if seen else None


def sources(a: list[Scores], b: list[Scores]) -> VarianceSplit:
    """What the variance of a - b is made of. Where one side is one seed of training, it is about these checkpoints: the
    other's seeds are not a part of it, but more answers to each problem."""
    if {len(a[0].seeds) > 1, len(b[0].seeds) > 1} == {True, False} and (UNTRAINED,) not in (a[0].seeds, b[0].seeds):
        a, b = ([_together(s) for s in side] for side in (a, b))
    return split([[s.values for s in side] for side in (a, b)], [[s.k for s in side] for side in (a, b)], (1.0, -1.0))


def _together(scores: Scores) -> Scores:
    """The mean over its seeds, as if it were one."""
    return Scores(scores.seeds[:1], scores.problems, scores.values.mean(axis=0, keepdims=True), (sum(scores.k),))


def _correlation(groups: Groups, a: str, b: str, column: str) -> float | None:
    if START in (a, b) or not {(a, column), (b, column)} <= groups.keys():
        return None
    return seed_correlation(*(by_seed(groups[arm, column]) for arm in (a, b)))


def by_seed(group: list[Scores]) -> dict[int, float]:
    """Unweighted mean over benchmarks of each seed."""
    return {seed: sum(s.by_seed[seed] for s in group) / len(group) for seed in group[0].seeds}
