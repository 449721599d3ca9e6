"""How answers of the miniature suite are written, before and after training, and which part of the gain is a choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.records import START
from reports.data import modes
from reports.data.analysis import Analysis
from reports.data.modes import MODES, OTHER, WORKED, Mode, ModeGain, gain
from reports.document import Bullets, Cell, Column, Row, Section, Table, text
from reports.words import percent, signed


def section(a: Analysis) -> Section | None:
    """None where no benchmark is of the suite, no arm has texts, or none is written in a way that the suite teaches."""
    found = modes.found(a) if modes.benchmarks(a) else {}
    if not found.keys() - {START} or all(ways[OTHER].share == 1 for ways in found.values()):
        return None
    columns = [Column("", numeric=False)]
    columns += [Column(title) for name in MODES for title in (f"{name.capitalize()}", "correct")]
    gains = {arm: gain(found[START], found[arm]) for arm in found if START in found and arm != START}
    columns += [Column("Gain"), Column("by choice"), Column("within")] if gains else []
    rows = []
    for arm in a.rows:
        if arm not in found:
            continue
        each = [found[arm][name] for name in MODES]
        cells = [Cell(percent(value), value) for one in each for value in (one.share, one.accuracy)]
        if made := gains.get(arm):
            parts = (made.choice + made.within, made.choice, made.within)
            cells += [Cell(signed(part), part) for part in parts]
        elif gains:
            cells += [Cell("")] * 3
        rows.append(Row([text(a.label(arm)), *cells], quiet=arm == START))
    return Section(
        "modes", "How answers are written", [Bullets([_said(a, found, gains)]), Table("modes", columns, rows, _CAPTION)]
    )


_CAPTION = (
    "Miniature suite, all attempts at the headline; benchmarks and seeds count alike. Worked: a step such as 7+5=12 is "
    "written; bare: a box and nothing else. Percent of the attempts, and of them correct. Gain: points above the "
    "untrained model; by choice: what other shares of the ways bring, each as often right as before and after on "
    "average; within: what is left (Kitagawa 1955). No test."
)


def _said(a: Analysis, found: Mapping[str, Mapping[str, Mode]], gains: Mapping[str, ModeGain]) -> str:
    """Shares of worked answers, and of the gain the part that is a choice, of all trained arms."""
    trained = [arm.name for arm in a.arms if arm.name in found]
    after = _span([found[arm][WORKED].share for arm in trained])
    if not gains:
        return f"Worked answers: {after} %."
    whole, choice = [g.choice + g.within for g in gains.values()], [g.choice for g in gains.values()]
    return (
        f"Worked answers: {percent(found[START][WORKED].share)} % before training, {after} % after. The base model was "
        f"taught several ways of writing. Of what training gained ({_span(whole)} points), "
        f"{_span(choice)} are a choice among them."
    )


def _span(shares: Sequence[float]) -> str:
    """`94.9 to 97.0`"""
    return " to ".join(dict.fromkeys(percent(share) for share in (min(shares), max(shares))))
