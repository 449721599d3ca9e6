"""The tables of the section on more attempts: scores, paired differences at each k, and all of k attempts correct."""

from __future__ import annotations

from collections.abc import Mapping

from harness.records import START
from reports.data import pass_family
from reports.data.analysis import Analysis
from reports.data.pairs import Groups
from reports.data.pass_at_k import ladder
from reports.data.pass_family import PassAtK, Sides, score
from reports.data.scores import AVERAGE
from reports.document import Cell, Column, Row, Table, text
from reports.figures import arm_colours
from reports.statistics import ESTIMANDS, Estimate
from reports.verdict import COVERS
from reports.words import GAP, between, listing, percent, reaching, signed

VOTERS = 3
"""attempts from which a vote differs from picking one"""


def scores(a: Analysis, by_k: Mapping[int, Groups], votes: Groups, columns: list[str]) -> Table:
    """pass@k of each arm, and what a majority vote scores where there are voters enough."""
    voted = any((arm, column) in votes for arm in a.rows for column in columns) and ladder(a)[-1] >= VOTERS
    found = {"avg@k = pass@1" if k == 1 else f"pass@{k}": group for k, group in _present(a, by_k, columns).items()}
    caption = _caption(a, columns)
    if voted:
        caption += (
            " maj@k: the share that a majority vote over all attempts of a problem gets right; no answer, no vote, "
            "and a tie counts in part."
        )
    return _table(a, "passing", found | ({"maj@k": votes} if voted else {}), columns, caption)


def reliability(a: Analysis, by_k: Mapping[int, Groups], columns: list[str]) -> Table:
    """pass^k of each arm: all of k attempts are correct. At k = 1 it is pass@1."""
    found = {f"pass^{k}": group for k, group in _present(a, by_k, columns).items() if k > 1}
    caption = (
        "pass^k: the chance that all of k attempts are correct, C(c, k) / C(n, k) for each problem, unbiased: what is "
        f"left where each answer must be right. {_caption(a, columns)}"
    )
    return _table(a, "reliability", found, columns, caption)


def differences(a: Analysis, by_k: Mapping[int, Groups], pairs: list[Sides], columns: list[str]) -> list[Table]:
    """pass@k of the first of each pair minus the second's; no table without pairs."""
    found = pass_family.differences(a, by_k, pairs, columns)
    ks = sorted({one.k for one in found})
    cells = {(one.a, one.b, one.column, one.k): one for one in found}
    rows = [
        Row(
            [
                text(f"{_short(a, one)} − {_short(a, other)}"),
                *_benchmark(a, column, columns),
                *(_difference(cells.get((one, other, column, k))) for k in ks),
            ]
        )
        for one, other in pairs
        for column in columns
    ]
    if not found:
        return []
    covered = {one.estimate.estimand for one in found if one.estimate}
    gaps = " A gap: a side has no complete result or fewer attempts." if any(o.missing for o in found) else ""
    by_seed = " and, arm against arm, by seed" if a.run.plan.comparison.pair_seeds else ""
    caption = (
        f"Differences of pass@k in points with {100 * (1 - a.alpha):g} % intervals, paired by problem{by_seed}, "
        f"seeds crossed, about {listing([COVERS[e] for e in ESTIMANDS if e in covered], 'or')}. A family of its own, "
        f"not part of the primary one: raw intervals, one at a time and not adjusted for their number.{gaps}"
    )
    heads = _heads("Difference", columns)
    titles = [Column("k = 1, avg@k" if k == 1 else f"k = {k}") for k in ks]
    return [Table(_name("passing-differences", columns), [*heads, *titles], rows, caption)]


def tidy(a: Analysis) -> Table:
    """`pass_at_k.csv`: a row for each number, fractions unrounded, an empty cell where there is a gap."""
    any_of, all_of = pass_family.by_k(a), pass_family.by_k(a, "pass^k")
    found = [
        *pass_family.scores(a, "pass@k", any_of),
        *pass_family.scores(a, "pass^k", all_of),
        *pass_family.every_difference(a, any_of),
    ]
    titles = ("measure", "a", "b", "benchmark", "k", "value", "ci_low", "ci_high", "covers", "missing")
    return Table(
        "pass_at_k", [Column(title, numeric=False) for title in titles], [Row(_tidy_row(one)) for one in found]
    )


def _tidy_row(one: PassAtK) -> list[Cell]:
    e = one.estimate
    low, high = (e.interval if e else None) or (None, None)
    numbers = [Cell("" if value is None else repr(value)) for value in (e.value if e else None, low, high)]
    names = [text(one.measure), text(one.a), text(one.b), text(one.column), text(one.k)]
    return [*names, *numbers, text(e.estimand if e else ""), text(one.missing)]


def _present(a: Analysis, by_k: Mapping[int, Groups], columns: list[str]) -> dict[int, Groups]:
    """The k that an arm has in a column."""
    return {k: g for k, g in by_k.items() if any((arm, column) in g for arm in a.rows for column in columns)}


def _table(a: Analysis, name: str, found: Mapping[str, Groups], columns: list[str], caption: str) -> Table:
    rows = [
        Row(
            [
                text(a.label(arm)),
                *_benchmark(a, column, columns),
                *(_score(score(a, arm, g[arm, column]) if (arm, column) in g else None) for g in found.values()),
            ],
            quiet=arm == START,
        )
        for arm in a.rows
        for column in columns
    ]
    return Table(_name(name, columns), [*_heads("", columns), *map(Column, found)], rows, caption)


def _caption(a: Analysis, columns: list[str]) -> str:
    of = ", unweighted average of the benchmarks, up to the k that all of them have" if columns == [AVERAGE] else ""
    return (
        f"In percent{of if len(a.benchmarks) > 1 else ''}, with the {100 * (1 - a.alpha):g} % interval, of the same "
        "target as in the table of scores."
    )


def _name(of: str, columns: list[str]) -> str:
    return of if columns == [AVERAGE] else f"{of}-by-benchmark"


def _heads(title: str, columns: list[str]) -> list[Column]:
    return [Column(title, numeric=False), *([] if columns == [AVERAGE] else [Column("Benchmark", numeric=False)])]


def _benchmark(a: Analysis, column: str, columns: list[str]) -> list[Cell]:
    return [] if columns == [AVERAGE] else [text(a.benchmark_title(column))]


def _short(a: Analysis, arm: str) -> str:
    """As pictures have it: two names stand beside each other."""
    return START if arm == START else arm_colours.short(a, arm)


def _score(e: Estimate | None) -> Cell:
    if e is None:
        return Cell(GAP)
    return Cell(percent(e.value), e.value, spread=between(e.interval))


def _difference(one: PassAtK | None) -> Cell:
    e = one.estimate if one else None
    if e is None:
        return Cell(GAP)
    return Cell(signed(e.value), e.value, spread=f"({reaching(e.interval)})" if e.interval else "")
