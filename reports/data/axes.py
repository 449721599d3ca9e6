"""What a trial had made when it was evaluated: rollouts, which the comparison gives to all arms alike, and updates and
generated tokens, which it does not.

Scores at equal updates and at equal tokens are descriptive: interpolated between evaluations, with no test.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.records import START
from reports.data import cost_axis
from reports.data.analysis import Analysis
from reports.data.load import where
from reports.data.scores import curve
from reports.words import listing, plural

AXES = {"rollouts": "rollouts", "updates": "updates", "tokens": "generated tokens"}
"""of our own runs; an import knows steps alone"""
UNEQUAL = 0.1
"""share of the larger number by which two sides must differ to be said to be unequal"""
MOST_NAMES = 4
_TRIAL = ["arm", "seed"]


@dataclass(frozen=True)
class EqualPoint:
    """Where every trial that has a headline score still was: the least that any of them made in the end."""

    axis: str
    at: float
    scores: Mapping[str, float]
    """arm -> mean over its seeds of the score there, a fraction; one without a whole curve is missing"""


def curve_benchmarks(a: Analysis) -> list[str]:
    """Those that were asked at earlier points too; all, where none were."""
    return [name for name in a.benchmarks if name in a.run.plan.curve_benchmarks] or a.benchmarks


def counted(a: Analysis) -> pd.DataFrame:
    """`scores.curve` on the benchmarks of the curve, with the columns `updates` and `tokens`: what the trial had made
    at that step, 0 before training, NaN where its log does not say."""
    table = curve(a.run)
    table = where(table, table["benchmark"].isin(curve_benchmarks(a)))
    if a.run.steps.empty:
        made = table.assign(updates=np.nan, tokens=np.nan)
    else:
        made = table.merge(a.run.steps[[*_TRIAL, "step", "updates", "tokens"]], "left", [*_TRIAL, "step"])
    untrained = made["arm"] == START
    return made.assign(**{axis: made[axis].where(~untrained, 0.0) for axis in ("updates", "tokens")})


def averaged(table: pd.DataFrame, benchmarks: int) -> pd.DataFrame:
    """Mean over the benchmarks, where a point of the grid has them all."""
    keys = ["arm", "seed", "grid", "step", "rollouts", "updates", "tokens"]
    grouped = table.groupby(keys, dropna=False)["score"].agg(["mean", "size"]).reset_index()
    return where(grouped, grouped["size"] == benchmarks).rename(columns={"mean": "score"})


def equal(a: Analysis, axis: str) -> EqualPoint | None:
    """None where there is no score before training to begin from, no trial that came to its end, or a trial whose log
    lacks the axis.

    Args:
        axis: of `AXES`.
    """
    table = averaged(counted(a), len(curve_benchmarks(a)))
    start = table.loc[table["arm"] == START, "score"]
    trained = where(table, table["arm"] != START)
    if a.run.plan.imported or not len(start) or trained.empty or np.isnan(trained[axis].to_numpy(float)).any():
        return None
    tracks = {
        (arm.name, seed): where(trained, (trained["arm"] == arm.name) & (trained["seed"] == seed)).sort_values(axis)
        for arm in a.arms
        for seed in a.by_seed(arm.name)
    }
    if not tracks or not all(len(track) for track in tracks.values()):
        return None
    at = min(float(track[axis].iloc[-1]) for track in tracks.values())
    if not at:
        return None  # a trial that made none has no point but the start
    origin = float(start.iloc[0])
    there = {
        trial: float(np.interp(at, [0.0, *track[axis]], [origin, *track["score"]])) for trial, track in tracks.items()
    }
    scores = {
        arm.name: float(np.mean([there[arm.name, seed] for seed in seeds]))
        for arm in a.arms
        if (seeds := list(a.by_seed(arm.name)))
    }
    return EqualPoint(axis, at, scores)


def facts(a: Analysis) -> str:
    """`Rollouts are equal; updates (ReNCE 48 a trial, GRPO 96) are not.` Those of the axes in which a baseline and the
    target differ by more than a tenth; empty if none do. Rollouts are equal but for the last step, which is whole."""
    if a.run.plan.imported:
        return ""
    costs = cost_axis.generated(a)
    parts = [found for axis in AXES if (found := _unequal(a, costs, axis))]
    if not parts:
        return ""
    if parts[0].startswith("rollouts"):
        return f"Not equal: {'; '.join(parts)}."
    sides = [made for arm in (a.target, *a.run.plan.comparison.baselines) if (made := mean(costs, arm, "rollouts"))]
    apart = math.ceil(100 * (1 - min(sides) / max(sides))) if sides else 0
    return f"Rollouts are equal{f' to within {apart} %' if apart else ''}; {listing(parts)} are not."


def mean(costs: cost_axis.Costs, arm: str, axis: str) -> float | None:
    """Of a trial of this arm; None where no trial says it."""
    values = [made[axis] for made in costs.get(arm, {}).values() if axis in made]
    return float(np.mean(values)) if values else None


def _unequal(a: Analysis, costs: cost_axis.Costs, axis: str) -> str:
    ours = mean(costs, a.target, axis)
    if ours is None:
        return ""
    means = {arm: mean(costs, arm, axis) for arm in a.run.plan.comparison.baselines}
    others = {
        arm: made for arm, made in means.items() if made is not None and abs(made - ours) > UNEQUAL * max(made, ours)
    }
    if not others:
        return ""
    if len(others) > MOST_NAMES:
        named = f"{plural(len(others), 'baseline')} {_amount(min(others.values()))} to {_amount(max(others.values()))}"
    else:
        named = ", ".join(f"{a.label(arm)} {_amount(made)}" for arm, made in others.items())
    return f"{axis} ({a.label(a.target)} {_amount(ours)} a trial, {named})"


def _amount(number: float) -> str:
    """`4.5`, `48`, `96,000`, `1.2 million`"""
    if number >= 1e6:
        return f"{number / 1e6:.1f} million"
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"
