"""What exactly each arm is: the rows of the spec sheets that differ, hyper-parameters, and the shared recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.data.analysis import Analysis
from reports.document import Column, Folded, Row, Section, Table, text
from reports.words import GAP, listing


def section(a: Analysis) -> Section | None:
    """None of an imported run, which knows names alone."""
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
        values = [written(by_arm[arm.name].get(key)) for arm in a.arms]
        if not only_differing or len(set(values)) > 1 or len(values) == 1:
            rows.append(Row([text(key), *map(text, values)]))
    columns = [Column("", numeric=False), *(Column(a.label(arm.name), numeric=False) for arm in a.arms)]
    return Table(name, columns, rows, caption)


def _keys(by_arm: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """In the order in which they first appear."""
    return list(dict.fromkeys(key for one in by_arm.values() for key in one))


def _same(specs: Mapping[str, Mapping[str, str]]) -> str:
    shared = [key for key in _keys(specs) if len({written(spec.get(key)) for spec in specs.values()}) == 1]
    if len(specs) < 2 or not shared:
        return "What each algorithm does, as it says itself."
    first = next(iter(specs.values()))
    return f"Only what differs. The same in all arms: {listing([f'{key} ({first[key]})' for key in shared])}."


def written(value: Any) -> str:
    """A setting as a table prints it: `yes`, `0.2`, `a, b`, `rank 8, alpha 16`, a gap for none."""
    if value is None:
        return GAP
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(written, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {written(inner)}" for key, inner in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)
