"""What a run has taken so far, beside what was foreseen of as many rollouts. Reads the run's files and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.backends.predicted import Prediction, total
from harness.planning import plan as plans
from harness.planning.costs import Costs
from harness.records import DataError, DoneRecord, Plan, RunFolder, StepRecord, Timing, TrialFolder, read_jsonl

PEAK = "perf/max_memory_allocated_gb"
"""verl's name; its gigabytes are of 2^30 bytes"""
_NOT_ALLOCATED = "CUDA and gaps"
_MEASURED_AS = {"between": "learning", "start": "rest", "checkpoints": "rest"}
"""part of a prediction -> what timing.json has it under"""


@dataclass(frozen=True)
class MeasuredCosts:
    """Of the trials that are complete."""

    trials: int
    rollouts: int
    tokens: int
    hours: Mapping[str, float]
    """sampling, learning, evaluation, rest -> device-hours, or core-hours"""
    predicted: Mapping[str, Mapping[str, float]]
    """type of device -> the same, expected of as many rollouts; without types, `at most` -> all"""
    memory: float | None
    """bytes that a device's allocator had at most; None where nothing says it"""
    predicted_memory: float | None
    """at most"""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def measured(plan: Plan, run: Path, costs: Costs) -> MeasuredCosts | None:
    """None where the folder is not there, is another plan's, or has no complete trial.

    Args:
        plan: of the experiment.
        costs: what is foreseen of it.
    """
    folder = RunFolder(run)
    try:
        other = Plan.read(folder.plan) if folder.plan.exists() else None
        if other is None or plans.identity(other) != plans.identity(plan):
            return None
        # What is under way is left out: how much of it an hour bought is not known before it ends.
        trials = [folder.trial(arm.name, seed) for arm in other.arms for seed in other.seeds]
        complete = [trial for trial in trials if trial.done.exists() and trial.timing.exists()]
        done = [DoneRecord.read(trial.done) for trial in complete]
        spent = [_hours(Timing.read(trial.timing), costs) for trial in complete]
        peaks = [peak for trial in complete if (peak := _peak(trial)) is not None]
    except DataError:
        return None
    if not complete or not costs.rollouts:
        return None
    rollouts = sum(one.rollouts for one in done)
    return MeasuredCosts(
        trials=len(complete),
        rollouts=rollouts,
        tokens=sum(one.tokens for one in done),
        hours={part: sum(one[part] for one in spent) for part in spent[0]},
        predicted=_predicted(costs, rollouts / costs.rollouts),
        memory=max(peaks, default=None),
        predicted_memory=_allocated(costs.prediction),
    )


def _hours(timing: Timing, costs: Costs) -> dict[str, float]:
    """Devices are held all the time that a trial runs; cores are counted by what they did."""
    busy = costs.devices if costs.unit != "core" else timing.cpu_seconds / max(timing.wall_seconds, 1e-9)
    parts = {
        "sampling": timing.generate_seconds,
        "learning": timing.train_seconds,
        "evaluation": timing.evaluate_seconds,
    }
    rest = max(0.0, timing.wall_seconds - sum(parts.values()))
    return {part: seconds * busy / 3600 for part, seconds in (parts | {"rest": rest}).items()}


def _predicted(costs: Costs, share: float) -> dict[str, dict[str, float]]:
    """Of this share of all rollouts; the untrained model's evaluation is in no trial."""
    found: dict[str, dict[str, float]] = {}
    for one in costs.prediction.hours:
        parts: dict[str, float] = {"sampling": 0.0, "learning": 0.0, "evaluation": 0.0, "rest": 0.0}
        for part, hours in (one.expected or {}).items():
            if part != "untrained":
                parts[_MEASURED_AS.get(part, part)] += share * hours
        if total(parts):
            found[one.device] = parts
    if not costs.prediction.hours and costs.hours is not None:
        found["at most"] = {"all": share * costs.hours}
    return found


def _allocated(prediction: Prediction) -> float | None:
    """What the learner's allocator holds in its largest phase; the sampler is another process."""
    learner = [phase for phase in prediction.memory if phase.name in ("log-probs", "update")]
    return max((phase.bytes - phase.parts.get(_NOT_ALLOCATED, 0) for phase in learner), default=None)


def _peak(trial: TrialFolder) -> float | None:
    steps = read_jsonl(trial.steps, StepRecord) if trial.steps.exists() else ()
    return max((2.0**30 * value for row in steps if (value := row.metrics.get(PEAK)) is not None), default=None)
