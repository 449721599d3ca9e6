"""The face of rence-bench, above all other rooms: the command line in `rence/cli/`."""

from __future__ import annotations


def main(arguments: list[str] | None = None) -> None:
    """Run a command of `rence`, and exit with its code."""
    from rence.cli import main as command_line

    command_line(arguments)
