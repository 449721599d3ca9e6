"""Trains in this process. Importing this imports no torch; the loop is in `loop.py`."""

from __future__ import annotations

from collections.abc import Iterable
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
    """Trains in this process. Equal inputs give equal files, whether or not a kill came in between."""

    engines = ("local", "hf")
    trains_adapters = True
    stop_seconds = 2.0

    def mistakes(self, experiment: Experiment) -> Iterable[Mistake]:
        return ()

    def costs(self, experiment: Experiment) -> BackendCosts:
        return BackendCosts(_THROUGHPUT)

    def start_engine(self, experiment: Experiment, model: Path) -> Engine:
        from harness.backends.local.engines import engine_over
        from harness.models.language_model import load

        return engine_over(load(model), experiment.evaluation.engine)

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
