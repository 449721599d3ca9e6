"""Learning curves, against rollouts, updates and generated tokens: every seed, the mean and its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from harness.records import START
from reports.data import curve_points
from reports.data.analysis import Analysis
from reports.data.axes import AXES, averaged, counted, curve_benchmarks, equal
from reports.data.load import where
from reports.document import Block, Cell, Column, Figure, Gallery, Row, Section, Table, Text, text
from reports.figures import arm_colours
from reports.figures.curves import Line, Track, curves
from reports.words import count, listing, percent

WORDS = {**AXES, "step": "steps"}
MOST_BANDS = 4
"""arms whose bands can be told apart; with more, the target alone has its seeds and its band"""


def section(a: Analysis) -> Section | None:
    benchmarks, table = curve_benchmarks(a), counted(a)
    if table.empty or (a.run.plan.imported and len(a.run.plan.grid_rollouts) == 1):
        return None
    # steps alone are known of an import; its rollouts were counted elsewhere, if they were
    axes = {"step": WORDS["step"]} if a.run.plan.imported else AXES
    axis, axis_words = next(iter(axes.items()))
    average = averaged(table, len(benchmarks))
    titles = [a.benchmark_title(b) for b in benchmarks]
    of = "the average of " + listing(titles) if len(titles) > 1 else titles[0]
    blocks: list[Block] = [
        Gallery(
            [
                Figure(f"curve-{x}", _svg(a, average, x, 440, 280), f"Score in percent against {words}.")
                for x, words in axes.items()
            ],
            f"Score in percent on {of}. {legend(a)}{' Dashed: the untrained model.' if START in a.rows else ''}",
        )
    ]
    if len(benchmarks) > 1:
        panels = [
            Figure(f"curve-{b}", _svg(a, where(table, table["benchmark"] == b), axis, 280, 190, f"-{b}"), title)
            for b, title in zip(benchmarks, titles, strict=True)
        ]
        blocks.append(
            Gallery(panels, f"Each benchmark against {axis_words}, in percent; colours as above.", titled=True)
        )
    return Section("curves", "Learning curves", [*blocks, *_equal(a), *_gaps(a, average)])


def _equal(a: Analysis) -> list[Table]:
    """The arms' scores where all trials had generated as much, learnt as often, and written as many tokens."""
    points = [point for axis in AXES if (point := equal(a, axis))]
    if len(a.arms) < 2 or len(points) < len(AXES):
        return []
    columns = [Column("", numeric=False), *(Column(f"{count(point.at)} {AXES[point.axis]}") for point in points)]
    rows = []
    for arm in a.arms:
        scores = [point.scores.get(arm.name) for point in points]
        rows.append(Row([text(a.label(arm.name)), *(Cell(percent(score), score) for score in scores)]))
    few = curve_benchmarks(a)
    on = "" if len(few) == len(a.benchmarks) else f" on {listing([a.benchmark_title(name) for name in few])}"
    caption = (
        f"Scores in percent{on} at equal rollouts, updates and generated tokens: the least that any trial made in the "
        "end. Means over seeds, each on a straight line between its evaluations and the untrained model. They "
        "describe: the test is at equal rollouts."
    )
    return [Table("axes", columns, rows, caption)]


def legend(a: Analysis) -> str:
    """What lines, dots and bands mean, and which arms have them."""
    parts = ["Thick: mean over seeds. Thin, with a dot at each evaluation: every seed.", covers(a)]
    if len(a.arms) > MOST_BANDS:
        parts.append(f"Of these {len(a.arms)} arms only {a.label(a.target)} shows its seeds and its band.")
    return " ".join(filter(None, [*parts, arm_colours.rule(a)]))


def covers(a: Analysis) -> str:
    """What a band is an interval of; empty for one seed."""
    if len(a.run.plan.seeds) < 2:
        return ""
    return (
        f"Band: the {100 * (1 - a.alpha):g} % t interval of the mean over seeds, point by point: it covers new seeds "
        "on these problems. A band that does not fit is cut."
    )


def _svg(a: Analysis, table: pd.DataFrame, x: str, width: float, height: float, suffix: str = "") -> str:
    lines, origin = panel(a, table, x)
    return curves(f"curve-{x}{suffix}", lines, origin, WORDS[x], width, height)


def panel(a: Analysis, table: pd.DataFrame, x: str) -> tuple[list[Line], float | None]:
    """A line for each arm, and the untrained model's score, in percent; None where that is not known.

    Args:
        table: `axes.counted` or `axes.averaged`, of one column.
        x: its column that the scores are drawn against.
    """
    start = table.loc[table["arm"] == START, "score"]
    origin = float(start.iloc[0]) * 100 if len(start) else None
    found = {arm.name: curve_points.tracks(a, where(table, table["arm"] == arm.name), arm.name, x) for arm in a.arms}
    tracks = {arm: [(xs, [100 * y for y in ys]) for xs, ys in by_seed.values()] for arm, by_seed in found.items()}
    return [line(a, arm.name, tracks[arm.name], origin) for arm in a.arms], origin


def line(a: Analysis, arm: str, tracks: Sequence[Track], origin: float | None = None, dots: bool = True) -> Line:
    """One arm as a picture shows it: by how many arms there are, with or without its seeds, its band and its name.

    Args:
        tracks: each seed at the same points
        origin: of all seeds at 0, before training
    """
    # A mean over other seeds than the planned ones would bend the line by who is missing: there it has a gap.
    whole = len(tracks) == len(a.run.plan.seeds)
    mean_x, mean_y = np.mean(tracks, axis=0).tolist() if whole and tracks else ([], [])
    detailed = len(a.arms) <= MOST_BANDS or arm == a.target
    band = _band([y for _, y in tracks], 1 - a.alpha) if whole and detailed else None
    if origin is not None:
        tracks = [([0.0, *x], [origin, *y]) for x, y in tracks]
        if mean_x:
            mean_x, mean_y = [0.0, *mean_x], [origin, *mean_y]
        # before training there are no seeds, and nothing to have an interval
        band = None if band is None else ([math.nan, *band[0]], [math.nan, *band[1]])
    return Line(
        arm_colours.short(a, arm),
        arm_colours.tints(a)[arm],
        tracks if detailed or not mean_x else [],
        (mean_x, mean_y),
        band,
        dots=dots,
        quiet=arm not in arm_colours.named(a),
    )


def _band(tracks: Sequence[Sequence[float]], confidence: float) -> tuple[list[float], list[float]] | None:
    """Interval of the mean over seeds at each point, in percent. None if no point has any."""
    points = zip(*tracks, strict=True)
    bounds = [curve_points.interval(np.array(values) / 100, confidence) for values in points]
    if all(math.isnan(low) for low, _ in bounds):
        return None
    return [100 * low for low, _ in bounds], [100 * high for _, high in bounds]


def _gaps(a: Analysis, table: pd.DataFrame) -> list[Text]:
    planned = len(a.run.plan.seeds)
    short = [a.label(arm.name) for arm in a.arms if table.loc[table["arm"] == arm.name, "seed"].nunique() < planned]
    return [Text(f"No mean is drawn where a seed is missing: {listing(short)}.")] if short else []
