"""What the order of the arms rests on: averages under other choices, and how the two markers disagree.

Point estimates; intervals and tests belong to the plan's choice alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from statistics import mean

import numpy as np

from harness.records import START
from reports.data.analysis import Analysis
from reports.data.load import MARKS
from reports.data.scores import curve, final
from reports.data.second_marker import Markers, compare
from reports.document import Block, Bullets, Cell, Column, Row, Section, Table, text
from reports.figures import arm_colours
from reports.statistics import ROUNDING
from reports.words import GAP, count, listing, percent, plural, signed

Averages = Mapping[str, float]
"""trained arm -> average; one that has none is missing"""
LEFT_OUT = {
    "truncated": "truncated left out",
    "no_answer": "no answer left out",
    "grader_failed": "marker failed left out",
}


@dataclass(frozen=True)
class MarkCounts:
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
        """Of two arms' averages, a fraction; None if either has none here."""
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


def _tallies(a: Analysis, markers: Mapping[int, Markers]) -> list[MarkCounts]:
    """Of the evaluations that are in an arm's average."""
    seeds = {arm.name: a.by_seed(arm.name) for arm in a.arms}
    evals = final(a.run)
    found = []
    for e, arm, seed, benchmark in zip(evals.index, evals["arm"], evals["seed"], evals["benchmark"], strict=True):
        if benchmark in a.benchmarks and arm != START and seed in seeds[arm]:
            marks = a.run.attempts[e].marks
            counts = dict(zip(MARKS, np.bincount(marks.ravel(), minlength=len(MARKS)).tolist(), strict=True))
            second = markers[e].second if e in markers else None
            found.append(MarkCounts(arm, seed, benchmark, counts, marks.size, second))
    return found


def _share(tally: MarkCounts, without: str = "") -> float | None:
    left = tally.attempts - (tally.marks[without] if without else 0)
    return _ratio(tally.marks["correct"], left)


def _ratio(correct: int | None, attempts: int) -> float | None:
    return correct / attempts if correct is not None and attempts else None


def _average(tallies: Iterable[MarkCounts], share: Callable[[MarkCounts], float | None]) -> Averages:
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


def _one_out(a: Analysis, tallies: list[MarkCounts]) -> Iterator[Variant]:
    """Each benchmark and each seed left out, in all arms. An arm that has no other is then missing."""
    for benchmark in a.benchmarks if len(a.benchmarks) > 1 else []:
        rest = [tally for tally in tallies if tally.benchmark != benchmark]
        yield Variant(f"without {a.benchmark_title(benchmark)}", _average(rest, _share))
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


MOST = 6
"""baselines or arms that a row can name one by one"""


def section(a: Analysis) -> Section | None:
    markers = compare(a)
    found = variants(a, markers)
    blocks: list[Block] = []
    if len(found) > 1:
        blocks += [Bullets(_sentences(a, found)), _table(a, found)]
    if markers:
        blocks.append(_markers(a, markers))
    return Section("ranking", "What the ranking rests on", blocks) if blocks else None


def _sentences(a: Analysis, found: list[Variant]) -> list[str]:
    """Whether the order changes, and whether differences of the target change their sign, significant ones by name."""
    base, *others = found
    swaps = {variant.name: swapped for variant in others if (swapped := variant.swapped(base))}
    arms, variants = plural(len(base.averages), "arm"), plural(len(others), "variant")
    if not swaps:
        told = [f"The order of the {arms} is the same in all {variants}."]
    else:
        told = [
            f"The order of the {arms} changes in {len(swaps)} of {variants}: {_few(list(swaps))}. Arms that are not "
            "separated may swap by chance."
        ]
    flips = [(variant, flipped) for variant in others if (flipped := _flipped(a, base, variant))]
    if a.family("primary") and not flips:
        told.append(f"No difference of {a.label(a.target)} changes its sign.")
    significant = {pair.b for pair in a.family("primary") if pair.direction}
    serious = sorted({arm for _, flipped in flips for arm in flipped if arm in significant})
    if flips and not serious:
        told.append(f"No significant difference of {a.label(a.target)} changes its sign.")
    for arm in serious:
        names = [variant.name for variant, flipped in flips if arm in flipped]
        told.append(f"The significant difference to {a.label(arm)} changes its sign: {_few(names)}.")
    return told


