"""What the parts of each objective do to the gradient, on a few steps of each trial."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import pandas as pd

from harness.records import ArmRecord
from reports.data.analysis import Analysis
from reports.document import Block, Bullets, Cell, Column, Row, Section, Table, text
from reports.words import GAP, capital, listing

PREFIX, NORM, ANGLE = "activity/", "/norm", "/angle"
HALVES = "activity/halves/angle"
"""names in steps.jsonl are `activity/<part>/norm` and `activity/<part>/angle`, and this one"""
CAPTION = (
    "g is the gradient before the last update of a step, on a quarter of its groups; g_off is that "
    "of the same algorithm without the part, on the same groups (without a filter: on the unfiltered ones). "
    "|g − g_off| / |g|: mean over the recorded steps of all seeds, with the least and the most. Angles in degrees, "
    "means. Half-batches: the angle between the gradients of two halves of the same groups, which is what noise alone "
    "does. A part that turns the gradient by little at these steps may still matter over a whole training, and the "
    "other way round: what it is worth only an arm trained without it shows."
)
LOGGED = (
    "What the objectives log of their parts: means over a trial's steps, for each seed. They have a scale of their "
    "own, so that no size of them is small or large by itself."
)


def section(a: Analysis) -> Section | None:
    if not a.arms:
        return None
    rows = [row for arm in a.arms for row in _rows(a, arm)]
    blocks: list[Block] = [Table("activity", _columns(), rows, CAPTION)] if rows else []
    gaps = list(_gaps(a))
    logged = [row for arm in a.arms for row in _logged(a, arm)]
    if logged:
        seeds = (Column(f"seed {seed}") for seed in a.run.plan.seeds)
        heads = [Column("", numeric=False), Column("Metric", numeric=False), *seeds]
        blocks.append(Table("activity-logged", heads, logged, LOGGED))
    return (
        Section("activity", "What the parts do", [*blocks, *([Bullets(gaps)] if gaps else [])])
        if blocks or gaps
        else None
    )


def _columns() -> list[Column]:
    return [
        Column("", numeric=False),
        Column("Part", numeric=False),
        Column("|g − g_off| / |g|"),
        Column("least"),
        Column("most"),
        Column("angle, °"),
        Column("half-batches, °"),
        Column("steps"),
    ]


def parts(a: Analysis, arm: str) -> list[str]:
    """Those that the trials of an arm measured, in the order in which they logged them."""
    names = (name for name in a.run.steps.columns if str(name).startswith(PREFIX) and str(name).endswith(NORM))
    return [str(name).removeprefix(PREFIX).removesuffix(NORM) for name in names if len(_values(a, arm, str(name)))]


def _rows(a: Analysis, arm: ArmRecord) -> Iterator[Row]:
    noise = _values(a, arm.name, HALVES)
    for part in parts(a, arm.name):
        norm = _values(a, arm.name, f"{PREFIX}{part}{NORM}")
        angle = _values(a, arm.name, f"{PREFIX}{part}{ANGLE}")
        yield Row(
            [
                text(a.label(arm.name)),
                text(part),
                *(_cell(value, "{:.3f}") for value in (_mean(norm), norm.min(), norm.max())),
                *(_cell(_mean(some), "{:.1f}") for some in (angle, noise)),
                Cell(str(len(norm)), len(norm)),
            ]
        )


def _gaps(a: Analysis) -> Iterator[str]:
    """Why arms have no row."""
    without = [arm.name for arm in a.arms if not parts(a, arm.name)]
    single = [name for name in without if len(_values(a, name, HALVES))]
    unknown = [name for name in without if name not in single]
    if single:
        yield f"{_named(a, single)}: no part of the objective can be turned off by a setting."
    if not unknown:
        return
    plan = a.run.plan
    why = (
        "an import has results and no training"
        if plan.imported
        else f"backend {plan.backend} logged nothing of it. The local one does, once a trial of this version has come "
        "to a third of its budget, if there is something to learn from and gradients have room in memory. verl has no "
        "gradients at hand; of rollouts that it dumps `rence diff` tells the angle between the gradients of an "
        "algorithm and of the same one without a part"
    )
    yield f"Not known of {_named(a, unknown)}: {why}."


def _logged(a: Analysis, arm: ArmRecord) -> Iterator[Row]:
    for entry in arm.activity:
        means = [_values(a, arm.name, entry["metric"], seed) for seed in a.run.plan.seeds]
        cells = (_cell(_mean(some), "{:.3g}") for some in means)
        yield Row([text(a.label(arm.name)), text(entry["label"]), *cells])


def _values(a: Analysis, arm: str, metric: str, seed: int | None = None) -> pd.Series:
    """Of the steps that have it, of all seeds or of one."""
    steps = a.run.steps
    if metric not in steps:
        return pd.Series(dtype=float)
    chosen = (steps["arm"] == arm) if seed is None else (steps["arm"] == arm) & (steps["seed"] == seed)
    return steps.loc[chosen, metric].astype(float).dropna()


def _mean(values: pd.Series) -> float | None:
    """The sum is exact before it is rounded, whatever the order."""
    return math.fsum(values) / len(values) if len(values) else None


def _cell(value: float | None, form: str) -> Cell:
    return Cell(GAP) if value is None else Cell(form.format(value), float(value))


def _named(a: Analysis, arms: Sequence[str]) -> str:
    return capital(listing([a.label(arm) for arm in arms]))
