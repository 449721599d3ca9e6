"""Which arms a picture names, and in which colour, where there are too many for all."""

from __future__ import annotations

from reports.data.analysis import Analysis
from reports.figures.svg import ARMS, MUTED, colour
from reports.verdict import ranking

MOST = len(ARMS)
"""arms that a picture tells apart: as many as there are colours"""


def named(a: Analysis) -> list[str]:
    """All arms, as planned; of more than MOST the target and the others with the highest averages, as planned."""
    plan = [arm.name for arm in a.arms]
    if len(plan) <= MOST:
        return plan
    ranked = ranking(a)
    order = [a.target, *ranked, *(arm for arm in plan if arm not in ranked)]
    chosen = list(dict.fromkeys(order))[:MOST]
    return [arm for arm in plan if arm in chosen]


def tints(a: Analysis) -> dict[str, str]:
    """Each arm's colour in a picture; grey for one that is not named."""
    chosen = named(a)
    return {arm.name: colour(chosen.index(arm.name)) if arm.name in chosen else MUTED for arm in a.arms}


def rule(a: Analysis) -> str:
    """What a caption says of the arms that are grey; empty if none is."""
    grey = len(a.arms) - len(named(a))
    if not grey:
        return ""
    return (
        f"In colour: {a.label(a.target)} and the {MOST - 1} others with the highest averages; the other {grey} are "
        "thin grey lines without a name."
    )


def short(a: Analysis, arm: str) -> str:
    """A label that fits beside a line: `ReNCE (rec.)`; of a grid's arm what is different of it, with the name of its
    base where there are several."""
    sweeps = a.run.plan.sweeps
    for sweep in sweeps:
        before = f"{_title(a, sweep.base)} · "
        if arm in sweep.cells and arm != sweep.base and _title(a, arm).startswith(before):
            several = len({one.base for one in sweeps}) > 1
            return f"{sweep.base} · " * several + _title(a, arm).removeprefix(before)
    return a.label(arm).replace("(reconstruction)", "(rec.)")


def _title(a: Analysis, arm: str) -> str:
    return next((one.title for one in a.arms if one.name == arm), arm)
