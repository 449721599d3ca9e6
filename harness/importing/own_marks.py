"""Our marker's marks beside those of the source: of answers that came with a text and a gold.

What the source says stays the headline. Beside it stand the marks by both readings, so that a report can say what of a
difference depends on the marker. Marking takes longer than reading, so of large imports it is left to `rence grade`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from benchmarks.marks import Reading
from harness.importing.marking import Marker
from harness.importing.rows import FoundRows

MOST_ANSWERS, MOST_BYTES = 12_000, 1 << 26
"""of an import, that are marked: 0.05 to 3 ms each, and as many megabytes as so many answers have"""
READINGS = {Reading.BOX: "mark_box", Reading.ANYWHERE: "mark_anywhere"}


def beside(found: FoundRows) -> FoundRows:
    """The same rows with our marks, where they have marks of the source alone, and texts; and a note that says so."""
    large = sum(source.path.stat().st_size for source in found.sources) > MOST_BYTES
    marked = _Marked(large)
    return replace(found, parts=map(marked.mark, found.parts), notes=lambda: [*found.notes(), *marked.notes()])


class _Marked:
    """How far marking has come."""

    def __init__(self, large: bool) -> None:
        self.left = 0 if large else MOST_ANSWERS
        self.answers, self.agree, self.skipped, self.missing = 0, 0, 0, ""

    def mark(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Once an answer was left out, all later ones are: which are marked does not depend on the parts."""
        from benchmarks.marking.pool import MarkerMissing

        there = rows["mark_anywhere"].isna() & rows["response"].notna() & rows["gold"].notna()
        places = rows.index[there.to_numpy()]
        chosen, self.skipped = places[: self.left], self.skipped + max(0, len(places) - self.left)
        self.left -= len(chosen)
        if not len(chosen):
            return rows
        some = rows.loc[chosen]
        try:
            marked = Marker().readings(some)
        except MarkerMissing as error:
            self.left, self.skipped, self.missing = 0, self.skipped + len(chosen), str(error)
            return rows
        rows = rows.assign(**{name: rows[name].astype(object) for name in READINGS.values()})
        for reading, name in READINGS.items():
            rows.loc[chosen, name] = [str(one[reading].mark) for one in marked]
        self.answers += len(chosen)
        self.agree += int(((rows.loc[chosen, "mark_anywhere"] == "correct") == (some["mark"] == "correct")).sum())
        return rows

    def notes(self) -> Iterator[str]:
        if self.answers:
            share = 100 * self.agree / self.answers
            yield (
                f"rence's marker read {self.answers:,} of the answers too: wherever in the text an answer stands, it "
                f"agrees with the source on {share:.1f} %. The source's marks count; --mark takes rence's."
            )
        if self.skipped:
            why = self.missing or "`rence grade RUN` does it."
            yield f"rence's marker did not read {self.skipped:,} answers that have texts. {why}"
