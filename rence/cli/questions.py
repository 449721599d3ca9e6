"""`rence same` and `rence reproduce`: questions about these checkpoints on these problems."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.base.errors import FAILED, INCOMPLETE, UserError
from rence.cli import completion
from rence.cli.accepting import Accept, AllowUnmatched, given
from rence.cli.console import Json, command, out, print_json


def add_to(app: typer.Typer) -> None:
    command(app)(same)
    command(app)(reproduce)


def same(
    a: Annotated[
        str,
        typer.Argument(
            help="One checkpoint: RUN/ARM/seedN, or a folder of `rence eval`.",
            autocompletion=completion.runs,
            show_default=False,
        ),
    ],
    b: Annotated[str, typer.Argument(autocompletion=completion.runs, show_default=False)],
    accept: Accept = None,
    allow_unmatched: AllowUnmatched = False,
    json: Json = False,
) -> None:
    """Are these the same model? Answers are exchanged within each problem; training seeds and new problems do not come
    in. Exit 0: identical answers, or no difference found, with what could have been seen; 1: they differ; 2: not
    comparable; 3: a benchmark or a side is missing, or so few answers cannot tell."""
    import reports
    from reports.questions import same_text

    try:
        found = reports.same_model(a, b, accept=given(accept, allow_unmatched))
    # one checkpoint each, asked in one way: the message says what is wrong, and no traceback helps
    except ValueError as error:
        raise UserError(str(error)) from None
    if json:
        print_json(found.to_json())
    else:
        out().print(same_text.render(found))
    if found.finding == "differs":
        raise typer.Exit(FAILED)
    if not found.answered:
        raise typer.Exit(INCOMPLETE)


def reproduce(
    run: Annotated[Path, typer.Argument(help="A run folder.", autocompletion=completion.runs, show_default=False)],
    expected: Annotated[
        list[Path],
        typer.Option(metavar="FILE", help="Published scores, and how they were measured.", show_default=False),
    ],
    accept: Accept = None,
    json: Json = False,
) -> None:
    """Does RUN reproduce published scores? With the noise of both: sampling alone where the weights are the same, new
    seeds on these problems where the training is our own. Exit 0: what could be tested is consistent; 1: a score is
    not; 2: usage; 3: nothing could be tested with power."""
    import reports
    from harness.config import published
    from harness.records import Plan, RunFolder

    # read before the run, which takes longer: a mistake in a file is told at once
    benchmarks = Plan.read(RunFolder(run).plan).benchmarks
    try:
        found = reports.reproduction(run, [published(file, benchmarks) for file in expected], accept=accept)
    # its evaluations do not agree with its plan, or with each other
    except reports.Unmatched as error:
        raise UserError(str(error)) from None
    if json:
        print_json(found.to_json())
    else:
        out().print(found.text())
    if found.different:
        raise typer.Exit(FAILED)
    if not found.answered:
        raise typer.Exit(INCOMPLETE)
