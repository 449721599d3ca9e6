"""`rence import`: results made elsewhere, brought into a run folder."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from harness.cli.console import command, out, print_json, table
from harness.errors import UserError

if TYPE_CHECKING:
    from harness.importing.folder import Imported
    from harness.importing.marking import Marker
    from harness.importing.rows import Found
    from harness.importing.sources import Find, Source

imports = typer.Typer(
    help="Bring results made elsewhere into a run folder, to report and compare them.", no_args_is_help=True
)
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
Anywhere = Annotated[
    bool,
    typer.Option("--anywhere", help="An answer may stand outside a box, as in `rence grade`; not so in evaluations."),
]
Tolerance = Annotated[
    float | None,
    typer.Option(min=0.0, max=0.5, help="Relative difference allowed to a decimal; the benchmark's own if not given."),
]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes for Math-Verify; one a core.", show_default=False)]
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
_SHARED: dict[str, Any] = {
    "to": Annotated[Path, typer.Option("--out", metavar="RUN", help="The run folder to write.", show_default=False)],
    "target": Annotated[str | None, typer.Option(help="The arm that is compared; the first if not given.")],
    "baseline": Annotated[list[str] | None, typer.Option(help="An arm it is compared with; all others if not given.")],
    "estimand": Annotated[Literal["algorithm", "benchmark", "checkpoints"], typer.Option(help="What intervals cover.")],
    "step": Annotated[
        str | None, typer.Option(metavar="N|last", help="The step that is compared; the last that all have.")
    ],
    "clean": Annotated[bool, typer.Option("--clean", help="Replace an import that is at --out.")],
    "json": Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")],
}
_DEFAULTS = {"target": None, "baseline": None, "estimand": "algorithm", "step": None, "clean": False, "json": False}


@dataclass(frozen=True)
class Shared:
    """Options of all sources."""

    to: Path
    target: str | None
    baseline: list[str] | None
    estimand: Literal["algorithm", "benchmark", "checkpoints"]
    step: str | None
    clean: bool
    json: bool


def add_to(app: typer.Typer) -> None:
    for function in (attempts, generations, verl, lm_eval, lighteval):
        command(imports, function.__name__.replace("_", "-"))(_shared(function))
    app.add_typer(imports, name="import")


def _shared(function: Callable[..., None]) -> Callable[..., None]:
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


def attempts(
    paths: Paths,
    shared: Shared,
    arm: Arm = None,
    seed: Seed = None,
    benchmark: Benchmark = None,
    column: Columns = None,
) -> None:
    """JSONL, CSV or Parquet with a row for each answer: arm, seed, benchmark, problem_id, sample, and correct (0 or 1)
    or mark; if known also step, response, answer, gold, tokens, finish_reason, template, engine, grader_version,
    benchmark_hash. Arm `start` is the untrained model, with an empty seed."""
    from harness.importing import attempts as source
    from harness.importing import reading

    asked = source.Asked(arm, seed, benchmark, _columns(column))
    options = _options(arm=arm, seed=seed, benchmark=benchmark, column=column)
    _import(
        "attempts", paths, reading.files_in, _TABLES, lambda found: source.read_all(found, asked, None), options, shared
    )


def generations(
    paths: Paths,
    shared: Shared,
    arm: Arm = None,
    seed: Seed = None,
    benchmark: Benchmark = None,
    column: Columns = None,
    anywhere: Anywhere = False,
    tolerance: Tolerance = None,
    workers: Workers = None,
) -> None:
    """Rows like those of `attempts`, with response and gold and no mark: rence's marker marks them. Without --anywhere
    the answer is what the last \\boxed{} holds, as in evaluations."""
    from harness.importing import attempts as source
    from harness.importing import reading

    asked = source.Asked(arm, seed, benchmark, _columns(column))
    marker = _marker(True, anywhere, tolerance, workers)
    options = _options(
        arm=arm, seed=seed, benchmark=benchmark, column=column, anywhere=anywhere, tolerance=tolerance
    )  # fmt: skip
    _import(
        "generations", paths, reading.files_in, _TABLES, lambda found: source.read_all(found, asked, marker), options,
        shared,
    )  # fmt: skip


def verl(
    paths: Paths,
    shared: Shared,
    benchmark: Benchmark = None,
    above: Annotated[
        float | None,
        typer.Option("--correct-above", help="A score above it is correct, where rows have no `acc`; 0 if not given."),
    ] = None,
    mark: Mark = False,
    anywhere: Anywhere = False,
    tolerance: Tolerance = None,
    workers: Workers = None,
) -> None:
    """verl's validation dumps (trainer.validation_data_dir): a folder of <step>.jsonl for each arm and seed. Correct is
    what `acc` says, or a score above 0."""
    from harness.importing import verl as source

    asked = source.Asked(benchmark, above)
    marker = _marker(mark, anywhere, tolerance, workers)
    options = _options(benchmark=benchmark, correct_above=above, mark=mark, anywhere=anywhere, tolerance=tolerance)
    _import(
        "verl", paths, source.files_in, source.LOOKED_FOR, lambda found: source.read_all(found, asked, marker), options,
        shared,
    )  # fmt: skip


def lm_eval(
    paths: Paths,
    shared: Shared,
    metric: Metric = None,
    filter: Annotated[
        list[str] | None, typer.Option("--filter", help="The filter of the answers; the first a task has.")
    ] = None,
    mark: Mark = False,
    anywhere: Anywhere = False,
    tolerance: Tolerance = None,
    workers: Workers = None,
) -> None:
    """Samples of `lm_eval --log_samples`: folders with samples_<task>_<date>.jsonl. Without a name before the path the
    arm is called like the model's folder."""
    from harness.importing import lm_eval as source

    asked = source.Asked(metric or (), filter or ())
    marker = _marker(mark, anywhere, tolerance, workers)
    options = _options(metric=metric, filter=filter, mark=mark, anywhere=anywhere, tolerance=tolerance)
    _import(
        "lm-eval", paths, source.files_in, source.LOOKED_FOR, lambda found: source.read_all(found, asked, marker),
        options, shared,
    )  # fmt: skip


