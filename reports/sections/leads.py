"""An arm's lead over the untrained model with one attempt and with many: what the numbers support, and the numbers."""

from __future__ import annotations

from reports.data.analysis import Analysis
from reports.data.pass_at_k import CEILING, ENOUGH, Lead
from reports.document import Bullets, Cell, Column, Row, Table, Text, text
from reports.figures import arm_colours
from reports.statistics import Estimate
from reports.verdict import COVERS
from reports.words import listing, plural, reaching, signed

FINDINGS = {
    "lasts": "lasts",
    "shrinks": "lasts, and shrinks",
    "gone": "gone: sharpening",
    "reversed": "reversed: sharpening",
    "unclear": "unclear",
    "no lead": "no lead at k = 1",
}


def sentences(a: Analysis, found: list[Lead]) -> list[Bullets | Text]:
    """One for each finding that the intervals support."""
    named = [lead for lead in found if lead.arm in arm_colours.named(a)]
    kinds = dict.fromkeys((lead.finding, lead.k) for lead in named if lead.finding not in ("unclear", "no lead"))
    told = [_sentence(a, [lead for lead in named if (lead.finding, lead.k) == kind]) for kind in kinds]
    if told:
        return [Bullets(told)]
    return [Text("These numbers do not tell sharpening from new ability for any arm.")] if found else []


def _sentence(a: Analysis, leads: list[Lead]) -> str:
    """Of arms of one finding."""
    k, finding = leads[0].k, leads[0].finding
    who = listing([a.label(lead.arm) for lead in leads])
    verb = "leads" if len(leads) == 1 else "lead"
    within = "by less within" if finding == "shrinks" else "within"
    lasting = f"{who} {verb} the untrained model with one attempt and {within} {k} (raw intervals: see the table)"
    if finding == "reversed":
        below = "is" if len(leads) == 1 else "are"
        return (
            f"Sharpening, at a price: {who} {verb} the untrained model with one attempt and {below} below it within "
            f"{k}: problems were lost that it solves when asked often."
        )
    if finding == "gone":
        return (
            f"Sharpening: {who} {verb} the untrained model with one attempt; within {k} the lead is smaller and not "
            "separated from none."
        )
    if k < ENOUGH:
        return f"{lasting}. So few attempts cannot tell new ability from sharpening."
    return f"New ability, as far as {k} attempts can tell: {lasting}."


def table(a: Analysis, found: list[Lead]) -> Table:
    """A row for each lead, pass@1 and pass@k minus the untrained model's in points.

    Args:
        found: at least one.
    """
    ks = sorted({lead.k for lead in found})
    most = f"within {ks[0]}" if len(ks) == 1 else "within most"
    columns = [
        Column("Minus the untrained model", numeric=False),
        Column("k = 1"),
        Column(most),
        Column("change"),
        Column("The lead", numeric=False),
    ]
    rows = [
        Row([text(a.label(lead.arm)), *map(_lead, (lead.one, lead.most, lead.change)), text(FINDINGS[lead.finding])])
        for lead in found
    ]
    caption = (
        f"pass@1, pass@{ks[-1]} and what changes between them, in points with raw intervals, paired by problem with "
        f"seeds crossed, about {COVERS[found[0].most.estimand]}. Not a planned family: {plural(len(found), 'arm')}, "
        "not adjusted. Lasts: the interval at the largest k is above zero; gone: it holds zero and the change is below "
        "zero; unclear: neither, or "
        f"the untrained model is at {100 * CEILING:.0f} % or more, where every lead must shrink."
    )
    return Table("leads", columns, rows, caption)


def _lead(e: Estimate) -> Cell:
    return Cell(signed(e.value), e.value, spread=f"({reaching(e.interval)})" if e.interval else "")
