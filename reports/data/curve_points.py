"""The points of learning curves: each seed's score at each point of the grid, and the interval of their mean."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from reports.data.analysis import Analysis
from reports.data.load import where
from reports.statistics import Floats, contrast

Points = tuple[list[float], list[float]]
"""x and score, a fraction, at each point of the grid; NaN where there is no evaluation"""


def tracks(a: Analysis, table: pd.DataFrame, arm: str, x: str) -> dict[int, Points]:
    """seed -> its points, of each seed that has any.

    Args:
        table: the arm's rows of `axes.counted` on one benchmark, or of `axes.averaged`.
        x: its column that the scores are drawn against.
    """
    seeds = sorted(set(table["seed"].tolist()))
    rows = {seed: at_points(a, where(table, table["seed"] == seed), arm, seed) for seed in seeds}
    return {
        seed: (
            [float(row[x]) if row else math.nan for row in found],
            [float(row["score"]) if row else math.nan for row in found],
        )
        for seed, found in rows.items()
    }


def at_points(a: Analysis, table: pd.DataFrame, arm: str, seed: int) -> list[dict[str, float] | None]:
    """A trial's row at each point of the grid, None where there is no evaluation.

    A step that passes two points of the grid is evaluated once, for the later one; it stands for both.
    """
    by_grid = {row["grid"]: row for row in table.to_dict("records")}
    by_step = {row["step"]: row for row in by_grid.values()}
    points = a.run.plan.grid_rollouts
    found = [by_grid.get(grid) or by_step.get(_reached(a, arm, seed, grid)) for grid in points]
    return [row and {str(key): value for key, value in row.items()} for row in found]


def interval(scores: Floats, confidence: float) -> tuple[float, float]:
    """Of the mean over seeds at one point: seeds new, problems these. NaN where a seed is missing, or is alone.

    Args:
        scores: of each seed, fractions.
    """
    if np.isnan(scores).any():
        return math.nan, math.nan
    return contrast([[scores[:, None]]], (1.0,), "benchmark", confidence).interval or (math.nan, math.nan)


def _reached(a: Analysis, arm: str, seed: int, grid: int) -> int | None:
    """The first step at or past this many rollouts."""
    steps = a.run.steps
    if steps.empty:
        return None
    past = steps.loc[(steps["arm"] == arm) & (steps["seed"] == seed) & (steps["rollouts"] >= grid), "step"]
    return int(past.min()) if len(past) else None
