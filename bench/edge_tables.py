"""Tables of the study at the edges, in Markdown, for bench/coverage.py."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from bench.contenders import CONTENDERS
from bench.edges import Found, Outcome
from bench.tables import rate, table


def print_rows(outcomes: Iterable[Outcome]) -> None:
    """A table of ours and one of the others for each group."""
    groups: dict[str, list[Outcome]] = {}
    for one in outcomes:
        groups.setdefault(one.row.group, []).append(one)
    _print_summary(groups)
    _print_rates(groups)
    for group, mine in groups.items():
        exact = mine[0].row.yardstick == "exact"
        measure = ("Clopper-Pearson's" if len(mine[0].row.design.arms) == 1 else "Tango's") if exact else "t's"
        print(f"**{group.capitalize()}**\n")
        columns = [
            group,
            "coverage",
            "too low",
            "too high",
            "width, points",
            "over the oracle's",
            f"over {measure}",
            "",
        ]
        table(columns, [_row(one) for one in mine])
        print(f"{group.capitalize()}: coverage and median width over {measure}\n")
        names = ["ours", *(name for name in CONTENDERS if any(name in one.others for one in mine))]
        table([group, *names], [[one.row.name, *(_cell(one, name) for name in names)] for one in mine])
    _print_exempt(groups)


def _row(one: Outcome) -> list[object]:
    exempt = [w for w, why in (("coverage", one.row.exempt_coverage), ("width", one.row.exempt_width)) if why]
    said = "; ".join([*one.failures, *([f"exempt: {' and '.join(exempt)}"] if exempt else [])])
    widths = [f"{100 * one.ours.width:.2f}", f"{one.over_oracle:.2f}", f"{one.over_yardstick:.2f}"]
    return [one.row.name, rate(one.ours.coverage), rate(one.below), rate(one.above), *widths, said]


def _cell(one: Outcome, name: str) -> str:
    found = one.ours if name == "ours" else one.others.get(name)
    if found is None:
        return "–"
    error = "" if found.replicates >= 2000 else f" ± {rate(_error(found))}"
    return f"{rate(found.coverage)}{error}, {found.width / one.yardstick:.2f}"


def _error(found: Found) -> float:
    """Standard error of the coverage; of all or none inside as if half a replicate were otherwise."""
    n = found.replicates
    p = min(max(found.coverage, 0.5 / n), 1 - 0.5 / n)
    return (p * (1 - p) / n) ** 0.5


def _print_summary(groups: dict[str, list[Outcome]]) -> None:
    columns = ["group", "rows", "coverage: least", "median", "most", "one-sided misses: most", "width: most"]
    rows = []
    for group, mine in groups.items():
        held = [one for one in mine if not one.row.exempt_coverage]
        wide = [one.over_yardstick for one in mine if not one.row.exempt_width]
        found = [one.ours.coverage for one in held]
        numbers = [rate(f(found)) for f in (min, np.median, max)] if held else ["exempt"] * 3
        misses = rate(max(max(one.below, one.above) for one in held)) if held else "exempt"
        rows.append([group, len(mine), *numbers, misses, f"{max(wide):.2f}" if wide else "exempt"])
    table([*columns, "rows that fail"], [[*r, sum(bool(o.failures) for o in groups[r[0]])] for r in rows])
    _print_others(groups)


def _print_rates(groups: dict[str, list[Outcome]]) -> None:
    """Of the rows near 0 and 1, by rate: all numbers of problems and k."""
    rows = []
    for group, mine in groups.items():
        by_rate: dict[str, list[Outcome]] = {}
        for one in mine if mine[0].row.yardstick == "exact" else []:
            by_rate.setdefault(one.row.name.split(",")[0], []).append(one)
        for level, found in by_rate.items():
            covered = [one.ours.coverage for one in found]
            misses = [rate(max(one.below for one in found)), rate(max(one.above for one in found))]
            widths = [one.over_yardstick for one in found]
            width = [f"{f(widths):.2f}" for f in (min, np.median, max)]
            name = f"{group.removeprefix('edge: ')}, {level}"
            rows.append([name, rate(min(covered)), rate(max(covered)), *misses, *width])
    if rows:
        columns = ["near 0 and 1", "coverage: least", "most", "too low: most", "too high: most"]
        table([*columns, "width: least", "median", "most"], rows)


def _print_others(groups: dict[str, list[Outcome]]) -> None:
    """Of each contender the least coverage in a group, and the median of its widths."""
    names = ["ours", *CONTENDERS]
    rows = []
    for group, mine in groups.items():
        cells = []
        for name in names:
            found = [(one.ours if name == "ours" else one.others.get(name), one) for one in mine]
            there = [(f.coverage, f.width / one.yardstick) for f, one in found if f is not None]
            cells.append(
                f"{rate(min(c for c, _ in there))}, {np.nanmedian([w for _, w in there]):.2f}" if there else "–"
            )
        rows.append([group, *cells])
    print("Least coverage in a group, and the median over its rows of median widths over the yardstick's\n")
    table(["group", *names], rows)


def _print_exempt(groups: dict[str, list[Outcome]]) -> None:
    print("Exempt, as listed before the study was run:\n")
    for group, mine in groups.items():
        for what, reason in {
            (what, why)
            for one in mine
            for what, why in (("coverage", one.row.exempt_coverage), ("width", one.row.exempt_width))
            if why
        }:
            print(f"- {group}, {what}: {reason}.")
    print()
