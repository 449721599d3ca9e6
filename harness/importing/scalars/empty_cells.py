"""Cells without a score: gaps, which are said and are never zeros."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.importing.scalars import layouts
from harness.importing.scalars.layouts import TableLayout
from harness.importing.scalars.run_labels import split_run
from harness.importing.scalars.scalar_tables import ScalarTable
from harness.importing.scalars.vocabulary import GAPS


def filled(cells: Any) -> np.ndarray:
    """Where a cell says something; NaN of JSON says something, None does not."""
    values = cells.to_numpy(object)
    # each text is looked at once: most are there often
    texts = {value for value in values if isinstance(value, str)}
    gaps = {text for text in texts if text.strip().casefold() in GAPS}
    if not gaps:
        return np.fromiter((value is not None for value in values), bool, len(values))
    says = (value is not None and not (isinstance(value, str) and value in gaps) for value in values)
    return np.fromiter(says, bool, len(values))


def without_any(empty: set[tuple[Any, Any]], arms: np.ndarray, seeds: np.ndarray) -> list[str]:
    """Of arms and seeds that have gaps and nothing else: they are in no mean, and nobody would miss them.

    Args:
        empty: arm and seed of gaps.
        arms, seeds: of each score.
    """
    if not empty:
        return []
    there = {(str(arm), str(seed)) for arm, seed in set(zip(arms.tolist(), seeds.tolist(), strict=True))}
    named = sorted({(str(arm), str(seed)) for arm, seed in empty if _says(arm) and _says(seed)} - there)
    if not named:
        return []
    shown = ", ".join(f"{arm} seed {seed}" for arm, seed in named[:6])
    more = f" and {len(named) - 6:,} more" if len(named) > 6 else ""
    return [
        f"Nothing but empty cells, so in no mean: {shown}{more}. If a run diverged, that hides it: give it the score "
        "that it has."
    ]


def empty_runs(table: ScalarTable, one: TableLayout, chosen: set[str] | None) -> set[tuple[Any, Any]]:
    """Arm and seed of columns that hold nothing, so that the layout does not have them, and are called as its runs."""
    if one.values not in ("runs", "runs and metrics"):
        return set()
    bare = [name for name in table.cells.columns if name not in one.columns and not filled(table.cells[name]).any()]
    if one.values == "runs":
        return {split_run(name) for name in bare}
    of_runs = [found for name in bare if (found := layouts.OF_RUN.fullmatch(name))]
    return {split_run(found["run"]) for found in of_runs if chosen is None or found["metric"] in chosen}


def _says(value: Any) -> bool:
    return value is not None and str(value).strip().casefold() not in GAPS
