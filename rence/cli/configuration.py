"""`rence config explain`, `rence config new`, `rence config schema`: all three from the dataclasses' own docs."""

from __future__ import annotations

from typing import Annotated

import typer

from rence.cli.console import command, out, print_json

config = typer.Typer(help="What may stand in an experiment file.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    command(config)(explain)
    command(config)(new)
    command(config)(schema)
    app.add_typer(config, name="config")


def explain(
    key: Annotated[
        str, typer.Argument(help="Such as `recipe.group_size` or `arms.grpo.clip_low`.", show_default=False)
    ] = "",
) -> None:
    """What a key means, what it may be, and its default; of a group, all its keys."""
    from harness.config.explain import explain as explained

    out().print(explained(key))


def new() -> None:
    """Print a commented experiment to start from."""
    from harness.config.explain import template

    print(template(), end="")


def schema() -> None:
    """Print the JSON Schema of experiment files, for editors."""
    from harness.config.explain import json_schema

    print_json(json_schema())
