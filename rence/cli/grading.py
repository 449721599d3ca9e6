"""`rence grade`: marks for any file of answers."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.marks import Form, Reading, Rule
from harness.base.errors import UserError
from harness.records import write_text
from rence.cli import exploiting, grade_tables, graded_rows
from rence.cli.console import Json, check_out, command, err, out, print_json
from reports.words import listing, plural

if TYPE_CHECKING:
    from rence.cli.graded_rows import GradedRow

File = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE.jsonl|FOLDER",
        help="Lines with `gold` and `pred`; or a run, an import or a folder of `rence eval`, whose answers get marks "
        "by every reading where they have none.",
        show_default=False,
    ),
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
    if file is not None and file.is_dir():
        _grade_folder(context, file, json)
        return
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


def _grade_folder(context: typer.Context, folder: Path, json: bool) -> None:
    """Raises: UserError; DataError; BrokenSeal."""
    from harness.verifying.adding_readings import add_readings

    if given := _given(context, {**_OF_FILES, "workers": "--workers"}):
        raise UserError(f"{', '.join(sorted(given))} goes with a file: a folder's answers are marked by every reading.")
    made = add_readings(folder)
    if json:
        print_json(made.to_json())
        return
    out().print(
        f"{plural(made.answers, 'answer')} of {plural(made.evaluations, 'evaluation')} marked by every reading."
        if made.answers
        else "Nothing to do: no answers that lack marks by the readings can be given them."
    )
    if made.changed:
        out().print(
            f"Another version of the marker had marked {plural(len(made.changed), 'evaluation')}, so the marks that "
            f"scores are made of are new too: {listing(made.changed)}."
        )
    for name, reason in made.left.items():
        out().print(f"Left as it is: {name}, for {reason}.")
    if made.answers:
        out().print(f"A report that was made before is out of date: rence report {folder}")


def _given(context: typer.Context, options: Mapping[str, str]) -> set[str]:
    """Of these parameters and their options, the options that the command line has."""
    sources = ((option, context.get_parameter_source(name)) for name, option in options.items())
    return {option for option, source in sources if source and source.name == "COMMANDLINE"}


def _check_options(context: typer.Context, suite: bool) -> None:
    """Raises: UserError for options that would be ignored."""
    given = _given(context, _OF_FILES if suite else _OF_SUITE)
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
