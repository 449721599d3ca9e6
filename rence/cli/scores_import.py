"""`rence import scores`: tables of seeds and scores, without problems."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.base.errors import UserError
from rence.cli.console import Json, out, print_json, table
from rence.cli.import_words import Baseline, Clean, DryRun, Out, Step, Target

if TYPE_CHECKING:
    from harness.importing.scalars.bring import BroughtScores


class ScoreUnit(StrEnum):
    FRACTION = "fraction"
    PERCENT = "percent"
    RAW = "raw"


Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="[ARM[/seedN]=]PATH...",
        help="Tables (CSV, JSON, JSON lines, Parquet), exports of Weights & Biases, verl's file logger, "
        "trainer_state.json, TensorBoard's events, results of lm-eval, folders of them, or MLflow's runs (mlruns/, "
        "sqlite:///mlflow.db, http://...). A path may say whose it is: 'out/{arm}-seed{seed}/trainer_state.json'.",
        show_default=False,
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="ROLE=NAME",
        help="Which column is the arm, seed, benchmark, metric, step or score, where that is not recognised.",
    ),
]
Metrics = Annotated[
    list[str] | None,
    typer.Option("--metric", help="The metric, where there are several; given again, each becomes a benchmark."),
]


def scores(
    paths: Paths,
    to: Annotated[Path | None, Out] = None,
    column: Columns = None,
    metric: Metrics = None,
    arm: Annotated[str | None, typer.Option(help="The arm of all scores, if nothing says it.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The seed of scores that do not say it.")] = None,
    number_seeds: Annotated[
        bool, typer.Option("--number-seeds", help="Rows of one arm, benchmark and step are its seeds, without names.")
    ] = False,
    pair_seeds: Annotated[
        bool, typer.Option("--pair-seeds", help="A seed of one arm belongs to the same seed of the others.")
    ] = False,
    benchmark: Annotated[str | None, typer.Option(help="What the scores are of, whatever the file calls it.")] = None,
    unit: Annotated[
        ScoreUnit | None, typer.Option(help="What the scores are, where that cannot be told; raw: of any scale.")
    ] = None,
    step: Step = None,
    target: Target = None,
    baseline: Baseline = None,
    experiment: Annotated[str | None, typer.Option(help="Of MLflow's, where several have runs.")] = None,
    clean: Clean = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Scores without problems: a number for each arm and seed, and step if there are curves. They are compared seed by
    seed; nothing is said of problems."""
    from harness.importing.import_plan import ImportComparison
    from harness.importing.scalars.bring import ScoresWanted, bring
    from harness.importing.scalars.resolving import ScalarOptions

    if to is None and not dry_run:
        raise UserError("--out RUN is missing: the run folder to write. --dry-run shows what would be made.")
    if number_seeds and seed is not None:
        raise UserError("--number-seeds and --seed both say what the seeds are. Leave one of them out.")
    tables = ScalarOptions(_columns(column), tuple(metric or ()), arm, seed, benchmark, number_seeds)
    wanted = ScoresWanted(
        tables,
        ImportComparison(target, tuple(baseline or ()), "benchmark", step),
        unit.value if unit else None,
        pair_seeds,
        experiment,
        clean,
        dry_run,
    )
    # those that decide what is read are part of the lock
    given: dict[str, Any] = {
        "column": column, "metric": metric, "arm": arm, "seed": seed, "number_seeds": number_seeds,
        "pair_seeds": pair_seeds, "benchmark": benchmark, "unit": wanted.unit, "step": step, "experiment": experiment,
    }  # fmt: skip
    options = {name: value for name, value in given.items() if value not in (None, False, [])}
    made = bring(paths, wanted, options, to or Path())
    print_json(_summary(made, to, dry_run)) if json else _show(made, to, dry_run)


