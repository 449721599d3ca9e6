"""Trains in this process, on the CPU or on one GPU. Importing this imports no torch; the loop is in `loop.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from harness.backends.base import (
    Backend,
    BackendCosts,
    Evaluate,
    Mistake,
    Observer,
    Throughput,
    TrainingResult,
)
from harness.backends.local.settings import LocalSettings, settings_of
from harness.backends.predicted import Prediction, Workload
from harness.base.devices import SEEN, gpu_names, without_cuda
from harness.base.errors import UserError
from harness.base.findings import Finding
from harness.config.experiment import Experiment, Trial
from harness.engines.base import Engine
from harness.prompts.stream import PromptStream
from harness.records import TrialFolder

_THROUGHPUT = Throughput(
    "core",
    3.5e9,
    1e10,
    "one core of an AVX-512 machine with the quickstart's model, which is small; 22 November 2026",
)


class LocalBackend(Backend):
    """Trains in this process, on the CPU or one GPU. On the CPU equal inputs give equal files, whether or not a kill
    came in between."""

    settings = LocalSettings
    engines = ("local", "hf")
    trains_adapters = True
    stop_seconds = 2.0

    def mistakes(self, experiment: Experiment) -> Iterable[Mistake]:
        return ()

    def lacks(self, experiment: Experiment) -> str:
        """Also asked of a machine whose GPU was taken for usable, by what can be seen without torch."""
        why = without_cuda() if settings_of(experiment).device == "cuda" else ""
        return why and f"`local.device` is cuda, but {why}; `local.device=cpu` computes on the processor"

    def check_machine(self, experiment: Experiment, nodes: Sequence[Mapping[str, float]] | None = None) -> None:
        super().check_machine(experiment, nodes)
        on_gpu = settings_of(experiment).device == "cuda"
        if nodes is not None and on_gpu and not any(node.get("GPU", 0) for node in nodes):
            raise UserError(
                "`local.device` is cuda, but no node of the Ray cluster has a GPU; `local.device=cpu` fits."
            )

    def slots(self, experiment: Experiment, room: int) -> int:
        """On GPUs one a card, and one where it is not known how many there are."""
        if settings_of(experiment).device == "cpu":
            return room
        return max(1, min(room, len(gpu_names() or ())))

    def slots_of_cluster(self, experiment: Experiment, nodes: Sequence[Mapping[str, float]]) -> int:
        unit = "CPU" if settings_of(experiment).device == "cpu" else "GPU"
        return max(1, sum(int(node.get(unit, 0)) for node in nodes))

    def check_workers(
        self, experiment: Experiment, workers: int, nodes: Sequence[Mapping[str, float]] | None = None
    ) -> None:
        if settings_of(experiment).device == "cpu":
            return
        there = self.slots(experiment, workers) if nodes is None else self.slots_of_cluster(experiment, nodes)
        if workers > there:
            raise UserError(
                f"`--workers {workers}`: there is room for {there} at a time, for each trial has a GPU to itself.\n"
                "Leave `--workers` out, and as many run as there are GPUs; `local.device=cpu` takes a core for each."
            )

    def slot_environments(self, experiment: Experiment) -> Sequence[Mapping[str, str]]:
        if settings_of(experiment).device == "cpu":
            return ()
        return [{SEEN: name} for name in gpu_names() or ()]

    def gpus_of_start(self, experiment: Experiment) -> int:
        return self.gpus_of_trial(experiment)

    def gpus_of_trial(self, experiment: Experiment) -> int:
        return int(settings_of(experiment).device == "cuda")

    def computes_on(self, experiment: Experiment) -> str:
        return settings_of(experiment).compute.said

    def costs(self, experiment: Experiment) -> BackendCosts:
        # Of adapters what a resume needs is next to nothing beside the model.
        copies = 1 if all(arm.recipe.lora for arm in experiment.arms) else 3
        if settings_of(experiment).device == "cpu":
            return BackendCosts(_THROUGHPUT, state_copies=copies)
        return BackendCosts(state_copies=copies, states=self.slots(experiment, len(gpu_names() or ())))

    def predict(self, experiment: Experiment, work: Workload) -> Prediction:
        """On a GPU: memory and hours, with layers computed again where they would not fit otherwise."""
        if settings_of(experiment).device == "cpu":
            return Prediction()
        from harness.backends.local import foresight

        return foresight.predict(experiment, work)

    def try_gpu(self, experiment: Experiment, seconds: float) -> Iterable[Finding]:
        from harness.backends.local import trying

        return trying.tried(experiment)

    def start_engine(self, experiment: Experiment, model: Path) -> Engine:
        from harness.backends.local.engines import engine_over
        from harness.models.language_model import load

        return engine_over(load(model, settings_of(experiment).compute), experiment.evaluation.engine)

    def train(
        self,
        trial: Trial,
        model: Path,
        prompts: PromptStream,
        folder: TrialFolder,
        evaluate: Evaluate,
        observer: Observer,
    ) -> TrainingResult:
        """See `Backend`. A step that passes several grid points at once is evaluated for the last of them."""
        from harness.backends.local.loop import Training

        return Training(trial, model, prompts, folder, evaluate, observer).run()
