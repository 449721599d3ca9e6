"""What the order of the arms rests on: averages and differences under other choices, and where two markers disagree.

A difference is said to depend on a choice by the rule of `statistics/dependence.py` alone. Orders and ranges are
printed as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.records import START
from reports.data import dependence, orders
from reports.data.analysis import Analysis
from reports.data.dependence import JudgedChoice
from reports.data.orders import MOST, Variant, few_of, variants
from reports.data.second_marker import Markers, compare
from reports.document import Block, Bullets, Cell, Column, Row, Section, Table, text
from reports.figures import arm_colours
from reports.words import GAP, count, listing, over_choices, percent, plural, reaching, signed


def section(a: Analysis) -> Section | None:
    markers, judged = compare(a), dependence.study(a)
    found = variants(a, judged)
    blocks: list[Block] = []
    if len(found) > 1:
        blocks += [Bullets(_sentences(a, found, judged)), _table(a, found, judged)]
    if markers:
        blocks.append(_markers(a, markers))
    return Section("ranking", "What the ranking rests on", blocks) if blocks else None


def _sentences(a: Analysis, found: list[Variant], judged: Sequence[JudgedChoice]) -> list[str]:
    """Whether the order changes; what the target's differences depend on; and their range over the other choices."""
    told = [orders.sentence(found, dependence.question(a).labels)]
    if not a.run.plan.comparison.baselines:
        return told
    depends = [f"{words}." for words in dependence.told(judged, dependence.question(a))]
    if not depends:
        names = [f"the {one.choice.name}" for one in dependence.looked_at(judged)]
        depends = (
            [f"No difference of {a.label(a.target)} is shown to depend on {listing(names, 'or')}."] if names else []
        )
    return [*told, *depends, *(words for one in judged if (words := _range(a, one)))]


def _range(a: Analysis, one: JudgedChoice) -> str:
    """Over the plan's choice and its alternatives, of the differences that are not shown to depend on it."""
    clauses, moved = [], []
    for baseline in a.run.plan.comparison.baselines:
        tests = one.against(baseline)
        known = [value for test in tests if test.known for value in (test.planned, test.under) if value is not None]
        if known and not any(test.depends for test in tests):
            clauses.append(f"− {a.label(baseline)} {over_choices(known)}")
            moved.append(max(known) - min(known))
    if not clauses:
        return ""
    alternatives = one.choice.alternatives
    which = alternatives[0].name if len(alternatives) == 1 else f"{len(alternatives)} alternatives"
    over = f"Over the {one.choice.name} ({which})"
    if len(clauses) > MOST:
        return (
            f"{over} {len(clauses)} differences of {a.label(a.target)} move over {percent(max(moved))} points at most."
        )
    return f"{over}, in points: {a.label(a.target)} {', '.join(clauses)}."


def _flipped(a: Analysis, base: Variant, variant: Variant) -> list[str]:
    """Baselines that stand on the other side of the target than as planned."""
    swapped = variant.swapped(base)
    baselines = a.run.plan.comparison.baselines
    return [arm for arm in baselines if (a.target, arm) in swapped or (arm, a.target) in swapped]


def _table(a: Analysis, found: list[Variant], judged: Sequence[JudgedChoice]) -> Table:
    """A row for each variant, the plan's own first: the order, and the target minus each baseline in points, with what
    the variant changes in it."""
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
        cells = [_difference(a, variant, judged, arm) for arm in each]
        signs = [text(_signs(a, found[0], variant))] if baselines else []
        rows.append(Row([text(variant.name), _order(a, found[0], variant), *cells, *signs], quiet=variant is found[0]))
    return Table("ranking", columns, rows, _caption(a, [one.choice.name for one in judged], bool(each)))


def _difference(a: Analysis, variant: Variant, judged: Sequence[JudgedChoice], baseline: str) -> Cell:
    value = variant.difference(a.target, baseline)
    tests = [test for one in judged if (test := one.of(variant.name, baseline))]
    estimate = tests[0].change.estimate if tests else None
    if estimate is None:
        return Cell(signed(value), value)
    interval = f", {reaching(estimate.interval)}" if estimate.interval else ""
    return Cell(signed(value), value, f"({signed(estimate.value)}{interval})", bold=tests[0].change.material)


def _caption(a: Analysis, choices: Sequence[str], intervals: bool) -> str:
    """What each column and variant means; with intervals, what those hold for too."""
    target, level = a.label(a.target), f"{100 * (1 - a.alpha):g} %"
    # of seeds the question is another one: see statistics/dependence.py
    of_seed = (
        "of a seed left out they are about these checkpoints on new problems"
        if a.estimand == "checkpoints"
        else "of a seed left out they say whether it is unlike the others"
    )
    changes = (
        f" − an arm: {target} minus that arm, in points; in brackets what the variant changes in it, paired by problem "
        f"and seed, with its interval. All intervals hold together at {level} (Bonferroni, an equal share for each of "
        f"{', '.join(choices)}); {of_seed}. Bold: "
        f"the interval excludes 0 and the change is beyond {100 * dependence.question(a).margin:g} points; if the sign "
        "is another too, it depends on the choice."
    )
    return (
        f"Averages of the trained arms under one other choice at a time.{changes if intervals else ''} Last box, "
        "anywhere in the text: where an answer is looked for; shown if that changes a mark. Second marker: an attempt "
        "on which either marker failed is not correct. Left out: attempts that are not in the denominator "
        "either. Without a seed or a benchmark: in all arms. Half the budget: against the headline on the same "
        "benchmarks."
    )


def _order(a: Analysis, base: Variant, variant: Variant) -> Cell:
    lost = [arm_colours.short(a, arm) for arm in base.order() if arm not in variant.averages]
    without = f" (no average: {few_of(lost)})" if lost else ""
    swapped = variant.swapped(base)
    if variant is not base and not swapped:
        return Cell(f"same{without}")
    if len(base.averages) <= MOST:
        words = variant.words({arm: arm_colours.short(a, arm) for arm in variant.averages})
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
        return f"{few_of([arm_colours.short(a, arm) for arm in flipped])} changed"
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
