"""What `rence grade` says of a file: counts, agreement, misses, and every line with its mark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.marks import Mark, disagree
from rence.cli.console import out, table

if TYPE_CHECKING:
    from benchmarks.marks import Marked, Reading
    from rence.cli.graded_rows import GradedRow

_MOST_SHOWN = 100
"""characters of a text in the list of misses, from its end"""
_MOST_LINES = 5
"""numbers of lines in a warning"""


@dataclass(frozen=True)
class Graded:
    """Rows with what became of them."""

    rows: Sequence[GradedRow]
    marked: Sequence[Marked]
    others: Sequence[Mark] | None
    """marks of plain Math-Verify; None: it was not asked"""
    reading: Reading
    version: str
    """the marker's"""


def lines(found: Graded) -> list[dict[str, Any]]:
    """The file's lines with what was found, and how."""
    made = [
        {
            **row.data,
            "mark": one.mark,
            "answer": one.answer,
            "reason": one.reason,
            "place": one.place or None,
            "reading": found.reading,
            "rule": row.rule.form,
            "tolerance": row.rule.tolerance,
            "grader_version": found.version,
        }
        for row, one in zip(found.rows, found.marked, strict=True)
    ]
    for line, other in zip(made, found.others or (), strict=found.others is not None):
        line["mark_second"] = other
    return made


def summary(found: Graded) -> dict[str, Any]:
    """Counts of marks, of rules and of places where answers were found; where lines have `expected`, the agreement and
    the misses; where Math-Verify was asked, on how many rows one calls correct what the other does not."""
    pairs = list(zip(found.rows, found.marked, strict=True))
    made: dict[str, Any] = {
        "rows": len(pairs),
        "marks": _counts(one.mark for one in found.marked),
        "reading": found.reading.value,
        "rules": _counts(row.rule.label for row in found.rows),
        "found": _counts(one.place or "none" for one in found.marked),
        "grader_version": found.version,
    }
    labelled = [(row, one) for row, one in pairs if row.expected is not None]
    if labelled:
        misses = [(row, one) for row, one in labelled if not _agrees(row, one)]
        made["labelled"], made["agree"] = len(labelled), len(labelled) - len(misses)
        made["failed"] = sum(one.mark == Mark.GRADER_FAILED for _, one in labelled)
        made["misses"] = [_miss(row, one) for row, one in misses]
    if found.others is not None:
        made["markers_disagree"] = sum(disagree(one.mark, o) for one, o in zip(found.marked, found.others, strict=True))
        made["second_marker_failed"] = sum(other == Mark.GRADER_FAILED for other in found.others)
    return made


def _agrees(row: GradedRow, one: Marked) -> bool:
    """A marker that failed agrees with nothing."""
    return one.mark != Mark.GRADER_FAILED and (one.mark == Mark.CORRECT) == row.expected


def _miss(row: GradedRow, one: Marked) -> dict[str, Any]:
    said = {key: row.data[key] for key in ("gold", "pred", "expected")}
    return {
        "line": row.line, **said, "rule": row.rule.label, "mark": one.mark, "answer": one.answer, "reason": one.reason
    }  # fmt: skip


def _counts(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(map(str, words)).items()))


def no_gold(file: Path, numbers: Sequence[int]) -> str:
    """The warning of golds in which no answer is stated.

    Args:
        numbers: their lines.
    """
    shown = ", ".join(map(str, numbers[:_MOST_LINES]))
    more = f" and {len(numbers) - _MOST_LINES:,} more" if len(numbers) > _MOST_LINES else ""
    return (
        f"{file}: {len(numbers):,} golds state no answer (line {shown}{more}): Math-Verify searches them for one, else "
        "they are compared as texts. A gold should be the answer alone, or a box."
    )


def show(summary: Mapping[str, Any]) -> None:
    """For people. The answer is the one that was found, or else the end of the text in which none was."""
    shown = table("mark", "rows", numbers=("rows",))
    for name, count in summary["marks"].items():
        shown.add_row(name, f"{count:,}")
    out().print(shown)
    rules, places = (", ".join(f"{word} {n:,}" for word, n in summary[key].items()) for key in ("rules", "found"))
    out().print(f"Reading {summary['reading']}. Rules: {rules}. Answers were found: {places}.")
    if "markers_disagree" in summary:
        failed = summary["second_marker_failed"]
        out().print(
            f"On {summary['markers_disagree']:,} of {summary['rows']:,} rows one of the marker and plain Math-Verify "
            f"says correct and the other does not; Math-Verify failed on {failed:,}."
        )
    if "labelled" in summary:
        agree, labelled, failed = summary["agree"], summary["labelled"], summary["failed"]
        apart = f"; the marker failed on {failed:,}, which agree with nothing" if failed else ""
        out().print(f"Agreement: {agree:,} of {labelled:,} ({100 * agree / labelled:.2f} %){apart}")
    if summary.get("misses"):
        listed = table("line", "expected", "mark", "gold", "answer", "reason", numbers=("line",))
        for miss in summary["misses"]:
            answer = miss["answer"] if miss["answer"] is not None else miss["pred"]
            expected = "correct" if miss["expected"] else "wrong"
            cells = (_end(text) for text in (str(miss["gold"]), answer, miss["reason"]))
            listed.add_row(str(miss["line"]), expected, miss["mark"], *cells)
        out().print(listed)
    out().print(f"Marker {summary['grader_version']}")


def _end(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _MOST_SHOWN else f"…{flat[-_MOST_SHOWN:]}"