def _columns(words: list[str] | None) -> dict[str, str]:
    pairs = [word.partition("=") for word in words or ()]
    wrong = next((word for word, pair in zip(words or (), pairs, strict=True) if not (pair[0] and pair[2])), None)
    if wrong is not None:
        raise UserError(f"--column {wrong}: it must be ROLE=NAME, such as seed=run_number.")
    return {role: name for role, _, name in pairs}


def _summary(made: BroughtScores, to: Path | None, dry: bool) -> dict[str, Any]:
    checked, design = made.checked, made.design
    return {
        "run": None if dry else str(to),
        "shape": checked.shape,
        "arms": list(checked.arms),
        "seeds": {arm: _seeds(made, arm) for arm in checked.arms},
        "benchmarks": list(checked.benchmarks),
        "unit": checked.unit,
        "step": design.step,
        "scores": len(checked.rows),
        "target": design.comparison.target,
        "baselines": design.comparison.baselines,
        "means": {
            arm: {b: mean for b in checked.benchmarks if (mean := _mean(made, arm, b)) is not None}
            for arm in checked.arms
        },
        "notes": list(design.notes),
    }


def _seeds(made: BroughtScores, arm: str) -> list[int]:
    rows: Any = made.checked.rows
    return sorted(map(int, rows.loc[rows["arm"] == arm, "seed"].unique()))


def _mean(made: BroughtScores, arm: str, benchmark: str) -> float | None:
    """Over seeds, where it is compared; None where there is nothing."""
    rows = made.design.final
    found = rows.loc[(rows["arm"] == arm) & (rows["benchmark"] == benchmark), "score"]
    return float(found.mean()) if len(found) else None


def _show(made: BroughtScores, to: Path | None, dry: bool) -> None:
    """What was recognised, a table of means, the notes, and the next command."""
    checked, raw = made.checked, made.checked.unit == "raw"
    lines = out()
    lines.print(f"Recognised: {checked.shape}; {_sizes(made)}; {_unit(made)}.", markup=False)
    shown = table("arm", "benchmark", "seeds", "mean", numbers=("seeds", "mean"))
    for arm in checked.arms:
        for benchmark in checked.benchmarks:
            final = made.design.final
            seeds = int(((final["arm"] == arm) & (final["benchmark"] == benchmark)).sum())
            mean = _mean(made, arm, benchmark)
            words = "—" if mean is None else f"{mean:.4g}" if raw else f"{100 * mean:.1f} %"
            shown.add_row(arm, benchmark, str(seeds), words)
    lines.print(shown)
    for note in made.design.notes:
        lines.print(note, markup=False)
    lines.print("Scores without problems: seeds are compared, and nothing is said of problems.")
    if dry:
        lines.print("\nNothing was written (--dry-run). The same without --dry-run and with --out RUN writes it.")
    else:
        lines.print(f"\nWritten: {to}\nNext: rence report {to}", markup=False)


def _sizes(made: BroughtScores) -> str:
    checked = made.checked
    seeds = sorted({len(_seeds(made, arm)) for arm in checked.arms})
    column: Any = checked.rows["step"]
    steps = int(column.nunique())
    of_steps = "no steps" if int(column.max()) < 0 else f"{steps:,} step{'s' * (steps != 1)}"
    each = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    counts = [(len(checked.arms), "arm"), (len(checked.benchmarks), "benchmark")]
    words = [f"{number:,} {word}{'s' * (number != 1)}" for number, word in counts]
    return f"{words[0]}, {each} seed{'s' * (seeds != [1])} each, {words[1]}, {of_steps}"


def _unit(made: BroughtScores) -> str:
    scores: Any = made.checked.rows["score"]
    low, high = float(scores.min()), float(scores.max())
    if made.checked.unit == "raw":
        return f"numbers of no known scale, {low:.4g} to {high:.4g}"
    kind = "percentages" if made.checked.unit == "percent" else "fractions"
    return f"{kind}, {100 * low:.1f} to {100 * high:.1f} %"
