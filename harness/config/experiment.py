"""The experiment as the rest of the program sees it: frozen, resolved, checked. `config` makes it from YAML.

Standard library and the light part of `algorithms` only: planning imports no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Lt, MaxLen

from algorithms.base import Algorithm
from benchmarks.problems import TrainingSet
from harness.base import registry
from harness.base.fingerprint import fingerprint
from harness.config import limits
from harness.config.evaluation import Evaluation, NonNegative
from harness.config.limits import Count, SeedNumber, Whole
from harness.config.own_files import ProblemFile, TrainFile
from harness.records import Comparison, Published, Sweep
from harness.records.fields import LATER, RUNTIME, runtime_settings, semantic

Positive = Annotated[float, Gt(0)]
Decay = Annotated[float, Ge(0), Lt(1)]
Reward = Literal["label", "majority", "random", "format", "mislabelled"]


@dataclass(frozen=True)
class Recipe:
    """What all arms share: everything of training that is not the objective. An arm may override a field, and
    every report then lists it as a difference."""

    group_size: Count = 8
    """K, rollouts a prompt"""
    prompts_per_step: Count = 32
    """groups that one rollout batch is learnt from"""
    epochs: Count = 2
    """passes over a rollout batch"""
    minibatches: Count = 2
    """optimiser steps a pass; each takes whole groups"""
    microbatch_tokens: Count = field(default=16384, metadata=RUNTIME)
    """padded tokens (prompt and response) in one forward pass; a cap on memory, it changes no result's meaning"""
    max_tokens: Count = 48
    """response limit"""
    temperature: Positive = 1.0
    """of the sampler in training; log-probs are taken at it too"""
    learning_rate: Positive = 3e-4
    """of AdamW"""
    warmup_updates: Whole = 0
    """linear warm-up, then constant"""
    adam_beta1: Decay = 0.9
    """AdamW's decay of the first moment"""
    adam_beta2: Decay = 0.99
    """AdamW's decay of the second moment"""
    adam_eps: Positive = 1e-8
    """AdamW's term against division by zero"""
    weight_decay: NonNegative = 0.0
    """AdamW's decoupled decay"""
    max_grad_norm: Positive = 1.0
    """the gradient is scaled down to this norm"""
    generator_sync_steps: Count = 1
    """the sampler takes the learner's weights every so many steps (1: always on-policy at the first update)"""
    reference_sync_steps: Count = 10
    """a reference of kind `synced` takes the sampler's weights every so many steps"""
    refill_batches: Count = 4
    """most generation batches for one step; past it the step learns from fewer groups, with a warning"""
    checkpoint_steps: Count = field(default=10, metadata=RUNTIME)
    """a checkpoint to resume from every so many steps, besides those at the evaluation grid"""
    reward: Reward = field(default="label", metadata=LATER)
    """what a rollout is learnt from as right or wrong: `label`, the marker's verdict; `majority`, whether its answer is
    its group's most frequent one, no gold answer needed; or as a control `random`, a fair coin; `format`, whether an
    answer was found; `mislabelled`, right and wrong exchanged on a tenth of the problems. Scores are the marker's"""

    def semantic_keys(self, algorithm: Algorithm) -> dict[str, Any]:
        """The settings that decide what is learnt with this algorithm: what fingerprints are made of."""
        idle: set[str] = set()
        if algorithm.reference != "synced":
            idle.add("reference_sync_steps")
        if not algorithm.refill:
            idle.add("refill_batches")
        return {name: value for name, value in semantic(self).items() if name not in idle}

    def spec(self, algorithm: Algorithm) -> dict[str, str]:
        """The rows of a spec sheet that are the recipe's: how stale a batch becomes, and who follows whom."""
        synced = algorithm.reference == "synced"
        return {
            "updates per rollout batch": f"{self.epochs * self.minibatches} "
            f"({self.epochs} × {self.minibatches} mini-batches)",
            "sync": f"sampler {_every(self.generator_sync_steps)}"
            + (f", reference {_every(self.reference_sync_steps)}" if synced else ""),
        }

    def rate(self, updates: int) -> float:
        """The learning rate after so many updates: linear warm-up whose first update is not zero, then constant."""
        return self.learning_rate * min(1.0, (updates + 1) / max(1, self.warmup_updates))


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
        """A file's or the registry's.

        Raises: UnknownBenchmark; PluginError; ProblemsError if a file is gone or cannot be read.
        """
        own = self.train_file
        if own is None:
            return registry.training_set(self.train)
        return TrainingSet.from_file(Path(own.file), self.train, content=own.hash)

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


def _every(steps: int) -> str:
    return "every step" if steps == 1 else f"every {steps} steps"
