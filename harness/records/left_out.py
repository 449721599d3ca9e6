"""What an evaluation was left with when only the problems were kept that all have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.records.allowed import Whole

_MOST_NAMED = 4


@dataclass(frozen=True)
class LeftOut:
    """Of one evaluation: problems of its benchmark that another one has, or that it has itself, and that not all have.

    `low` and `high` bound the sum of its shares of correct attempts over these problems: what is known of them counts
    as it is, what is missing as 0 or as 1.
    """

    arm: str
    seed: int | None
    """None for a model that was not trained here"""
    step: int
    benchmark: str
    kept: Whole
    """problems that all have"""
    problems: Whole
    """those left out"""
    lacks: Whole
    """of them, those that this evaluation lacks, in whole or in part"""
    low: float
    high: float

    @property
    def who(self) -> str:
        """`grpo seed 0`"""
        return self.arm if self.seed is None or self.seed < 0 else f"{self.arm} seed {self.seed}"


def sentences(left: Iterable[LeftOut]) -> Iterator[str]:
    """One for each benchmark of which something was left out: how much, and on which side it lacks."""
    by: dict[str, list[LeftOut]] = {}
    for one in left:
        by.setdefault(one.benchmark, []).append(one)
    for benchmark, all_of in by.items():
        kept, problems = all_of[0].kept, all_of[0].problems
        if not problems:
            continue
        lacking: dict[str, int] = {}
        for one in all_of:
            lacking[one.who] = max(lacking.get(one.who, 0), one.lacks)
        named = [f"{who} lacks {count:,}" for who, count in lacking.items() if count]
        more = f", and {len(named) - _MOST_NAMED:,} more" if len(named) > _MOST_NAMED else ""
        yield (
            f"{benchmark}: {kept:,} of {kept + problems:,} problems are kept, those that all have; "
            f"{', '.join(named[:_MOST_NAMED])}{more}."
        )
