"""The arms' averages under other choices than the plan's: marker, denominator, weights, benchmarks, seeds, budget.

Point estimates, to see what the order rests on; intervals and tests belong to the plan's choice alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from harness.records import START
from reports.analysis import Analysis
from reports.load import MARKS, where
from reports.scores import curve, final
from reports.second import Markers
from reports.statistics import ROUNDING

Averages = Mapping[str, float]
"""trained arm -> average; one that has none is missing"""
LEFT_OUT = {
    "truncated": "truncated left out",
    "no_answer": "no answer left out",
    "grader_failed": "marker failed left out",
}


@dataclass(frozen=True)
class Variant:
    name: str
    averages: Averages

    def order(self) -> list[str]:
        """Best first; of equal ones the first in the plan."""
        return sorted(self.averages, key=lambda arm: -self.averages[arm])

    def swapped(self, base: Variant) -> list[tuple[str, str]]:
        """Pairs of arms, the better in `base` first, that stand the other way round here. Ties are no swap."""
        order = [arm for arm in base.order() if arm in self.averages]
        pairs = [(one, other) for i, one in enumerate(order) for other in order[i + 1 :]]
        return [
            (one, other)
            for one, other in pairs
            if base.averages[one] - base.averages[other] > ROUNDING
            and self.averages[other] - self.averages[one] > ROUNDING
        ]

    def difference(self, one: str, other: str) -> float | None:
        both = one in self.averages and other in self.averages
        return self.averages[one] - self.averages[other] if both else None


def variants(a: Analysis, markers: Mapping[int, Markers]) -> list[Variant]:
    """The plan's choice first, then every other that these results allow. Fewer than two arms have no order: empty."""
    table = _tallies(a, markers)
    if table["arm"].nunique() < 2:
        return []
    found = [Variant("as planned", _average(table, _share))]
    if not table["second"].isna().any():
        found.append(Variant("second marker", _average(table, lambda t: t["second"] / t["attempts"])))
    for mark, name in LEFT_OUT.items():
        if table[mark].any():
            found.append(Variant(name, _average(table, lambda t, mark=mark: t["correct"] / (t["attempts"] - t[mark]))))
    if a.sizes_differ:
        found.append(Variant("all problems weighted alike", _weighted(a, table)))
    return [*found, *_one_out(table, "benchmark", a.benchmarks), *_one_out(table, "seed", a.run.plan.seeds), *_half(a)]


def _tallies(a: Analysis, markers: Mapping[int, Markers]) -> pd.DataFrame:
    """One row for each evaluation that is in an arm's average: arm, seed, benchmark, the five marks, attempts, and
    what is correct to the second marker (NaN where none ran)."""
    sums = a.run.problems.groupby("eval")[[*MARKS, "attempts"]].sum()
    table = cast(pd.DataFrame, final(a.run)[["arm", "seed", "benchmark"]]).join(sums)
    table["second"] = [markers[e].second if e in markers else np.nan for e in table.index]
    seeds = {arm.name: set(a.by_seed(arm.name)) for arm in a.arms}
    counted = [
        benchmark in a.benchmarks and arm != START and seed in seeds[arm]
        for arm, seed, benchmark in zip(table["arm"], table["seed"], table["benchmark"], strict=True)
    ]
    return where(table, counted)


def _share(table: pd.DataFrame) -> Any:
    return table["correct"] / table["attempts"]


def _average(table: pd.DataFrame, share: Callable[[pd.DataFrame], Any]) -> Averages:
    """Mean over seeds, then over benchmarks; an arm of which nothing is left somewhere has none."""
    shares = table.assign(share=share(table))[["arm", "benchmark", "share"]]
    means = shares.groupby(["arm", "benchmark"], sort=False)["share"].agg(lambda values: values.mean(skipna=False))
    averages = means.groupby("arm", sort=False).agg(lambda values: values.mean(skipna=False))
    return {str(arm): float(value) for arm, value in averages.items() if np.isfinite(value)}


def _weighted(a: Analysis, table: pd.DataFrame) -> Averages:
    return {arm: a.weighted[arm] for arm in dict.fromkeys(table["arm"])}


def _one_out(table: pd.DataFrame, column: str, values: list[Any]) -> Iterator[Variant]:
    """Each benchmark or each seed left out, in all arms. An arm that has no other is then missing."""
    present = [value for value in values if value in set(table[column])]
    for value in present if len(present) > 1 else []:
        name = f"without {value}" if column == "benchmark" else f"without {column} {value}"
        yield Variant(name, _average(where(table, table[column] != value), _share))


def _half(a: Analysis) -> Iterator[Variant]:
    """At half the budget, if that is a point of the grid: the benchmarks asked there, the seeds of the average."""
    plan = a.run.plan
    halves = [point for point in plan.grid_rollouts if abs(2 * point - plan.grid_rollouts[-1]) <= 1]
    table = curve(a.run)
    table = where(table, table["grid"].isin(halves) & table["benchmark"].isin(a.benchmarks))
    asked = [benchmark for benchmark in a.benchmarks if benchmark in set(table["benchmark"])]
    averages = {}
    for arm in a.arms:
        mine = where(table, (table["arm"] == arm.name) & table["seed"].isin(list(a.by_seed(arm.name))))
        if len(mine) and len(mine) == len(asked) * len(a.by_seed(arm.name)):
            averages[arm.name] = float(mine.groupby("benchmark")["score"].mean().mean())
    if len(averages) > 1:
        unit = "steps" if getattr(plan, "imported", "") else "budget"
        some = f", {', '.join(asked)} only" if len(asked) < len(a.benchmarks) else ""
        yield Variant(f"half the {unit}{some}", averages)
