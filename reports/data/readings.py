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
from reports.data.analysis import Analysis
from reports.data.load import Run
from reports.data.pairs import Pair
from reports.data.scores import AVERAGE, Cells, Scores, complete, final, matrices
from reports.statistics import ROUNDING, Floats
from reports.words import signed

BOX, ANYWHERE = "mark_box", "mark_anywhere"
TITLES = {BOX: "last box", ANYWHERE: "anywhere in the text"}
SECOND = "second marker"
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
    for reading, title in TITLES.items():
        counts = problems[reading].to_numpy(dtype=float)
        if (counts != rule)[np.isfinite(counts)].any():
            yield title, counts
    seconds = second_marker.correct(run, evals)
    if seconds is not None:
        yield SECOND, np.concatenate(seconds)


def part(
    ours: Sequence[Scores], theirs: Sequence[Scores], ours_read: Sequence[Scores], theirs_read: Sequence[Scores]
) -> FormatPart | None:
    """Of two arms on the same benchmarks, by the rule and anywhere in the text; None where the latter is not known."""
    if not all(np.isfinite(scores.values).all() for scores in (*ours_read, *theirs_read)):
        return None
    whole, anywhere = _mean(ours) - _mean(theirs), _mean(ours_read) - _mean(theirs_read)
    return FormatPart(_rounded(anywhere), _rounded(whole - anywhere))


def parts(a: Analysis) -> Mapping[tuple[str, str, str], FormatPart]:
    """(arm, arm, column) -> the parts of that difference, of every pair where they are known."""
    evals = final(a.run)
    read, found = cells(evals, a.run.problems, ANYWHERE), {}
    for pair in a.pairs:
        one = _of_pair(a, pair, read) if pair.estimate is not None else None
        if one is not None:
            found[pair.a, pair.b, pair.benchmark] = one
    return found


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


def _of_pair(a: Analysis, pair: Pair, read: Cells) -> FormatPart | None:
    benchmarks = a.benchmarks if pair.benchmark == AVERAGE else [pair.benchmark]
    sides = [(complete(a.cells, arm, benchmarks), complete(read, arm, benchmarks)) for arm in (pair.a, pair.b)]
    (ours, ours_read), (theirs, theirs_read) = sides
    if ours is None or theirs is None or ours_read is None or theirs_read is None:
        return None
    groups = [ours, theirs, ours_read, theirs_read]
    if a.run.plan.comparison.pair_seeds and START not in (pair.a, pair.b):
        shared = tuple(seed for seed in ours[0].seeds if seed in theirs[0].seeds)
        if len(shared) > 1:  # as `pairs.difference` does
            groups = [[scores.only(shared) for scores in group] for group in groups]
    return part(groups[0], groups[1], groups[2], groups[3])


def _mean(found: Sequence[Scores]) -> float:
    return float(np.mean([scores.values.mean() for scores in found]))


def _rounded(value: float) -> float:
    """0 where it is rounding alone."""
    return value if abs(value) > ROUNDING else 0.0
