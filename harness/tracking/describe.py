"""What MLflow shows of the plan and the trials besides their numbers: tags, parameters, names."""

from __future__ import annotations

import os
from typing import Any

from harness.records import START, ArmRecord, Plan, TrialRecord
from harness.records.chain import Chain
from harness.tracking.names import encode

EXPERIMENT, TRIAL = "experiment", "trial"
"""values of the tag `stage`; the untrained model's is `start`"""


def parent_tags(plan: Plan) -> dict[str, str]:
    """Tags of the run that the trials are nested under, with a note that says what MLflow is here."""
    note = "A mirror: the results are the files of the run folder, and reports are made from those, never from MLflow."
    return _source() | {"stage": EXPERIMENT, "lock": plan.lock, "mlflow.note.content": note}


def parent_params(plan: Plan) -> dict[str, Any]:
    """The plan's settings under flat names: `benchmarks.NAME` is k, `recipe.NAME` what the arms share."""
    settings = ("backend", "model", "model_hash", "train", "template", "budget_rollouts", "seeds", "grid_rollouts")
    return {
        **{name: getattr(plan, name) for name in settings},
        "arms": [arm.name for arm in plan.arms],
        "comparison.target": plan.comparison.target,
        "comparison.baselines": plan.comparison.baselines,
        **{f"benchmarks.{name}": k for name, k in plan.benchmarks.items()},
        **{f"recipe.{name}": value for name, value in plan.recipe.items()},
        **{f"evaluation.{name}": value for name, value in plan.evaluation.items() if name != "decodings"},
        **{f"evaluation.decodings.{name}": vars(one) for name, one in plan.decodings.items()},
    }


def trial_name(arm: str, seed: int) -> str:
    return f"{arm}/seed{seed}"


def trial_title(arm: ArmRecord, seed: int) -> str:
    return f"{arm.title}, seed {seed}"


def trial_tags(arm: ArmRecord, record: TrialRecord) -> dict[str, str]:
    """What a trial was, as its header says: fingerprints, data order, initial weights, source commit, environment."""
    tags = {
        "stage": TRIAL,
        "arm": arm.name,
        "seed": str(record.seed),
        "algorithm": arm.algorithm,
        "fingerprint": record.fingerprint,
        "arm_fingerprint": record.arm_fingerprint,
        "data_order": record.data_order,
        "initial_weights": record.initial_weights,
        "backend": record.backend,
    }
    if commit := record.environment.get("commit"):
        tags["mlflow.source.git.commit"] = commit
    return _source() | tags | {encode(f"environment.{name}"): value for name, value in record.environment.items()}


def trial_params(plan: Plan, arm: ArmRecord, seed: int) -> dict[str, Any]:
    """What a trial was set to: its algorithm's settings and spec sheet, and the recipe as the arm has it."""
    return {
        "algorithm": arm.algorithm,
        "seed": seed,
        "budget_rollouts": plan.budget_rollouts,
        **arm.hyperparameters,
        **{f"spec.{name}": value for name, value in arm.spec.items()},
        **{f"recipe.{name}": value for name, value in (plan.recipe | arm.recipe_differences).items()},
    }


def start_tags() -> dict[str, str]:
    return _source() | {"stage": START, "arm": START}


def seal_tags(found: Chain) -> dict[str, str]:
    """Whether the files are what was planned, trained and answered: sealed, unsealed, or broken and where."""
    broken = "; ".join(f"{one.file.name} {one.what}" for one in found.breaks)
    return {"sealed": f"broken: {broken}" if broken else found.state}


def _source() -> dict[str, str]:
    user = os.environ.get("USER") or "unknown"
    return {"mlflow.source.type": "LOCAL", "mlflow.source.name": "rence", "mlflow.user": user}
