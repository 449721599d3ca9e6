"""`rence doctor`, `rence pretrain`, `rence dashboard`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.base.errors import UserError, need
from harness.base.plugins import Plugins
from rence.cli import sections
from rence.cli.console import Json, command, err, out, print_json, table
from rence.cli.shipped import config_file

if TYPE_CHECKING:
    from harness.doctor import Checkup
    from harness.doctor.findings import ClusterCheckup, GpuCheckup, TriedCheckup


def add_to(app: typer.Typer) -> None:
    command(app)(doctor)
    command(app)(pretrain)
    command(app)(dashboard)


def doctor(
    experiment: Annotated[
        Path | None,
        typer.Argument(
            metavar="[EXPERIMENT]",
            help="What its trials take, with --cluster or --gpu.",
            parser=config_file,
            show_default=False,
        ),
    ] = None,
    probe: Annotated[bool, typer.Option("--probe", help="Import the big packages too: slower, finds more.")] = False,
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Try what trials need on each node of the Ray cluster: two minutes.")
    ] = False,
    gpu: Annotated[
        bool, typer.Option("--gpu", help="Try kernels, memory and the experiment's largest micro-batch: a minute.")
    ] = False,
    seconds: Annotated[
        float,
        typer.Option(min=1, help="With --cluster or --gpu: what has no answer by then is not checked."),
    ] = 110,
    json: Json = False,
) -> None:
    """What is installed, what each backend and engine lacks, and the command that mends it."""
    from rich.text import Text

    from harness.doctor import FindingState, examine

    # Without the flag nothing is started, and no experiment is read.
    if experiment and not (cluster or gpu):
        raise UserError(
            f"an experiment is looked at on a cluster or a GPU: `rence doctor --cluster {experiment}`, or `--gpu`."
        )
    if cluster and gpu:
        raise UserError("`--cluster` tries the GPUs of its nodes already. Give one of `--cluster` and `--gpu`.")
    found: Checkup | TriedCheckup
    if cluster:
        found = _of_the_cluster(experiment, seconds)
    elif gpu:
        found = _of_the_gpu(experiment, seconds)
    else:
        found = examine(probe=probe, kinds=_kinds_of_plugins())
    if json:
        print_json(found.to_json())
    else:
        shown = table("part", "state", "found", "to mend it")
        colours = {FindingState.OK: "green", FindingState.LACKS: "red"}
        for row in found.findings:
            shown.add_row(row.part, Text(row.state, colours.get(row.state, "yellow")), row.found, row.mend)
        out().print(shown)
    raise typer.Exit(found.exit_code)


def _of_the_gpu(file: Path | None, seconds: float) -> GpuCheckup:
    from harness.config import load
    from harness.doctor import gpu

    return gpu.examine(load(file) if file else None, seconds)


def _of_the_cluster(file: Path | None, seconds: float) -> ClusterCheckup:
    from harness.config import load
    from harness.doctor import cluster

    experiment = load(file) if file else None
    err().print(f"trying the nodes of the Ray cluster: {seconds:g} s at most")
    return cluster.examine(experiment, seconds)


def _kinds_of_plugins() -> list[Plugins[Any]]:
    from harness.base.registry import ALGORITHM_PLUGINS, BACKENDS, BENCHMARK_PLUGINS
    from harness.engines.registry import ENGINES

    return [ALGORITHM_PLUGINS, BENCHMARK_PLUGINS, BACKENDS.plugins, ENGINES.plugins, sections.PLUGINS]


def pretrain(
    to: Annotated[Path, typer.Option("--out", help="A new folder for the model.")] = Path("quickstart-base"),
) -> None:
    """Rebuild the quickstart's base model from its recipe. Needs torch; takes a few minutes."""
    need("pretraining", "torch", "transformers")
    if to.exists() and (not to.is_dir() or any(to.iterdir()) or to.samefile(".")):
        raise UserError(f"{to} is there already. Give another folder with `--out`.")
    from harness.pretraining import pretrain as pretraining

    recipe = pretraining.Pretraining()
    console = err()

    def on_step(step: int, loss: float) -> None:
        if step % 50 == 0 or step == recipe.steps:
            console.print(f"step {step} of {recipe.steps}, loss {loss:.3f}")

    pretraining.pretrain(to, recipe, on_step)
    out().print(f"{to}  use it with `model=./{to}`" if not to.is_absolute() else f"{to}  use it with `model={to}`")


def dashboard(
    run: Annotated[Path | None, typer.Argument(help="A run folder to mirror first.", show_default=False)] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 5000,
) -> None:
    """MLflow's pages on the store that runs are mirrored to, until Ctrl-C."""
    from harness import tracking
    from harness.base.locks import locked
    from harness.records import RunFolder
    from harness.records.files import real_path
    from harness.records.scores_alone import refusal, scores_only

    if run:
        if only := scores_only(run):
            raise UserError(refusal(only))
        if not RunFolder(run).plan.exists():
            raise UserError(f"{run} is no run folder: it has no {RunFolder(run).plan.name}. See `rence list runs`.")
        with locked(run):
            tracking.mirror_now(run)
    folder = real_path(run).parent if run else Path("runs")
    raise typer.Exit(tracking.dashboard(folder, host=host, port=port))
