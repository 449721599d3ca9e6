"""pass@k and maj@k beside avg@k: does training make answers likelier, or reach problems that were out of reach?"""

from __future__ import annotations

from harness.records import START
from reports.data.analysis import Analysis
from reports.data.pairs import Groups
from reports.data.pass_at_k import at, groups, ladder, leads, majorities
from reports.data.scores import AVERAGE
from reports.document import Block, Cell, Column, Figure, Folded, Gallery, Row, Section, Table, text
from reports.figures import arm_colours
from reports.figures.curves import Line, curves
from reports.figures.svg import MUTED
from reports.sections.curves import MOST_BANDS
from reports.sections.leads import sentences, table
from reports.statistics import contrast
from reports.words import GAP, between, percent

VOTERS = 3
"""attempts from which a vote differs from picking one"""


def section(a: Analysis) -> Section | None:
    """None where one attempt a problem was sampled."""
    ks = ladder(a)
    if ks == [1] or not a.cells:
        return None
    by_k = {k: groups(a, at(a.cells, k)) for k in ks}
    votes = groups(a, majorities(a))
    found = leads(a)
    blocks: list[Block] = [*sentences(a, found), *_pictures(a, by_k), _table(a, by_k, votes, [AVERAGE])]
    if found:
        blocks.append(table(a, found))
    if len(a.benchmarks) > 1:
        blocks.append(Folded("By benchmark", [_table(a, by_k, votes, a.benchmarks)]))
    return Section("passing", "More attempts: pass@k", blocks)


def _pictures(a: Analysis, by_k: dict[int, Groups]) -> list[Block]:
    """pass@k of the average, where it is known for several k, and a panel for each benchmark."""
    caption = (
        "pass@k in percent against k: the chance that at least one of k attempts is correct, unbiased (1 − C(n−c, k) / "
        "C(n, k) for each problem), mean over problems and seeds. "
    )
    thin = "Thin: every seed. " if len(a.arms) <= MOST_BANDS else ""
    dashed = "Dashed: the untrained model. " if START in a.rows else ""
    legend = f"{thin}{dashed}{arm_colours.rule(a)}".strip()
    blocks: list[Block] = []
    if len([k for k, group in by_k.items() if any(column == AVERAGE for _, column in group)]) > 1:
        of = "Unweighted average of the benchmarks. " if len(a.benchmarks) > 1 else ""
        svg = curves("passing", _lines(a, by_k, AVERAGE), None, "k, attempts", 440, 280, doubling=True)
        blocks.append(Figure("passing", svg, f"{caption}{of}{legend}"))
    if len(a.benchmarks) > 1:
        panels = [
            Figure(
                f"passing-{name}",
                curves(f"passing-{name}", _lines(a, by_k, name), None, "k, attempts", 280, 190, doubling=True),
                a.benchmark_title(name),
            )
            for name in a.benchmarks
            if any(column == name for _, column in by_k[1])
        ]
        words = "Each benchmark; lines as above." if blocks else caption + legend
        blocks.append(Gallery(panels, words, titled=True))
    return blocks


def _lines(a: Analysis, by_k: dict[int, Groups], column: str) -> list[Line]:
    """An arm's percent against k: mean over its seeds, and each of them where arms are few enough to tell apart."""
    named = arm_colours.named(a)
    lines = []
    for arm in a.rows:
        points = {k: group[arm, column] for k, group in by_k.items() if (arm, column) in group}
        if not points:
            continue
        ks = [float(k) for k in points]
        seeds = [{s: sum(p.by_seed[s] for p in ps) / len(ps) for s in ps[0].seeds} for ps in points.values()]
        tracks = [(ks, [100 * one[seed] for one in seeds]) for seed in seeds[0]]
        mean = (ks, [100 * sum(one.values()) / len(one) for one in seeds])
        start = arm == START
        detailed = not start and len(a.arms) <= MOST_BANDS
        lines.append(
            Line(
                "start" if start else arm_colours.short(a, arm),
                MUTED if start else arm_colours.tints(a)[arm],
                tracks if detailed else [],
                mean,
                dots=len(ks) == 1,
                dashed=start,
                quiet=not start and arm not in named,
            )
        )
    return lines


def _table(a: Analysis, by_k: dict[int, Groups], votes: Groups, columns: list[str]) -> Table:
    average = columns == [AVERAGE]
    ks = [k for k, group in by_k.items() if any((arm, column) in group for arm in a.rows for column in columns)]
    voted = any((arm, column) in votes for arm in a.rows for column in columns) and ladder(a)[-1] >= VOTERS
    rows = []
    for arm in a.rows:
        for column in columns:
            cells = [_score(a, arm, by_k[k].get((arm, column))) for k in ks]
            vote = [_score(a, arm, votes.get((arm, column)))] if voted else []
            names = [text(a.label(arm)), *([] if average else [text(a.benchmark_title(column))])]
            rows.append(Row([*names, *cells, *vote], quiet=arm == START))
    titles = ["avg@k = pass@1" if k == 1 else f"pass@{k}" for k in ks] + (["maj@k"] if voted else [])
    heads = [Column("", numeric=False), *([] if average else [Column("Benchmark", numeric=False)])]
    return Table(
        "passing" if average else "passing-by-benchmark",
        [*heads, *map(Column, titles)],
        rows,
        _caption(a, average, voted),
    )


def _caption(a: Analysis, average: bool, voted: bool) -> str:
    of = ", unweighted average of the benchmarks, up to the k that all of them have" if average else ""
    parts = [
        f"In percent{of if len(a.benchmarks) > 1 else ''} with the {100 * (1 - a.alpha):g} % interval, of "
        "the same target as in the table of scores."
    ]
    if voted:
        parts.append(
            "maj@k: the share that a majority vote over all attempts of a problem gets right; no answer, no vote, and "
            "a tie counts in part."
        )
    return " ".join(parts)


def _score(a: Analysis, arm: str, group: list | None) -> Cell:
    if group is None:
        return Cell(GAP)
    e = contrast([[s.values for s in group]], (1.0,), "checkpoints" if arm == START else a.estimand, 1 - a.alpha)
    return Cell(percent(e.value), e.value, spread=between(e.interval))
