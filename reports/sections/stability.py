"""What a single seed may do: collapses and their rate, the worst seed, and how often a seed of the target is better."""

from __future__ import annotations

from reports.data.analysis import Analysis
from reports.data.stability import Stability, fates, improvements, stabilities, start_score
from reports.document import Block, Bullets, Cell, Column, Figure, Row, Section, Table, Text, text
from reports.figures import arm_colours
from reports.figures.intervals import IntervalRow, intervals
from reports.statistics.collapse import rate_bound
from reports.statistics.improvement import FEWEST_SEEDS
from reports.words import GAP, listing, percent, plural

MOST_ROWS = 20
"""arms in the figure"""
MOST_SAID = 5
"""arms whose collapses are told one by one"""


def section(a: Analysis) -> Section | None:
    """None where no seed has a complete result or diverged."""
    found = stabilities(a)
    if not found:
        return None
    blocks: list[Block] = [Bullets(_sentences(a, found)), table(a, found), *_dots(a, found)]
    if any(improvement for _, improvement in improvements(a)):
        blocks.append(_improvements(a))
    blocks.append(Text(_uncovered(a, found)))
    return Section("stability", "Stability over seeds", blocks)


def _sentences(a: Analysis, found: list[Stability]) -> list[str]:
    """What counts as a collapse, who collapsed, how frequent that may be, and where it was not counted."""
    counted = [one for one in found if one.collapsed is not None]
    fell = [one for one in counted if one.collapsed]
    said = [_definition(a)] if counted else []
    said += [_fell(a, one) for one in fell[:MOST_SAID]]
    if len(fell) > MOST_SAID:
        said.append(f"Collapsed seeds in {len(fell) - MOST_SAID} arms more: see the table.")
    none = sorted({one.seeds for one in counted if not one.collapsed})
    if none and len(none) == 1:
        whose = "No seed collapsed" if not fell else "No seed of the other arms did"
        said.append(f"{whose}: 0 of {plural(none[0], 'seed')} an arm, so its rate may be up to {_bound(a, none[0])}.")
    elif none:
        low, high = none[0], none[-1]
        said.append(
            f"No collapse in {plural(sum(not one.collapsed for one in counted), 'arm')} of {low} to {high} seeds: the "
            f"rate may be up to {_bound(a, high)} in an arm of {high}, and up to {_bound(a, low)} in one of {low}."
        )
    if any(len(one.scores) == 1 for one in counted):
        said.append("One seed is its own median: of such an arm only a seed below the untrained model would be seen.")
    reasons = {why: [a.label(one.arm) for one in found if one.why_not == why] for why in _reasons(found)}
    said += [f"Collapses are not counted ({_arms(names, found)}): {why}." for why, names in reasons.items()]
    return said


def _reasons(found: list[Stability]) -> list[str]:
    return list(dict.fromkeys(one.why_not for one in found if one.why_not))


def _arms(names: list[str], found: list[Stability]) -> str:
    if len(names) == len(found):
        return "any arm"
    return listing(names) if len(names) <= MOST_SAID else plural(len(names), "arm")


def _bound(a: Analysis, seeds: int) -> str:
    return f"{100 * rate_bound(0, seeds, 1 - a.alpha):.0f} %"


def _definition(a: Analysis) -> str:
    rule, start = a.run.plan.comparison.collapse, start_score(a)
    parts = []
    if rule and start is not None:
        level = f"the untrained model's {percent(start)} %"
        if rule.below_start:
            parts.append(f"its average is below {level}")
        if rule.towards_start is not None:
            way = "half way" if rule.towards_start == 0.5 else f"{100 * rule.towards_start:g} % of the way"
            to = "it" if parts else level
            parts.append(f"{'' if parts else 'its average '}lies more than {way} from its arm's median towards {to}")
    ends = f"A seed counts as collapsed if {' or '.join(parts)}. " if parts else ""
    return f"{ends}One that diverged and left no average counts as collapsed{' too' if parts else ''}."


def _fell(a: Analysis, one: Stability) -> str:
    assert one.collapsed is not None and one.high is not None
    rest = [str(seed) for seed in one.fallen if seed not in one.sure]
    who = f"seed {rest[0]}" if len(rest) == 1 else f"seeds {listing(rest)}"
    who = who if len(rest) <= MOST_SAID else f"{len(rest)} of them"
    noise = f" The choice of problems and answers alone may explain the fall of {who}." if rest else ""
    return (
        f"{a.label(one.arm)}: {len(one.collapsed)} of {plural(one.seeds, 'seed')} collapsed "
        f"({fates(one, one.collapsed)}), so the rate may be up to {100 * one.high:.0f} %.{noise}"
    )


