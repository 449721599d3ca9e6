"""What the order of the arms rests on: averages under other choices, and how the two markers disagree."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from harness.records import START
from reports import shown
from reports.analysis import Analysis
from reports.document import Block, Bullets, Cell, Column, Row, Section, Table, text
from reports.ranking import Variant, variants
from reports.second import Markers, compare
from reports.words import GAP, count, listing, percent, plural, signed

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
    baselines = a.run.plan.comparison.baselines
    each = baselines if len(baselines) <= MOST else []
    columns = [
        Column("Variant", numeric=False),
        Column("Order", numeric=False),
        *(Column(f"−\u00a0{shown.short(a, arm)}") for arm in each),
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
    lost = [shown.short(a, arm) for arm in base.order() if arm not in variant.averages]
    without = f" (no average: {_few(lost)})" if lost else ""
    swapped = variant.swapped(base)
    if variant is not base and not swapped:
        return Cell(f"same{without}")
    if len(base.averages) <= MOST:
        order = variant.order()
        signs = [" = " if (variant.difference(one, other) or 0.0) == 0 else " > " for one, other in pairwise(order)]
        named = [shown.short(a, arm) for arm in order]
        words = "".join(word for pair in zip(named, [*signs, ""], strict=True) for word in pair)
    elif variant is base:
        words = f"{shown.short(a, base.order()[0])} first"
    else:
        words = f"{plural(len(swapped), 'pair')} of arms swapped, {shown.short(a, variant.order()[0])} first"
    return Cell(f"{words}{without}", bold=bool(swapped))


def _signs(a: Analysis, base: Variant, variant: Variant) -> str:
    if variant is base:
        return GAP
    flipped = _flipped(a, base, variant)
    if flipped:
        return f"{_few([shown.short(a, arm) for arm in flipped])} changed"
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
