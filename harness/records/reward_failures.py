"""On how many of a trial's rollouts a reward of the user's own failed, as `steps.jsonl` has it.

A call fails that crashes, hangs, raises, or returns what is no reward. Its rollout is learnt nothing from, and counts
in the budget: an arm whose reward fails more often learns from fewer rollouts, and not from any, but from those that
the function could read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

METRIC = "reward/failed"
NO_REASON = "no reason is recorded; the logs of the trial have it"


@dataclass(frozen=True)
class FailedStep:
    """One step, and its rollouts."""

    step: int
    failed: int
    rollouts: int
    reason: str = ""
    """of the first of them; empty where the file does not say"""


@dataclass(frozen=True)
class RewardFailures:
    """Of one trial, in the steps that logged `reward/failed`."""

    failed: int
    rollouts: int
    first: FailedStep | None = None
    """the first step with a failure; None where no call failed"""
    worst: FailedStep | None = None
    """the step with the largest share, the first of equals"""

    @property
    def share(self) -> float:
        """Of the rollouts."""
        return self.failed / self.rollouts if self.rollouts else 0.0

    @property
    def words(self) -> str:
        """`the reward failed on 37 of 640 rollouts (5.8 %), at worst on 9 of 64 at step 7; first at step 2: ...`"""
        if not self.first or not self.worst:
            return f"the reward failed on none of {self.rollouts:,} rollouts"
        worst = f"{self.worst.failed:,} of {self.worst.rollouts:,} at step {self.worst.step}"
        return (
            f"the reward failed on {self.failed:,} of {self.rollouts:,} rollouts ({percent(self.share)} %), at worst "
            f"on {worst}; first at step {self.first.step}: {self.first.reason or NO_REASON}"
        )


def percent(share: float) -> str:
    """`5.8`, `0.003`: never a zero for what is none."""
    return f"{100 * share:.1f}" if share >= 0.001 or not share else f"{100 * share:.1g}"


def count(rows: Iterable[Mapping[str, Any]]) -> RewardFailures | None:
    """
    Args:
        rows: the lines of `steps.jsonl`, in their order.
    Returns: None where no step logged the metric: there is no reward of the user's own.
    """
    steps, before = [], 0
    for row in rows:
        rollouts, before = row["rollouts"] - before, row["rollouts"]
        failed = row.get("metrics", {}).get(METRIC)
        if failed is not None and math.isfinite(failed):
            steps.append(FailedStep(row["step"], int(failed), rollouts, row.get("reward_failure", "")))
    if not steps:
        return None
    failing = [one for one in steps if one.failed]
    return RewardFailures(
        sum(one.failed for one in steps),
        sum(one.rollouts for one in steps),
        failing[0] if failing else None,
        max(failing, key=lambda one: one.failed / max(1, one.rollouts), default=None),
    )
