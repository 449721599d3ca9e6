"""`rence eval --gate FILE --sequential`: where the evaluation, which asks, meets the gate, which decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from harness.base.errors import FAILED, UserError
from rence.cli.console import out, same_command
from rence.cli.gating import publish

if TYPE_CHECKING:
    from harness.evaluation.standalone import StandaloneEvaluation
    from reports.gate.verdict import Gate


def checked(gate: Path | None, sequential: bool) -> None:
    """Raises: UserError unless gate and looks are both given, or neither."""
    if sequential and gate is None:
        raise UserError("`--sequential` needs `--gate FILE`, the baseline that says when to stop.")
    if gate is not None and not sequential:
        raise UserError(
            "`--gate` needs `--sequential`. To ask all problems and decide then, leave it out, and: "
            f"`rence gate OUT --baseline {gate}`."
        )


def with_looks(wanted: StandaloneEvaluation, gate: Path | None, accept: str | None) -> StandaloneEvaluation:
    """The evaluation that a gate stops, if one is given.

    Args:
        accept: why a mismatch with the baseline does not matter; None: it does.

    Raises: UserError if it could not be gated; DataError if the baseline is missing or broken.
    """
    import reports
    from harness.evaluation.by_looks import Looks

    if gate is None:
        return wanted
    ids: dict[str, Sequence[str]] = {
        name: [problem.id for problem in benchmark.problems] for name, benchmark in wanted.benchmarks.items()
    }

    def decided() -> bool:
        try:
            reports.gate_by_looks(str(wanted.out), gate, accept=accept, command=same_command())
        except reports.NotDecided:
            return False
        return True

    try:
        sizes = reports.gate_looks(gate, wanted.headers(""), ids, wanted.out, accept=accept)
    except ValueError as error:
        raise UserError(str(error)) from None
    return replace(wanted, looks=Looks(sizes, decided))


def decision(folder: Path, gate: Path | None, accept: str | None) -> Gate | None:
    """Of an evaluation that has ended, if there is a gate."""
    import reports

    if gate is None:
        return None
    try:
        return reports.gate_by_looks(str(folder), gate, accept=accept, command=same_command())
    except ValueError as error:
        raise UserError(str(error)) from None


def show(found: Gate | None, json: bool) -> None:
    """The decision after the scores. Raises: typer.Exit if it is no pass."""
    if found is None:
        return
    if not json:
        out().print(f"\n{found.text()}")
    publish(found, None, json)
    if not found.passed:
        raise typer.Exit(FAILED)
