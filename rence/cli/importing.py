"""`rence import`: results made elsewhere, brought into a run folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.marks import Form, Reading
from harness.base.errors import UserError
from harness.records.schema import COLUMNS, IMPORTED
from rence.cli.console import command
from rence.cli.import_options import Shared, bring_in, with_shared
from rence.cli.scores_import import scores

if TYPE_CHECKING:
    from harness.importing.marking import Marker

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


def add_to(app: typer.Typer) -> None:
    for function in (attempts, generations, verl, lm_eval, lighteval):
        command(imports, function.__name__.replace("_", "-"))(with_shared(function))
    command(imports)(scores)
    app.add_typer(imports, name="import")


def attempts(
    paths: Paths,
    shared: Shared,
    arm: Arm = None,
    seed: Seed = None,
    benchmark: Benchmark = None,
    column: Columns = None,
) -> None:
    """JSONL, CSV or Parquet with a row for each answer: arm, seed, benchmark, problem_id, sample, and correct (0 or 1)
    or mark; if known also {others}, benchmark_hash. Arm `start` is the untrained model, with an empty seed."""
    from harness.importing import attempts as source
    from harness.importing import readers

    asked = source.AttemptOptions(arm, seed, benchmark, _columns(column), shared.common)
    options = _options(arm=arm, seed=seed, benchmark=benchmark, column=column)
    bring_in(
        "attempts", paths, readers.files_in, _TABLES, lambda found: source.read_all(found, asked, None), options, shared
    )


_OTHERS = ["step", *(name for name in IMPORTED if not COLUMNS[name].needed)]
attempts.__doc__ = (attempts.__doc__ or "").format(others=", ".join(_OTHERS))  # what `--help` prints


def generations(
    paths: Paths,
    shared: Shared,
    arm: Arm = None,
    seed: Seed = None,
    benchmark: Benchmark = None,
    column: Columns = None,
    reading: HowToRead = Reading.RULE,
    rule: Rule = None,
    tolerance: Tolerance = None,
    workers: Workers = None,
) -> None:
    """Rows like those of `attempts`, with response and gold and no mark: rence's marker marks them. Without --reading
    the answer is what the last \\boxed{} holds, of multiple choice the letter. A row's `rule` (maths, numbers, choice)
    says what its answer is."""
    from harness.importing import attempts as source
    from harness.importing import readers

    asked = source.AttemptOptions(arm, seed, benchmark, _columns(column), shared.common)
    marker = _marker(True, reading, rule, tolerance, workers)
    options = _options(
        arm=arm, seed=seed, benchmark=benchmark, column=column, **_how(reading, rule, tolerance)
    )  # fmt: skip
    bring_in(
        "generations", paths, readers.files_in, _TABLES, lambda found: source.read_all(found, asked, marker), options,
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
    reading: HowToRead = Reading.RULE,
    rule: Rule = None,
    tolerance: Tolerance = None,
    workers: Workers = None,
) -> None:
    """verl's validation dumps (trainer.validation_data_dir): a folder of <step>.jsonl for each arm and seed. Correct is
    what `acc` says, or a score above 0."""
    from harness.importing import verl as source

    asked = source.DumpOptions(benchmark, above)
    marker = _marker(mark, reading, rule, tolerance, workers)
    options = _options(
        benchmark=benchmark,
        correct_above=above,
        mark=mark,
        **_how(reading, rule, tolerance),
    )
    bring_in(
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
    reading: HowToRead = Reading.RULE,
    rule: Rule = None,
    tolerance: Tolerance = None,
    workers: Workers = None,
) -> None:
    """Samples of `lm_eval --log_samples`: folders with samples_<task>_<date>.jsonl. Without a name before the path the
    arm is called like the model's folder."""
    from harness.importing import lm_eval as source
    from harness.importing.lm_eval_task import LOOKED_FOR

    asked = source.LmEvalOptions(metric or (), filter or ())
    marker = _marker(mark, reading, rule, tolerance, workers)
    options = _options(
        metric=metric,
        filter=filter,
        mark=mark,
        **_how(reading, rule, tolerance),
    )
    bring_in(
        "lm-eval", paths, source.files_in, LOOKED_FOR, lambda found: source.read_all(found, asked, marker),
        options, shared,
    )  # fmt: skip


def lighteval(
    paths: Paths,
    shared: Shared,
    metric: Metric = None,
    mark: Mark = False,
    reading: HowToRead = Reading.RULE,
    rule: Rule = None,
    tolerance: Tolerance = None,
    workers: Workers = None,
) -> None:
    """Details of `lighteval --save-details`: folders with details_<task>_<date>.parquet. Without a name before the path
    the arm is called like the model's folder."""
    from harness.importing import lighteval as source

    asked = source.LightevalOptions(metric or ())
    marker = _marker(mark, reading, rule, tolerance, workers)
    options = _options(metric=metric, mark=mark, **_how(reading, rule, tolerance))
    bring_in(
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


def _how(reading: Reading, rule: Form | None, tolerance: float | None) -> dict[str, Any]:
    """Options of the marker for the plan's lock, where they are not what evaluations do."""
    return {"reading": None if reading is Reading.RULE else reading.value, "rule": rule, "tolerance": tolerance}


def _marker(
    mark: bool, reading: Reading, rule: Form | None, tolerance: float | None, workers: int | None
) -> Marker | None:
    from harness.importing.marking import Marker

    if not mark and (reading is not Reading.RULE or (rule, tolerance, workers) != (None, None, None)):
        raise UserError("--reading, --rule, --tolerance and --workers say how answers are marked again: add --mark.")
    return Marker(reading, rule, tolerance, workers) if mark else None
