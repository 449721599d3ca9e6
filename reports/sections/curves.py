"""Learning curves, against rollouts and against steps, with every seed."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from harness.records import START
from reports.analysis import Analysis
from reports.document import Block, Figure, Gallery, Section, Text
from reports.figures.curves import Line, curves
from reports.figures.svg import colour
from reports.load import where
from reports.scores import curve
from reports.words import listing

WORDS = {"rollouts": "rollouts", "step": "steps"}
"""axes; an import knows steps alone"""


def section(a: Analysis) -> Section | None:
    benchmarks = [b for b in a.benchmarks if b in a.run.plan.curve_benchmarks] or a.benchmarks
    table = curve(a.run)
    table = where(table, table["benchmark"].isin(benchmarks))
    if table.empty or (a.run.plan.imported and len(a.run.plan.grid_rollouts) == 1):
        return None
    axes = {"step": WORDS["step"]} if a.run.plan.imported else WORDS
    axis, axis_words = next(iter(axes.items()))
    average = _average(table, len(benchmarks))
    of = "the average of " + listing(benchmarks) if len(benchmarks) > 1 else benchmarks[0]
    blocks: list[Block] = [
        Gallery(
            [
                Figure(f"curve-{x}", _svg(a, average, x, 440, 280), f"Score in percent against {words}.")
                for x, words in axes.items()
            ],
            f"Score in percent on {of}. Thick: mean over seeds. Thin, with a dot at each evaluation: every seed. "
            "Dashed: the untrained model.",
        )
    ]
    if len(benchmarks) > 1:
        panels = [
            Figure(f"curve-{b}", _svg(a, where(table, table["benchmark"] == b), axis, 280, 190, f"-{b}"), b)
            for b in benchmarks
        ]
        blocks.append(
            Gallery(panels, f"Each benchmark against {axis_words}, in percent; colours as above.", titled=True)
        )
    gaps = _gaps(a, average)
    return Section("curves", "Learning curves", [*blocks, *gaps])


def _average(table: pd.DataFrame, benchmarks: int) -> pd.DataFrame:
    """Mean over the benchmarks, where a point of the grid has them all."""
    keys = ["arm", "seed", "grid", "step", "rollouts"]
    grouped = table.groupby(keys)["score"].agg(["mean", "size"]).reset_index()
    return where(grouped, grouped["size"] == benchmarks).rename(columns={"mean": "score"})


def _svg(a: Analysis, table: pd.DataFrame, x: str, width: float, height: float, suffix: str = "") -> str:
    start = table.loc[table["arm"] == START, "score"]
    lines = [_line(a, where(table, table["arm"] == arm.name), start, arm.name, x) for arm in a.arms]
    first = float(start.iloc[0]) * 100 if len(start) else None
    return curves(f"curve-{x}{suffix}", lines, first, WORDS[x], width, height)


def _line(a: Analysis, table: pd.DataFrame, start: pd.Series, arm: str, x: str) -> Line:
    origin = [(0.0, float(start.iloc[0]) * 100)] if len(start) else []
    tracks = [[*origin, *_points(a, where(table, table["seed"] == s), arm, s, x)] for s in sorted(set(table["seed"]))]
    seeds = [([at for at, _ in track], [score for _, score in track]) for track in tracks]
    place = [record.name for record in a.arms].index(arm)
    # A mean over other seeds than the planned ones would bend the line by who is missing: there it has a gap.
    mean_x, mean_y = np.mean(seeds, axis=0).tolist() if len(seeds) == len(a.run.plan.seeds) else ([], [])
    return Line(_short(a, arm), colour(place), seeds, (mean_x, mean_y))


def _points(a: Analysis, table: pd.DataFrame, arm: str, seed: int, x: str) -> list[tuple[float, float]]:
    """(x, percent) at each point of the grid, NaN where there is no evaluation.

    A step that passes two points of the grid is evaluated once, for the later one; it stands for both.
    """
    by_grid = {row["grid"]: row for row in table.to_dict("records")}
    by_step = {row["step"]: row for row in by_grid.values()}
    points = []
    for grid in a.run.plan.grid_rollouts:
        row = by_grid.get(grid) or by_step.get(_reached(a, arm, seed, grid))
        points.append((float(row[x]), 100 * float(row["score"])) if row else (math.nan, math.nan))
    return points


def _reached(a: Analysis, arm: str, seed: int, grid: int) -> int | None:
    """The first step at or past this many rollouts."""
    steps = a.run.steps
    if steps.empty:
        return None
    past = steps.loc[(steps["arm"] == arm) & (steps["seed"] == seed) & (steps["rollouts"] >= grid), "step"]
    return int(past.min()) if len(past) else None


def _short(a: Analysis, arm: str) -> str:
    """A label that fits beside a line: `ReNCE (rec.)`."""
    return a.label(arm).replace("(reconstruction)", "(rec.)")


def _gaps(a: Analysis, table: pd.DataFrame) -> list[Text]:
    planned = len(a.run.plan.seeds)
    short = [a.label(arm.name) for arm in a.arms if table.loc[table["arm"] == arm.name, "seed"].nunique() < planned]
    return [Text(f"No mean is drawn where a seed is missing: {listing(short)}.")] if short else []
