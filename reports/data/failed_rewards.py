"""On how many rollouts of each arm a reward of the user's own failed: these were learnt nothing from.

Rollouts on which it fails are not any: an arm in which it fails more often learns from fewer, and from others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.records.reward_failures import METRIC, NO_REASON, FailedStep, RewardFailures, count, percent
from reports.data.analysis import Analysis, once
from reports.data.load import where
from reports.words import listing

UNEQUAL = 0.01
"""of an arm's rollouts, from which on the shares of two sides differ by so much that a verdict says it"""
MOST_NAMES = 4


@dataclass(frozen=True)
class ArmFailures:
    """Of one arm whose reward is a function of the user's."""

    arm: str
    by_seed: Mapping[int, RewardFailures]

    @property
    def failed(self) -> int:
        return sum(one.failed for one in self.by_seed.values())

    @property
    def rollouts(self) -> int:
        return sum(one.rollouts for one in self.by_seed.values())

    @property
    def share(self) -> float:
        """Of the rollouts of all seeds."""
        return self.failed / self.rollouts if self.rollouts else 0.0

    @property
    def worst(self) -> tuple[int, FailedStep] | None:
        """Seed and step with the largest share, the first of equals; None where no call failed."""
        found = [(seed, one.worst) for seed, one in self.by_seed.items() if one.worst]
        return max(found, key=lambda at: at[1].failed / max(1, at[1].rollouts), default=None)

    @property
    def first(self) -> tuple[int, FailedStep] | None:
        """Seed and step of the first failure of the first seed that has one."""
        return next(((seed, one.first) for seed, one in self.by_seed.items() if one.first), None)


@once
def by_arm(a: Analysis) -> list[ArmFailures]:
    """Of the arms that have such a reward, in the plan's order."""
    steps = a.run.steps
    if METRIC not in steps:
        return []
    found = []
    for arm in a.arms:
        mine = where(steps, steps["arm"] == arm.name)
        trials = {seed: count(_rows(where(mine, mine["seed"] == seed))) for seed in a.run.plan.seeds}
        seeds = {seed: found for seed, found in trials.items() if found}
        if seeds:
            found.append(ArmFailures(arm.name, seeds))
    return found


def _rows(table: Any) -> list[dict[str, Any]]:
    """As lines of `steps.jsonl`."""
    columns = zip(table["step"], table["rollouts"], table[METRIC], table["reward_failure"], strict=True)
    return [
        {"step": int(step), "rollouts": int(rollouts), "metrics": {METRIC: failed}, "reward_failure": reason}
        for step, rollouts, failed, reason in columns
    ]


def sentence(a: Analysis) -> str | None:
    """For the verdict: the shares of the compared arms where they differ; None where they do not, or none failed."""
    sides = [a.target, *a.run.plan.comparison.baselines]
    shares = {one.arm: one.share for one in by_arm(a) if one.arm in sides}
    # an arm without a function of the user's has none that fails
    every = [shares.get(arm, 0.0) for arm in sides]
    if not shares or len(sides) < 2 or max(every) - min(every) < UNEQUAL - 1e-12:
        return None
    named = [f"{percent(shares[arm])} % of the rollouts of {a.label(arm)}" for arm in sides if arm in shares]
    if len(named) > MOST_NAMES:
        named = [f"{percent(min(shares.values()))} to {percent(max(shares.values()))} % of the rollouts of an arm"]
    return (
        f"The reward failed on {listing(named)}: these were learnt nothing from, so that arms did not learn from "
        "equally many, and differences may come from that."
    )


def place(one: ArmFailures) -> str:
    """`grpo/seed1/steps.jsonl, step 2`: where the first reason stands; empty where no call failed."""
    return f"{one.arm}/seed{one.first[0]}/steps.jsonl, step {one.first[1].step}" if one.first else ""


def reason(one: ArmFailures) -> str:
    """Of the first failure; empty where there is none."""
    return (one.first[1].reason or NO_REASON) if one.first else ""


def to_json(a: Analysis, arm: str) -> dict[str, Any]:
    """For `verdict.json`, of one arm: nothing where it has no reward of the user's own."""
    one = next((one for one in by_arm(a) if one.arm == arm), None)
    if one is None:
        return {}
    counts: dict[str, Any] = {"failed": one.failed, "rollouts": one.rollouts, "share": one.share}
    if one.worst and one.first:
        seed, at = one.worst
        counts["worst"] = {"seed": seed, "step": at.step, "failed": at.failed, "rollouts": at.rollouts}
        counts["first"] = {"seed": one.first[0], "step": one.first[1].step, "reason": reason(one)}
    return {"failed_rewards": counts}
