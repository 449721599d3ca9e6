"""The plan: everything that fixes what a reported number means, hashed before training."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from harness.base.errors import UserError
from harness.base.fingerprint import fingerprint
from harness.config.experiment import Arm, Experiment
from harness.models import resolving
from harness.records import ArmRecord, Plan
from harness.records.differences import differences

_MOST_DIFFERENCES = 8
_UNSAID = ("limit", "second_marker", "engine")
"""settings of evaluations that a plan holds only where they are set, so that plans without them keep their lock"""
_REWARDS = {
    "majority": {"label": "majority vote of the group, no gold answer"},
    "random": {"label": "control: a fair coin, whatever the answer"},
    "format": {"label": "control: whether a final answer was found"},
}
"""a row of the spec sheet beside the algorithm's own, whose `reward` is made of the label"""


def make(experiment: Experiment, model: Path | None) -> Plan:
    """Starts nothing and needs no torch.

    Args:
        model: folder of the initial weights, which is read for its hash; None if they are not on this machine, and
            the plan is then a preview that cannot be locked.
    """
    evaluation = asdict(experiment.evaluation)
    benchmarks, curve = evaluation.pop("benchmarks"), evaluation.pop("curve")
    for key in _UNSAID:
        if not evaluation[key]:
            del evaluation[key]
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
        recipe=experiment.recipe.stated(),
        evaluation=evaluation,
        tuning=dict(experiment.tuning),
        lock="",
        verl=experiment.verl.to_json() if experiment.backend == "verl" else {},
        sweeps=list(experiment.sweeps),
    )
    return replace(plan, lock=fingerprint(plan=plan.to_json()))


def check_unchanged(locked: Plan, now: Plan, folder: Path) -> None:
    """Raises: UserError with the differences if a run folder was planned otherwise."""
    if locked.lock == now.lock:
        return
    found = list(differences(locked.to_json(), now.to_json()))
    lines = [f"  {line}" for line in found[:_MOST_DIFFERENCES]]
    if len(found) > _MOST_DIFFERENCES:
        lines.append(f"  and {len(found) - _MOST_DIFFERENCES} more")
    raise UserError(
        "\n".join(
            [
                f"{folder} was planned otherwise, and a plan is locked before training:",
                *lines,
                "Give the changed experiment another `name`, or start over with `--clean`, which deletes that folder.",
            ]
        )
    )


def _record(arm: Arm) -> ArmRecord:
    algorithm = arm.algorithm
    return ArmRecord(
        name=arm.name,
        algorithm=arm.algorithm_name,
        title=arm.title or algorithm.title,
        hyperparameters=asdict(algorithm),
        spec={**algorithm.spec(), **_REWARDS.get(arm.recipe.reward, {}), **arm.recipe.spec(algorithm)},
        recipe_differences=dict(arm.recipe_overrides),
        activity=[asdict(activity) for activity in algorithm.activity],
        fingerprint=arm.fingerprint,
    )
