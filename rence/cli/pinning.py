"""`rence benchmarks pin`: what fixes a file of problems."""

from __future__ import annotations

from json import dumps
from pathlib import Path
from typing import Annotated

import typer

from harness.base.errors import UserError
from rence.cli.console import Json, command, out, print_json

benchmarks = typer.Typer(help="Problems of your own.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    command(benchmarks)(pin)
    app.add_typer(benchmarks, name="benchmarks")


@benchmarks.callback()
def group() -> None:
    """Problems of your own, in files of JSON lines. `rence list benchmarks` shows those there are."""


def pin(
    file: Annotated[Path, typer.Argument(help="JSON lines with `problem` and `answer`.", show_default=False)],
    json: Json = False,
) -> None:
    """Read a file of problems strictly; print how many it holds, their hash, and the lines that pin both in an
    experiment and in a package."""
    from benchmarks.problems import Benchmark, ProblemsError
    from harness.config.own_files import ProblemFile
    from harness.config.problems import problem_file

    try:
        found = Benchmark.from_file(file)
        problem_file(found.name, file, ProblemFile(str(file)))  # whose name must be one that can be used
    except ProblemsError as error:
        raise UserError(str(error)) from None
    if json:
        print_json(
            {
                "file": str(file),
                "name": found.name,
                "problems": found.count,
                "hash": found.hash,
                "rule": found.rule_in_words,
            }
        )
        return
    console, name = out(), found.name if found.name.isidentifier() else "mine"
    console.print(
        f"{file}: {found.count:,} problems, hash {found.hash}\nAnswers are {found.rule_in_words}.\n",
    )
    for line in (
        "In an experiment, under `evaluation`:",
        f"  benchmarks: {{{dumps(found.name)}: {{file: {dumps(str(file))}, k: 4, hash: {dumps(found.hash)}}}}}",
        "",
        "In a package that holds the file (docs/how-to/plugins.md):",
        f"  {name} = Benchmark.from_file(Path(__file__).with_name({file.name!r}), {found.name!r}, 'A title', k=4,",
        f'                               count={found.count}, content="{found.hash}")',
    ):
        console.print(line)
