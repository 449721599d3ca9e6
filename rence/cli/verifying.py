"""`rence verify`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from harness.base.errors import UserError, need
from rence.cli import completion
from rence.cli.console import Json, command, err, print_json


def add_to(app: typer.Typer) -> None:
    command(app)(verify)


def verify(
    run: Annotated[
        Path,
        typer.Argument(
            help="A run folder, an arm or a trial of one, an import, or a folder of `rence eval`.",
            autocompletion=completion.runs,
            show_default=False,
        ),
    ],
    remark: Annotated[bool, typer.Option("--remark", help="Derive every mark again from the texts.")] = False,
    regenerate: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE", help="Generate a sample of the answers again: 1%, 0.01, 100%.", show_default=False
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="DIR_OR_ID",
            help="Where the untrained or evaluated model is, if the folder does not say so.",
            show_default=False,
        ),
    ] = None,
    problems: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A file of problems of your own that was asked; may be given again.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Are these the files that were made? The chain of seals, counts, weights, the report; --remark derives the marks
    again, --regenerate a sample of the texts. Writes nothing. Exit 0: whole; 1: something differs; 3: something is
    missing, or nothing of what was asked for can be tried here."""
    from harness.verifying.verify import verify
    from rence.cli import verified_tables

    share = None if regenerate is None else _share(regenerate)
    if remark:
        need("`--remark`", "math_verify", extra="grade")
    if share is not None:
        need("`--regenerate`", "torch", "transformers", "math_verify")
    with redirect_stdout(sys.stderr), _progress() as watch:  # ours is for the result, whatever an engine has to say
        made = verify(run, remark, share, model, problems or (), watch)
    if json:
        print_json(made.to_json())
    else:
        verified_tables.show(made)
    if made.exit_code:
        raise typer.Exit(made.exit_code)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """What is being done, on a terminal alone."""
    console = err()
    if not console.is_terminal:
        yield lambda _: None
        return
    from rich.markup import escape

    with console.status("") as status:
        yield lambda what: status.update(escape(what))


def _share(text: str) -> float:
    """Raises: UserError unless it is a percentage above 0 and at most 100 %, or that as a fraction."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise UserError(
            f"`--regenerate` must be a share of the answers above 0 and at most all of them, such as 1%, 0.01 or 100%, "
            f"but is {text} instead."
        )
    return share
