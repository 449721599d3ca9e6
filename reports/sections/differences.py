"""Paired differences: the locked family, the same arms by benchmark, and every arm against the untrained model."""

from __future__ import annotations

from collections.abc import Mapping

from reports.data import readings
from reports.data.analysis import Analysis
from reports.data.pairs import Family, Pair
from reports.data.readings import FormatPart
from reports.data.scores import AVERAGE
from reports.data.source_marks import MarkerPart
from reports.document import Block, Cell, Column, Figure, Folded, Row, Section, Table, text
from reports.figures import arm_colours
from reports.figures.intervals import IntervalRow, intervals
from reports.statistics import ESTIMANDS
from reports.statistics.power import LARGEST
from reports.verdict import COVERS
from reports.words import GAP, correlation, detectable, listing, p_text, reaching, signed

BESIDE = "by rence's marker"
Parts = Mapping[tuple[str, str, str], FormatPart | MarkerPart]
MOST_GROUPS = 6
"""with more baselines than this the picture shows the averages alone"""


def section(a: Analysis) -> Section | None:
    blocks: list[Block] = []
    if a.family("primary"):
        blocks += [primary(a), *_forest(a)]
    if a.family("per_benchmark") and len(a.benchmarks) > 1:
        blocks.append(Folded(f"By benchmark ({len(a.family('per_benchmark'))} tests)", [per_benchmark(a)]))
    if a.family("start"):
        blocks.append(start(a))
    return Section("differences", "Paired differences", blocks) if blocks else None


def _forest(a: Analysis) -> list[Figure]:
    caption = (
        f"{a.label(a.target)} minus each baseline, in points, with {100 * (1 - a.alpha):g} % intervals, "
        "simultaneous within their family. "
        "The claim is about the average; the benchmarks show where it comes from."
    )
    few = len(a.family("primary")) <= MOST_GROUPS and len(a.benchmarks) > 1
    entries = grouped(a) if few else averages(a)
    return [Figure("differences", intervals("differences", entries, "points", zero=True), caption)]


def averages(a: Analysis) -> list[IntervalRow]:
    """The target minus each baseline on the average, in points, for a picture."""
    minus = "−" if a.run.plan.sweeps else "minus"  # pieces that were taken away are "minus" too
    return [_entry(pair, f"{minus} {arm_colours.short(a, pair.b)}", strong=True) for pair in a.family("primary")]


def grouped(a: Analysis) -> list[IntervalRow]:
    """The same on each benchmark too, below the baseline's name."""
    found: list[IntervalRow] = []
    for pair in a.family("primary"):
        found += [*([IntervalRow("")] if found else []), IntervalRow(f"minus {a.label(pair.b)}", strong=True)]
        found += [_entry(p, a.benchmark_title(p.benchmark)) for p in a.family("per_benchmark") if p.b == pair.b]
        found.append(_entry(pair, "average", strong=True))
    return found


def _entry(pair: Pair, label: str, strong: bool = False) -> IntervalRow:
    e = pair.estimate
    if e is None:
        return IntervalRow(f"{label} {GAP}", strong=strong, indent=1)
    found = pair.simultaneous
    interval = None if found is None else (100 * found[0], 100 * found[1])
    return IntervalRow(label, 100 * e.value, interval, strong=strong, indent=1)


def primary(a: Analysis) -> Table:
    """The locked family: the target minus each baseline on the average, in points, with everything a test has."""
    return _table(
        a,
        "primary",
        "differences",
        f"Primary family, {_chosen(a)}: {a.label(a.target)} minus each baseline on the average, in points. "
        f"Intervals cover {_covered(a, 'primary')}; interval and adjusted p come from one method, Bonferroni's "
        f"within the family of {len(a.family('primary'))}: an interval leaves 0 out exactly where p is below "
        f"{a.alpha:g}. Raw p is not adjusted. MDE: the smallest true difference that this design finds with 80 % power "
        "before adjustment, at the variance estimated here and at its upper 80 % bound; where few problems differ it "
        "is larger. Seed r: estimated correlation "
        f"of the two arms over their seeds. {_pairing(a)}" + _equivalence(a) + _format(a) + _accepted(a),
    )


def _equivalence(a: Analysis) -> str:
    margin = a.run.plan.comparison.margin
    if margin is None:
        return ""
    return (
        f" Equivalent: within ±{100 * margin:g} points, the margin of the plan, by two one-sided tests, adjusted by "
        "Bonferroni's method among themselves."
    )


