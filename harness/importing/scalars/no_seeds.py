"""What is said of scores whose seeds nothing tells."""

from __future__ import annotations

from typing import Any

import pandas as pd

from harness.importing.scalars.resolving import ResolvedScores
from harness.importing.scalars.vocabulary import SYNONYMS, is_spread


def no_seeds(found: ResolvedScores, frame: Any, missing: int) -> str:
    """What is said where nothing tells seeds: of summaries, of rows that a column of words tells apart, of others."""
    cells: Any = found.tables[0].cells
    columns = list(map(str, cells.columns))
    several = frame.duplicated(["arm", "benchmark", "step"]).any()
    what = (
        f"{found.tables[0].source.path}: nothing says which seed {missing:,} of {len(frame):,} scores are of: no "
        f"column is called {', '.join(SYNONYMS['seed'][:2])} ..., and no name holds it, as base-seed0 does (columns: "
        f"{', '.join(columns[:12])})."
    )
    arms = frame["arm"].to_numpy()
    known = [name for name in columns if set(cells[name].astype(str)) == set(map(str, arms))]
    apart = _apart_in(cells, arms, known) if len(cells) == len(frame) and len(found.tables) == 1 else []
    if several and apart:
        shown = ", ".join(map(str, pd.unique(cells[apart[0]])[:3]))
        return (
            f"{what}\nIn `{apart[0]}` ({shown}) the rows of an arm differ: --column benchmark={apart[0]} --seed 0 if "
            f"these are benchmarks, --column seed={apart[0]} if they are seeds."
        )
    if several:
        return f"{what}\nAdd --number-seeds if rows of one arm and benchmark are its seeds, or --column seed=NAME."
    if spread := next((name for name in columns if is_spread(name)), None):
        return (
            f"{what}\n`{spread}` says that each score is a mean over seeds: for intervals a row for each seed is "
            "needed. --seed 0 compares the means without any."
        )
    return f"{what}\nAdd --seed 0 if each arm is one run (then no difference has an interval), or --column seed=NAME."


def _apart_in(cells: Any, arms: Any, known: list[str]) -> list[str]:
    """Columns of words whose every value stands once beside each arm, as benchmarks do, or seeds with names.

    Args:
        arms: of each row.
        known: columns that have a role.
    """
    found = []
    for name in cells.columns:
        words = cells[name]
        if name in known or words.isna().any() or words.nunique() < 2:
            continue
        numbers: Any = pd.to_numeric(words, errors="coerce")
        if numbers.notna().any():
            continue
        groups = words.groupby(arms)
        if not pd.DataFrame({"arm": arms, "word": words}).duplicated().any() and groups.agg(frozenset).nunique() == 1:
            found.append(str(name))
    return found
