"""`rence --version`, `rence version`."""

from __future__ import annotations

import platform
import sys
from typing import Annotated

import typer

from rence.cli.console import Json, command, out, print_json, table

STACK = (
    "torch", "transformers", "tokenizers", "safetensors", "verl", "vllm", "ray", "TransferQueue", "trl", "lm-eval",
    "math-verify", "sympy", "numpy", "scipy", "pandas", "pyarrow", "matplotlib", "pydantic", "typer", "mlflow",
)  # fmt: skip
"""what a result or an error may depend on"""


def add_to(app: typer.Typer) -> None:
    command(app)(version)
    app.callback()(_options)


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda asked: _print_and_exit(asked),
            is_eager=True,
            help="Print the version and exit.",
        ),
    ] = False,
) -> None:
    pass


def _print_and_exit(asked: bool) -> None:
    if asked:
        from rence.version import __version__

        print(f"rence {__version__}")
        raise typer.Exit


def version(
    everything: Annotated[bool, typer.Option("--all", help="The whole stack, for bug reports.")] = False,
    json: Json = False,
) -> None:
    """The version of rence-bench; with `--all`, of everything that a result or an error may depend on."""
    from rence.version import __version__

    rows = {"rence": __version__} | (_stack() if everything else {})
    if json:
        print_json(rows)
    elif not everything:
        out().print(f"rence {__version__}")
    else:
        shown = table("part", "version")
        for part, found in rows.items():
            shown.add_row(part, found or "-")
        out().print(shown)


def _stack() -> dict[str, str | None]:
    """Read from packages' metadata; nothing of it is imported. None where something is not installed."""
    from harness.records.environment import environment

    here = environment()
    return {
        "commit": here["commit"] + (" with changes" if here["dirty"] == "true" else "") or None,
        "python": f"{platform.python_version()} ({platform.python_implementation()}, {sys.executable})",
        "platform": platform.platform(),
        "processor": here["processor"],
        **{package: _installed(package) for package in STACK},
    }


def _installed(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None
