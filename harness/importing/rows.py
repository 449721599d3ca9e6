"""What every source is turned into: tables of attempts, and what its files say beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from harness.importing.sources import ImportSource
from harness.records.schema import COLUMNS, AttemptColumn

UNKNOWN = "unknown"
"""in place of a word that the source does not say"""
NO_SEED = -1
"""the untrained model's"""


@dataclass(frozen=True)
class Facts:
    """What a file says of its evaluations, all of them."""

    model: str = UNKNOWN
    engine_version: str = UNKNOWN
    template: str = UNKNOWN
    sampling: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None


@dataclass(frozen=True)
class FoundRows:
    """What is read, as it is read."""

    parts: Iterator[pd.DataFrame]
    """tables with the columns of `frame`, a row for each attempt, in the order of the sources; to be gone through once.
    Raises: DataError or UserError, where something is wrong."""
    sources: Sequence[ImportSource]
    facts: Sequence[Facts]
    """one for each source, once the parts are at their end"""
    notes: Callable[[], Sequence[str]]
    """choices that were made, and what a source does not tell; asked when the parts are at their end"""


def frame(source: int, lines: np.ndarray, columns: Mapping[str, Any]) -> pd.DataFrame:
    """Rows of one file, unknown columns set to what says so.

    Args:
        source: place of the file among the sources.
        columns: those of `Attempt` that are needed, and what else the source says; each an array, or one value for all
            rows. `coarse` says that of the marks only correct or not is known, `version` which benchmark it was.
    """
    unknown = {name: _unknown(column) for name, column in COLUMNS.items() if not (column.needed or column.ours)}
    beside = {"version": None, "coarse": False}
    all_columns = {"source": source, "line": lines, **unknown, **beside, **columns}
    return pd.DataFrame({name: _cells(values, len(lines)) for name, values in all_columns.items()})


def _cells(values: Any, count: int) -> pd.Series:
    """Texts stay Python's: pandas' own would be made and unmade on the way to disk, a third of an import's time."""
    if isinstance(values, str) or values is None:
        values = np.full(count, values, object)
    is_plain = isinstance(values, np.ndarray) and values.dtype != object
    is_number = not hasattr(values, "__len__")
    return pd.Series(values, index=range(count), dtype=None if is_plain or is_number else object)


def _unknown(column: AttemptColumn) -> Any:
    """What a cell holds where a source does not say it."""
    if column.word:
        return UNKNOWN
    return np.nan if column.is_number else None


def numbered(keys: Iterable[Hashable]) -> list[int]:
    """How often each key came before: 0, 1, ..."""
    seen: Counter[Hashable] = Counter()
    numbers = []
    for key in keys:
        numbers.append(seen[key])
        seen[key] += 1
    return numbers
