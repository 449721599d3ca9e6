"""The command `rence`. Each command imports what it needs when it is called, so that `--help` is quick and a light
install can plan, list, report and compare.
"""

from __future__ import annotations

import os
import sys

import typer

from rence.cli import (
    catalogue,
    checking,
    configuration,
    diffing,
    evaluation,
    experiments,
    exploiting,
    gating,
    grading,
    importing,
    pinning,
    questions,
    results,
    shipped,
    upkeep,
    verifying,
    versions,
)
from rence.cli.console import guarded

app = typer.Typer(
    name="rence",
    help="Which RL algorithm makes a language model reason better, by how much, and how sure are we?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for part in (
    experiments,
    evaluation,
    grading,
    exploiting,
    results,
    importing,
    gating,
    diffing,
    catalogue,
    checking,
    configuration,
    pinning,
    questions,
    shipped,
    upkeep,
    verifying,
    versions,
):
    part.add_to(app)


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit with its code: 0 done, 1 a check failed, 2 usage, 3 incomplete data, 130 interrupted."""
    # typer colours what it prints itself wherever it takes a log for a terminal, and there escapes are shown as signs
    if "GITHUB_ACTIONS" in os.environ and "FORCE_COLOR" not in os.environ:
        os.environ.setdefault("_TYPER_FORCE_DISABLE_TERMINAL", "1")
    guarded(lambda: app(sys.argv[1:] if arguments is None else arguments, prog_name="rence"))
