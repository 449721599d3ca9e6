"""Frames of a run that holds scores without problems: the numbers of its results.csv and verdict.json.

What such scores cannot tell (problems, attempts, marks, cost) is missing in every row. Its columns are those of other
runs, so `average` is there with one benchmark too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from harness.records.seed_scores import arm_fingerprint
from reports.frames.frame_columns import FRAMES
from reports.frames.framing import of_columns, of_rows
from reports.seed_scores.as_json import estimate_json, pair_json
from reports.seed_scores.compared import ComparedScores, mean
from reports.seed_scores.found import AVERAGE, NO_STEP
from reports.statistics import Estimate


def _columns(a: ComparedScores) -> dict[str, str]:
    """What a column is called in frames -> in the run, whose average of one benchmark is that benchmark."""
    return {name: name for name in a.run.columns} | {AVERAGE: a.run.headline}


def _seeds(a: ComparedScores, arm: str) -> list[int]:
    """Those of an arm that have any score."""
    return sorted(set(a.run.rows.loc[a.run.rows["arm"] == arm, "seed"].tolist()))


def arms(a: ComparedScores) -> pd.DataFrame:
    """A row for each arm: nothing is known of its algorithm."""
    return of_rows("arms", (_arm(a, name) for name in a.run.plan.arms))


def _arm(a: ComparedScores, name: str) -> dict[str, Any]:
    baselines = a.run.plan.comparison.baselines
    target = name == a.target and bool(baselines)
    unknown = dict.fromkeys(("algorithm", "settings", "recipe_differences"))
    return {
        "arm": name,
        "label": name,
        **unknown,
        "role": "target" if target else "baseline" if name in baselines else "arm",
        "seeds_planned": len(_seeds(a, name)),
        "seeds_scored": len(a.run.by_seed.get((name, a.run.headline), {})),
        "fingerprint": arm_fingerprint(name, a.run.record),
    }


def trials(a: ComparedScores) -> pd.DataFrame:
    """A row for each arm and seed: its score, and nothing of what it has cost."""
    unknown = {column.name: None for column in FRAMES["trials"]}
    rows = (
        {**unknown, "arm": arm, "seed": seed, "status": "imported", "score": side.get(seed)}
        for arm in a.run.plan.arms
        for side in [a.run.by_seed.get((arm, a.run.headline), {})]
        for seed in _seeds(a, arm)
    )
    return of_rows("trials", rows)


def missing(a: ComparedScores) -> pd.DataFrame:
    """A row for each benchmark that another seed or arm has and this one lacks where arms are compared."""
    rows = (
        {"arm": arm, "seed": seed, "benchmark": name, "decoding": "", "status": "imported"}
        for arm in a.run.plan.arms
        for seed in _seeds(a, arm)
        for name in a.run.plan.benchmarks
        if seed not in a.run.by_seed.get((arm, name), {})
    )
    return of_rows("missing", rows)


def scores(a: ComparedScores) -> pd.DataFrame:
    """A row for each arm and column, a gap where there is no score."""
    rows = (
        _score(a, arm, name, a.scores.get((arm, column)), len(a.run.by_seed.get((arm, column), {})))
        for arm in a.run.plan.arms
        for name, column in _columns(a).items()
    )
    return of_rows("scores", rows)


def _score(a: ComparedScores, arm: str, name: str, estimate: Estimate | None, seeds: int) -> dict[str, Any]:
    unknown = {column.name: None for column in FRAMES["scores"]}
    told = estimate_json(estimate) if estimate else {}
    numbers = {**told, "score": told.get("mean")}
    return {**unknown, **numbers, "arm": arm, "benchmark": name, "seeds": seeds, "title": name}


def seed_scores(a: ComparedScores) -> pd.DataFrame:
    """A row for each arm, seed and column: results.csv."""
    rows = (
        {"arm": arm, "seed": seed, "benchmark": name, "score": score, "n_problems": None, "k": None}
        for arm in a.run.plan.arms
        for name, column in _columns(a).items()
        for seed, score in sorted(a.run.by_seed.get((arm, column), {}).items())
    )
    return of_rows("scores by seed", rows)


def differences(a: ComparedScores) -> pd.DataFrame:
    """The pairs of verdict.json, in their order."""
    return of_rows("differences", (_pair(a, pair) for pair in a.pairs))


def _pair(a: ComparedScores, pair: Any) -> dict[str, Any]:
    told = pair_json(pair, a.paired, a.run.checked.accepted, a.run.raw)
    bounds = told["simultaneous"]
    ends = {"simultaneous_low": bounds["low"], "simultaneous_high": bounds["high"]}
    return {**told, **ends, "finding": pair.finding, **dict.fromkeys(("anywhere", "format", "box"))}


def seed_curves(a: ComparedScores) -> pd.DataFrame:
    """A row for each arm, column, seed and step, up to the step that is compared; none where scores have no steps."""
    return _framed("curves by seed", [_each(table, arm, name) for arm, name, table in _tables(a)])


def curves(a: ComparedScores) -> pd.DataFrame:
    """A row for each arm, column and step: the mean over the arm's seeds with its band."""
    return _framed("curves", [_mean(a, table, arm, name) for arm, name, table in _tables(a)])


