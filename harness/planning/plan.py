"""The plan: everything that fixes what a reported number means, hashed before training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.base.errors import UserError
from harness.base.registry import BACKENDS
from harness.config import rewards
from harness.config.evaluation import Evaluation
from harness.config.experiment import Arm, Experiment
from harness.config.own_files import ProblemFile
from harness.config.training_recipe import Recipe
from harness.models import resolving
from harness.records import ArmRecord, DecodingRecord, Plan
from harness.records.differences import differences
from harness.records.fields import runtime_keys, stated
from harness.records.plans import ActivityRecord
from harness.records.seals import lock_of

_MOST_DIFFERENCES = 8
_LOCK_VERSION = 2
_REWARDS = {
    "majority": {"label": "majority vote of the group, no gold answer"},
    "random": {"label": "control: a fair coin, whatever the answer"},
    "format": {"label": "control: whether a final answer was found"},
    "mislabelled": {"label": "control: right and wrong exchanged on a tenth of the problems"},
}
"""a row of the spec sheet beside the algorithm's own, whose `reward` is made of the label"""


def make(experiment: Experiment, model: Path | None) -> Plan:
    """Starts nothing and needs no torch.

    Args:
        model: folder of the initial weights, which is read for its hash; None if they are not on this machine, and
            the plan is then a preview that cannot be locked.
    """
    evaluation = stated(experiment.evaluation.first)
    benchmarks, curve = evaluation.pop("benchmarks"), evaluation.pop("curve")
    if "files" in evaluation:  # what they hold is what a number means, not where they are
        evaluation["files"] = {name: _held(file) for name, file in experiment.evaluation.files.items()}
    if experiment.evaluation.others:
        evaluation["decodings"] = {name: _decoding(way) for name, way in experiment.evaluation.ways.items()}
    # Every setting, those too that change no number: `identity` leaves them out of the lock.
    plan = Plan(
        experiment=experiment.name,
        arms=[_record(arm) for arm in experiment.arms],
        seeds=list(experiment.seeds),
        benchmarks=benchmarks,
        curve_benchmarks=curve,
        comparison=experiment.comparison,
        budget_rollouts=experiment.budget_rollouts,
        grid_rollouts=list(experiment.grid_rollouts),
        backend=experiment.backend,
        model=experiment.model,
        model_hash=resolving.model_hash(model) if model else "",
        train=experiment.train,
        template=experiment.template,
        recipe=stated(experiment.recipe),
        evaluation=evaluation,
        tuning=dict(experiment.tuning),
        lock="",
        backend_settings=stated(experiment.backend_settings) if experiment.backend_settings is not None else {},
        sweeps=list(experiment.sweeps),
        lock_version=_LOCK_VERSION,
        train_hash=experiment.train_file.identity if experiment.train_file else "",
        seals=1,
        unlocked=_unlocked(experiment.backend),
    )
    # Last, for it is a hash of the others.
    return replace(plan, lock=identity(plan))


def identity(plan: Plan) -> str:
    """The lock by rule 2 (`records/seals.py`), whichever rule a plan was locked by: plans are compared by it. Settings
    that say how and where things are computed stand in the plan as they were at the first start, and are left out."""
    return lock_of(plan.to_json(), _unlocked(plan.backend))


def _unlocked(backend: str) -> dict[str, list[str]]:
    """Keys of the recipe and of the backend's settings that change no number; of a plug-in that is gone, none."""
    settings = BACKENDS.get(backend).settings if backend in BACKENDS.names() else None
    return {"recipe": list(runtime_keys(Recipe)), **({backend: list(runtime_keys(settings))} if settings else {})}


def check_unchanged(locked: Plan, now: Plan, folder: Path, files: Iterable[str] = ()) -> None:
    """
    Args:
        files: of the user's, whose content is not what was planned.
    Raises: UserError with the differences if a run folder was planned otherwise.
    """
    if identity(locked) == identity(now):
        return
    found = list(differences(locked.to_json(), now.to_json()))
    lines = [f"  {line}" for line in found[:_MOST_DIFFERENCES]]
    if len(found) > _MOST_DIFFERENCES:
        lines.append(f"  and {len(found) - _MOST_DIFFERENCES} more")
    lines += [f"  {file} has changed since. Restore it from a copy to go on, or:" for file in files]
    raise UserError(
        "\n".join(
            [
                f"{folder} was planned otherwise, and a plan is locked before training:",
                *lines,
                "Give the changed experiment another `name`, or start over with `--clean`, which deletes that folder.",
            ]
        )
    )


def _held(file: ProblemFile) -> str:
    """What its problems are, and what counts as equal to their golds where that is said."""
    return f"{file.hash}, {file.rule}" if file.rule else file.hash


def _decoding(way: Evaluation) -> dict[str, Any]:
    return stated(DecodingRecord(way.temperature, way.top_p, way.max_tokens, dict(way.benchmarks)))


def _label(recipe: Recipe) -> dict[str, str]:
    """What a rollout is learnt from as right, where that is not the marker's verdict."""
    own = rewards.words(recipe)
    return {"label": f"own: {own}"} if own else _REWARDS.get(recipe.reward, {})


def _record(arm: Arm) -> ArmRecord:
    algorithm = arm.algorithm
    return ArmRecord(
        name=arm.name,
        algorithm=arm.algorithm_name,
        title=arm.title or algorithm.title,
        hyperparameters=stated(algorithm),
        spec={**algorithm.spec(), **_label(arm.recipe), **arm.recipe.spec(algorithm)},
        recipe_differences=dict(arm.recipe_overrides),
        activity=[
            ActivityRecord(metric=one.metric, label=one.label, inactive_below=one.inactive_below)
            for one in algorithm.activity
        ],
        fingerprint=arm.fingerprint,
    )
