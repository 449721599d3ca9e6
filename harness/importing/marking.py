"""Marks for rows that have none, by our own marker, and by which rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import pandas as pd

from benchmarks.marks import MATHS, Form, Mark, Marked, Reading, Rule
from harness.base.errors import UserError

if TYPE_CHECKING:
    from benchmarks.marking.pool import Pool

_PLACES = {
    Reading.BOX: "the answer is what the last box holds",
    Reading.RULE: "the answer is what the last box holds, or of multiple choice a letter that is announced",
    Reading.ANYWHERE: "the answer may stand anywhere",
}
CUT_OFF = ("length", "context", "max_tokens")
"""finish reasons of answers that a limit ended"""


@dataclass
class MarkCount:
    """What was marked so far."""

    responses: int = 0
    unanswered: int = 0

    def of(self, marked: pd.DataFrame) -> pd.DataFrame:
        """The same rows, counted."""
        self.responses += len(marked)
        self.unanswered += marked["mark"].tolist().count(Mark.NO_ANSWER.value)
        return marked


@dataclass(frozen=True)
class Marker:
    """How responses are marked against their golds."""

    reading: Reading = Reading.RULE
    """how an answer is found; as the benchmark's rule reads, as in evaluations, or anywhere, as in `rence grade`"""
    form: Form | None = None
    """what answers are, where a row does not say; None: what the benchmark says, or mathematical expressions"""
    tolerance: float | None = None
    """relative, for decimals; None: the benchmark's own, if it is one of ours, or none"""
    workers: int | None = None
    """processes for Math-Verify; None: one a core"""

    @property
    def version(self) -> str:
        """What `grader_version` records."""
        from benchmarks.marking import MARKER_VERSION

        own = self.reading is Reading.RULE
        return MARKER_VERSION if own else f"{MARKER_VERSION}, reading {self.reading}"

    def notes(self, count: MarkCount) -> list[str]:
        """How it marked, for the import's record, and in how many responses it found no answer."""
        allowed = "each benchmark's own tolerance" if self.tolerance is None else f"tolerance {self.tolerance:g}"
        form = f"rule {self.form}, " if self.form else ""
        said = [
            f"Marked by rence's marker, version {self.version}: {_PLACES[self.reading]}; {form}{allowed} for decimals."
        ]
        if count.unanswered:
            more = "" if self.reading is Reading.ANYWHERE else " `--reading anywhere` also takes answers without a box."
            said.append(f"No answer was found in {count.unanswered:,} of {count.responses:,} responses.{more}")
        return said

    def rule(self, benchmark: str) -> Rule:
        """What counts as equal to a gold: the benchmark's own rule, but for what was asked for."""
        from benchmarks.registry import BENCHMARKS

        known = BENCHMARKS.get(benchmark)
        rule = (known and known.rule) or MATHS
        form, tolerance = self.form or rule.form, rule.tolerance if self.tolerance is None else self.tolerance
        return replace(rule, form=form, tolerance=tolerance)

    def mark(self, rows: pd.DataFrame, rules: Sequence[Rule] | None = None) -> pd.DataFrame:
        """The rows with mark, answer, the marks by the readings, and the marker's version; a mark that they had is
        then `mark_second`.

        Args:
            rules: of each row; None: its column `rule`, a word, where it says one, else what its benchmark says.
        Raises: UserError with the command to install what is missing.
        """
        from benchmarks.marking.pool import MarkerMissing

        try:
            marked = self.readings(rows, rules)
        except MarkerMissing as error:
            raise UserError(str(error)) from None
        # what the source said stays beside it
        second = {"mark_second": rows["mark"]} if "mark" in rows else {}
        return rows.assign(
            mark=[str(one[self.reading].mark) for one in marked],
            answer=_column([one[self.reading].answer for one in marked]),
            mark_box=[str(one[Reading.BOX].mark) for one in marked],
            mark_anywhere=[str(one[Reading.ANYWHERE].mark) for one in marked],
            grader_version=self.version,
            **second,
        )

    def readings(self, rows: pd.DataFrame, rules: Sequence[Rule] | None = None) -> list[Mapping[Reading, Marked]]:
        """What each reading makes of the rows' responses.

        Args:
            rules: as of `mark`.
        Raises: MarkerMissing.
        """
        from benchmarks.marking import mark_readings
        from benchmarks.marks import Response

        # A row knows best what its answer is, then the command, then its benchmark.
        if rules is None:
            known = {name: self.rule(name) for name in rows["benchmark"].unique()}
            own = rows["rule"] if "rule" in rows else [None] * len(rows)
            pairs = zip(rows["benchmark"], own, strict=True)
            rules = [replace(known[n], form=Form(word)) if isinstance(word, str) else known[n] for n, word in pairs]
        columns = (rows["response"], rows["gold"], rules, rows["finish_reason"].isin(CUT_OFF))
        responses = [Response(text, gold, rule, bool(cut)) for text, gold, rule, cut in zip(*columns, strict=True)]
        pool = _pool(self.workers) if self.workers else None
        return list(mark_readings(responses, pool, self.reading))


@cache
def _pool(workers: int) -> Pool:
    """One for all parts of an import; its workers end with the process."""
    from benchmarks.marking.pool import Pool

    return Pool(workers)


def _column(answers: Sequence[str | None]) -> pd.Series:
    return pd.Series(list(answers), dtype=object)
