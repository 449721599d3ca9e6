"""`rence grade`: marks for any file of answers."""

from __future__ import annotations

import json as jsonlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.marks import Form, Reading
from harness.base.errors import UserError
from harness.records import write_text
from rence.cli import exploiting
from rence.cli.console import Json, command, out, print_json, table

if TYPE_CHECKING:
    from benchmarks.marks import Mark, Marked, Rule

File = Annotated[
    Path | None, typer.Argument(metavar="FILE.jsonl", help="Lines with `gold` and `pred`.", show_default=False)
]
_FORMS = ", ".join(Form)
_MOST_SHOWN = 100
"""characters of a text in the list of misses, from its end"""


def add_to(app: typer.Typer) -> None:
    command(app)(grade)


@dataclass(frozen=True)
class GradedRow:
    """One line of the file."""

    line: int
    data: Mapping[str, Any]

    @property
    def expected(self) -> bool | None:
        """Whether the file calls the answer right; None where it does not say."""
        found = self.data.get("expected")
        return None if found is None else bool(found)

    def rule(self, form: Form, tolerance: float) -> Rule:
        """Its own form and tolerance, where it has them, such as decimal digits in Math-Verify's cases; else these."""
        from benchmarks.marks import Rule

        extra = self.data.get("extra")
        digits = extra.get("precision") if isinstance(extra, Mapping) else None
        own = self.data.get("tolerance", 10.0**-digits if isinstance(digits, int) else None)
        return Rule(Form(self.data.get("rule", form)), float(own) if isinstance(own, int | float) else tolerance)


def grade(
    file: File = None,
    to: Annotated[
        Path | None, typer.Option("--out", help="Write the lines with mark, answer, reason, grader_version here.")
    ] = None,
    reading: Annotated[
        Reading,
        typer.Option(
            help="How an answer is found: box, the last box; rule, as the rule reads, of multiple choice a letter too; "
            "anywhere, in a box, stated, the whole text, or searched."
        ),
    ] = Reading.ANYWHERE,
    rule: Annotated[
        Form, typer.Option(help="What answers are, where a line's `rule` does not say: maths, numbers, choice.")
    ] = Form.MATHS,
    workers: exploiting.Workers = None,
    tolerance: Annotated[
        float,
        typer.Option(min=0.0, max=0.5, help="Relative difference allowed to a decimal, where a line has no own."),
    ] = 0.0,
    second: Annotated[bool, typer.Option("--second-marker", help="Ask plain Math-Verify too.")] = False,
    suite: exploiting.Suite = False,
    function: exploiting.Beside = None,
    json: Json = False,
) -> None:
    """Mark answers: lines {gold, pred}, each a box, a formula or a text that states its answer. With `expected` (0 or
    1) in the lines, say how often the marker agrees, and list the misses with their reasons."""
    from benchmarks.marking import MARKER_VERSION, second_marker
    from benchmarks.marking.marker import mark_texts
    from benchmarks.marking.pool import MarkerMissing, Pool
    from benchmarks.marks import Response

    if exploiting.is_suite(file, suite, function, to) or file is None:
        exploiting.grade_suite(function, workers, json)
        return
    rows = _read(file)
    _check_golds(file, rows, rule)
    responses = [Response(row.data["pred"], row.data["gold"], row.rule(rule, tolerance)) for row in rows]
    # Without a number the marker's shared pool is used, which is not ours to close.
    pool = Pool(workers) if workers else None
    try:
        marked = mark_texts(responses, pool, reading)
        others = second_marker.mark_all(responses, pool) if second else None
    except MarkerMissing as error:
        raise UserError(str(error)) from None
    finally:
        if pool:
            pool.close()
    # Written before anything is printed, so that what is on the screen can be looked up in the file.
    if to:
        lines = _lines(rows, marked, others, MARKER_VERSION)
        write_text(to, "".join(jsonlib.dumps(line) + "\n" for line in lines))
    disagree = sum(m.mark != other for m, other in zip(marked, others, strict=True)) if others else None
    summary = _summary(rows, marked, reading, MARKER_VERSION, disagree)
    if json:
        print_json(summary)
        return
    _print(summary)
    if to:
        out().print(f"Written: {to}")


