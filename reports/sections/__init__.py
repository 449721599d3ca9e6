"""The sections of a report, in their order.

To add one: a function from the analysis to a `Section` (or None where there is nothing to show), here in a module of
its own, and a line in `SECTIONS`. All formats render it. Same files, same bytes: no dates, no times, no set order;
times belong to the section of kind `cost`. What is missing is a gap or a note, never a zero.
"""

from __future__ import annotations

from collections.abc import Callable

from reports import notes, verdict
from reports.analysis import Analysis
from reports.document import Bullets, Document, Section
from reports.sections import (
    activity,
    algorithms,
    best,
    blocks,
    budget,
    checks,
    comparisons,
    curves,
    design,
    effects,
    failures,
    flips,
    lengths,
    marks,
    mismatch,
    passing,
    provenance,
    published,
    ranking,
    scores,
    spending,
    training,
)


def _notes(a: Analysis) -> Section | None:
    found = notes.collect(a)
    return Section("notes", "Notes", [Bullets(found)]) if found else None


SECTIONS: list[Callable[[Analysis], Section | None]] = [
    scores.section,
    failures.section,
    mismatch.section,
    comparisons.section,
    effects.section,
    best.section,
    published.section,
    checks.section,
    design.section,
    ranking.section,
    curves.section,
    training.section,
    passing.section,
    marks.section,
    lengths.section,
    flips.section,
    activity.section,
    budget.section,
    spending.section,
    algorithms.section,
    algorithms.recipe,
    blocks.section,
    provenance.section,
    _notes,
    budget.cost,
]


def document(a: Analysis) -> Document:
    made = (make(a) for make in SECTIONS)
    return Document(a.run.plan.experiment, verdict.sentences(a), [part for part in made if part is not None])
