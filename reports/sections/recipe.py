"""The recipe that the arms share, where they depart from it, and what was tried to choose it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reports.data.analysis import Analysis
from reports.document import Bullets, Cell, Column, Folded, Row, Section, Table, Text, text
from reports.sections import tuning
from reports.sections.algorithms import written
from reports.words import listing


def section(a: Analysis) -> Section | None:
    """None of an imported run."""
    if a.run.plan.imported:
        return None
    plan = a.run.plan
    shared = Table("recipe", [Column("Setting", numeric=False), Column("Value")], _pairs(plan.recipe))
    departures = [
        f"{a.label(arm.name)}: {listing([f'{k} = {written(v)}' for k, v in sorted(arm.recipe_differences.items())])}"
        for arm in a.arms
        if arm.recipe_differences
    ]
    return Section(
        "recipe",
        "Recipe and tuning",
        [
            Bullets([f"Departs from the shared recipe: {d}" for d in departures])
            if departures
            else Text("All arms share one recipe: everything of training that is not the objective."),
            Folded("The recipe", [shared]),
            *(tuning.executed(a) or _tuning(plan.tuning)),
        ],
    )


def _tuning(words: Mapping[str, Any]) -> list[Text | Folded]:
    if not words:
        return [Text("No tuning is on record.")]
    table = Table("tuning", [Column("Tuning", numeric=False), Column("", numeric=False)], _pairs(words))
    return [Folded("What was tried to choose it", [table])]


def _pairs(mapping: Mapping[str, Any]) -> list[Row]:
    return [Row([text(key), Cell(value)]) for key, value in _flat(mapping)]


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Nested settings as `a.b` and `list.1` rows; a list of plain values stays one row."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and any(isinstance(inner, Mapping | list) for inner in value):
        for place, inner in enumerate(value, 1):
            yield from _flat(inner, f"{name}.{place}")
    else:
        yield name, written(value)
