"""The small trial that the contract of backends trains: GRPO on the quickstart's model, three rollout batches of
sixteen answers, seconds on one core."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import SkipTest

from harness import config
from harness.backends.base import Backend, Checkpoint, TrainingResult
from harness.backends.registry import get_backend
from harness.base.registry import training_set
from harness.config.experiment import Experiment, Trial
from harness.config.manifest import parse
from harness.engines.base import Engine, Request, Sampling
from harness.models import resolving
from harness.prompts.stream import PromptStream
from harness.records import RunFolder, StepRecord, TrialFolder, read_jsonl

SEED, BATCH = 3, 16
QUESTION = "1 + 2 ="
_EXPERIMENT = f"""\
name: contract
model: quickstart-base
template: bare
train: mini_rl
seeds: [{SEED}]
budget: {{rollouts: {3 * BATCH}}}
recipe: {{group_size: 4, prompts_per_step: 4, max_tokens: 24, checkpoint_steps: 1}}
evaluation: {{benchmarks: {{mini_sums: 1}}, points: 2, max_tokens: 24, limit: 2}}
arms: {{grpo: {{kl_coef: 0}}, rloo: {{}}}}
comparison: {{target: grpo, baselines: [rloo]}}
"""


def experiment_on(backend: str) -> Experiment:
    """Two arms, three batches of rollouts a trial, evaluated after two and three, a checkpoint after every step."""
    settings = get_backend(backend).contract_settings
    section = f"{backend}: {json.dumps(dict(settings))}" if settings else ""
    return config.build(parse(f"backend: {backend}\n{_EXPERIMENT}{section}\n", "the contract's experiment"))


@dataclass
class Watcher:
    """The observer and the evaluation of a trial, which may be stopped after a step as by Ctrl-C."""

    stop_after: int = 0
    """a step; 0: never"""
    seen: list[tuple[str, Checkpoint, list[str]]] = field(default_factory=list)
    """each evaluation: the engine's name, the checkpoint, and what it answers"""

    def evaluate(self, engine: Engine, checkpoint: Checkpoint) -> None:
        self.seen.append((engine.name, checkpoint, answers(engine)))

    def on_step(self, record: StepRecord) -> None:
        if record.step == self.stop_after:
            raise KeyboardInterrupt

    def warn(self, message: str) -> None:
        """Warnings are no mistake."""


@dataclass(frozen=True)
class TrainedTrial:
    """What a trial left behind."""

    folder: TrialFolder
    result: TrainingResult
    watcher: Watcher

    @property
    def steps(self) -> list[dict[str, Any]]:
        return list(read_jsonl(self.folder.steps))


@dataclass(frozen=True)
class BackendUnderTest:
    """A backend, and trials that are trained when a check asks for them."""

    name: str
    backend: Backend
    experiment: Experiment
    _place: TemporaryDirectory[str] = field(default_factory=TemporaryDirectory)

    @cached_property
    def whole(self) -> TrainedTrial:
        """Trained without a stop. Raises: SkipTest if this machine lacks something."""
        return self.train("whole")

    @cached_property
    def resumed(self) -> TrainedTrial:
        """Stopped in its second step, and begun again. Raises: SkipTest."""
        with suppress(KeyboardInterrupt):
            self.train("resumed", stop_after=2)
            raise AssertionError("`observer.on_step` is not called for step 2, or what it raises is swallowed")
        return self.train("resumed")

    def train(self, place: str, stop_after: int = 0) -> TrainedTrial:
        """Train GRPO in a folder of its own.

        Args:
            place: the folder's name; a second call with the same one resumes there.
            stop_after: the step after which it is interrupted, as by Ctrl-C; 0: none.
        Raises: SkipTest if this machine lacks something; KeyboardInterrupt after the step `stop_after`.
        """
        self.need()
        folder = RunFolder(Path(self._place.name) / place).trial("grpo", SEED)
        folder.root.mkdir(parents=True, exist_ok=True)
        prompts = PromptStream(training_set(self.experiment.train).problems, SEED)
        trial, watcher = Trial(self.experiment, self.experiment.arm("grpo"), SEED), Watcher(stop_after)
        start = resolving.resolve(self.experiment.model)
        result = self.backend.train(trial, start, prompts, folder, watcher.evaluate, watcher)
        return TrainedTrial(folder, result, watcher)

    def need(self) -> None:
        """Raises: SkipTest if this machine lacks something."""
        missing = self.backend.lacks(self.experiment)
        if missing:
            raise SkipTest(missing)


def under_test(name: str) -> BackendUnderTest:
    """Raises: UserError for a name that is not there, or whose backend refuses a plain experiment; PluginError."""
    return BackendUnderTest(name, get_backend(name), experiment_on(name))


def answers(engine: Engine) -> list[str]:
    """To a question, with fixed seeds."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(resolving.resolve("quickstart-base"))
    (found,) = engine.generate([Request(tuple(tokenizer.encode(QUESTION)), (1, 2, 3, 4))], Sampling(8))
    return [one.text for one in found]
