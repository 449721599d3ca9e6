"""The protocol of a backend: it trains one trial inside its folder, from its newest checkpoint to its budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.config.experiment import Trial
from harness.engines.base import Engine
from harness.prompts.stream import PromptStream
from harness.records import StepRecord, TrialFolder


@dataclass(frozen=True)
class Checkpoint:
    """A point of the evaluation grid that training has reached."""

    step: int
    rollouts: int
    grid: int
    """the grid point, in rollouts"""
    weights: str
    """`models.model_hash` of its folder"""


Evaluate = Callable[[Engine, Checkpoint], None]
"""Asks the engine, which holds the checkpoint's weights, everything the plan wants at this grid point. Idempotent:
what is complete is skipped, so a backend calls it again after a resume."""


class Observer(Protocol):
    """Told of progress; never needed for results."""

    def on_step(self, record: StepRecord) -> None: ...

    def warn(self, message: str) -> None: ...


@dataclass(frozen=True)
class TrainingResult:
    """What `done.json` needs to know."""

    steps: int
    rollouts: int
    tokens: int
    updates: int
    discarded_rollouts: int
    final_weights: str
    """`models.model_hash` of the final checkpoint; empty if training diverged"""
    diverged: str = ""
    """where and why training stopped early because something was not finite; empty if it did not"""
    generate_seconds: float = 0.0
    train_seconds: float = 0.0


class Backend(Protocol):
    """Trains; the driver has written `trial.json` and holds the lock."""

    def train(
        self,
        trial: Trial,
        model: Path,
        prompts: PromptStream,
        folder: TrialFolder,
        evaluate: Evaluate,
        observer: Observer,
    ) -> TrainingResult:
        """Write `steps.jsonl` and `checkpoints/`, call `evaluate` at each grid point, and return at the budget.

        Args:
            model: folder of the initial weights, Hugging Face layout.
            prompts: the training set in the seed's order, consumed as a stream.
        """
        ...
