"""`rence import`: results made elsewhere, brought into a run folder."""

from __future__ import annotations

from typing import Annotated

import typer

from benchmarks.marks import Reading
from harness.records.schema import COLUMNS, IMPORTED
from rence.cli.console import command
from rence.cli.import_any import DEFAULT, SourceOrPath, command_of
from rence.cli.import_options import Shared, bring_in, with_shared
from rence.cli.import_words import (
    Arm,
    Benchmark,
    Columns,
    HowToRead,
    Mark,
    Metric,
    Paths,
    Rule,
    Seed,
    Tolerance,
    Workers,
    columns_of,
    given,
    how_marked,
    marker_of,
)
from rence.cli.scores_import import scores

imports = typer.Typer(
    cls=SourceOrPath,
    help="Bring results made elsewhere into a run folder, to report and compare them. `rence import PATH... --out RUN` "
    "finds out what the files are; a source before the paths says it, where no file or folder is called so.",
    no_args_is_help=True,
    subcommand_metavar="[SOURCE] PATH... --out RUN",
)

_RECOGNISED = (
    (
        DEFAULT,
        "Any of these files, and others like them: what they are is found from their content and said. JSON, JSONL, "
        "CSV, Parquet or .eval, plain, .gz or .zst; folders, and patterns with {arm}, {seed}, {benchmark}, {step}, "
        "{sample}.",
        None,
    ),
    (
        "lighteval",
        "Details of `lighteval --save-details`: details_<task>_<date>.parquet, and nothing else. A single arm is "
        "called like the model's folder.",
        "lighteval details",
    ),
)
"""name, help, and the only files that are taken"""


def add_to(app: typer.Typer) -> None:
    for name, says, family in _RECOGNISED:
        command(imports, name)(with_shared(command_of(name, says, family)))
    for function in (attempts, generations, verl, lm_eval):
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

    asked = source.AttemptOptions(arm, seed, benchmark, columns_of(column), shared.common)
    options = given(arm=arm, seed=seed, benchmark=benchmark, column=column)
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

    asked = source.AttemptOptions(arm, seed, benchmark, columns_of(column), shared.common)
    marker = marker_of(True, reading, rule, tolerance, workers)
    options = given(
        arm=arm, seed=seed, benchmark=benchmark, column=column, **how_marked(reading, rule, tolerance)
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
    marker = marker_of(mark, reading, rule, tolerance, workers)
    options = given(
        benchmark=benchmark,
        correct_above=above,
        mark=mark,
        **how_marked(reading, rule, tolerance),
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
    marker = marker_of(mark, reading, rule, tolerance, workers)
    options = given(
        metric=metric,
        filter=filter,
        mark=mark,
        **how_marked(reading, rule, tolerance),
    )
    bring_in(
        "lm-eval", paths, source.files_in, LOOKED_FOR, lambda found: source.read_all(found, asked, marker),
        options, shared,
    )  # fmt: skip


_TABLES = "*.jsonl, *.csv or *.parquet"
