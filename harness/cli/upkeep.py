"""`rence doctor`, `rence pretrain`, `rence dashboard`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from harness.cli.console import Json, command, err, out, print_json, table


def add_to(app: typer.Typer) -> None:
    command(app)(doctor)
    command(app)(pretrain)
    command(app)(dashboard)


def doctor(
    probe: Annotated[bool, typer.Option("--probe", help="Import the big packages too: slower, finds more.")] = False,
    json: Json = False,
) -> None:
    """What is installed, what each backend and engine lacks, and the command that mends it."""
    from harness.doctor import State, examine

    found = examine(probe=probe)
    if json:
        print_json(found.to_json())
    else:
        shown = table("part", "state", "found", "to mend it")
        colours = {State.OK: "green", State.NOTE: "yellow", State.LACKS: "red"}
        for row in found.findings:
            shown.add_row(row.part, f"[{colours[row.state]}]{row.state}[/]", escape(row.found), escape(row.mend))
        out().print(shown)
    raise typer.Exit(found.exit_code)


def pretrain(
    to: Annotated[Path | None, typer.Option("--out", help="Folder for the model.")] = None,
) -> None:
    """Rebuild the quickstart's base model from its recipe. Needs torch."""
    from harness import pretrain as recipe

    recipe.pretrain(to, err())


def dashboard(
    run: Annotated[Path | None, typer.Argument(help="A run folder. [default: all in runs/]")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 5000,
) -> None:
    """MLflow's pages on the store that runs are mirrored to, until Ctrl-C."""
    from harness import tracking

    raise typer.Exit(tracking.dashboard(run.parent if run else Path("runs"), host=host, port=port))
