"""The best of a sweep's arms, and what is left of its lead where it was not chosen for it."""

from __future__ import annotations

from reports.data import sweeps
from reports.data.analysis import Analysis
from reports.data.scores import AVERAGE
from reports.data.sweeps import Best
from reports.document import Bullets, Cell, Column, Row, Section, Table, text
from reports.statistics.best import SPLITS
from reports.words import GAP, listing, percent, plural, signed

MOST = 12
"""arms in the table; the others are in the table of scores"""


def section(a: Analysis) -> Section | None:
    found = sweeps.best(a) if a.run.plan.sweeps else None
    if found is None:
        return None
    return Section("best", "The best arm, and the winner's curse", [Bullets(_sentences(a, found)), _table(a, found)])


def _sentences(a: Analysis, found: Best) -> list[str]:
    """The highest average, what is left of it where it was not chosen for it, and who could not be chosen."""
    base, top = a.label(found.base), a.label(found.naive)
    lead = f"{signed(found.naive_gain)} points against the base, {base}" if found.naive != found.base else "the base"
    said = [
        f"The highest average of {plural(len(found.arms), 'arm')} is {percent(found.naive_score)} %, of {top}: {lead}. "
        "Part of it is luck: the highest of many averages is high even if all arms are equal."
    ]
    honest = found.honest
    if honest is None:
        said.append(
            "What is left of it without that luck cannot be estimated here: no seed is complete in all arms, or a "
            "benchmark has a single problem."
        )
    else:
        # what was not split cannot be new in the other half
        halves = "half of the seeds and problems" if honest.seeds_apart else "half of the problems"
        said.append(
            f"Chosen on {halves} and scored on the other half, the best arm has {percent(honest.score)} %, "
            f"{signed(honest.gain)} points against the base there: about what choosing the best arm of this sweep is "
            f"worth on new {'seeds and problems' if honest.seeds_apart else 'problems'}."
        )
        said.append(_how_often(a, found))
        if not honest.seeds_apart:
            said.append(
                f"All arms have {plural(found.seeds, 'seed')} in common, which cannot be halved: the luck of that "
                "training seed is still in these numbers."
            )
    if found.missing:
        names = listing([a.label(arm) for arm in found.missing])
        said.append(f"Without a complete result, and so no candidate: {names}.")
    return said


def _how_often(a: Analysis, found: Best) -> str:
    assert found.honest is not None
    share = found.chosen(found.naive) or 0.0
    often = max(found.arms, key=lambda arm: found.chosen(arm) or 0.0)
    other = "" if often == found.naive else f"; more often it is {a.label(often)} ({_share(found.chosen(often))})"
    return f"In {_share(share)} of these choices it is the arm with the highest average{other}."


def _share(of: float | None) -> str:
    if of is None:
        return GAP
    return "< 1 %" if 0 < of < 0.01 else f"{100 * of:.0f} %"


def _table(a: Analysis, found: Best) -> Table:
    """The best arms and the base, with how often each was chosen on half of the data."""
    score = {arm: a.scores[arm, AVERAGE].estimate.value for arm in found.arms}
    ranked = sorted(found.arms, key=lambda arm: -score[arm])
    shown = [arm for place, arm in enumerate(ranked) if place < MOST or arm == found.base]
    rows = [
        Row(
            [
                text(a.label(arm)),
                Cell(percent(score[arm]), score[arm]),
                Cell(signed(score[arm] - score[found.base]), score[arm] - score[found.base])
                if arm != found.base
                else Cell(GAP),
                Cell(_share(found.chosen(arm)), found.chosen(arm)),
            ],
            quiet=arm == found.base,
        )
        for arm in shown
    ]
    left = f" The best {MOST} of {len(ranked)}, and the base." if len(ranked) > len(shown) else ""
    caption = (
        f"Arms by average, in percent.{left} Chosen: share of the choices that fell on the arm, over {SPLITS} random "
        "halves, each used both ways round. An arm chosen on half of the data is chosen a little worse than one chosen "
        "on all of it, so the estimate above errs on the low side. It has no interval: the halves overlap. The highest "
        "average itself has none that means anything."
    )
    columns = [Column("Arm", numeric=False), Column("Average"), Column("− base"), Column("Chosen")]
    return Table("best", columns, rows, caption)
