"""The study at the edges: bench/rows.py through the report's own function, one replicate at a time, and what others
would print on the same draws. Prints Markdown, through bench/coverage.py.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from bench.contenders import CONTENDERS, Summary, joined, summary
from bench.designs import Data, Design
from bench.proportions import clopper_pearson, tango
from bench.rows import FEW, ONE_SIDED, REQUIRED, WIDEST, Row
from bench.tables import rate, table
from reports.statistics import Estimate, contrast
from reports.statistics.satterthwaite import Floats

Z = float(special.ndtri(0.975))


@dataclass(frozen=True)
class Found:
    """What an interval did on a row."""

    coverage: float
    width: float
    """median of those that there are"""
    replicates: int


@dataclass(frozen=True)
class Outcome:
    """Of one row. Widths are medians, whole."""

    row: Row
    ours: Found
    below: float
    """how often a one-sided bound of 95 % puts the truth too low: it lies above the bound"""
    above: float
    none: float
    """how often there is no interval"""
    beyond: float
    """how often a limit lies outside what can be"""
    estimands: frozenset[str]
    oracle: float
    """width of an interval that knows the variance"""
    yardstick: float
    others: dict[str, Found] = field(default_factory=dict)

    @property
    def over_oracle(self) -> float:
        return self.ours.width / self.oracle

    @property
    def over_yardstick(self) -> float:
        return self.ours.width / self.yardstick

    @property
    def failures(self) -> list[str]:
        """In words; empty if the row does what was asked of it."""
        found = []
        if self.estimands != {self.row.design.estimand}:
            found.append(f"covers {' or '.join(sorted(self.estimands))}, not {self.row.design.estimand}")
        if not self.row.exempt_coverage:
            if self.ours.coverage < REQUIRED:
                found.append(f"coverage {rate(self.ours.coverage)}")
            if max(self.below, self.above) > ONE_SIDED:
                found.append(f"one-sided misses {rate(self.below)} below, {rate(self.above)} above")
        if not self.row.exempt_width and not self.over_yardstick <= WIDEST:
            found.append(f"width {self.over_yardstick:.2f}")
        if self.none or self.beyond:
            found.append(f"no interval {rate(self.none)}, out of range {rate(self.beyond)}")
        return found


def run(row: Row, replicates: int, others: bool = True) -> Outcome:
    """
    Args:
        others: whether the contenders are run too.
    """
    rng = np.random.default_rng([7, zlib.crc32(f"{row.group}: {row.name}".encode())])
    limits, truths, parts, estimands = [], [], [], set()
    for data, truth in row.design.draw(rng, replicates):
        for i in range(len(truth)):
            estimate = estimated(row, data, i)
            estimands.add(estimate.estimand)
            limits.append([*_limits(estimate, 0.95), *_limits(estimate, 0.9)])
        truths.append(truth)
        parts.append(summary(row.design, data))
    seen, truth = joined(parts), np.concatenate(truths)
    low, high, lower, upper = np.array(limits).T
    reach = (0.0, 1.0) if len(row.design.arms) == 1 else (-1.0, 1.0)
    oracle = 2 * Z * row.design.variance**0.5
    return Outcome(
        row=row,
        ours=_found(low, high, truth),
        below=float(np.mean(truth > upper)),
        above=float(np.mean(truth < lower)),
        none=float(np.mean(np.isnan(low))),
        beyond=float(np.mean((low < reach[0] - 1e-9) | (high > reach[1] + 1e-9))),
        estimands=frozenset(estimands),
        oracle=oracle,
        yardstick=_exact(seen) if row.yardstick == "exact" else _t(row.design),
        others=_others(seen, truth, rng) if others else {},
    )


def estimated(row: Row, data: Data, i: int) -> Estimate:
    """As a report has it."""
    arms = [[y[i] for y in arm] for arm in data]
    asked = {"paired": True} if row.paired else {}
    return contrast(arms, row.design.weights, **asked)


def _limits(estimate: Estimate, confidence: float) -> tuple[float, float]:
    return estimate.at(confidence).interval or (np.nan, np.nan)


def _found(low: Floats, high: Floats, truth: Floats) -> Found:
    """An interval that is missing holds nothing."""
    inside = (low <= truth + 1e-12) & (truth <= high + 1e-12)
    width = np.nanmedian(high - low) if np.isfinite(low).any() else np.nan
    return Found(float(np.mean(inside)), float(width), len(truth))


def _others(seen: Summary, truth: Floats, rng: np.random.Generator) -> dict[str, Found]:
    found = {}
    for name, (contender, most) in CONTENDERS.items():
        n = len(truth) if most is None else min(most, len(truth))
        limits = contender(seen.first(n), rng)
        if limits is not None:
            found[name] = _found(*limits, truth[:n])
    return found


def _t(design: Design) -> float:
    return 2 * float(special.stdtrit(design.df, 0.975)) * design.variance**0.5


def _exact(seen: Summary) -> float:
    """Median width of Clopper & Pearson's or Tango's interval, of the number of independent answers that `Yardstick`
    says."""
    (contrasts,), design = seen.contrasts, seen.design
    few = (np.abs(contrasts) > 1e-9).sum(axis=1)
    value, mean = contrasts.mean(axis=1), design.mean
    if len(design.arms) == 1:
        few = np.minimum(few, (contrasts < 1 - 1e-9).sum(axis=1))
        number = _number(seen, mean * (1 - mean), few)
        low, high = clopper_pearson(value * number, number)
    else:
        better, worse = np.maximum(contrasts, 0).mean(axis=1), np.maximum(-contrasts, 0).mean(axis=1)
        number = _number(seen, float((better + worse).mean()) - mean**2, few)
        low, high = tango(better * number, worse * number, number)
    return float(np.median(high - low))


def _number(seen: Summary, variance: float, few: Floats) -> Floats:
    """
    Args:
        variance: of one independent answer.
        few: problems that contribute, in each replicate.
    """
    design, j = seen.design, seen.design.problems[0]
    quantile = Z if design.estimand == "checkpoints" else float(special.stdtrit(design.df, 0.975))
    number = variance / design.variance * (Z / quantile) ** 2
    return np.where(few < FEW, min(j, number), number)


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
