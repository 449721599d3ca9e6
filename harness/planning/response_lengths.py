"""How long a response is expected to be: as the user says, or as long as it was in a run that samples alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.planning.solve_rates import sampled
from harness.records import DataError, Plan, RunFolder, StepRecord, last_line


@dataclass(frozen=True)
class ResponseLength:
    """Of responses in training, on average."""

    tokens: float
    source: str
    """where it is known from, in words"""


def said(tokens: float) -> ResponseLength:
    """By the user."""
    return ResponseLength(tokens, "as given by --response-tokens")


def known(plan: Plan, runs: list[Path]) -> ResponseLength | None:
    """From the first of these runs that tells; None where none does.

    Args:
        runs: folders of a pilot, or of the experiment itself, which need not be there.
    """
    return next((found for run in runs if (found := _measured(plan, RunFolder(run))) is not None), None)


def _measured(plan: Plan, run: RunFolder) -> ResponseLength | None:
    """Over all trials so far. None where the run is another's model, problems or sampling, or has no step."""
    try:
        other = Plan.read(run.plan) if run.plan.exists() else None
        if other is None or sampled(other) != sampled(plan):
            return None
        trials = [run.trial(arm.name, seed) for arm in other.arms for seed in other.seeds]
        lines = [last_line(trial.steps, StepRecord) for trial in trials if trial.steps.exists()]
    except DataError:
        return None
    rollouts = sum(line.rollouts for line in lines if line)
    tokens = sum(line.tokens for line in lines if line)
    if not rollouts:
        return None
    return ResponseLength(tokens / rollouts, f"{rollouts:,} rollouts of {run.root}")