def lighteval(
    paths: Paths,
    shared: Shared,
    metric: Metric = None,
    mark: Mark = False,
    anywhere: Anywhere = False,
    tolerance: Tolerance = None,
    workers: Workers = None,
) -> None:
    """Details of `lighteval --save-details`: folders with details_<task>_<date>.parquet. Without a name before the path
    the arm is called like the model's folder."""
    from harness.importing import lighteval as source

    asked = source.Asked(metric or ())
    marker = _marker(mark, anywhere, tolerance, workers)
    options = _options(metric=metric, mark=mark, anywhere=anywhere, tolerance=tolerance)
    _import(
        "lighteval", paths, source.files_in, source.LOOKED_FOR, lambda found: source.read_all(found, asked, marker),
        options, shared,
    )  # fmt: skip


_TABLES = "*.jsonl, *.csv or *.parquet"


def _columns(words: list[str] | None) -> dict[str, str]:
    pairs = [word.partition("=") for word in words or ()]
    wrong = next((word for word, pair in zip(words or (), pairs, strict=True) if not (pair[0] and pair[2])), None)
    if wrong is not None:
        raise UserError(f"--column {wrong}: it must be NAME=THEIRS, such as response=pred.")
    return {ours: theirs for ours, _, theirs in pairs}


def _options(**options: Any) -> dict[str, Any]:
    """Those that were given."""
    return {name: value for name, value in options.items() if value not in (None, False)}


def _marker(mark: bool, anywhere: bool, tolerance: float | None, workers: int | None) -> Marker | None:
    from harness.importing.marking import Marker

    if not mark and (anywhere or tolerance is not None or workers is not None):
        raise UserError("--anywhere, --tolerance and --workers say how answers are marked again: add --mark.")
    return Marker(anywhere, tolerance, workers) if mark else None


def _import(
    source: str,
    paths: list[str],
    files_in: Find,
    looked_for: str,
    read: Callable[[list[Source]], Found],
    options: dict[str, Any],
    shared: Shared,
) -> None:
    from harness.importing import folder, sources
    from harness.importing.design import Wanted

    folder.check_free(shared.to, shared.clean)
    found = read(sources.find(paths, files_in, looked_for))
    wanted = Wanted(shared.target, tuple(shared.baseline or ()), shared.estimand, shared.step)
    made = folder.write(found, source, options, wanted, shared.to)
    print_json(_summary(made, shared.to)) if shared.json else _show(made, shared.to)


def _summary(made: Imported, to: Path) -> dict[str, Any]:
    plan = made.plan
    return {
        "run": str(to),
        "arms": [arm.name for arm in plan.arms],
        "seeds": plan.seeds,
        "benchmarks": plan.benchmarks,
        "steps": plan.grid_rollouts,
        "target": plan.comparison.target,
        "baselines": plan.comparison.baselines,
        "attempts": sum(len(one.rows) for one in made.design.evaluated),
        "notes": list(made.record.notes),
    }


def _show(made: Imported, to: Path) -> None:
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
        out().print(note, markup=False)
    out().print(f"\nWritten: {to}\nNext: rence report {to}", markup=False)
