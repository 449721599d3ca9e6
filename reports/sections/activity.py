"""Whether the special part of each objective acted in training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.records import ArmRecord
from harness.records.plans import ActivityRecord
from reports.data.analysis import Analysis
from reports.data.load import Run
from reports.document import Block, Bullets, Cell, Column, Row, Section, Table, text
from reports.words import GAP


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
        """Over the seeds that logged it; None if none did."""
        return float(np.mean(list(self.means.values()))) if self.means else None

    @property
    def inactive(self) -> bool:
        """Whether the part did nothing; not where it was never logged, for nothing is known of that."""
        return self.mean is not None and self.mean < self.inactive_below


def measure(run: Run) -> list[Acted]:
    """Every part that the plan's arms declare, in the arms' order, logged or not."""
    return [_measure(run, arm, entry) for arm in run.plan.arms for entry in arm.activity]


def _measure(run: Run, arm: ArmRecord, entry: ActivityRecord) -> Acted:
    metric = entry["metric"]
    means = {}
    if metric in run.steps:
        values = run.steps.loc[run.steps["arm"] == arm.name, ["seed", metric]].astype({metric: float}).dropna()
        means = {int(seed): float(mean) for seed, mean in values.groupby("seed")[metric].mean().items()}  # type: ignore[arg-type]
    return Acted(arm.name, metric, entry["label"], entry["inactive_below"], means)


def inactive(a: Analysis) -> Iterator[str]:
    """A sentence for each part that did nothing."""
    for acted in measure(a.run):
        if acted.inactive:
            yield (
                f"{a.label(acted.arm)}: {acted.label} was {acted.mean:.2g} on average, below {acted.inactive_below:g}: "
                "this part did nothing in this run."
            )


CAPTION = (
    "Means over a trial's steps of the metrics that tell whether the special part of an objective did anything, for "
    "each seed. With one update per rollout batch all group methods are the same weighted REINFORCE; a comparison of "
    "objectives is one of these parts, and says little where they did not act."
)


def section(a: Analysis) -> Section | None:
    acted = measure(a.run)
    if not acted:
        return None
    columns = [
        Column("", numeric=False),
        Column("Metric", numeric=False),
        *(Column(f"seed {seed}") for seed in a.run.plan.seeds),
        Column("acts from"),
        Column("Finding", numeric=False),
    ]
    blocks: list[Block] = [Table("activity", columns, [_row(a, one) for one in acted], CAPTION)]
    idle = list(inactive(a))
    return Section("activity", "Did the objectives act?", [Bullets(idle), *blocks] if idle else blocks)


def _row(a: Analysis, one: Acted) -> Row:
    means = [one.means.get(seed) for seed in a.run.plan.seeds]
    acted = [mean >= one.inactive_below for mean in one.means.values()]
    finding = "acted" if all(acted) else f"acted in {sum(acted)} of {len(acted)} seeds"
    finding = "not logged" if one.mean is None else "did nothing" if one.inactive else finding
    return Row(
        [
            text(a.label(one.arm)),
            text(one.label),
            *(Cell(GAP) if mean is None else Cell(f"{mean:.3g}", mean) for mean in means),
            Cell(f"{one.inactive_below:g}", one.inactive_below),
            Cell(finding, bold=one.inactive),
        ]
    )