def _read(file: Path) -> list[GradedRow]:
    """Raises: UserError naming the line that is not what it must be."""
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        raise UserError(f"{file} does not exist. It must hold JSON lines with `gold` and `pred`.") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not UTF-8: {error.reason} at byte {error.start}.") from None
    rows = [_row(file, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise UserError(f"{file} holds no lines. It must hold JSON lines with `gold` and `pred`.")
    return rows


def _row(file: Path, number: int, line: str) -> GradedRow:
    try:
        data = jsonlib.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file}:{number} is not valid JSON: {error}.") from None
    if not isinstance(data, dict):
        raise UserError(f"{file}:{number} must be an object with `gold` and `pred`, but is {type(data).__name__}.")
    for key in ("gold", "pred"):
        if not isinstance(data.get(key), str):
            found = f"is {type(data[key]).__name__}" if key in data else "is missing"
            raise UserError(
                f'{file}:{number}: `{key}` must be a string, but {found}. Example: {{"gold": "4", "pred": "2+2"}}'
            )
    if data.get("expected") not in (None, 0, 1):
        raise UserError(f"{file}:{number}: `expected` must be 0 or 1, but is `{data['expected']}`.")
    if data.get("rule") not in (None, *Form):
        raise UserError(f"{file}:{number}: `rule` must be {_FORMS}, but is `{data['rule']}`.")
    return GradedRow(number, data)


def _lines(
    rows: Sequence[GradedRow], marked: Sequence[Marked], others: Sequence[Mark] | None, version: str
) -> list[dict[str, Any]]:
    """The file's lines with what was found.

    Args:
        others: marks of plain Math-Verify; None: it was not asked.
    """
    found = [
        {**row.data, "mark": one.mark, "answer": one.answer, "reason": one.reason, "grader_version": version}
        for row, one in zip(rows, marked, strict=True)
    ]
    for line, other in zip(found, others or (), strict=bool(others)):
        line["mark_second"] = other
    return found


def _check_golds(file: Path, rows: Sequence[GradedRow], form: Form) -> None:
    """Raises: UserError if the gold of a line of multiple choice is no letter."""
    from benchmarks.marking.responses.choices import letter

    wrong = [row for row in rows if row.rule(form, 0.0).form is Form.CHOICE and not letter(row.data["gold"])]
    if wrong:
        first, more = wrong[0], f" (and so in {len(wrong) - 1:,} more lines)" if len(wrong) > 1 else ""
        raise UserError(
            f"{file}:{first.line}: a gold of multiple choice must be a letter, A to J, but is "
            f"`{first.data['gold'][:40]}`{more}."
        )


def _summary(
    rows: Sequence[GradedRow], marked: Sequence[Marked], reading: Reading, version: str, disagree: int | None
) -> dict[str, Any]:
    """Counts of marks and of places where answers were found; where lines have `expected`, the agreement and the
    misses.

    Args:
        disagree: rows on which plain Math-Verify gives another mark; None: it was not asked.
    """
    summary: dict[str, Any] = {
        "rows": len(rows),
        "marks": _counts(one.mark for one in marked),
        "reading": reading.value,
        "found": _counts(one.place or "none" for one in marked),
        "grader_version": version,
    }
    labelled = [(row, one) for row, one in zip(rows, marked, strict=True) if row.expected is not None]
    if labelled:
        misses = [(row, one) for row, one in labelled if (one.mark == "correct") != row.expected]
        summary["labelled"], summary["agree"] = len(labelled), len(labelled) - len(misses)
        summary["misses"] = [
            {"line": row.line, **_pick(row.data), "mark": one.mark, "answer": one.answer, "reason": one.reason}
            for row, one in misses
        ]
    if disagree is not None:
        summary["markers_disagree"] = disagree
    return summary


def _counts(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(map(str, words)).items()))


def _print(summary: Mapping[str, Any]) -> None:
    """For people. The answer is the one that was found, or else the end of the text in which none was."""
    shown = table("mark", "rows", numbers=("rows",))
    for name, count in summary["marks"].items():
        shown.add_row(name, f"{count:,}")
    out().print(shown)
    places = ", ".join(f"{name} {count:,}" for name, count in summary["found"].items())
    out().print(f"Reading {summary['reading']}. Answers were found: {places}.", markup=False)
    if "markers_disagree" in summary:
        out().print(f"Plain Math-Verify disagrees on {summary['markers_disagree']:,} of {summary['rows']:,} rows.")
    if "labelled" in summary:
        agree, labelled = summary["agree"], summary["labelled"]
        out().print(f"Agreement: {agree:,} of {labelled:,} ({100 * agree / labelled:.2f} %)")
    if summary.get("misses"):
        listed = table("line", "expected", "mark", "gold", "answer", "reason", numbers=("line",))
        for miss in summary["misses"]:
            answer = miss["answer"] if miss["answer"] is not None else miss["pred"]
            expected = "correct" if miss["expected"] else "wrong"
            listed.add_row(
                str(miss["line"]), expected, miss["mark"], _end(miss["gold"]), _end(answer), _end(miss["reason"])
            )
        out().print(listed)
    out().print(f"Marker {summary['grader_version']}", markup=False)


def _pick(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: data[key] for key in ("gold", "pred", "expected")}


def _end(text: str) -> str:
    from rich.markup import escape

    flat = " ".join(text.split())
    return escape(flat if len(flat) <= _MOST_SHOWN else f"…{flat[-_MOST_SHOWN:]}")
