"""pass@k, pass^k and maj@k beside avg@k: does training make answers likelier, surer, or reach what was out of reach?"""

from __future__ import annotations

from harness.records import START
from reports.data.analysis import Analysis
from reports.data.pairs import Groups
from reports.data.pass_at_k import groups, is_asked, leads, majorities
from reports.data.pass_family import by_k, starts, targets
from reports.data.scores import AVERAGE
from reports.document import Block, Figure, Folded, Gallery, Section
from reports.figures import arm_colours
from reports.figures.curves import Line, curves
from reports.figures.svg import MUTED
from reports.sections.curves import MOST_BANDS
from reports.sections.leads import sentences, table
from reports.sections.pass_tables import differences, reliability, scores

MOST_LINES = 50
"""seeds of an arm, each with a line of its own"""


def section(a: Analysis) -> Section | None:
    """None where one attempt a problem was sampled."""
    if not is_asked(a):
        return None
    any_of, all_of = by_k(a), by_k(a, "pass^k")
    votes = groups(a, majorities(a))
    found = leads(a)
    average, columns = [AVERAGE], a.benchmarks
    blocks: list[Block] = [*sentences(a, found), *_pictures(a, any_of), scores(a, any_of, votes, average)]
    if found:
        blocks.append(table(a, found))
    pairs = [*targets(a), *starts(a)]
    blocks += [*differences(a, any_of, pairs, average), reliability(a, all_of, average)]
    if len(columns) > 1:
        several = [*differences(a, any_of, targets(a), columns), reliability(a, all_of, columns)]
        blocks.append(Folded("By benchmark", [scores(a, any_of, votes, columns), *several]))
    return Section("passing", "More attempts: pass@k and pass^k", blocks)


def _pictures(a: Analysis, by_k: dict[int, Groups]) -> list[Block]:
    """pass@k of the average, where it is known for several k, and a panel for each benchmark."""
    caption = (
        "pass@k in percent against k: the chance that at least one of k attempts is correct, unbiased (1 − C(n−c, k) / "
        "C(n, k) for each problem), mean over problems and seeds. "
    )
    thin = "Thin: every seed. " if _detailed(a) else ""
    dashed = "Dashed: the untrained model. " if START in a.rows else ""
    legend = f"{thin}{dashed}{arm_colours.rule(a)}".strip()
    blocks: list[Block] = []
    if len([k for k, group in by_k.items() if any(column == AVERAGE for _, column in group)]) > 1:
        of = "Unweighted average of the benchmarks. " if len(a.benchmarks) > 1 else ""
        svg = curves("passing", lines(a, by_k, AVERAGE), None, "k, attempts", 440, 280, doubling=True)
        blocks.append(Figure("passing", svg, f"{caption}{of}{legend}"))
    if len(a.benchmarks) > 1:
        panels = [
            Figure(
                f"passing-{name}",
                curves(f"passing-{name}", lines(a, by_k, name), None, "k, attempts", 280, 190, doubling=True),
                a.benchmark_title(name),
            )
            for name in a.benchmarks
            if any(column == name for _, column in by_k[1])
        ]
        words = "Each benchmark; lines as above." if blocks else caption + legend
        blocks.append(Gallery(panels, words, titled=True))
    return blocks


def _detailed(a: Analysis) -> bool:
    """Whether lines of single seeds can be told apart."""
    return len(a.arms) <= MOST_BANDS and len(a.run.plan.seeds) <= MOST_LINES


def lines(a: Analysis, by_k: dict[int, Groups], column: str) -> list[Line]:
    """An arm's percent against k: mean over its seeds, and each of them where arms are few enough to tell apart."""
    named = arm_colours.named(a)
    found = []
    for arm in a.rows:
        points = {k: group[arm, column] for k, group in by_k.items() if (arm, column) in group}
        if not points:
            continue
        ks = [float(k) for k in points]
        seeds = [{s: sum(p.by_seed[s] for p in ps) / len(ps) for s in ps[0].seeds} for ps in points.values()]
        tracks = [(ks, [100 * one[seed] for one in seeds]) for seed in seeds[0]]
        mean = (ks, [100 * sum(one.values()) / len(one) for one in seeds])
        start = arm == START
        detailed = not start and _detailed(a)
        found.append(
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
    return found
