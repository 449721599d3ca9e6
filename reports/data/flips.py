"""Which problems one arm solves and another does not, and whether for want of maths or of a final answer.

A problem is solved if more than half of an arm's attempts at it are correct, over all its seeds and samples. These are
counts that describe; whether two arms differ is the paired difference's to say (`reports.data.pairs`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from harness.records import DataError
from reports.data.load import MARKS, Run, read_by
from reports.data.scores import final
from reports.data.source_marks import came_with

Category = Literal["gained", "lost", "both", "neither"]
Kind = Literal["format", "maths", "marker"]
CATEGORIES: tuple[Category, ...] = ("gained", "lost", "both", "neither")
"""solved by the first arm alone, by the second alone, by both, by neither"""
KINDS: tuple[Kind, ...] = ("format", "maths", "marker")
CORRECT, WRONG, NO_ANSWER, TRUNCATED, MARKER = (
    MARKS.index(mark) for mark in ("correct", "wrong", "no_answer", "truncated", "grader_failed")
)


@dataclass(frozen=True)
class FlipCounts:
    """One arm on one benchmark at the headline, its seeds put together."""

    ids: list[str]
    evals: tuple[int, ...]
    """rows of `Run.evals`, by seed"""
    marks: np.ndarray
    """problems x the five marks: counts"""
    coarse: bool = False
    """whether an import told correct from not correct and no more"""
    anywhere: np.ndarray | None = None
    """for each problem: how many attempts are correct if an answer may stand anywhere in the text; None: not known"""

    @property
    def attempts(self) -> np.ndarray:
        """int, for each problem: all attempts, whatever their mark."""
        return self.marks.sum(axis=1)

    @cached_property
    def share(self) -> np.ndarray:
        """of a problem's attempts that are correct"""
        return self.marks[:, CORRECT] / self.attempts

    @cached_property
    def solved(self) -> np.ndarray:
        """bool, for each problem: more than half of its attempts are correct; half is not enough."""
        return 2 * self.marks[:, CORRECT] > self.attempts

    @cached_property
    def solved_anywhere(self) -> np.ndarray | None:
        """`solved`, if an answer may stand anywhere in the text."""
        return None if self.anywhere is None else 2 * self.anywhere > self.attempts

    @cached_property
    def kind(self) -> np.ndarray:
        """Place in KINDS, of what kept a problem from being solved. `format`: more than half of its incorrect attempts
        have no answer (none found, or truncated before one), those aside that the marker failed on; `marker`: it
        failed on all of them; otherwise `maths`."""
        none = self.marks[:, NO_ANSWER] + self.marks[:, TRUNCATED]
        wrong = self.marks[:, WRONG]
        return np.select([none > wrong, wrong > 0], [0, 1], 2)

    @cached_property
    def shown(self) -> np.ndarray:
        """The mark of the attempt that stands for the arm: correct if it solves the problem; if not, the most frequent
        one of those that made the kind."""
        empty = np.where(self.marks[:, TRUNCATED] > self.marks[:, NO_ANSWER], TRUNCATED, NO_ANSWER)
        incorrect = np.choose(self.kind, [empty, np.full_like(empty, WRONG), np.full_like(empty, MARKER)])
        return np.where(self.solved, CORRECT, incorrect)


