"""`--common`: of rows that are not complete, the problems that every evaluation of a benchmark has.

Raises, everywhere in this module: DataError where no problem is left.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from harness.importing.rows import NO_SEED
from harness.importing.spool import Who
from harness.records import DataError, LeftOut

NEXT = "--common keeps the problems that all have, and says what it leaves out"
"""what a refusal names as another way"""


@dataclass(frozen=True)
class Tally:
    """How one evaluation answered its problems."""

    benchmark: str
    """by its folder"""
    problems: np.ndarray
    """their numbers, ascending by id; a problem has the same number in every evaluation"""
    size: np.ndarray
    """attempts of each"""
    right: np.ndarray
    """those that are correct"""

    @property
    def k(self) -> int:
        """The most frequent number of attempts; of two that are as frequent the larger."""
        values, counts = np.unique(self.size, return_counts=True)
        return int(values[counts == counts.max()].max())

    @property
    def whole(self) -> np.ndarray:
        """Numbers of the problems that have k attempts, or more."""
        return self.problems[self.size >= self.k]


@dataclass(frozen=True)
class KeptRows:
    """Of each benchmark the problems that all its evaluations answered, each as often as it usually does.

    An evaluation's k is its problems' most frequent number of attempts. A problem with fewer is not complete; of one
    with more the first k are kept, by their numbers, which say nothing of whether they are correct.
    """

    tallies: Mapping[Who, Tally]
    common: Mapping[str, np.ndarray]
    """benchmark -> whether the problem of each number is kept"""
    left: Sequence[LeftOut]
    """of every evaluation of a benchmark that lost problems"""
    notes: Sequence[str]

    def of(self, who: Who, rows: pa.Table) -> pa.Table:
        """
        Args:
            rows: of one evaluation, as they were when `tally` took them.
        """
        tally = self.tallies[who]
        wanted = np.repeat(self.common[tally.benchmark][tally.problems], tally.size)
        wanted &= rows["sample"].to_numpy() < tally.k
        return rows if wanted.all() else rows.filter(pa.array(wanted))


def tally(benchmark: str, problems: Sequence[int], rows: pa.Table) -> Tally:
    """
    Args:
        problems: numbers of the problems, ascending by id.
        rows: of one evaluation, as `measuring.ordered` gives them.
    """
    first = np.flatnonzero(rows["sample"].to_numpy() == 0)
    size = np.diff(first, append=rows.num_rows)
    right = np.add.reduceat((rows["mark"].to_numpy() == "correct").astype(np.int32), first)
    return Tally(benchmark, np.array(problems, np.int32), size.astype(np.int32), right)


def keep(tallies: Mapping[Who, Tally]) -> KeptRows:
    """
    Args:
        tallies: in the order in which evaluations are told of.
    """
    by: dict[str, dict[Who, Tally]] = {}
    for who, one in tallies.items():
        by.setdefault(one.benchmark, {})[who] = one
    count = 1 + max(int(one.problems.max()) for one in tallies.values())
    kept: dict[str, np.ndarray] = {}
    left: list[LeftOut] = []
    surplus = 0
    for benchmark, those in by.items():
        asked = _evaluations([one.problems for one in those.values()], count)
        common = _evaluations([one.whole for one in those.values()], count) == len(those)
        if not common.any():
            raise DataError(_none(benchmark, those, int(np.sum(asked > 0))))
        kept[benchmark], out = common, (asked > 0) & ~common
        surplus += sum(int(np.sum(np.maximum(one.size - one.k, 0)[common[one.problems]])) for one in those.values())
        if out.any():
            left += [_left(who, one, int(common.sum()), out) for who, one in those.items()]
    notes = [f"{surplus:,} attempts more than others have of their problem were left out."] if surplus else []
    return KeptRows(tallies, kept, left, notes)


def _evaluations(problems: Sequence[np.ndarray], count: int) -> np.ndarray:
    """How many have the problem of each number."""
    return np.bincount(np.concatenate(problems), minlength=count)


def _none(benchmark: str, those: Mapping[Who, Tally], problems: int) -> str:
    counts = [len(one.whole) for one in those.values()]
    arm, seed, *_ = list(those)[int(np.argmin(counts))]
    return (
        f"{benchmark}: no problem was answered in full by all of its {len(counts):,} evaluations; "
        f"{arm}{'' if seed == NO_SEED else f' seed {seed}'} has {min(counts):,} of {problems:,}.\n"
        "There is nothing in common to compare: leave out a source, or complete it."
    )


def _left(who: Who, one: Tally, kept: int, out: np.ndarray) -> LeftOut:
    """
    Args:
        out: whether the problem of each number is left out.
    """
    arm, seed, step, _ = who
    size, right = np.zeros((2, len(out)), int)
    size[one.problems], right[one.problems] = one.size, one.right
    size, right = size[out], right[out]
    asked = np.maximum(size, one.k)
    # summed exactly, so in whatever order problems were numbered
    return LeftOut(
        arm=arm,
        seed=None if seed == NO_SEED else seed,
        step=step,
        benchmark=one.benchmark,
        kept=kept,
        problems=len(size),
        lacks=int(np.sum(size < one.k)),
        low=math.fsum(right / asked),
        high=math.fsum((right + asked - size) / asked),
    )
