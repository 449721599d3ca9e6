"""Learning curves, and scores against the number of attempts, in rows: the numbers of the report's pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from harness.records import START
from reports.data import curve_points, pass_family
from reports.data.analysis import Analysis
from reports.data.axes import averaged, counted, curve_benchmarks
from reports.data.load import where
from reports.data.pairs import UNTRAINED
from reports.data.pass_at_k import groups, ladder, majorities
from reports.data.scores import AVERAGE
from reports.frames.framing import of_rows

_AXES = ("step", "rollouts", "updates", "tokens")


def tables(a: Analysis) -> dict[str, pd.DataFrame]:
    """Each benchmark of the curves, and the average -> what its lines are drawn from."""
    table = counted(a)
    if a.run.plan.imported or not a.run.trials:
        table = table.assign(rollouts=np.where(table["arm"] == START, 0.0, np.nan))  # counted elsewhere, if they were
    benchmarks = curve_benchmarks(a)
    each = {name: where(table, table["benchmark"] == name) for name in benchmarks}
    return {**each, AVERAGE: averaged(table, len(benchmarks))}


def curves(a: Analysis) -> pd.DataFrame:
    """A row for each arm, column and point of the grid: the mean over seeds with its band."""
    return of_rows("curves", _in_order(a, (row for name, table in tables(a).items() for row in _means(a, name, table))))


def seed_curves(a: Analysis) -> pd.DataFrame:
    """A row for each trial, column and point of the grid that was evaluated."""
    rows = (row for name, table in tables(a).items() for row in _seeds(a, name, table))
    return of_rows("curves by seed", _in_order(a, rows))


def _in_order(a: Analysis, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Arms as planned, the untrained model first."""
    return sorted(rows, key=lambda row: a.rows.index(row["arm"]))


def _by_seed(a: Analysis, table: pd.DataFrame, arm: str) -> dict[int, list[dict[str, float] | None]]:
    """seed -> its row of the table at each point of the grid."""
    mine = where(table, table["arm"] == arm)
    seeds = sorted(set(mine["seed"].tolist()))
    return {seed: curve_points.at_points(a, where(mine, mine["seed"] == seed), arm, seed) for seed in seeds}


def _start(table: pd.DataFrame) -> Iterator[Mapping[str, Any]]:
    """The untrained model's row, if it is there."""
    yield from where(table, table["arm"] == START).to_dict("records")[:1]


def _seeds(a: Analysis, column: str, table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for row in _start(table):
        yield {**row, "seed": UNTRAINED, "benchmark": column, "point": 0}
    for arm in a.arms:
        for seed, rows in _by_seed(a, table, arm.name).items():
            for point, row in zip(a.run.plan.grid_rollouts, rows, strict=True):
                if row:
                    yield {**row, "arm": arm.name, "seed": seed, "benchmark": column, "point": point}


def _means(a: Analysis, column: str, table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows of one column: the untrained model's, then each arm's at each point of the grid."""
    none = {"ci_low": None, "ci_high": None}
    for row in _start(table):
        yield {**row, "benchmark": column, "point": 0, "seeds": 0, **none}
    for arm in a.arms:
        by_seed = _by_seed(a, table, arm.name)
        for place, point in enumerate(a.run.plan.grid_rollouts):
            there = [row for rows in by_seed.values() if (row := rows[place])]
            # a mean over other seeds than the planned ones would bend the line by who is missing: there it has a gap
            whole = len(there) == len(a.run.plan.seeds)
            values = np.array([row["score"] for row in there], float)
            low, high = curve_points.interval(values, 1 - a.alpha) if whole else (math.nan, math.nan)
            yield {
                "arm": arm.name,
                "benchmark": column,
                "point": point,
                **{axis: float(np.mean([row[axis] for row in there])) if whole else None for axis in _AXES},
                "score": float(values.mean()) if whole else None,
                "ci_low": low,
                "ci_high": high,
                "seeds": len([seed for seed, rows in by_seed.items() if rows[place] and seed != UNTRAINED]),
            }


def pass_at_k(a: Analysis) -> pd.DataFrame:
    """A row for each measure, arm, column and k that there is: those of pass_at_k.csv, and the majority's."""
    found = [one for measure in pass_family.MEASURES for one in _scores(a, measure)]
    ks = {scores.k for scores in a.cells.values()}
    if len({k for each in ks for k in each}) == 1:
        k, votes = ladder(a)[-1], groups(a, majorities(a))
        found += list(pass_family.scores(a, "maj@k", {k: votes}))
    return of_rows(
        "pass_at_k", ({**_row(one), "arm": one.a, "score": one.estimate and one.estimate.value} for one in found)
    )


def _scores(a: Analysis, measure: str) -> Iterator[pass_family.PassAtK]:
    return pass_family.scores(a, measure, pass_family.by_k(a, measure)) if a.cells else iter(())


def pass_differences(a: Analysis) -> pd.DataFrame:
    """A row for each pair, column and k: those of pass_at_k.csv."""
    found = pass_family.every_difference(a, pass_family.by_k(a)) if a.cells else []
    return of_rows(
        "pass_at_k differences",
        (
            {
                **_row(one),
                "a": one.a,
                "b": one.b,
                "delta": one.estimate and one.estimate.value,
                "missing": one.missing or None,
            }
            for one in found
        ),
    )


def _row(one: pass_family.PassAtK) -> dict[str, Any]:
    estimate = one.estimate
    low, high = (estimate.interval if estimate else None) or (None, None)
    return {
        "benchmark": one.column,
        "measure": one.measure,
        "k": one.k,
        "ci_low": low,
        "ci_high": high,
        "covers": estimate.estimand if estimate and low is not None else None,
    }