@dataclass(frozen=True)
class Flips:
    """Two arms on one benchmark, problem by problem: a - b."""

    a: FlipCounts
    b: FlipCounts

    @cached_property
    def difference(self) -> np.ndarray:
        """of the shares correct"""
        return self.a.share - self.b.share

    @cached_property
    def category(self) -> np.ndarray:
        """place in CATEGORIES"""
        return np.select([self.a.solved & ~self.b.solved, ~self.a.solved & self.b.solved, self.a.solved], [0, 1, 2], 3)

    @cached_property
    def kind(self) -> np.ndarray:
        """Place in KINDS, of problems that flipped; -1 for the others, and where it is not known.

        Where the answers of both sides were read anywhere in the text too, a flip is of maths if the same side alone
        solves it so too, else of format. Otherwise, and where the marker failed on all, the kind is that of the side
        that does not solve it.
        """
        flipped, by_marks = [self.category == 0, self.category == 1], [self.b.kind, self.a.kind]
        ours, theirs = self.a.solved_anywhere, self.b.solved_anywhere
        if ours is None or theirs is None:
            return np.full(len(self.category), -1) if self.coarse else np.select(flipped, by_marks, -1)
        remains = np.select(flipped, [ours & ~theirs, theirs & ~ours], False)
        failed = np.zeros(len(remains), bool) if self.coarse else np.select(flipped, by_marks, -1) == 2
        return np.select([~(flipped[0] | flipped[1]), remains, failed], [-1, 1, 2], 0)

    @property
    def read_anywhere(self) -> bool:
        """Whether the kinds are by the readings of both sides."""
        return self.a.anywhere is not None and self.b.anywhere is not None

    @property
    def coarse(self) -> bool:
        """Whether of either side no more is known than correct or not."""
        return self.a.coarse or self.b.coarse

    def count(self, category: Category, kind: Kind | None = None) -> int:
        """How many problems are of a category, and of a kind."""
        here = self.category == CATEGORIES.index(category)
        return int((here if kind is None else here & (self.kind == KINDS.index(kind))).sum())

    def largest(self, category: Category, most: int) -> list[int]:
        """Places of the problems of a category with the largest differences, first problems first among equals."""
        places = np.flatnonzero(self.category == CATEGORIES.index(category))
        order = np.argsort(-np.abs(self.difference[places]), kind="stable")
        return places[order[:most]].tolist()


def tallies(run: Run) -> dict[tuple[str, str], FlipCounts]:
    """(arm, benchmark) -> its marks at the headline; a missing key is a gap."""
    evals = final(run).sort_values(["arm", "benchmark", "seed"])
    found: dict[tuple[str, str], list[int]] = {}
    for e, arm, benchmark in zip(evals.index.tolist(), evals["arm"], evals["benchmark"], strict=True):
        found.setdefault((arm, benchmark), []).append(e)
    coarse = set(run.imported.coarse) if run.imported else set()
    return {key: tally(run, places, key[1] in coarse) for key, places in found.items()}


def tally(run: Run, evals: list[int], coarse: bool) -> FlipCounts:
    """Some evaluations of one arm on one benchmark, put together.

    Args:
        evals: rows of `Run.evals`.
        coarse: whether no more is known than correct or not.
    """
    each = [run.attempts[e].marks for e in evals]
    counts = [[(marks == place).sum(axis=1) for place in range(len(MARKS))] for marks in each]
    read = np.sum([read_by(run.attempts[e], "mark_anywhere") for e in evals], axis=0)
    # of the marks of an import's source a reading of ours does not tell what is format
    known = np.isfinite(read).all() and not came_with(run.evals.loc[evals])
    anywhere = read.astype(int) if known else None
    return FlipCounts(run.attempts[evals[0]].ids, tuple(evals), np.sum(counts, axis=0).T, coarse, anywhere)


def flips(a: FlipCounts, b: FlipCounts) -> Flips:
    """Raises: DataError if they were asked different problems."""
    if a.ids != b.ids:
        raise DataError("Two arms were asked different problems of one benchmark; they cannot be paired.")
    return Flips(a, b)


def representative(run: Run, tally: FlipCounts, problem: int) -> tuple[int, int]:
    """The attempt that stands for an arm: row of `Run.evals` and sample; the lowest seed that has one with the mark
    `FlipCounts.shown`, and its first."""
    mark = tally.shown[problem]
    for e in tally.evals:
        samples = np.flatnonzero(run.attempts[e].marks[problem] == mark)
        if len(samples):
            return e, int(samples[0])
    raise AssertionError("a mark is only shown where it was counted")
