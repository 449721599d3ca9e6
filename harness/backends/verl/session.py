"""A trial on Ray with verl. This process is Ray's driver, and the only one that writes to the trial's folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import chdir, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from transformers import AutoTokenizer

from harness.backends import checkpoints, on_nodes
from harness.backends.base import Checkpoint, Evaluate, Observer, TrainingResult
from harness.backends.checkpoints import TrainingProgress
from harness.backends.diverged import Diverged, diverging
from harness.backends.verl import isolation, limits, platform, room, survey
from harness.backends.verl.checkpoint import check_ranks, drop_state, is_dropped
from harness.backends.verl.installed import stands_in
from harness.backends.verl.keys import longest_sequence
from harness.backends.verl.node_needs import needs_of
from harness.backends.verl.options import settings_of
from harness.backends.verl.settings import ray_arguments, translate
from harness.backends.verl.timeout import timeout
from harness.base.errors import FAILED, UserError
from harness.config.experiment import Trial
from harness.models import weights as weight_files
from harness.models.resolving import model_hash
from harness.models.stopping import stop_tokens
from harness.prompts.stream import PromptStream
from harness.records import TrialFolder

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from harness.backends.verl.turns import Turn

RAY_SECONDS = 110.0
"""to start a Ray of our own, or to join one; 5 to 20 here"""


def train(
    trial: Trial,
    model: Path,
    prompts: PromptStream,
    folder: TrialFolder,
    evaluate: Evaluate,
    observer: Observer,
) -> TrainingResult:
    """See `Backend`.

    Raises: UserError if what is here cannot train it, or if a process of it died or fell silent.
    """
    folder = TrialFolder(folder.root.resolve())  # the workers have working directories of their own
    newest, settings = checkpoints.newest(folder), settings_of(trial.experiment)
    progress = checkpoints.read_progress(newest) if newest else TrainingProgress()
    if newest and is_dropped(newest):
        drop_state(newest)
        return progress.result(model_hash(newest))
    if newest:
        check_ranks(newest, settings.devices)
    limits.check_machine(settings)
    if said := stands_in(settings):
        observer.warn(said)
    for loaded in (model, *filter(None, [newest])):
        weight_files.check(loaded, quantised=False)
    limits.check_prompts(trial.experiment, AutoTokenizer.from_pretrained(model))
    environment = _environment(trial)
    os.environ.update(environment)
    isolation.install()
    config = translate(trial, model.resolve(), folder.root)
    needs, joining = needs_of(trial.experiment, [trial.arm], model, alone=False), "RAY_ADDRESS" in os.environ
    if joining:
        on_nodes.check_address(os.environ["RAY_ADDRESS"])
    else:
        survey.check_here(settings, needs, trial.name, observer.warn)
    with _cluster(trial, config, folder.root, environment) as turn:
        if joining:
            survey.check_nodes(settings, needs, trial.name, observer.warn)
        return _train(trial, config, model, prompts, folder, evaluate, observer, turn)


def _train(
    trial: Trial,
    config: DictConfig,
    model: Path,
    prompts: PromptStream,
    folder: TrialFolder,
    evaluate: Evaluate,
    observer: Observer,
    turn: Turn,
) -> TrainingResult:
    """The part of `train` that needs the cluster, which is up. See `Backend` for the arguments.

    Args:
        config: verl's whole configuration, of `settings.translate`.
        turn: to take devices; it ends when they are taken.
    Raises: UserError if a process of verl's failed or died. A trial that diverged is a result and no error.
    """
    import transfer_queue as tq  # type: ignore[import-not-found]
    from ray.exceptions import RayError

    from harness.backends.verl.sampling import ServersEngine
    from harness.backends.verl.trainer import Trainer

    tokenizer = AutoTokenizer.from_pretrained(model)
    stop = stop_tokens(model, tokenizer)
    seconds = settings_of(trial.experiment).stall_seconds
    try:
        with timeout(seconds, _late(trial, seconds)):
            tq.init(config.transfer_queue)
        trainer = Trainer(config, trial, prompts, folder, stop, observer, turn.end)  # type: ignore[abstract]

        def evaluate_checkpoint() -> None:
            done = trainer.progress
            weights = model_hash(folder.checkpoint(done.step))
            engine = ServersEngine(
                trainer.get_llm_client(), tokenizer, stop, longest_sequence(trial.experiment), trainer.stall_seconds
            )
            with closing(engine), diverging("the evaluation"):
                evaluate(engine, Checkpoint(done.step, done.rollouts, done.grid or 0, weights))

        diverged, weights = "", ""
        try:
            with timeout(seconds, _late(trial, seconds)):
                trainer.start()
            trainer.train(evaluate_checkpoint)
            drop_state(folder.checkpoint(trainer.progress.step))
            weights = model_hash(folder.checkpoint(trainer.progress.step))
        except Diverged as error:
            diverged = f"step {trainer.progress.step + 1}: {error}"
    except RayError as error:
        print(error, file=sys.stderr)  # the worker's traceback
        raise UserError(
            f"{trial.name}: a process of the verl backend failed or died: {_last_line(error)}\n"
            "Its error is in this log, above. Run the same again to go on from the newest checkpoint.",
            FAILED,
        ) from error
    finally:
        tq.close()
    return trainer.progress.result(weights, diverged, trainer.generate_seconds, trainer.train_seconds)


@contextmanager
def _cluster(trial: Trial, config: DictConfig, folder: Path, environment: Mapping[str, str]) -> Iterator[Turn]:
    """A Ray of our own, or the one that RAY_ADDRESS names, with verl's environment in its workers, once there is room
    for the trial. Each trial here has a Ray of its own: what befalls one ends no other, nobody has to start or stop
    one for all, and the driver knows without it who has which devices.

    Raises: UserError if the trial can have no room.
    """
    import ray
    from ray._private.state import available_resources_per_node
    from verl.trainer.constants_ppo import get_ppo_ray_runtime_env

    from harness.backends.verl.turns import Turn

    settings, joining = settings_of(trial.experiment), "RAY_ADDRESS" in os.environ
    runtime = get_ppo_ray_runtime_env(config)
    runtime["env_vars"] = {**runtime.get("env_vars", {}), **environment}
    # Ray puts the working directory first on its workers' path, where a user's `benchmarks/` would be taken for ours.
    with chdir(folder), timeout(RAY_SECONDS, _no_ray(trial)):
        options = {**ray_arguments(settings, joining=joining), "namespace": environment[isolation.TRIAL]}
        on_nodes.join(**options, runtime_env=runtime)
    turn = Turn()

    def look() -> tuple[list[room.Machine], list[room.Machine]]:
        # As verl asks: no public call tells the machines apart.
        return room.alive(ray.nodes()), list(available_resources_per_node().values()) if turn.come() else []

    try:
        room.check(settings, room.alive(ray.nodes()))
        survey.check_platform(settings, trial.name)
        room.await_free(settings, look, trial.name, partial(print, flush=True))
        cpus = room.share(settings, *look())
        config.transfer_queue.backend.SimpleStorage.num_data_storage_units = room.stores(settings, cpus)
        yield turn
    finally:
        ray.shutdown()


def _no_ray(trial: Trial) -> UserError:
    return UserError(
        f"{trial.name}: Ray had not started, or had not answered, after {RAY_SECONDS:g} s.\n"
        "`ray status` shows whether the cluster that RAY_ADDRESS names is at work; the log of a Ray of our own is "
        "/tmp/ray/session_latest/logs.",
        FAILED,
    )


def _late(trial: Trial, seconds: float) -> UserError:
    """Whatever the workers wait for: none of what is known to be waited for, which was looked at before."""
    return UserError(
        f"{trial.name}: verl's workers had not started after {seconds:g} s.\n"
        "`ray status` and `ray list actors` show what waits; slow storage of the model takes long, too. "
        "`verl.stall_seconds` is the limit.",
        FAILED,
    )


def _environment(trial: Trial) -> dict[str, str]:
    on_cpu = platform.ENVIRONMENT if settings_of(trial.experiment).device == "cpu" else {}
    seldom = {"VLLM_LOG_STATS_INTERVAL": "600"}  # a line of each sampler in the log; seconds
    return {**on_cpu, **platform.NO_TELEMETRY, **isolation.environment(), **seldom, "TRANSFER_QUEUE_ENABLE": "1"}


def _last_line(error: Exception) -> str:
    """Where Ray's errors name their cause."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