def _tables(a: ComparedScores) -> Iterator[tuple[str, str, Any]]:
    """Arm, column and its scores, steps x seeds, NaN where a seed has none."""
    rows = a.run.rows.loc[a.run.rows["step"] != NO_STEP]
    if a.run.plan.step is not None:
        rows = rows.loc[rows["step"] <= a.run.plan.step]
    for arm in a.run.plan.arms:
        mine, seeds = rows.loc[rows["arm"] == arm], _seeds(a, arm)
        of_seeds = mine.groupby(["step", "seed"])["score"]
        # a seed's average is that of all benchmarks or none
        averages = of_seeds.mean()[of_seeds.size() == len(a.run.plan.benchmarks)].unstack()
        for name in _columns(a):
            here = mine.loc[mine["benchmark"] == name]
            table = averages if name == AVERAGE else here.pivot(index="step", columns="seed", values="score")
            if not table.empty:
                yield arm, name, table.reindex(columns=seeds)


def _each(table: Any, arm: str, name: str) -> Mapping[str, Any]:
    long = table.stack().dropna()
    steps, seeds = (long.index.get_level_values(level).to_numpy() for level in (0, 1))
    return {**_at(arm, name, steps), "seed": seeds, "score": long.to_numpy(float)}


def _mean(a: ComparedScores, table: Any, arm: str, name: str) -> Mapping[str, Any]:
    """As the report's band: a mean over fewer seeds than the arm has would bend the line by who is missing."""
    ends, values = [], table.to_numpy(float)
    for point in values:
        whole = len(point) > 1 and np.isfinite(point).all()
        found = mean(dict(enumerate(point.tolist())), 1 - a.alpha, a.run.raw).interval if whole else None
        ends.append(found or (np.nan, np.nan))
    low, high = np.array(ends, float).reshape(-1, 2).T
    return {
        **_at(arm, name, table.index.to_numpy()),
        "score": values.mean(axis=1),
        "ci_low": low,
        "ci_high": high,
        "seeds": np.isfinite(values).sum(axis=1),
    }


def _at(arm: str, name: str, steps: Any) -> dict[str, Any]:
    unknown = np.full(len(steps), np.nan)
    names = {"arm": [arm] * len(steps), "benchmark": [name] * len(steps)}
    return {**names, "point": steps, "step": steps, "rollouts": unknown, "updates": unknown, "tokens": unknown}


def _framed(name: str, parts: list[Mapping[str, Any]]) -> pd.DataFrame:
    """Parts below each other, in the columns of a frame; columns without rows where there are no parts."""
    frames = [of_columns(FRAMES[name], part) for part in parts]
    return pd.concat(frames, ignore_index=True) if frames else of_rows(name, [])
