"""Scores and paired differences at each k of the ladder: a family of its own, as numbers for pages and files.

    pass@k: one of k attempts is correct       pass^k: all of them are

It is not part of the primary family: the intervals are raw, of one test at a time, and no p-value stands beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.records import START
from reports.data.analysis import Analysis, once
from reports.data.pairs import Groups, difference
from reports.data.pass_at_k import Measure, at, groups, ladder
from reports.data.scores import AVERAGE, Scores
from reports.statistics import Estimate, contrast, pass_at_k, pass_hat_k

FAMILY = "pass@k: not part of the primary family; raw intervals, not adjusted"
Sides = tuple[str, str]
"""two arms: the first minus the second"""
MEASURES: Mapping[str, Measure] = {"pass@k": pass_at_k, "pass^k": pass_hat_k}


@dataclass(frozen=True)
class PassAtK:
    """One number: of an arm, or of a pair, a - b."""

    measure: str
    """`pass@k` or `pass^k`"""
    a: str
    b: str
    """empty for the score of an arm"""
    column: str
    """a benchmark or `average`"""
    k: int
    estimate: Estimate | None
    missing: str = ""
    """why there is no estimate"""

    def to_json(self) -> dict[str, Any]:
        """Fractions; None where there is no estimate or no interval, with the reason of the former."""
        e = self.estimate
        low, high = (e.interval if e else None) or (None, None)
        who = {"a": self.a, "b": self.b} if self.b else {"arm": self.a}
        return {
            **who,
            "benchmark": self.column,
            "k": self.k,
            ("delta" if self.b else "mean"): e.value if e else None,
            "ci_low": low,
            "ci_high": high,
            "covers": e.estimand if e else None,
            **({"missing": self.missing} if self.missing else {}),
        }


class _Same:
    """Scores as a key for `once`: the same if they are the same objects, which `by_k` gives to everybody who asks."""

    def __init__(self, scores: list[Scores]):
        self.scores = scores

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and [*map(id, self.scores)] == [*map(id, other.scores)]

    def __hash__(self) -> int:
        return hash((*map(id, self.scores),))


@once
def by_k(a: Analysis, measure: str = "pass@k") -> dict[int, Groups]:
    """k of the ladder -> the matrices of each arm and column that has so many attempts."""
    return {k: groups(a, at(a.cells, k, MEASURES[measure])) for k in ladder(a)}


def score(a: Analysis, arm: str, group: list[Scores]) -> Estimate:
    """Of one arm; the untrained model has no seeds to be new."""
    return _score(a, arm, _Same(group))


@once
def _score(a: Analysis, arm: str, group: _Same) -> Estimate:
    asked, attempts = "checkpoints" if arm == START else a.estimand, [[s.k for s in group.scores]]
    return contrast([[s.values for s in group.scores]], (1.0,), asked, 1 - a.alpha, attempts=attempts)


def scores(a: Analysis, measure: str, found: Mapping[int, Groups]) -> Iterator[PassAtK]:
    """Of every arm, column and k that there is."""
    for arm in a.rows:
        for column in a.columns:
            for k, group in found.items():
                if (arm, column) in group:
                    yield PassAtK(measure, arm, "", column, k, score(a, arm, group[arm, column]))


def targets(a: Analysis) -> list[Sides]:
    """The target with each baseline."""
    return [(a.target, baseline) for baseline in a.run.plan.comparison.baselines]


def starts(a: Analysis) -> list[Sides]:
    """Each arm with the untrained model; none where that is not known."""
    return [(arm.name, START) for arm in a.arms] if START in a.rows else []


def differences(a: Analysis, found: Mapping[int, Groups], pairs: list[Sides], columns: list[str]) -> list[PassAtK]:
    """pass@k of the first of each pair minus the second's, paired by problem, in each column at each k that any arm
    has there; a gap where a side lacks it."""
    return [
        _difference(a, group, k, pair, column)
        for pair in pairs
        for column in columns
        for k, group in found.items()
        if any(at == column for _, at in group)
    ]


def _difference(a: Analysis, group: Groups, k: int, pair: Sides, column: str) -> PassAtK:
    lacking = [arm for arm in pair if (arm, column) not in group]
    if not lacking:
        ours, theirs = (group[arm, column] for arm in pair)
        return PassAtK("pass@k", *pair, column, k, _minus(a, _Same(ours), _Same(theirs)))
    # what is complete with one attempt is in the table of scores
    few = [arm for arm in lacking if (arm, column) in a.scores]
    none = [arm for arm in lacking if arm not in few]
    reasons = [f"no complete result of {a.label(arm)}" for arm in none]
    reasons += [f"fewer than {k} attempts at a problem of {a.label(arm)}" for arm in few]
    return PassAtK("pass@k", *pair, column, k, None, "; ".join(reasons))


@once
def _minus(a: Analysis, ours: _Same, theirs: _Same) -> Estimate:
    return difference(ours.scores, theirs.scores, a.estimand, a.alpha, a.run.plan.comparison.pair_seeds)


def to_json(a: Analysis) -> dict[str, Any]:
    """For `verdict.json`: fractions; the differences on the average, and of the target and its baselines on each
    benchmark too."""
    any_of, all_of = by_k(a), by_k(a, "pass^k")
    return {
        "family": FAMILY,
        "scores": {m: [one.to_json() for one in scores(a, m, f)] for m, f in (("pass@k", any_of), ("pass^k", all_of))},
        "pairs": [one.to_json() for one in every_difference(a, any_of)],
    }


def every_difference(a: Analysis, found: Mapping[int, Groups]) -> list[PassAtK]:
    """What files hold: all pairs on the average, and those of the target on each benchmark where there are several."""
    one_by_one = a.benchmarks if len(a.benchmarks) > 1 else []
    return [
        *differences(a, found, [*targets(a), *starts(a)], [AVERAGE]),
        *differences(a, found, targets(a), one_by_one),
    ]
