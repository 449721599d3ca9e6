"""The seam of a backend: all that the rest of the program knows of what trains a trial.

A backend is an object, and importing it imports neither torch nor Ray nor verl: planning and lists need it too. What is
heavy is imported inside `start_engine` and `train`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from harness.backends.predicted import Prediction, Workload
from harness.base.errors import UserError
from harness.base.findings import Finding
from harness.config.experiment import Experiment, Trial
from harness.engines.base import Engine
from harness.prompts.stream import PromptStream
from harness.records import RunFolder, StepRecord, TrialFolder

Key = tuple[str | int, ...]


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


@dataclass(frozen=True)
class Mistake:
    """What of an experiment cannot be, and the keys that could mend it, the likeliest first."""

    keys: tuple[Key, ...]
    """each as a path in the experiment's file, such as ("recipe", "group_size")"""
    message: str


@dataclass(frozen=True)
class Throughput:
    """What a core or a device is assumed to do."""

    unit: str
    """core or GPU"""
    generate_flops: float
    """useful floating-point operations a second in sampling"""
    train_flops: float
    """in forward and backward passes of training"""
    stated: str
    """where the figures come from"""


@dataclass(frozen=True)
class BackendCosts:
    """What planning has to know of a backend to say what an experiment costs, from above."""

    throughput: Throughput | None = None
    """None where it is not known: plans then say no hours"""
    devices: int = 1
    """cores or GPUs that a trial keeps busy"""
    extra_passes: int = 0
    """forward passes over a rollout batch that the algorithm does not ask for"""
    state_copies: int = 3
    """what a trial keeps to resume from, in sizes of the model's fp32 weights: with AdamW, weights and two moments"""
    weight_bytes: int = 4
    """of a parameter in the model that a checkpoint is"""
    states: int | None = None
    """how many trials have such a state at once; None: all of them"""


RETURNS: Mapping[str, tuple[type, str]] = {
    "mistakes": (Iterable, "mistakes, or none"),
    "check_machine": (type(None), "nothing"),
    "lacks": (str, "text"),
    "slots": (int, "a whole number"),
    "slots_of_cluster": (int, "a whole number"),
    "check_workers": (type(None), "nothing"),
    "slot_environments": (Sequence, "a sequence of mappings, or an empty one"),
    "gpus_of_start": (int, "a whole number"),
    "gpus_of_trial": (int, "a whole number"),
    "computes_on": (str, "text"),
    "costs": (BackendCosts, "BackendCosts"),
    "predict": (Prediction, "a Prediction"),
    "configs": (Mapping, "a mapping from arm to text"),
    "try_cluster": (Iterable, "findings, or none"),
    "start_engine": (Engine, "an Engine (name, version, positions, generate)"),
}
"""method of a backend -> what it must return. `train` is not among them: what it raises is the trial's, and its log has
the traceback"""