def _few(names: list[str]) -> str:
    more = [f"{len(names) - MOST} more"] if len(names) > MOST else []
    return listing([*names[:MOST], *more])


def _flipped(a: Analysis, base: Variant, variant: Variant) -> list[str]:
    """Baselines that stand on the other side of the target than as planned."""
    swapped = variant.swapped(base)
    baselines = a.run.plan.comparison.baselines
    return [arm for arm in baselines if (a.target, arm) in swapped or (arm, a.target) in swapped]


def _table(a: Analysis, found: list[Variant]) -> Table:
    """A row for each variant, the plan's own first: the order, and the target minus each baseline in points."""
    baselines = a.run.plan.comparison.baselines
    each = baselines if len(baselines) <= MOST else []
    columns = [
        Column("Variant", numeric=False),
        Column("Order", numeric=False),
        *(Column(f"−\u00a0{arm_colours.short(a, arm)}") for arm in each),
        *([Column("Signs", numeric=False)] if baselines else []),
    ]
    rows = []
    for variant in found:
        differences = [variant.difference(a.target, arm) for arm in each]
        cells = [Cell(signed(difference), difference) for difference in differences]
        signs = [text(_signs(a, found[0], variant))] if baselines else []
        rows.append(Row([text(variant.name), _order(a, found[0], variant), *cells, *signs], quiet=variant is found[0]))
    minus = f" − an arm: {a.label(a.target)} minus that arm, in points." if each else ""
    caption = (
        f"Averages of the trained arms under one other choice at a time, without intervals.{minus} Second marker: an "
        "attempt on which either marker failed is not correct. Left out: attempts that are not in the denominator "
        "either. Without a seed or a benchmark: in all arms."
    )
    return Table("ranking", columns, rows, caption)


def _order(a: Analysis, base: Variant, variant: Variant) -> Cell:
    lost = [arm_colours.short(a, arm) for arm in base.order() if arm not in variant.averages]
    without = f" (no average: {_few(lost)})" if lost else ""
    swapped = variant.swapped(base)
    if variant is not base and not swapped:
        return Cell(f"same{without}")
    if len(base.averages) <= MOST:
        order = variant.order()
        signs = [" = " if (variant.difference(one, other) or 0.0) == 0 else " > " for one, other in pairwise(order)]
        named = [arm_colours.short(a, arm) for arm in order]
        words = "".join(word for pair in zip(named, [*signs, ""], strict=True) for word in pair)
    elif variant is base:
        words = f"{arm_colours.short(a, base.order()[0])} first"
    else:
        words = f"{plural(len(swapped), 'pair')} of arms swapped, {arm_colours.short(a, variant.order()[0])} first"
    return Cell(f"{words}{without}", bold=bool(swapped))


def _signs(a: Analysis, base: Variant, variant: Variant) -> str:
    if variant is base:
        return GAP
    flipped = _flipped(a, base, variant)
    if flipped:
        return f"{_few([arm_colours.short(a, arm) for arm in flipped])} changed"
    missing = [arm for arm in a.run.plan.comparison.baselines if variant.difference(a.target, arm) is None]
    return "hold" if not missing else "hold where known"


def _markers(a: Analysis, markers: Mapping[int, Markers]) -> Table:
    titles = ("Attempts", "First only", "Second only", "Either failed", "Disagree")
    rows = []
    for arm in a.rows:
        mine = [found for e, found in markers.items() if a.run.evals.at[e, "arm"] == arm]
        if mine:
            total = sum(mine[1:], mine[0])
            disagree = (total.first_only + total.second_only) / total.attempts
            counts = (total.attempts, total.first_only, total.second_only, total.failed)
            cells = [*(Cell(count(number), number) for number in counts), Cell(f"{percent(disagree)} %", disagree)]
            rows.append(Row([text(a.label(arm)), *cells], quiet=arm == START))
    caption = (
        "The two markers at the headline, on attempts that both marked: correct to the first only, to the second only, "
        "and those on which either failed. A marker that disagrees more often on one arm than on another moves their "
        "difference."
    )
    return Table("markers", [Column("", numeric=False), *map(Column, titles)], rows, caption)
