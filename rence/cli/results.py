"""`rence report`, `rence open` and `rence compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.base.errors import INCOMPLETE, UserError, nearest
from rence.cli import completion
from rence.cli.accepting import Accept, AllowUnmatched, given
from rence.cli.console import Json, command, err, out, print_json
from rence.cli.sections import others


def add_to(app: typer.Typer) -> None:
    command(app)(report)
    command(app, "open")(open_page)
    command(app)(compare)


def report(
    run: Annotated[Path, typer.Argument(help="A run folder.", autocompletion=completion.runs, show_default=False)],
    format: Annotated[str, typer.Option(help="Which formats, with commas.")] = "html,md,tex,csv,json",
    to: Annotated[
        Path | None, typer.Option("--out", help="Folder to write to; report/ in the run folder if not given.")
    ] = None,
    expected: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Published scores to set beside ours; kept in the run folder.", show_default=False
        ),
    ] = None,
    common: Annotated[
        bool, typer.Option("--common", help="Keep the problems that all arms and seeds have, and say what is left out.")
    ] = False,
    accept: Accept = None,
) -> None:
    """Rebuild the report of a run from its files. Same files, same bytes."""
    import reports

    formats = [word.strip() for word in format.split(",") if word.strip()]
    for word in formats:
        if word not in reports.FORMATS:
            raise UserError(f"there is no report format `{word}`. {nearest(word, reports.FORMATS)}")
    if expected:
        _keep(run, expected)
    try:
        written = reports.build(run, formats, to, others(), only_common=common, accept=accept)
    # its evaluations do not agree with the plan, or with each other: the message says what can be done
    except reports.Unmatched as error:
        raise UserError(str(error)) from None
    for path in written:
        out().print(str(path))


def open_page(
    run: Annotated[Path, typer.Argument(help="A run folder.", autocompletion=completion.runs, show_default=False)],
) -> None:
    """Open a run's page in the browser, and print its path."""
    import webbrowser

    from harness.records import Plan, RunFolder

    folder = RunFolder(run)
    page = folder.report / "index.html"
    if not page.exists():
        if not folder.scores_plan.exists():
            Plan.read(folder.plan)  # a folder without a plan is no run
        raise UserError(f"{run} has no report yet. Next: rence report {run}", INCOMPLETE)
    out().print(str(page))
    if not webbrowser.open(page.resolve().as_uri()):
        err().print("No browser could be started here: open that file in one.")


def _keep(run: Path, files: list[Path]) -> None:
    """Published scores become a file of the run, so that every later report has them too."""
    from harness.config import published
    from harness.records import Plan, RunFolder, add_published

    folder = RunFolder(run)
    benchmarks = Plan.read(folder.plan).benchmarks  # a folder without a plan is no run
    add_published(folder.expected, [published(path, benchmarks) for path in files])


def compare(
    a: Annotated[
        str,
        typer.Argument(help="An arm: RUN/ARM, or a run folder.", autocompletion=completion.runs, show_default=False),
    ],
    b: Annotated[str, typer.Argument(autocompletion=completion.runs, show_default=False)],
    accept: Accept = None,
    allow_unmatched: AllowUnmatched = False,
    margin: Annotated[
        float | None,
        typer.Option(
            metavar="POINTS",
            help="Differences smaller than this do not matter: A and B may be found equivalent. Of scores of no known "
            "scale (`import scores --unit raw`) in their own unit.",
            show_default=False,
        ),
    ] = None,
    common: Annotated[
        bool, typer.Option("--common", help="Keep the problems that both have, and say what is left out.")
    ] = False,
    json: Json = False,
) -> None:
    """The paired difference of two evaluated arms, a minus b."""
    import reports
    from reports.seed_scores.sides import of_no_scale

    raw = margin is not None and of_no_scale(a)  # then it is in the scores' own unit
    if margin is not None and not raw and not 0 < margin < 100:
        raise UserError(f"`--margin` is in points and must be above 0 and below 100, but is {margin:g} instead.")
    asked = margin if margin is None or raw else margin / 100
    try:
        result = reports.compare(a, b, accept=given(accept, allow_unmatched), margin=asked, only_common=common)
    # The two are not matched, or hold nothing to be compared: the message says what, and no traceback helps.
    except ValueError as error:
        raise UserError(str(error)) from None
    if json:
        print_json(result.to_json())
    else:
        out().print(result.text())