class Backend(ABC):
    """Trains trials, and says what it needs for that. A class without arguments; holds no state of a trial."""

    settings: ClassVar[type | None] = None
    """a frozen dataclass, the experiment's section of the backend's name: every field with a type, a default and its
    meaning as the string below it. Fields that may change between two starts of a trial have the metadata RUNTIME, and
    all others are part of the plan's lock (`harness/records/fields.py`). None: no section"""
    engines: ClassVar[tuple[str, ...]] = ()
    """names that `evaluation.engine` may have besides null"""
    one_at_a_time: ClassVar[str] = ""
    """why trials must not run side by side, whatever the user says, as the end of a sentence; empty: they may"""
    trains_adapters: ClassVar[bool] = False
    """whether it knows `recipe.lora`; an experiment that asks for adapters is refused otherwise"""
    contract_settings: ClassVar[Mapping[str, Any]] = {}
    """settings with which `rence check` trains a few steps of the quickstart's model here, where the defaults do not"""
    stop_seconds: ClassVar[float] = 10.0
    """how long a trial that was asked to end may clear up before it is killed, which must lose nothing but time"""

    def mistakes(self, experiment: Experiment) -> Iterable[Mistake]:
        """What of the experiment this backend cannot do; asked when its file is loaded. Starts nothing."""
        if experiment.record_steps:
            yield Mistake((("record_steps",),), f"`record_steps` is of backend `local`, not of `{experiment.backend}`.")

    def check_machine(self, experiment: Experiment, nodes: Sequence[Mapping[str, float]] | None = None) -> None:
        """Asked when a run starts, before anything is written.

        Args:
            nodes: the resources of each node of the Ray cluster that trials go to, as Ray counts them; None: trials
                are processes here.
        Raises: UserError with what is missing, and the command that mends it.
        """
        missing = self.lacks(experiment) if nodes is None else ""
        if missing:
            raise UserError(f"backend `{experiment.backend}` cannot start: {missing}")

    def lacks(self, experiment: Experiment) -> str:
        """What is missing on this machine to train its trials, in one line; empty if nothing is."""
        return ""

    def slots(self, experiment: Experiment, room: int) -> int:
        """How many trials run side by side unless the user says, 1 to `room`, which is how many fit by their
        processors."""
        return room

    def slots_of_cluster(self, experiment: Experiment, nodes: Sequence[Mapping[str, float]]) -> int:
        """How many trials run side by side on a Ray cluster unless the user says: by default as `slots` says of its
        processors.

        Args:
            nodes: the resources of each node, as Ray counts them.
        """
        return self.slots(experiment, max(1, sum(int(node.get("CPU", 0)) for node in nodes)))

    def check_workers(  # noqa: B027  most have no limit
        self, experiment: Experiment, workers: int, nodes: Sequence[Mapping[str, float]] | None = None
    ) -> None:
        """Asked after `check_machine`, if the user says how many trials run side by side.

        Args:
            nodes: as there.
        Raises: UserError if there cannot be so many.
        """

    def slot_environments(self, experiment: Experiment) -> Sequence[Mapping[str, str]]:
        """Environment variables by which a process on this machine uses what is a trial's own, such as its GPUs, for
        each trial that fits; none if trials share what there is. Each process of a job gets one that no other has."""
        return ()

    def gpus_of_start(self, experiment: Experiment) -> int:
        """GPUs that a Ray cluster must give to the job that evaluates the untrained model."""
        return 0

    def gpus_of_trial(self, experiment: Experiment) -> int:
        """GPUs that a Ray cluster must give to the process of a trial; 0: it uses none, or its workers take them."""
        return 0

    def computes_on(self, experiment: Experiment) -> str:
        """Device and numbers, in a few words, as this machine settles what the file leaves open; empty: nothing to
        say."""
        return ""

    def costs(self, experiment: Experiment) -> BackendCosts:
        """Of one trial of the experiment, as far as the backend decides them."""
        return BackendCosts()

    def predict(self, experiment: Experiment, work: Workload) -> Prediction:
        """Memory, checkpoints and hours by type of device, of all trials; empty where it cannot tell."""
        return Prediction()

    def configs(self, experiment: Experiment, run: RunFolder) -> Mapping[str, str]:
        """Arm -> YAML text of what the backend would hand to a trainer of its own, for a dry run; most have none.

        Raises: UserError if it cannot be made here, or is refused.
        """
        return {}

    def try_cluster(self, experiment: Experiment | None, seconds: float) -> Iterable[Finding]:
        """What trials would meet on the Ray cluster that this process has joined, tried there; for `rence doctor
        --cluster`.

        Args:
            experiment: on this backend; None: what holds of any.
            seconds: by which it must have ended.
        """
        return ()

    def try_gpu(self, experiment: Experiment, seconds: float) -> Iterable[Finding]:
        """What a trial of the experiment would meet on the GPU of this machine, tried there: its largest micro-batch
        first of all; for `rence doctor --gpu`.

        Args:
            seconds: by which it must have ended.
        """
        return ()

    @abstractmethod
    def start_engine(self, experiment: Experiment, model: Path) -> Engine:
        """What evaluates the untrained model: with `evaluation.engine` null, what the backend samples with.

        Args:
            model: folder of the initial weights, Hugging Face layout.
        """

    @abstractmethod
    def train(
        self,
        trial: Trial,
        model: Path,
        prompts: PromptStream,
        folder: TrialFolder,
        evaluate: Evaluate,
        observer: Observer,
    ) -> TrainingResult:
        """Write `steps.jsonl` and `checkpoints/`, call `evaluate` at each grid point with the engine of
        `start_engine`'s kind, and return at the budget. The driver has written `trial.json` and holds the lock; a call
        in a folder that was begun goes on from its newest checkpoint.

        Args:
            model: folder of the initial weights, Hugging Face layout.
            prompts: the training set in the seed's order, consumed as a stream.
        """
