"""What became of the answers: the five marks, beside the score. Absence is never zero."""

from __future__ import annotations

from harness.records import START
from reports.data.analysis import Analysis
from reports.data.load import MARKS
from reports.document import Cell, Column, Folded, Row, Section, Table, text
from reports.words import GAP, count, percent

TITLES = {
    "correct": "correct",
    "wrong": "wrong",
    "no_answer": "no answer",
    "truncated": "truncated",
    "grader_failed": "marker failed",
}
CAPTION = (
    "Attempts at the headline, over all seeds, and their share in percent. Only correct ones score: no answer "
    "(finished without one), truncated (stopped by the token limit before one) and marker failed (the comparison broke "
    "or ran out of time) count as not correct and are shown. Length is the mean number of tokens of an answer."
)


def section(a: Analysis) -> Section | None:
    if not a.marks:
        return None
    each = [_row(a, arm, name, a.marks[arm, name]) for arm in a.rows for name in a.benchmarks if (arm, name) in a.marks]
    rows = [_row(a, arm, "all", total) for arm in a.rows if (total := _total(a, arm))["attempts"]]
    blocks = [_table("marks", rows, CAPTION), Folded("By benchmark", [_table("marks-by-benchmark", each, "")])]
    return Section("marks", "What became of the answers", blocks if len(a.benchmarks) > 1 else blocks[:1])


def _table(name: str, rows: list[Row], caption: str) -> Table:
    columns = [Column("", numeric=False), Column("Benchmark", numeric=False), Column("Attempts")]
    return Table(name, [*columns, *(Column(TITLES[mark]) for mark in MARKS), Column("Length")], rows, caption)


def _total(a: Analysis, arm: str) -> dict[str, int]:
    counts = [counts for (name, _), counts in a.marks.items() if name == arm]
    known = [key for key in (*MARKS, "attempts", "tokens") if all(key in one for one in counts)]
    return {key: sum(one[key] for one in counts) for key in known}


def _row(a: Analysis, arm: str, benchmark: str, counts: dict[str, int]) -> Row:
    attempts = counts["attempts"]
    shares = [_share(counts[mark], attempts) if mark in counts else Cell(GAP) for mark in MARKS]
    length = counts["tokens"] / attempts if "tokens" in counts else None
    cells = [text(a.label(arm)), text(a.benchmark_title(benchmark)), Cell(count(attempts), attempts), *shares]
    cells.append(Cell(GAP if length is None else f"{length:.1f}", length))
    return Row(cells, quiet=arm == START)


def _share(number: int, attempts: int) -> Cell:
    return Cell(count(number), number, spread=f"{percent(number / attempts)} %")
