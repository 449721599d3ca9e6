"""Published scores beside ours: is a printed score within our interval, and could it be one at all?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from harness.records import START, Published
from reports.analysis import Analysis, Score
from reports.scores import AVERAGE

PRINTED = 0.0005 + 1e-9
"""half of the last digit of a score that is printed in percent with one decimal, as a fraction"""


class Finding(StrEnum):
    """What setting a published score beside ours came to."""

    WITHIN = "within our interval"
    OUTSIDE = "outside our interval"
    NO_INTERVAL = "no interval of ours"
    NOT_RUN = "not run"
    UNKNOWN = "not known"
    OTHER_AVERAGE = "over other benchmarks"


@dataclass(frozen=True)
class Reproduced:
    """One published cell. Scores are fractions."""

    arm: str
    """theirs"""
    ours: str | None
    """our arm of that name or that algorithm; None if there is none"""
    benchmark: str
    published: float | None
    score: Score | None
    finding: Finding

    @property
    def difference(self) -> float | None:
        """Ours minus theirs."""
        return None if self.published is None or self.score is None else self.score.estimate.value - self.published

    def to_json(self) -> dict[str, Any]:
        return {
            "arm": self.arm,
            "ours": self.ours,
            "benchmark": self.benchmark,
            "published": self.published,
            "mean": self.score.estimate.value if self.score else None,
            "difference": self.difference,
            "finding": str(self.finding),
        }


def compare(a: Analysis, published: Published) -> list[Reproduced]:
    """Every cell, in the order of the file."""
    return [
        _cell(a, published, arm, benchmark, percent)
        for arm, row in published.percent.items()
        for benchmark, percent in row.items()
    ]


def _cell(a: Analysis, published: Published, arm: str, benchmark: str, percent: float | None) -> Reproduced:
    ours = _ours(a, arm)
    theirs = None if percent is None else percent / 100
    score = None if ours is None else a.scores.get((ours, benchmark))
    if theirs is None:
        finding = Finding.UNKNOWN
    elif benchmark == AVERAGE and set(published.percent[arm]) - {AVERAGE} != set(a.benchmarks):
        finding, score = Finding.OTHER_AVERAGE, None
    elif score is None:
        finding = Finding.NOT_RUN
    elif score.estimate.interval is None:
        finding = Finding.NO_INTERVAL
    else:
        low, high = score.estimate.interval
        finding = Finding.WITHIN if low - PRINTED <= theirs <= high + PRINTED else Finding.OUTSIDE
    return Reproduced(arm, ours, benchmark, theirs, score, finding)


def _ours(a: Analysis, theirs: str) -> str | None:
    """Our arm of that name; else the one whose algorithm has it, if it is one."""
    if theirs == START or any(arm.name == theirs for arm in a.arms):
        return theirs
    same = [arm.name for arm in a.arms if arm.algorithm == theirs]
    return same[0] if len(same) == 1 else None


def impossible(a: Analysis, published: Published) -> Iterator[tuple[str, str, float]]:
    """Arm, benchmark and percent of each printed score that no number of correct answers gives, had they been asked our
    problems k times each: their problems, or their k, are then others than they seem."""
    sizes = {benchmark: score.n_problems for (_, benchmark), score in a.scores.items() if benchmark != AVERAGE}
    for arm, row in published.percent.items():
        for benchmark, percent in row.items():
            answers = sizes.get(benchmark, 0) * published.attempts.get(benchmark, 0)
            if percent is not None and answers and not _possible(percent / 100, answers):
                yield arm, benchmark, percent


def _possible(score: float, answers: int) -> bool:
    return abs(round(score * answers) / answers - score) <= PRINTED
