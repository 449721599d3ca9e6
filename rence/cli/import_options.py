"""What the sources of `rence import` share: options, writing, and what is shown."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rence.cli.console import Json, out, print_json, table
from rence.cli.import_words import Baseline, Clean, Out, Step, Target

if TYPE_CHECKING:
    from harness.importing.folder import Imported
    from harness.importing.rows import FoundRows
    from harness.importing.sources import Find, ImportSource

_SHARED: dict[str, Any] = {
    "to": Annotated[Path, Out],
    "target": Target,
    "baseline": Baseline,
    "estimand": Annotated[Literal["algorithm", "benchmark", "checkpoints"], typer.Option(help="What intervals cover.")],
    "step": Step,
    "common": Annotated[
        bool, typer.Option("--common", help="Keep the problems that all have, instead of refusing what is incomplete.")
    ],
    "clean": Clean,
    "json": Json,
}
_SWITCHES = {"common": False, "clean": False, "json": False}
_DEFAULTS = {"target": None, "baseline": None, "estimand": "algorithm", "step": None, **_SWITCHES}


@dataclass(frozen=True)
class Shared:
    """Options of all sources."""

    to: Path
    target: str | None
    baseline: list[str] | None
    estimand: Literal["algorithm", "benchmark", "checkpoints"]
    step: str | None
    common: bool
    clean: bool
    json: bool


def with_shared(function: Callable[..., None]) -> Callable[..., None]:
    """The function with the options of all sources, which it takes as one `Shared`."""
    signature = inspect.signature(function, eval_str=True)
    own = [one for one in signature.parameters.values() if one.name != "shared"]
    added = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_DEFAULTS.get(name, inspect.Parameter.empty),
            annotation=annotation,
        )
        for name, annotation in _SHARED.items()
    ]

    @functools.wraps(function)
    def run(**arguments: Any) -> None:
        shared = Shared(**{name: arguments.pop(name) for name in _SHARED})
        function(**arguments, shared=shared)

    parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own]
    run.__signature__ = signature.replace(parameters=[*parameters, *added])  # type: ignore[attr-defined]
    return run


def bring_in(
    source: str,
    paths: list[str],
    files_in: Find,
    looked_for: str,
    read: Callable[[list[ImportSource]], FoundRows],
    options: dict[str, Any],
    shared: Shared,
) -> None:
    """Find the files, read them, write the run folder, and show what was made of them.

    Args:
        source: what they come from, as the plan will name it.
        paths: the words of the command, `[ARM[/seedN][/stepN]=]PATH`.
        files_in: the source's files in a folder.
        looked_for: those, in words.
        options: of the source alone; they are part of the plan's lock.
    Raises: UserError or DataError with the file; nothing is written then.
    """
    from harness.importing import folder, own_marks, sources
    from harness.importing.import_plan import ImportComparison

    folder.check_free(shared.to, shared.clean)
    found = own_marks.beside(read(sources.find(paths, files_in, looked_for)))
    wanted = ImportComparison(shared.target, tuple(shared.baseline or ()), shared.estimand, shared.step)
    options = {**options, **({"common": True} if shared.common else {})}
    made = folder.write(found, source, options, wanted, shared.to, shared.common)
    print_json(summary(made, shared.to)) if shared.json else show(made, shared.to)


def summary(made: Imported, to: Path) -> dict[str, Any]:
    """For `--json`."""
    plan = made.plan
    return {
        "run": str(to),
        "arms": [arm.name for arm in plan.arms],
        "seeds": plan.seeds,
        "benchmarks": plan.benchmarks,
        "steps": plan.grid_rollouts,
        "target": plan.comparison.target,
        "baselines": plan.comparison.baselines,
        "attempts": sum(one.attempts for one in made.design.evaluated),
        "left_out": [asdict(one) for one in made.record.left_out],
        "notes": list(made.record.notes),
    }


def show(made: Imported, to: Path, dry_run: bool = False) -> None:
    """For people."""
    shown = table(
        "arm", "benchmark", "seeds", "problems", "k", "correct", numbers=("seeds", "problems", "k", "correct")
    )
    final = [*(one for one in made.design.evaluated if one.seed is None), *made.design.final()]
    for arm, benchmark in dict.fromkeys((one.arm, one.benchmark) for one in final):
        mine = [one for one in final if (one.arm, one.benchmark) == (arm, benchmark)]
        ks = sorted({one.k for one in mine})
        correct = sum(one.correct for one in mine) / len(mine)
        seeds = "-" if mine[0].seed is None else str(len(mine))
        shown.add_row(arm, benchmark, seeds, f"{mine[0].problems:,}", ", ".join(map(str, ks)), f"{100 * correct:.1f} %")
    out().print(shown)
    steps = made.plan.grid_rollouts
    if len(steps) > 1:
        out().print(f"Steps {', '.join(map(str, steps))}; the last is compared.")
    for note in made.record.notes:
        out().print(note)
    if dry_run:
        out().print("\nNothing was written. Without --dry-run this is what would be made.")
    else:
        out().print(f"\nWritten: {to}\nNext: rence report {to}")
