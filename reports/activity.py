"""Whether the special part of each objective acted, from the metrics that its algorithm names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.records import ArmRecord
from reports.analysis import Analysis
from reports.load import Run


@dataclass(frozen=True)
class Acted:
    """One metric of one arm: its mean over the steps of each seed."""

    arm: str
    metric: str
    label: str
    inactive_below: float
    means: dict[int, float]
    """seed -> mean over the steps where it was counted; a seed that never logged it is missing"""

    @property
    def mean(self) -> float | None:
        return float(np.mean(list(self.means.values()))) if self.means else None

    @property
    def inactive(self) -> bool:
        return self.mean is not None and self.mean < self.inactive_below


def measure(run: Run) -> list[Acted]:
    return [_measure(run, arm, entry) for arm in run.plan.arms for entry in arm.activity]


def _measure(run: Run, arm: ArmRecord, entry: dict[str, object]) -> Acted:
    metric = str(entry["metric"])
    means = {}
    if metric in run.steps:
        values = run.steps.loc[run.steps["arm"] == arm.name, ["seed", metric]].astype({metric: float}).dropna()
        means = {int(seed): float(mean) for seed, mean in values.groupby("seed")[metric].mean().items()}  # type: ignore[arg-type]
    return Acted(arm.name, metric, str(entry["label"]), float(str(entry["inactive_below"])), means)


def inactive(a: Analysis) -> Iterator[str]:
    """A sentence for each part that did nothing."""
    for acted in measure(a.run):
        if acted.inactive:
            yield (
                f"{a.label(acted.arm)}: {acted.label} was {acted.mean:.2g} on average, below {acted.inactive_below:g}: "
                "this part did nothing in this run."
            )
