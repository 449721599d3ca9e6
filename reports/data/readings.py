"""The same answers by other readings, and which part of a difference between arms is one of format.

The benchmark's rule reads the last box; anywhere in the text, an answer is found without one. So an arm that boxes more
of its right answers than another is above it by the rule, and not if answers may stand anywhere:

    difference by the rule = difference anywhere in the text + format

The first part is in what the answers are, the second in how they are written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.records import START
from reports.data import second_marker
from reports.data.analysis import Analysis, once
from reports.data.load import Run
from reports.data.pairs import Groups, Pair
from reports.data.scores import AVERAGE, Cells, Scores, complete, final, matrices
from reports.data.source_marks import MarkerPart, came_with
from reports.statistics import ROUNDING, Floats
from reports.words import signed

BOX, ANYWHERE = "mark_box", "mark_anywhere"
TITLES = {BOX: "last box", ANYWHERE: "anywhere in the text"}
BESIDE = {reading: f"rence's marker, {title}" for reading, title in TITLES.items()}
"""where the source of an import said what is correct"""
SECOND, SOURCE = "second marker", "the source's marks"
LACKING = "`rence grade FOLDER` derives them from the texts"
"""what a gap says"""
SHOWN = 0.0005
"""a part below it is 0.0 points, and not worth a sentence"""


@dataclass(frozen=True)
class FormatPart:
    """A difference between two arms, in its two parts. All are fractions."""

    anywhere: float
    """the difference, if answers may stand anywhere in the text"""
    format: float
    """the rest: what the difference by the rule has beyond it"""

    @property
    def shown(self) -> bool:
        """Whether there is a part to speak of."""
        return abs(self.format) >= SHOWN

    def to_json(self) -> dict[str, float]:
        """For `verdict.json`, `compare --json` and `gate --json`."""
        return {"anywhere": self.anywhere, "format": self.format}

    def sentence(self, name: str) -> str:
        """`Of ReNCE − GRPO, +24.0 points, +20.1 are format: anywhere in the text it is +3.9.`"""
        whole = self.anywhere + self.format
        return (
            f"Of {name}, {signed(whole)} points, {signed(self.format)} are format: if answers may stand anywhere in "
            f"the text, it is {signed(self.anywhere)}."
        )


def cells(evals: pd.DataFrame, problems: pd.DataFrame, reading: str) -> Cells:
    """The scores of these evaluations by a reading, `mark_box` or `mark_anywhere`, in the shape of the headline's; NaN
    where it is not known."""
    return matrices(evals, problems.assign(correct=problems[reading]))


def alternatives(run: Run, evals: pd.DataFrame, problems: pd.DataFrame) -> Iterator[tuple[str, Floats]]:
    """Name of a reading, and how many attempts at each of these problems are correct by it; NaN where that is not
    known. A reading that gives every attempt the mark of the rule is no alternative.

    Args:
        evals: some of the run's.
        problems: of these.
    """
    rule = problems["correct"].to_numpy()
    for reading, title in (BESIDE if came_with(evals) else TITLES).items():
        counts = problems[reading].to_numpy(dtype=float)
        if (counts != rule)[np.isfinite(counts)].any():
            yield title, counts
    seconds = second_marker.correct(run, evals)
    if seconds is not None:
        yield SOURCE if run.plan.imported else SECOND, np.concatenate(seconds)


def part(
    ours: Sequence[Scores], theirs: Sequence[Scores], ours_read: Sequence[Scores], theirs_read: Sequence[Scores]
) -> FormatPart | None:
    """Of two arms on the same benchmarks, by the rule and anywhere in the text; None where the latter is not known."""
    if not _known(ours_read, theirs_read):
        return None
    whole, anywhere = _mean(ours) - _mean(theirs), _mean(ours_read) - _mean(theirs_read)
    return FormatPart(_rounded(anywhere), _rounded(whole - anywhere))


def beside(
    ours: Sequence[Scores], theirs: Sequence[Scores], read: Mapping[str, tuple[Sequence[Scores], Sequence[Scores]]]
) -> MarkerPart | None:
    """Of two arms with the marks of their source; None where rence's are not known.

    Args:
        read: reading -> the same scores by it.
    """
    if not all(_known(*sides) for sides in read.values()):
        return None
    box, anywhere = (_rounded(_mean(read[name][0]) - _mean(read[name][1])) for name in (BOX, ANYWHERE))
    return MarkerPart(_rounded(_mean(ours) - _mean(theirs)), box, anywhere)


@once
def parts(a: Analysis) -> Mapping[tuple[str, str, str], FormatPart | MarkerPart]:
    """(arm, arm, column) -> the parts of that difference, of every pair where they are known; with marks of the source
    what it is by rence's."""
    evals, found = final(a.run), {}
    read = {reading: cells(evals, a.run.problems, reading) for reading in TITLES}
    sourced = came_with(evals)
    for pair in a.pairs:
        one = _of_pair(a, pair, read, sourced) if pair.estimate is not None else None
        if one is not None:
            found[pair.a, pair.b, pair.benchmark] = one
    return found


