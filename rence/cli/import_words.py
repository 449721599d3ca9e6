"""Options that several sources of `rence import` have, and what is made of their words.

Each stands here once, also where `rence import scores` has it beside `rence import`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.marks import Form, Reading
from harness.base.errors import UserError

if TYPE_CHECKING:
    from harness.importing.marking import Marker

Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="[ARM[/seedN][/stepN]=]PATH...",
        help="Files, folders or patterns, with the arm, seed and step they are of; or a path that says it, such as "
        "'out/{arm}-seed{seed}'. The untrained model is `start`.",
        show_default=False,
    ),
]
Mark = Annotated[bool, typer.Option("--mark", help="Mark the answers again with rence's marker.")]
HowToRead = Annotated[
    Reading,
    typer.Option(
        "--reading",
        help="How an answer is found: box, the last box; rule, as in evaluations, of multiple choice a letter too; "
        "anywhere, as in `rence grade`.",
    ),
]
Rule = Annotated[
    Form | None,
    typer.Option(
        "--rule",
        help="What answers are: maths, numbers, choice; what a row's `rule` or the benchmark says if not given.",
        show_default=False,
    ),
]
Tolerance = Annotated[
    float | None,
    typer.Option(min=0.0, max=0.5, help="Relative difference allowed to a decimal; the benchmark's own if not given."),
]
Workers = Annotated[
    int | None, typer.Option(min=1, max=1024, help="Processes for Math-Verify; one a core.", show_default=False)
]
Arm = Annotated[str | None, typer.Option(help="The arm of all rows, if they do not say.")]
Seed = Annotated[int | None, typer.Option(min=0, help="The seed of all rows, if they do not say.")]
Benchmark = Annotated[str | None, typer.Option(help="The benchmark of all rows, if they do not say.")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="NAME=THEIRS", help="What the file calls a column, such as response=pred."),
]
Metric = Annotated[
    list[str] | None, typer.Option("--metric", help="The metric, 0 or 1, that says correct; the first a task has.")
]
Filter = Annotated[
    list[str] | None, typer.Option("--filter", help="The one of several filters or graders that is taken.")
]
Above = Annotated[
    float | None, typer.Option("--correct-above", help="A result above it is correct.", show_default=False)
]
Latest = Annotated[
    bool, typer.Option("--latest", help="Of evaluations that were run again, the last by its time stamp.")
]
Places = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="NAME=PLACE", help="Where a value stands, such as correct=score.value.acc."),
]
Out = typer.Option("--out", metavar="RUN", help="The run folder to write.", show_default=False)
Target = Annotated[str | None, typer.Option(help="The arm that is compared; the first if not given.")]
Baseline = Annotated[list[str] | None, typer.Option(help="An arm it is compared with; all others if not given.")]
Step = Annotated[str | None, typer.Option(metavar="N|last", help="The step that is compared; the last that all have.")]
Clean = Annotated[bool, typer.Option("--clean", help="Replace an import that is at --out.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be made, and write nothing.")]


def columns_of(words: list[str] | None) -> dict[str, str]:
    """Our name -> theirs, of `--column`. Raises: UserError."""
    pairs = [word.partition("=") for word in words or ()]
    wrong = next((word for word, pair in zip(words or (), pairs, strict=True) if not (pair[0] and pair[2])), None)
    if wrong is not None:
        raise UserError(f"--column {wrong}: it must be NAME=THEIRS, such as response=pred.")
    return {ours: theirs for ours, _, theirs in pairs}


def given(**options: Any) -> dict[str, Any]:
    """Those that were given."""
    return {name: value for name, value in options.items() if value not in (None, False)}


def how_marked(reading: Reading, rule: Form | None, tolerance: float | None) -> dict[str, Any]:
    """Options of the marker for the plan's lock, where they are not what evaluations do."""
    return {"reading": None if reading is Reading.RULE else reading.value, "rule": rule, "tolerance": tolerance}


def marker_of(
    mark: bool, reading: Reading, rule: Form | None, tolerance: float | None, workers: int | None
) -> Marker | None:
    """How answers are marked again; None if they are not. Raises: UserError for options that then mean nothing."""
    from harness.importing.marking import Marker

    if not mark and (reading is not Reading.RULE or (rule, tolerance, workers) != (None, None, None)):
        raise UserError("--reading, --rule, --tolerance and --workers say how answers are marked again: add --mark.")
    return Marker(reading, rule, tolerance, workers) if mark else None