def table(a: Analysis, found: list[Stability]) -> Table:
    """A row for each arm: collapses with the bound of their rate, and the worst seed beside the mean."""
    titles = ("Collapsed", "Rate up to", "Worst seed", "Mean", "sd of seeds")
    rows = [Row(_cells(a, one)) for one in found]
    missing = [one for one in found if one.seeds < len(a.run.plan.seeds)] if a.run.trials else []
    lacking = " Seeds that are unfinished or were not run are in no row." if missing else ""
    one_seed = " One seed has neither a worst nor a spread." if any(len(one.scores) == 1 for one in found) else ""
    diverged = " Mean, worst and sd are of seeds with an average." if any(one.diverged for one in found) else ""
    caption = (
        f"Seeds at the headline, each scored by its average, in percent. Rate up to: the exact one-sided "
        f"{100 * (1 - a.alpha):g} % bound of the rate of collapses (Clopper and Pearson). sd: between the seeds, with "
        f"the noise of their answers in it.{diverged}{one_seed}{lacking}"
    )
    return Table("stability", [Column("", numeric=False), *map(Column, titles)], rows, caption)


def _cells(a: Analysis, one: Stability) -> list[Cell]:
    mean = sum(one.scores.values()) / len(one.scores) if one.scores else None
    fell = None if one.collapsed is None else len(one.collapsed)
    return [
        text(a.label(one.arm)),
        Cell(f"{GAP if fell is None else fell} of {one.seeds}", fell, bold=bool(fell)),
        Cell(GAP) if one.high is None else Cell(f"{100 * one.high:.0f} %", one.high),
        worst_seed(one),
        Cell(percent(mean), mean),
        Cell(percent(one.sd), one.sd),
    ]


def worst_seed(one: Stability) -> Cell:
    """`12.1 seed 3`; a gap below two seeds."""
    if one.worst is None:
        return Cell(GAP)
    score = one.scores[one.worst]
    return Cell(percent(score), score, spread=f"seed {one.worst}")


def _dots(a: Analysis, found: list[Stability]) -> list[Figure]:
    """Every seed of the arms that collapsed and of those that pictures name."""
    scored = [one for one in found if one.scores]
    named = arm_colours.named(a)
    first = sorted(scored, key=lambda one: (not one.collapsed, one.arm not in named))[:MOST_ROWS]
    shown, tints, start = [one for one in scored if one in first], arm_colours.tints(a), start_score(a)
    if not shown:
        return []
    rows = [
        IntervalRow(
            arm_colours.short(a, one.arm),
            100 * one.median if one.median is not None else None,
            seeds=[100 * score for seed, score in one.scores.items() if seed not in one.fallen],
            crosses=[100 * one.scores[seed] for seed in one.fallen],
            level=None if one.level is None else 100 * one.level,
            colour=tints[one.arm],
            strong=one.arm == a.target,
        )
        for one in shown
    ]
    level = " Dotted: below it a seed counts as collapsed, and is a cross." if any(r.level for r in rows) else ""
    dashed = " Dashed: the untrained model." if start is not None else ""
    left = f" {len(shown)} of {len(scored)} arms." if len(shown) < len(scored) else ""
    svg = intervals("stability", rows, "percent correct", zero=False, line=None if start is None else 100 * start)
    return [Figure("stability", svg, f"Every seed (dots) and the arm's median (tick).{level}{dashed}{left}")]


def _improvements(a: Analysis) -> Table:
    """The target against each baseline that has seeds enough; the others are named in the caption."""
    rows, few = [], []
    for baseline, found in improvements(a):
        if found is None:
            few.append(a.label(baseline))
            continue
        low, high = found.interval
        rows.append(
            Row(
                [
                    text(f"{a.label(a.target)} above {a.label(baseline)}"),
                    Cell(f"{found.value:.2f}", found.value),
                    Cell(f"{low:.2f} to {high:.2f}", low),
                ]
            )
        )
    dots = f" Fewer than {FEWEST_SEEDS} seeds a side, only dots: {listing(few)}." if few else ""
    caption = (
        "Probability of improvement: how often a new seed of the first has a higher average than a new seed of the "
        "second, ties half (Mann and Whitney), on these problems. Raw intervals, not adjusted, and not part of the "
        f"primary family; from {FEWEST_SEEDS} seeds a side.{dots}"
    )
    columns = [Column("", numeric=False), Column("Probability"), Column(f"{100 * (1 - a.alpha):g} % interval")]
    return Table("improvement", columns, rows, caption)


def _uncovered(a: Analysis, found: list[Stability]) -> str:
    few = max((len(one.scores) for one in found), default=0) < FEWEST_SEEDS
    dots = (
        f" With fewer than {FEWEST_SEEDS} seeds a side how often a seed of one arm beats one of another is not "
        "estimated: the dots are all there is."
        if few and a.run.plan.comparison.baselines
        else ""
    )
    return (
        "What no number here covers is what was never drawn: a mean and its interval come from the seeds that were "
        "trained, and a collapse that is rare enough to be in none of them moves neither. Nor does any cover another "
        f"base model, training set or recipe.{dots}"
    )
