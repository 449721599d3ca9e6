"""The experiment as the rest of the program sees it: frozen, resolved, checked. `config.py` makes it from YAML.

Standard library and the light part of `algorithms` only: planning imports no torch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from algorithms.base import Algorithm
from harness.records import Comparison


@dataclass(frozen=True)
class Recipe:
    """What all arms share: everything of training that is not the objective. An arm may override a field, and
    every report then lists it as a difference."""

    group_size: int = 8
    """K, rollouts a prompt"""
    prompts_per_step: int = 32
    """groups that one rollout batch is learnt from"""
    epochs: int = 2
    """passes over a rollout batch"""
    minibatches: int = 2
    """optimiser steps a pass; each takes whole groups"""
    microbatch_tokens: int = 16384
    """padded tokens (prompt and response) in one forward pass; a cap on memory, it changes no result's meaning"""
    max_tokens: int = 48
    """response limit"""
    temperature: float = 1.0
    learning_rate: float = 3e-4
    warmup_updates: int = 0
    """linear warm-up, then constant"""
    adam_beta1: float = 0.9
    adam_beta2: float = 0.99
    adam_eps: float = 1e-8
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    generator_sync_steps: int = 1
    """the sampler takes the learner's weights every so many steps (1: always on-policy at the first update)"""
    reference_sync_steps: int = 10
    """a reference of kind `synced` takes the sampler's weights every so many steps"""
    refill_batches: int = 4
    """most generation batches for one step; past it the step learns from fewer groups, with a warning"""
    checkpoint_steps: int = 10
    """a checkpoint to resume from every so many steps, besides those at the evaluation grid"""


@dataclass(frozen=True)
class Evaluation:
    """How checkpoints are asked."""

    benchmarks: Mapping[str, int]
    """benchmark -> k, at the headline point and for the untrained model"""
    curve: Mapping[str, int]
    """benchmark -> k, at the earlier points of the grid; may be empty"""
    points: int = 4
    """evaluations in a trial, at equal distances in rollouts; the last is the headline"""
    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int = 48
    chunk_problems: int = 64
    """problems generated together; the unit of resume. The last digits of fp32 results depend on it"""
    seed: int = 0


@dataclass(frozen=True)
class Arm:
    """An algorithm with resolved hyper-parameters, and the recipe it is trained by."""

    name: str
    algorithm_name: str
    algorithm: Algorithm
    recipe: Recipe
    recipe_overrides: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Hash of the resolved semantics: the spec, the hyper-parameters, the recipe it is trained by."""
        return fingerprint(
            algorithm=type(self.algorithm).__name__,
            hyperparameters=asdict(self.algorithm),
            spec=self.algorithm.spec(),
            recipe=asdict(self.recipe),
        )


@dataclass(frozen=True)
class Experiment:
    """A grid of arms times seeds, trained on the same data in the same order from the same weights."""

    name: str
    backend: str
    model: str
    """a model shipped with the package, a folder, or a hub id"""
    template: str
    """how a problem becomes a prompt"""
    train: str
    """training set"""
    seeds: tuple[int, ...]
    budget_rollouts: int
    recipe: Recipe
    evaluation: Evaluation
    arms: tuple[Arm, ...]
    comparison: Comparison
    tuning: Mapping[str, Any] = field(default_factory=dict)
    """what was tried to choose the recipe; printed in the report"""

    def arm(self, name: str) -> Arm:
        return next(arm for arm in self.arms if arm.name == name)

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


def fingerprint(**parts: Any) -> str:
    """Sixteen hex digits over the JSON form of named parts, keys sorted."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
