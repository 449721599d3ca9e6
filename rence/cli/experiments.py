"""`rence plan` and `rence run`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.base.errors import OK, UserError
from harness.run.launchers import Where, get_launcher
from rence.cli import completion
from rence.cli.accepting import Accept
from rence.cli.console import Json, command, complain, err, interrupted, out, print_json, same_command
from rence.cli.sections import others
from rence.cli.shipped import config_file

if TYPE_CHECKING:
    from harness.config.experiment import Experiment
    from harness.records import RunFolder
    from harness.run.driver import RunSelection
    from harness.run.outcome import RunOutcome

Config = Annotated[
    Path,
    typer.Argument(
        metavar="CONFIG",
        help="Experiment file, or the name of one that ships: `rence list configs`.",
        parser=config_file,
        autocompletion=completion.configs,
        show_default=False,
    ),
]
Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Settings to change.", show_default=False)
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=1024,
        help="Trials side by side; one a core, here or of the cluster, on verl one a slot (verl.gpus_per_trial).",
        show_default=False,
    ),
]
OneJob = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=1_000_000,
        metavar="N",
        help="One job alone, while others of the same run are worked on elsewhere: a task of a SLURM array. 0 is the "
        "untrained model; `rence plan --json` lists all.",
        show_default=False,
    ),
]

_MOST_FAILURES = 3


def add_to(app: typer.Typer) -> None:
    command(app)(run)
    command(app)(plan)


def run(
    config: Config,
    overrides: Overrides = None,
    only: Annotated[list[str] | None, typer.Option(metavar="ARM", help="These arms only.", show_default=False)] = None,
    seed: Annotated[list[int] | None, typer.Option(metavar="N", help="These seeds only.", show_default=False)] = None,
    job: OneJob = None,
    workers: Workers = None,
    launcher: Annotated[
        Where, typer.Option(help="Run trials as processes here, or as jobs of the Ray cluster at RAY_ADDRESS.")
    ] = Where.LOCAL,
    clean: Annotated[
        bool, typer.Option("--clean", help="Delete the run folder first, and that of its tuning.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, check it, start nothing.")] = False,
    new_starts: Annotated[
        int,
        typer.Option(metavar="N", min=0, max=3, help="New starts of a trial that was lost, at most."),
    ] = 3,
    accept: Accept = None,
    json: Json = False,
) -> None:
    """Train, evaluate and report an experiment. Run again to resume; a finished one is left as it is."""
    if dry_run:
        _show_plan(config, overrides, json, configs=True)
        return
    from harness import config as configs
    from harness.planning import tuning
    from harness.records import RunFolder
    from harness.run.display import view_for
    from harness.run.driver import Driver, RunSelection

    manifest = configs.read(config, overrides or ())
    if not clean and (said := configs.as_begun(manifest)):
        err().print(said)
    experiment, work = configs.build(manifest), get_launcher(launcher)
    wanted = RunSelection(only or (), seed or (), workers, clean, job, accept)

    def drive(what: Experiment, part: RunSelection) -> RunOutcome:
        driver = Driver(what, manifest.text, view_for(err()), partial(_report, accept), part, work)
        return replace(driver, pauses=driver.pauses[:new_starts]).run()

    first, tuned = tuning.stage(experiment), None
    if first and job is not None:
        experiment, first = tuning.chosen_before(experiment, RunFolder(Path("runs") / first.name), first), None
    if first:
        _announce(experiment, first, wanted)
        # Every arm and seed of the tuning, whatever is selected: a choice must not depend on the part that is run.
        tuned = drive(first, replace(wanted, only=(), seeds=()))
        if tuned.exit_code == OK:
            experiment = tuning.chosen(experiment, tuned.run)
            err().print(f"Tuning chose {tuning.in_words(experiment)}.")
    # A tuning that is not complete has chosen nothing, so the experiment does not begin.
    outcome = tuned if tuned and tuned.exit_code != OK else drive(experiment, wanted)
    if json:
        print_json({**outcome.to_json(), **_sealed(outcome), **({"tuning": tuned.to_json()} if tuned else {})})
    else:
        _print_outcome(outcome, accept)
    _print_what_is_left(outcome)
    raise typer.Exit(outcome.exit_code)


def _announce(experiment: Experiment, first: Experiment, wanted: RunSelection) -> None:
    """Say that tuning comes first, if it does, and refuse now what would be refused after it."""
    from harness.planning import tuning
    from harness.records import RunFolder
    from harness.run import jobs
    from harness.run.driver import load_problems
    from rence.cli.plan_tables import tuned_by

    runs = Path("runs")
    jobs.of(RunFolder(runs / experiment.name), experiment, wanted.only, wanted.seeds)
    if wanted.clean or not tuning.is_complete(RunFolder(runs / first.name), first):
        load_problems(experiment)
        err().print(f"Tuning first: {tuned_by(experiment)}, in {runs / first.name}")


def _report(accept: str | None, run: RunFolder) -> None:
    import reports

    try:
        reports.build(run.root, others=others(), accept=accept)
    # evaluations that were there already do not agree with the plan: the message says what can be done
    except reports.Unmatched as error:
        raise UserError(str(error)) from None


def _sealed(outcome: RunOutcome) -> dict[str, Any]:
    """Whether its report rests on seals, and what was let through: as in verdict.json."""
    from harness.records import read_json

    verdict = outcome.run.report / "verdict.json"
    said = read_json(verdict) if verdict.exists() else {}
    return {name: said[name] for name in ("sealed", "accepted") if name in said}


def _print_outcome(outcome: RunOutcome, accept: str | None) -> None:
    console = out()
    if not outcome.worked:
        count = len(outcome.jobs)
        console.print(f"{outcome.run.root}: all {count} jobs that were asked for are complete: nothing to do.")
    elif outcome.exit_code == OK and outcome.report:
        import reports

        console.print(reports.summary(outcome.run.root, accept=accept))
    elif outcome.exit_code == OK:
        console.print(f"{outcome.jobs[0].name} is complete. Who completes the last job of the run writes its report.")
    if outcome.report:
        console.print(f"Report: {outcome.report}")


def _print_what_is_left(outcome: RunOutcome) -> None:
    for failure in outcome.failures[:_MOST_FAILURES]:
        complain(f"rence: {failure.job.name} failed with exit code {failure.exit_code}: {failure.log}")
        complain("\n".join(f"  {line}" for line in failure.last_words))
    if outcome.interrupted:
        interrupted()
    elif outcome.exit_code != OK:
        how = f"{outcome.open} of {len(outcome.jobs)} jobs are not complete"
        complain(f"rence: {how}. What is done is saved. To go on:\n  {same_command('--clean')}")


def plan(
    config: Config,
    overrides: Overrides = None,
    pilot: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="A finished run to take variances from.", show_default=False),
    ] = None,
    optimise: Annotated[
        str | None,
        typer.Option(
            metavar="margin=POINTS,budget=N",
            help="Look for the cheapest design that finds this margin with power 80 % within N responses (rollouts and "
            "attempts); without a budget, for the cheapest of all.",
            show_default=False,
        ),
    ] = None,
    response_tokens: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            min=1,
            help="How long a response is expected to be, on average, for hours that are expected beside those at most; "
            "else as in RUN, or as in this experiment's own run.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Cells, tokens, FLOPs, hours, disk and the smallest effect that can be detected. Starts nothing."""
    _show_plan(config, overrides, json, pilot=pilot, optimise=optimise, response_tokens=response_tokens)


def _show_plan(
    config: Path,
    overrides: list[str] | None,
    json: bool,
    configs: bool = False,
    pilot: Path | None = None,
    optimise: str | None = None,
    response_tokens: float | None = None,
) -> None:
    """With `configs`, the backend's own are checked and written too."""
    from harness.config import as_begun, build, read
    from rence.cli.plan_tables import print_plan
    from rence.cli.preview import backend_configs, preview

    manifest = read(config, overrides or ())
    if said := as_begun(manifest):
        err().print(said)
    experiment = build(manifest)
    seen = preview(experiment, pilot, optimise, response_tokens)
    experiment = seen.experiment
    if not json:
        print_plan(experiment, seen)
    written = backend_configs(experiment) if configs else {}
    if json:
        found = {"backend_configs": {arm: str(path) for arm, path in written.items()}} if written else {}
        print_json({**seen.to_json(), **found})
    for path in () if json else written.values():
        out().print(f"{experiment.backend} config valid: {path}")
