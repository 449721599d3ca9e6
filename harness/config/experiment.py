"""The experiment as the rest of the program sees it: frozen, resolved, checked. `config` makes it from YAML.

Standard library and the light part of `algorithms` only: planning imports no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import MaxLen

from algorithms.base import Algorithm
from benchmarks.problems import TrainingSet
from harness.base import registry
from harness.base.fingerprint import fingerprint
from harness.config import limits
from harness.config.evaluation import Evaluation
from harness.config.limits import Count, SeedNumber
from harness.config.own_files import ProblemFile, TrainFile
from harness.config.training_file import learnable
from harness.config.training_recipe import Recipe
from harness.records import Comparison, Published, Sweep
from harness.records.fields import runtime_settings


@dataclass(frozen=True)
class Arm:
    """An algorithm with resolved hyper-parameters, and the recipe it is trained by."""

    name: str
    algorithm_name: str
    algorithm: Algorithm
    recipe: Recipe
    recipe_overrides: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    """what tables call it; empty: the algorithm's title"""

    @property
    def fingerprint(self) -> str:
        """Hash of the resolved semantics: the spec, which says all that an algorithm does, and what of the recipe bears
        on it. Neither names nor settings without effect change it."""
        return fingerprint(spec=self.algorithm.spec(), recipe=self.recipe.semantic_keys(self.algorithm))


@dataclass(frozen=True)
class Cap:
    """What the whole experiment may spend, all arms and seeds and its tuning together. One that asks for more is
    refused before anything starts."""

    trials: Count | None = None
    """most trials; null: no bound"""
    rollouts: Count | None = None
    """most rollouts in training; null: no bound"""


@dataclass(frozen=True)
class Candidate:
    """Settings that are tried in tuning."""

    label: str
    """in words, such as `learning_rate 0.0003`"""
    settings: Mapping[str, Any]
    """setting, such as `recipe.learning_rate` -> value"""


@dataclass(frozen=True)
class Tuning:
    """Trials that choose settings before the experiment begins: every arm gets the same ones."""

    candidates: tuple[Candidate, ...]
    arms: Mapping[str, tuple[Arm, ...]]
    """arm -> how it is with each candidate"""
    seeds: tuple[int, ...]
    """none of them is the experiment's"""
    benchmarks: Mapping[str, int]
    """benchmark -> k; none of them is the experiment's"""
    budget_rollouts: int
    """of one trial"""
    choose: Literal["shared", "per_arm"]
    """the candidate with the best mean over the arms for all of them, or each arm's own best"""
    files: Mapping[str, ProblemFile] = field(default_factory=dict)
    """the benchmarks that are files"""

    @property
    def trials(self) -> int:
        return len(self.candidates) * len(self.arms) * len(self.seeds)


@dataclass(frozen=True)
class Experiment:
    """A grid of arms times seeds, trained on the same data in the same order from the same weights."""

    name: str
    """of the experiment, and of its folder in `runs/`"""
    model: str
    """a model shipped with the package, `smollm2-135m-instruct`, a folder, or a hub id"""
    template: str
    """how a problem becomes a prompt"""
    train: str
    """training set; or, for problems of your own, `{file: train.jsonl}`"""
    seeds: Annotated[tuple[SeedNumber, ...], MaxLen(limits.SEEDS)]
    """one trial of every arm for each"""
    budget_rollouts: Count
    """a trial stops at the first step at or past so many generated rollouts; filtered ones count"""
    recipe: Recipe
    """what all arms share: everything of training that is not the objective"""
    evaluation: Evaluation
    """how checkpoints are asked"""
    arms: tuple[Arm, ...]
    """what is compared: a name, an algorithm, its hyper-parameters, and where it leaves the recipe"""
    comparison: Comparison
    """the primary comparison, fixed before training"""
    backend: str = "local"
    """what trains: see `rence list backends`"""
    tuning: Mapping[str, Any] = field(default_factory=dict)
    """what was tried to choose the recipe, printed in the report: words of your own; or `grid`, `seeds`, `benchmarks`,
    which `rence run` tries before the experiment, and chooses"""
    search: Tuning | None = None
    """the same as trials still to be done; None where it is words, or done"""
    sweeps: tuple[Sweep, ...] = ()
    """the design that `grid` and `ablate` were expanded to, as resolved.json has it; not written by hand"""
    cap: Cap = field(default_factory=Cap)
    """what the whole experiment may spend, tuning included; one that asks for more is refused before anything starts"""
    record_steps: Annotated[tuple[Count, ...], MaxLen(limits.RECORDED)] = field(default=(), compare=False)
    """steps whose rollouts every trial keeps, with the weights they were learnt with, for `rence diff --batch`
    (docs/how-to/diff.md). Backend `local` alone; changes no result and no plan, so a run under way may be given it"""
    backend_settings: Any = None
    """of the backend's settings type, from the section of its name; None for a backend without settings"""
    train_file: TrainFile | None = None
    """the training set if it is a file: its absolute path and its hash"""
    expected: tuple[Published, ...] = field(default=(), compare=False)
    """scores that others have published, for the report to set beside ours; no part of what the experiment is"""

    @property
    def training_set(self) -> TrainingSet:
        """A file's, without what is evaluated, or the registry's.

        Raises: UnknownBenchmark; PluginError; ProblemsError if a file is gone or cannot be read, or if problems that
            are evaluated are not here.
        """
        own = self.train_file
        return learnable(own, self.train, self.evaluation) if own else registry.training_set(self.train)

    @property
    def training_preview(self) -> TrainingSet:
        """The same, also where problems that are evaluated are not here. Raises: like `training_set`."""
        own = self.train_file
        return learnable(own, self.train, self.evaluation, preview=True) if own else self.training_set

    def arm(self, name: str) -> Arm:
        return next(arm for arm in self.arms if arm.name == name)

    def runtime_settings(self, arm: Arm | None = None) -> dict[str, Any]:
        """Settings that may differ between two starts of a trial, dotted as in the experiment's file.

        Args:
            arm: whose recipe; None: the recipe that all share.
        """
        parts = {"recipe": arm.recipe if arm else self.recipe, self.backend: self.backend_settings}
        found = {name: runtime_settings(part) for name, part in parts.items() if part is not None}
        return {f"{name}.{key}": value for name, settings in found.items() for key, value in settings.items()}

    @property
    def grid_rollouts(self) -> tuple[int, ...]:
        """Rollouts at which a trial is evaluated (at the first step at or past each)."""
        points = self.evaluation.points
        return tuple(round(self.budget_rollouts * i / points) for i in range(1, points + 1))


@dataclass(frozen=True)
class Trial:
    """One arm with one seed: what a backend is asked to train."""

    experiment: Experiment
    arm: Arm
    seed: int

    @property
    def name(self) -> str:
        return f"{self.arm.name}/seed{self.seed}"