def _format(a: Analysis) -> str:
    parts = readings.parts(a)
    said = (
        f" {BESIDE}: the same answers, marked by rence's marker, wherever in the text they stand; the points are by "
        "the marks that the answers came with."
        if _sourced(parts)
        else " Of which format: the difference, less the difference if answers may stand anywhere in the text; the "
        "rest is in what the answers are."
    )
    lacks = f" Not all answers have marks by that reading: {readings.LACKING}." if readings.lacking(a) else ""
    return (said if parts else "") + lacks


def _sourced(parts: Parts) -> bool:
    """Whether the headline is by marks of an import's source."""
    return any(isinstance(part, MarkerPart) for part in parts.values())


def _accepted(a: Analysis) -> str:
    return "".join(f" {sentence}" for sentence in a.checked.sentences)


def _pairing(a: Analysis) -> str:
    if a.run.plan.comparison.pair_seeds:
        return "Differences are paired by problem and, as the plan says, by seed."
    return "Differences are paired by problem and not by seed, which has to be planned (comparison.pair_seeds)."


def _chosen(a: Analysis) -> str:
    return "chosen at the import" if a.run.plan.imported else "locked in the plan"


def per_benchmark(a: Analysis) -> Table:
    """The same arms on each benchmark, in points: a family that supports no claim of its own."""
    return _table(
        a,
        "per_benchmark",
        "by-benchmark",
        f"Second family, to see where a difference comes from: {len(a.family('per_benchmark'))} tests, adjusted "
        "together. With few seeds none of them may be able to reach significance, so they carry no daggers and "
        "support no claim of their own.",
    )


def start(a: Analysis) -> Table:
    """Every arm minus the untrained model on the average, in points."""
    return _table(
        a,
        "start",
        "start",
        f"Third family: each arm minus the untrained model, on the average. Intervals cover {_covered(a, 'start')}.",
    )


def _covered(a: Analysis, family: Family) -> str:
    """In words; of a family whose pairs do not all cover the same, each of them."""
    found = {p.estimate.estimand for p in a.family(family) if p.estimate}
    return listing(
        [COVERS[one] for one in ESTIMANDS if one in (found or {a.estimand})], "or, where an arm has one seed,"
    )


def _table(a: Analysis, family: Family, name: str, caption: str) -> Table:
    pairs = a.family(family)
    by_benchmark = any(pair.benchmark != AVERAGE for pair in pairs)
    parts = readings.parts(a)
    columns = [
        Column("Difference", numeric=False),
        *([Column("Benchmark", numeric=False)] if by_benchmark else []),
        Column("Points"),
        *([Column(BESIDE if _sourced(parts) else "of which format")] if parts else []),
        Column(f"{100 * (1 - a.alpha):g} % interval"),
        Column("adjusted p"),
        Column("raw p"),
        Column("MDE, one test"),
        *([Column("Seed r")] if family == "primary" else []),
        Column("Finding", numeric=False),
    ]
    return Table(name, columns, [Row(_cells(a, pair, by_benchmark, parts)) for pair in pairs], caption)


def _cells(a: Analysis, pair: Pair, by_benchmark: bool, parts: Parts) -> list[Cell]:
    column = [text(a.benchmark_title(pair.benchmark))] if by_benchmark else []
    names = [text(f"{a.label(pair.a)} − {a.label(pair.b)}"), *column]
    e, part = pair.estimate, parts.get((pair.a, pair.b, pair.benchmark))
    gap = [Cell(GAP)] if parts else []
    if e is None:
        return [*names, *gap, *[Cell(GAP)] * (6 if pair.family == "primary" else 5), Cell(pair.finding)]
    found = pair.simultaneous
    return [
        *names,
        Cell(signed(e.value), e.value, bold=pair.direction != 0 and pair.family == "primary"),
        *([_part(part)] if part else gap),
        Cell(reaching(found), found[0] if found else None),
        Cell(p_text(pair.p_adjusted), pair.p_adjusted),
        Cell(p_text(e.p_value), e.p_value),
        Cell(detectable(pair.mde, LARGEST), pair.mde[0] if pair.mde else None),
        *([Cell(correlation(pair.correlation), pair.correlation)] if pair.family == "primary" else []),
        Cell(pair.finding + _unlike(a, pair)),
    ]


def _unlike(a: Analysis, pair: Pair) -> str:
    if a.checked.accepted:
        return ", accepted"
    return ", not matched" if pair.unmatched else ""


def _part(part: FormatPart | MarkerPart) -> Cell:
    value = part.anywhere if isinstance(part, MarkerPart) else part.format
    return Cell(signed(value), value)
