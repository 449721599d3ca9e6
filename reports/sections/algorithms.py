"""What exactly each arm is: the rows of the spec sheets that differ, hyper-parameters, and the shared recipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reports.data.analysis import Analysis
from reports.document import Bullets, Cell, Column, Folded, Row, Section, Table, Text, text
from reports.sections import tuning
from reports.words import GAP, listing


def section(a: Analysis) -> Section | None:
    """None of an imported run, which knows names alone; so below."""
    if a.run.plan.imported:
        return None
    specs = {arm.name: arm.spec for arm in a.arms}
    hyper = {arm.name: arm.hyperparameters for arm in a.arms}
    differing = _table(a, "specs", specs, only_differing=True, caption=_same(specs))
    return Section(
        "algorithms",
        "The arms",
        [differing, Folded("All hyper-parameters", [_table(a, "hyperparameters", hyper, only_differing=False)])],
    )


def _table(
    a: Analysis, name: str, by_arm: Mapping[str, Mapping[str, Any]], only_differing: bool, caption: str = ""
) -> Table:
    rows = []
    for key in _keys(by_arm):
        values = [_value(by_arm[arm.name].get(key)) for arm in a.arms]
        if not only_differing or len(set(values)) > 1 or len(values) == 1:
            rows.append(Row([text(key), *map(text, values)]))
    columns = [Column("", numeric=False), *(Column(a.label(arm.name), numeric=False) for arm in a.arms)]
    return Table(name, columns, rows, caption)


def _keys(by_arm: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """In the order in which they first appear."""
    return list(dict.fromkeys(key for one in by_arm.values() for key in one))


def _same(specs: Mapping[str, Mapping[str, str]]) -> str:
    shared = [key for key in _keys(specs) if len({_value(spec.get(key)) for spec in specs.values()}) == 1]
    if len(specs) < 2 or not shared:
        return "What each algorithm does, as it says itself."
    first = next(iter(specs.values()))
    return f"Only what differs. The same in all arms: {listing([f'{key} ({first[key]})' for key in shared])}."


def recipe(a: Analysis) -> Section | None:
    """The recipe that the arms share, where they depart from it, and what was tried to choose it."""
    if a.run.plan.imported:
        return None
    plan = a.run.plan
    shared = Table("recipe", [Column("Setting", numeric=False), Column("Value")], _pairs(plan.recipe))
    departures = [
        f"{a.label(arm.name)}: {listing([f'{k} = {_value(v)}' for k, v in sorted(arm.recipe_differences.items())])}"
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
        yield name, _value(value)


def _value(value: Any) -> str:
    if value is None:
        return GAP
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
