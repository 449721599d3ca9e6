"""The arms' averages under other choices than the plan's: marker, denominator, weights, benchmarks, seeds, budget.

Point estimates, to see what the order rests on; intervals and tests belong to the plan's choice alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import mean

import numpy as np

from harness.records import START
from reports.analysis import Analysis
from reports.load import MARKS
from reports.scores import curve, final
from reports.second import Markers
from reports.statistics import ROUNDING
from reports.words import benchmark_title

Averages = Mapping[str, float]
"""trained arm -> average; one that has none is missing"""
LEFT_OUT = {
    "truncated": "truncated left out",
    "no_answer": "no answer left out",
    "grader_failed": "marker failed left out",
}


@dataclass(frozen=True)
class Tally:
    """What became of the attempts of one evaluation."""

    arm: str
    seed: int
    benchmark: str
    marks: Mapping[str, int]
    attempts: int
    second: int | None
    """correct to the second marker; None where none ran"""


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
    tallies = _tallies(a, markers)
    if len({tally.arm for tally in tallies}) < 2:
        return []
    found = [Variant("as imported" if a.run.plan.imported else "as planned", _average(tallies, _share))]
    if all(tally.second is not None for tally in tallies):
        found.append(Variant("second marker", _average(tallies, lambda t: _ratio(t.second, t.attempts))))
    for mark, name in LEFT_OUT.items():
        if any(tally.marks[mark] for tally in tallies):
            found.append(Variant(name, _average(tallies, partial(_share, without=mark))))
    if a.sizes_differ:
        arms = dict.fromkeys(tally.arm for tally in tallies)
        found.append(Variant("all problems weighted alike", {arm: a.weighted[arm] for arm in arms}))
    return [*found, *_one_out(a, tallies), *_half(a)]


def _tallies(a: Analysis, markers: Mapping[int, Markers]) -> list[Tally]:
    """Of the evaluations that are in an arm's average."""
    seeds = {arm.name: a.by_seed(arm.name) for arm in a.arms}
    evals = final(a.run)
    found = []
    for e, arm, seed, benchmark in zip(evals.index, evals["arm"], evals["seed"], evals["benchmark"], strict=True):
        if benchmark in a.benchmarks and arm != START and seed in seeds[arm]:
            marks = a.run.attempts[e].marks
            counts = dict(zip(MARKS, np.bincount(marks.ravel(), minlength=len(MARKS)).tolist(), strict=True))
            second = markers[e].second if e in markers else None
            found.append(Tally(arm, seed, benchmark, counts, marks.size, second))
    return found


def _share(tally: Tally, without: str = "") -> float | None:
    left = tally.attempts - (tally.marks[without] if without else 0)
    return _ratio(tally.marks["correct"], left)


def _ratio(correct: int | None, attempts: int) -> float | None:
    return correct / attempts if correct is not None and attempts else None


def _average(tallies: Iterable[Tally], share: Callable[[Tally], float | None]) -> Averages:
    """Mean over seeds, then over benchmarks; an arm of which nothing is left somewhere has none."""
    shares: dict[str, dict[str, list[float | None]]] = defaultdict(lambda: defaultdict(list))
    for tally in tallies:
        shares[tally.arm][tally.benchmark].append(share(tally))
    averages = {}
    for arm, by_benchmark in shares.items():
        known = [[value for value in values if value is not None] for values in by_benchmark.values()]
        if sum(map(len, known)) == sum(map(len, by_benchmark.values())):
            averages[arm] = mean(map(mean, known))
    return averages


def _one_out(a: Analysis, tallies: list[Tally]) -> Iterator[Variant]:
    """Each benchmark and each seed left out, in all arms. An arm that has no other is then missing."""
    for benchmark in a.benchmarks if len(a.benchmarks) > 1 else []:
        rest = [tally for tally in tallies if tally.benchmark != benchmark]
        yield Variant(f"without {benchmark_title(benchmark)}", _average(rest, _share))
    seeds = sorted({tally.seed for tally in tallies})
    for seed in seeds if len(seeds) > 1 else []:
        rest = [tally for tally in tallies if tally.seed != seed]
        yield Variant(f"without seed {seed}", _average(rest, _share))


def _half(a: Analysis) -> Iterator[Variant]:
    """At half the budget, if that is a point of the grid: the benchmarks asked there, the seeds of the average."""
    plan, seeds = a.run.plan, {arm.name: a.by_seed(arm.name) for arm in a.arms}
    earlier, budget = plan.grid_rollouts[:-1], plan.grid_rollouts[-1]
    halves = [point for point in earlier if abs(2 * point - budget) <= 1]
    rows = [
        row
        for row in curve(a.run).to_dict("records")
        if row["grid"] in halves and row["benchmark"] in a.benchmarks and row["seed"] in seeds.get(row["arm"], ())
    ]
    asked = [benchmark for benchmark in a.benchmarks if any(row["benchmark"] == benchmark for row in rows)]
    averages = {}
    for arm in seeds:
        mine = [row["score"] for row in rows if row["arm"] == arm]
        if mine and len(mine) == len(asked) * len(seeds[arm]):  # as many of each benchmark: the mean of them all
            averages[arm] = mean(mine)
    if len(averages) > 1:
        some = f", {', '.join(asked)} only" if len(asked) < len(a.benchmarks) else ""
        yield Variant(f"half the budget{some}", averages)
