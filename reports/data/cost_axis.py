"""What each trial has spent, and, where it has a headline score, for what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from reports.data.analysis import Analysis
from reports.data.load import where

Costs = Mapping[str, Mapping[int, Mapping[str, float]]]
"""arm -> seed that has a headline score -> what was spent"""
COUNTERS = ("step", "rollouts", "tokens", "updates", "cursor")
"""of a line of steps.jsonl"""


def counts(a: Analysis, arm: str, seed: int) -> dict[str, int]:
    """What a trial has generated and learnt from: by done.json, or as far as the log goes. Empty if it was not run."""
    trial = a.run.trials.get((arm, seed))
    numbers: dict[str, int] = {}
    steps = a.run.steps
    if not steps.empty:
        mine = where(steps, (steps["arm"] == arm) & (steps["seed"] == seed))
        if not mine.empty:
            last = mine.iloc[-1]
            numbers = {name: int(last[name]) for name in COUNTERS}
            numbers["steps"] = numbers.pop("step")
    if trial is not None and trial.done is not None:
        done = asdict(trial.done)
        numbers |= {name: done[name] for name in ("rollouts", "tokens", "steps", "updates")}
        numbers["discarded"] = done["discarded_rollouts"]
    return numbers


def generated(a: Analysis) -> Costs:
    """Counts of all trials that have a score."""
    return {
        arm.name: {seed: spent for seed in a.by_seed(arm.name) if (spent := counts(a, arm.name, seed))}
        for arm in a.arms
    }


def seconds(a: Analysis) -> Costs:
    """`cpu` and `wall` seconds from timing.json of all trials that have a score."""
    costs: dict[str, dict[int, dict[str, float]]] = {}
    for arm in a.arms:
        found = {seed: trial.timing for seed in a.by_seed(arm.name) if (trial := a.run.trials.get((arm.name, seed)))}
        costs[arm.name] = {
            seed: {"cpu": timing.cpu_seconds, "wall": timing.wall_seconds}
            for seed, timing in found.items()
            if timing is not None
        }
    return costs
