"""`rence grade`: marks for any file of answers."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.marks import Form, Reading, Rule
from harness.base.errors import UserError
from harness.records import write_text
from rence.cli import exploiting, grade_tables, graded_rows
from rence.cli.console import Json, check_out, command, err, out, print_json

if TYPE_CHECKING:
    from rence.cli.graded_rows import GradedRow

File = Annotated[
    Path | None, typer.Argument(metavar="FILE.jsonl", help="Lines with `gold` and `pred`.", show_default=False)
]
_OF_FILES = {
    "to": "--out", "reading": "--reading", "rule": "--rule", "tolerance": "--tolerance", "second": "--second-marker",
}  # fmt: skip
_OF_SUITE = {"function": "--function", "kinds": "--kind"}
"""parameters of the command and their options, which say nothing of the other kind of input"""


def add_to(app: typer.Typer) -> None:
    command(app)(grade)


def grade(
    context: typer.Context,
    file: File = None,
    to: Annotated[
        Path | None,
        typer.Option("--out", help="Write the lines with mark, answer, reason and how they were marked here."),
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
    workers: exploiting.MarkerWorkers = None,
    tolerance: Annotated[
        float,
        typer.Option(min=0.0, max=0.5, help="Relative difference allowed to a decimal, where a line has no own."),
    ] = 0.0,
    second: Annotated[bool, typer.Option("--second-marker", help="Ask plain Math-Verify too.")] = False,
    suite: exploiting.Suite = False,
    function: exploiting.Beside = None,
    kinds: exploiting.Kinds = None,
    json: Json = False,
) -> None:
    """Mark answers: lines {gold, pred}, each a box, a formula or a text that states its answer. With `expected` (0 or
    1) in the lines, say how often the marker agrees, and list the misses with their reasons."""
    if suite is (file is not None):
        raise UserError("name a file, or --suite for the adversarial suite. Example: rence grade answers.jsonl")
    _check_options(context, suite)
    if file is None:
        exploiting.grade_suite(function, kinds, workers, json)
        return
    check_out(to)
    rows = graded_rows.read(file, Rule(rule, tolerance))
    found = _mark(rows, reading, workers, second)
    # Written before anything is printed, so that what is on the screen can be looked up in the file.
    if to:
        write_text(to, "".join(jsonlib.dumps(line) + "\n" for line in grade_tables.lines(found)))
    summary = grade_tables.summary(found)
    if prose := graded_rows.without_answer(rows):
        err().print(grade_tables.no_gold(file, prose))
    if json:
        print_json(summary)
        return
    grade_tables.show(summary)
    if to:
        out().print(f"Written: {to}")


def _check_options(context: typer.Context, suite: bool) -> None:
    """Raises: UserError for options that would be ignored."""
    given = {
        option
        for name, option in (_OF_FILES if suite else _OF_SUITE).items()
        if (source := context.get_parameter_source(name)) and source.name == "COMMANDLINE"
    }
    if given and suite:
        more = " `rence exploit --out FILE` writes every case." if "--out" in given else ""
        raise UserError(
            f"{', '.join(sorted(given))} goes with a file, not with --suite, whose cases say their own rule.{more}"
        )
    if given:
        raise UserError(f"{', '.join(sorted(given))} goes with --suite. Example: rence grade --suite --kind signs")


def _mark(rows: Sequence[GradedRow], reading: Reading, workers: int | None, second: bool) -> grade_tables.Graded:
    """Raises: UserError with the command to install what is missing."""
    from benchmarks.marking import MARKER_VERSION, second_marker
    from benchmarks.marking.marker import mark_texts
    from benchmarks.marks import Response

    responses = [Response(row.pred, row.gold, row.rule) for row in rows]
    with exploiting.marker_pool(workers) as pool:
        marked = mark_texts(responses, pool, reading)
        others = second_marker.mark_all(responses, pool) if second else None
    return grade_tables.Graded(rows, marked, others, reading, MARKER_VERSION)
