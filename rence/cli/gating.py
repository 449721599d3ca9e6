"""`rence gate`: a checkpoint against a reviewed baseline, with exit codes that CI understands."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.base.errors import FAILED, UserError
from harness.records import DataError, write_text
from rence.cli import completion
from rence.cli.accepting import Accept, AllowUnmatched, given
from rence.cli.console import Json, command, err, out, print_json, quiet
from rence.cli.streams import annotate

if TYPE_CHECKING:
    from reports.gate.verdict import Gate


class About(StrEnum):
    NEW = "new"
    THESE = "these"


class OnInconclusive(StrEnum):
    FAIL = "fail"
    WARN = "warn"


Run = Annotated[
    str,
    typer.Argument(
        help="A folder of `rence eval`, an arm, a trial, or a run of one arm.",
        autocompletion=completion.runs,
        show_default=False,
    ),
]
Baseline = Annotated[Path, typer.Option(metavar="FILE", help="The baseline to be met.", show_default=False)]
Margin = Annotated[
    float | None,
    typer.Option(metavar="POINTS", help="Loss of the average to rule out; the file's own, or 2.", show_default=False),
]
Junit = Annotated[Path | None, typer.Option(metavar="FILE", help="Write JUnit XML here.", show_default=False)]
Inconclusive = Annotated[OnInconclusive, typer.Option("--on-inconclusive", help="What to do where neither is shown.")]
Update = Annotated[bool, typer.Option("--update", help="Make RUN the baseline instead, for review.")]
Problems = Annotated[
    About,
    typer.Option(
        help="What it is about: new problems like these; or these alone, where only answers are drawn anew (two "
        "attempts a problem or more; with one it passes only if no score differs)."
    ),
]
Common = Annotated[
    bool, typer.Option("--common", help="Keep the problems that both have, and say what is left out on which side.")
]
Sequential = Annotated[
    bool,
    typer.Option(
        "--sequential",
        help="Decide on what is answered so far, at five looks at most, which together err as seldom as one gate. "
        "For folders of `rence eval --gate FILE --sequential`; exit 3 while it is open.",
    ),
]


def add_to(app: typer.Typer) -> None:
    command(app)(gate)


def gate(
    run: Run,
    baseline: Baseline,
    margin: Margin = None,
    junit: Junit = None,
    on_inconclusive: Inconclusive = OnInconclusive.FAIL,
    update: Update = False,
    accept: Accept = None,
    allow_unmatched: AllowUnmatched = False,
    problems: Problems = About.NEW,
    common: Common = False,
    sequential: Sequential = False,
    json: Json = False,
) -> None:
    """Is RUN at least as good as a baseline, within a margin? Exit 0: pass; 1: regression, or inconclusive; 2: not
    comparable; 3: something is missing or broken."""
    import reports

    if margin is not None and not 0 < margin < 100:
        raise UserError(f"`--margin` must be above 0 and below 100 points, but is {margin:g} instead.")
    fraction = None if margin is None else margin / 100
    if update:
        if junit or sequential or common:
            option = "--junit" if junit else "--sequential" if sequential else "--common"
            raise UserError(f"`{option}` has no meaning with `--update`: nothing is decided. Leave one of them out.")
        _update(run, baseline, fraction, accept, json)
        return
    if sequential and problems == About.THESE:
        raise UserError("`--sequential` is about new problems: leave out `--problems these`, or `--sequential`.")
    if sequential and common:
        raise UserError("`--sequential` needs all problems of the baseline: leave out `--common`, or `--sequential`.")
    wanted: dict[str, Any] = {"margin": fraction, "accept": given(accept, allow_unmatched)}
    wanted["on_inconclusive"] = on_inconclusive.value
    try:
        if sequential:
            found = reports.gate_by_looks(run, baseline, **wanted)
        else:
            found = reports.gate_run(run, baseline, **wanted, problems=problems.value, only_common=common)
    except (DataError, UserError, ValueError) as error:
        # CI reads the file and the annotation, not the terminal: a refusal goes there as well.
        _refused(str(error), junit, json)
        # A ValueError says that the two cannot be compared (exit 2), a DataError that files are lacking or broken (3).
        raise (UserError(str(error)) if isinstance(error, ValueError) else error) from None
    if json:
        print_json(found.to_json())
    else:
        out().print(found.text())
    publish(found, junit, json)
    if not found.passed:
        raise typer.Exit(FAILED)


def _update(run: str, baseline: Path, margin: float | None, accept: str | None, json: bool) -> None:
    import reports

    try:
        done = reports.update_baseline(run, baseline, margin, accept=accept)
    except ValueError as error:
        raise UserError(str(error)) from None
    if json:
        print_json(done.to_json())
    else:
        out().print(done.text())


def publish(found: Gate, junit: Path | None, json: bool) -> None:
    """The files that CI reads, and what GitHub is told."""
    from reports.gate import github
    from reports.gate import junit as xml

    if junit:
        write_text(junit, xml.render(found))
    _tell_github(github.commands(found), github.summary(found), json)


def _refused(message: str, junit: Path | None, json: bool) -> None:
    from reports.gate import github
    from reports.gate import junit as xml

    if junit:
        write_text(junit, xml.refused(message))
    _tell_github([github.refused(message)], github.refused_summary(message), json)


def _tell_github(commands: Sequence[str], forms: list[str], json: bool) -> None:
    """Annotations on stdout, where nothing else has a claim to it; the step's summary where GitHub names a file."""
    from reports.gate import github

    if os.environ.get("GITHUB_ACTIONS"):
        stream = sys.stderr if json or quiet() else sys.stdout
        for line in commands:
            annotate(line, stream)
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if place and not github.append(Path(place), forms):
        err().print(f"{place} is full: GitHub takes 1 MiB a step, so there is no summary of the gate.")
