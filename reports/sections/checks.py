"""The primary differences by other tests: whether the finding hangs on the t test."""

from __future__ import annotations

from reports.analysis import Analysis
from reports.checks import Check, checks, disagreements
from reports.document import Cell, Column, Row, Section, Table, Text, text
from reports.statistics.bootstrap import RESAMPLES
from reports.statistics.permutation import DRAWS, FEWEST_SEEDS
from reports.verdict import COVERS
from reports.words import GAP, listing, p_text, plural, signed


def section(a: Analysis) -> Section | None:
    found = checks(a)
    if not found:
        return None
    return Section("checks", "The same differences by other tests", [Text(_agreement(a, found)), table(a, found)])


def table(a: Analysis, found: list[Check]) -> Table:
    level = f"{100 * (1 - a.alpha):g} %"
    columns = [
        Column("Difference", numeric=False),
        Column("Points"),
        Column(f"t, {level}"),
        Column("p"),
        Column(f"bootstrap, {level}"),
        Column("Exchanged", numeric=False),
        Column("p by exchange"),
        *([Column("McNemar", numeric=False)] if any(check.mcnemar for check in found) else []),
    ]
    return Table("checks", columns, [_row(a, check, len(columns)) for check in found], _caption(found))


def _row(a: Analysis, check: Check, width: int) -> Row:
    e, permutation, pairs = check.pair.estimate, check.permutation, check.mcnemar
    assert e is not None
    words = (
        f"{check.exchanged} ({plural(permutation.cases, 'case')}{'' if permutation.exact else ' drawn'})"
        if permutation
        else GAP
    )
    cells = [
        text(f"{a.label(check.pair.a)} − {a.label(check.pair.b)}"),
        Cell(signed(e.value), e.value),
        _between(e.interval),
        Cell(p_text(e.p_value), e.p_value),
        _between(check.bootstrap),
        Cell(words),
        Cell(p_text(permutation.p_value), permutation.p_value) if permutation else Cell(GAP),
    ]
    if pairs:
        said = f"{pairs.gained} gained, {pairs.lost} lost; exact p {p_text(pairs.exact)}, mid-p {p_text(pairs.mid_p)}"
        cells.append(Cell(said, pairs.exact))
    return Row(cells + [Cell(GAP)] * (width - len(cells)))


def _between(bounds: tuple[float, float] | None) -> Cell:
    return Cell(f"{signed(bounds[0])} to {signed(bounds[1])}", bounds[0]) if bounds else Cell(GAP)


def _agreement(a: Analysis, found: list[Check]) -> str:
    level = f"at level {a.alpha:g}, before adjustment"
    if not any(len(check.signs) > 1 for check in found):
        return "No second test applies: nothing varied, or there are too few problems or seeds."
    other = list(disagreements(found))
    if not other:
        each = f" for each of the {len(found)} differences" if len(found) > 1 else ""
        return f"All tests come to the same finding{each} {level}."
    names = listing([f"{a.label(check.pair.a)} minus {a.label(check.pair.b)}" for check in other])
    return (
        f"The tests do not agree on {names} {level}: a finding that hangs on the test should not be leaned on, and "
        "what is found by exchange only may not reach beyond these problems. The verdict keeps to the t test."
    )


def _caption(found: list[Check]) -> str:
    covered = next(check.pair.estimate.estimand for check in found if check.pair.estimate)
    return (
        "Differences on the average, in points; p-values are not adjusted here. t: the primary test, about "
        f"{COVERS[covered]}. Bootstrap: percentile interval of {RESAMPLES:,} resamples, seeds and problems drawn "
        "independently of each other, a seed with its scores on all benchmarks and a problem with all arms' "
        "answers; with few seeds it is too narrow where these dominate, and too wide where they do not. Exchange: "
        f"all ways to deal the seeds out between the two arms, from {FEWEST_SEEDS} a side, which is about training "
        "on these problems only; or, between two checkpoints, to exchange their answers to a problem, which is "
        f"about these checkpoints only. Both need the same k on both sides. Where there are too many ways {DRAWS:,} "
        "are drawn."
    )
