"""Whether the special part of each objective acted in training."""

from __future__ import annotations

from reports.activity import Acted, inactive, measure
from reports.analysis import Analysis
from reports.document import Block, Bullets, Cell, Column, Row, Section, Table, text
from reports.words import GAP

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
