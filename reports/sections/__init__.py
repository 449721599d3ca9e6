"""The sections of a report, in their order.

To add one: a function from the analysis to a `Section` (or None where there is nothing to show), here in a module of
its own, and a line in `SECTIONS` under its slug; or, in another package, an entry point (docs/how-to/plugins.md). All
formats render it. Same files, same bytes: no dates, no times, no set order; times belong to the section of kind `cost`.
What is missing is a gap or a note, never a zero.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable

from reports import verdict
from reports.data.analysis import Analysis
from reports.document import Document, Section
from reports.sections import (
    activity,
    algorithms,
    best,
    blocks,
    budget,
    checks,
    curves,
    design,
    differences,
    effects,
    failures,
    flips,
    lengths,
    marks,
    mismatch,
    notes,
    passing,
    provenance,
    published,
    ranking,
    registry,
    scores,
    spending,
    training,
)
from reports.sections.registry import Offered, Others

SECTIONS: dict[str, Callable[[Analysis], Section | None]] = {
    "scores": scores.section,
    "failures": failures.section,
    "mismatch": mismatch.section,
    "differences": differences.section,
    "effects": effects.section,
    "best": best.section,
    "published": published.section,
    "checks": checks.section,
    "design": design.section,
    "ranking": ranking.section,
    "curves": curves.section,
    "training": training.section,
    "passing": passing.section,
    "marks": marks.section,
    "lengths": lengths.section,
    "flips": flips.section,
    "activity": activity.section,
    "budget": budget.section,
    "spending": spending.section,
    "algorithms": algorithms.section,
    "recipe": algorithms.recipe,
    "blocks": blocks.section,
    "provenance": provenance.section,
    "notes": notes.section,
    "cost": budget.cost,
}


def descriptions(others: Iterable[Offered] = ()) -> dict[str, str]:
    """By name: ours in their order, then those of other packages."""
    every = {**SECTIONS, **{offered.name: offered.make for offered in others}}
    return {name: _first_line(make) for name, make in every.items()}


def document(a: Analysis, others: Others | None = None) -> Document:
    """Ours in their order, with those of other packages before the notes, which say what is missing of them."""
    *body, cost = (make(a) for name, make in SECTIONS.items() if name != "notes")
    added, missing = registry.added(a, others or Others(), [part for part in (*body, cost) if part is not None])
    parts = [*body, *added, notes.section(a, missing), cost]
    return Document(a.run.plan.experiment, verdict.sentences(a), [part for part in parts if part is not None])


def _first_line(make: Callable[[Analysis], Section | None]) -> str:
    """Of the function's docstring, or its module's where the function is all there is of it: `section`."""
    of_function, of_module = inspect.getdoc(make) or "", inspect.getdoc(inspect.getmodule(make)) or ""
    words = of_module if getattr(make, "__name__", "") == "section" else of_function
    return (words or of_function or of_module).partition("\n")[0]
