"""`rence reproduce RUN --expected FILE`: does this reproduce published cells?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.records import SCHEMA, DataError, Published
from reports.data.agreement import analysed
from reports.data.checked import UNCHECKED, Checked
from reports.data.reproduced import SIGHT, OwnResults, PublishedFinding, Reproduced, reproduce, summary, unstated
from reports.data.scores import AVERAGE
from reports.document import Cell, Column, Row, Table, text
from reports.render import plain
from reports.words import GAP, p_text, percent, signed

TESTED = (PublishedFinding.CONSISTENT, PublishedFinding.DIFFERENT, PublishedFinding.NO_POWER)


@dataclass(frozen=True)
class Reproduction:
    """Each table of published scores beside one run."""

    run: str
    tables: list[tuple[Published, list[Reproduced], str | None]]
    """the published scores, their cells, and what they do not state"""
    alpha: float
    checked: Checked = UNCHECKED
    """whether the run's files are sealed, and what was let through there and of differences of settings"""
    titles: dict[str, str] = field(default_factory=dict)

    @property
    def cells(self) -> list[Reproduced]:
        """Of all tables."""
        return [cell for _, cells, _ in self.tables for cell in cells]

    @property
    def different(self) -> bool:
        """Whether a cell is not consistent."""
        return any(cell.finding is PublishedFinding.DIFFERENT for cell in self.cells)

    @property
    def answered(self) -> bool:
        """Whether anything was found: a cell that is consistent with power, or one that is not."""
        return any(cell.finding in (PublishedFinding.CONSISTENT, PublishedFinding.DIFFERENT) for cell in self.cells)

    def to_json(self) -> dict[str, Any]:
        """For `rence reproduce --json`; scores and differences are fractions."""
        return {
            "schema": SCHEMA,
            "run": self.run,
            "alpha": self.alpha,
            **self.checked.to_json(),
            "different": self.different,
            "answered": self.answered,
            "tables": [
                {
                    "title": published.title,
                    "summary": summary(cells, self.alpha),
                    "unstated": said,
                    "cells": [cell.to_json() for cell in cells],
                }
                for published, cells, said in self.tables
            ],
        }

    def text(self) -> str:
        """For a terminal: a table in percent and points for each file, what it comes to, what is not stated."""
        parts = []
        for published, cells, said in self.tables:
            columns = ["arm", "benchmark", "published", "ours", "ours − published", "within", "could see", "adjusted p"]
            heads = [Column(c, numeric=i > 1) for i, c in enumerate(columns)]
            rows = [self._row(cell) for cell in cells]
            parts += [
                f"{published.title}: {published.source}",
                plain.table(Table("reproduce", [*heads, Column("finding", numeric=False)], rows)),
                *([said] if said else []),
                *(f"{reason}." for reason in dict.fromkeys(reason for cell in cells for reason in cell.reasons)),
                summary(cells, self.alpha),
            ]
        return "\n\n".join([*parts, *self.checked.sentences, self._closing()])

    def _row(self, cell: Reproduced) -> Row:
        name = AVERAGE if cell.benchmark == AVERAGE else self.titles.get(cell.benchmark, cell.benchmark)
        return Row(
            [
                text(cell.arm if cell.ours in (None, cell.arm) else f"{cell.arm} ({cell.ours})"),
                text(name),
                Cell(percent(cell.published, cell.decimals)),
                Cell(percent(cell.score)),
                Cell(signed(cell.difference)),
                Cell(GAP if cell.within is None else " to ".join(map(percent, cell.within))),
                Cell(percent(cell.detectable)),
                Cell(p_text(cell.p_adjusted)),
                text(str(cell.finding)),
            ]
        )

    def _closing(self) -> str:
        how = (
            "Within: the published scores that chance and rounding alone bring beside ours, with the noise of both, on "
            "these problems. Could see: the true difference found with 80 % power; a test that could not see "
            f"{percent(SIGHT).removesuffix('.0')} points has no power."
        )
        if not self.answered:
            return f"{how}\nNothing is reproduced and nothing refuted: no cell could be tested with power."
        return how


def reproduction(run: Path, published: Sequence[Published], accept: str | None, alpha: float) -> Reproduction:
    """
    Args:
        published: a table each; a family of tests of its own.
        accept: a reason to compare what differs in model, decoding or golds, and what is not sealed as it was, all the
            same.
        alpha: of each table's tests together.

    Raises: DataError if it has none of the cells; else as `agreement.analysed`.
    """
    a = analysed(run, accept)
    own = OwnResults.of(a)
    tables = [(entry, reproduce(own, entry, alpha, accept is not None), unstated(own, entry)) for entry in published]
    cells = [cell for _, some, _ in tables for cell in some]
    absent = (PublishedFinding.NOT_RUN, PublishedFinding.UNKNOWN, PublishedFinding.OTHER_AVERAGE)
    if all(cell.finding in absent for cell in cells):
        arms = sorted({cell.arm for cell in cells})
        raise DataError(
            f"{run} has no result of a published cell: theirs are {', '.join(arms)} on "
            f"{', '.join(sorted({cell.benchmark for cell in cells}))}; ours are "
            f"{', '.join(sorted({arm for arm, _ in a.scores}))} on {', '.join(a.benchmarks)}.\n"
            "Arms are matched by their name or their algorithm: name one in FILE as the run does."
        )
    titles = {name: a.benchmark_title(name) for name in a.benchmarks}
    through = [reason for cell in cells for reason in cell.reasons] if accept is not None else []
    return Reproduction(str(run), tables, alpha, a.checked.letting(through, accept), titles)