def of_groups(
    groups: Groups, read: Mapping[str, Groups], sides: tuple[str, str], sourced: bool
) -> dict[str, FormatPart | MarkerPart]:
    """Column -> the parts of the difference between two sides, where they are known.

    Args:
        read: reading -> the groups by it.
        sourced: whether the groups' own marks are those of an import's source.
    """
    found: dict[str, FormatPart | MarkerPart | None] = {}
    for name in dict.fromkeys(column for _, column in groups):
        ours, theirs = (groups[side, name] for side in sides)
        by = {reading: (of[sides[0], name], of[sides[1], name]) for reading, of in read.items()}
        found[name] = beside(ours, theirs, by) if sourced else part(ours, theirs, *by[ANYWHERE])
    return {name: one for name, one in found.items() if one}


def sentences(a: Analysis) -> list[str]:
    """For a verdict: of each difference on the average that has a part of format to speak of."""
    known = parts(a)
    return [
        one.sentence(f"{a.label(pair.a)} − {a.label(pair.b)}")
        for pair in a.family("primary")
        if (one := known.get((pair.a, pair.b, pair.benchmark))) and one.shown
    ]


def lacking(a: Analysis) -> bool:
    """Whether some answers of the headline have no marks by the readings."""
    problems = a.run.problems
    there = problems["eval"].isin(list(final(a.run).index)).to_numpy()
    return bool(problems[ANYWHERE].isna().to_numpy()[there].any())


def _of_pair(a: Analysis, pair: Pair, read: Mapping[str, Cells], sourced: bool) -> FormatPart | MarkerPart | None:
    benchmarks = a.benchmarks if pair.benchmark == AVERAGE else [pair.benchmark]
    # two arms, each at the headline and by both readings
    rows = [[complete(cells, arm, benchmarks) for arm in (pair.a, pair.b)] for cells in (a.cells, *read.values())]
    groups = [side for row in rows for side in row if side is not None]
    if len(groups) < 2 * len(rows):
        return None
    if a.run.plan.comparison.pair_seeds and START not in (pair.a, pair.b):
        shared = tuple(seed for seed in groups[0][0].seeds if seed in groups[1][0].seeds)
        if len(shared) > 1:  # as `pairs.difference` does
            groups = [[scores.only(shared) for scores in group] for group in groups]
    ours, theirs, *others = groups
    sides = {name: (others[2 * i], others[2 * i + 1]) for i, name in enumerate(read)}
    return beside(ours, theirs, sides) if sourced else part(ours, theirs, *sides[ANYWHERE])


def _known(*sides: Sequence[Scores]) -> bool:
    return all(np.isfinite(scores.values).all() for side in sides for scores in side)


def _mean(found: Sequence[Scores]) -> float:
    return float(np.mean([scores.values.mean() for scores in found]))


def _rounded(value: float) -> float:
    """0 where it is rounding alone."""
    return value if abs(value) > ROUNDING else 0.0
