"""DataFrames with the columns and types that the table says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports.frames.frame_columns import FRAMES, OPEN, FrameColumn, FrameType

TEXT = pd.Series([], dtype=str).dtype
"""`str`, and `object` before pandas 3"""


def of_rows(name: str, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A frame of `FRAMES`, a mapping for each row; None is a missing cell."""
    columns, listed = FRAMES[name], list(rows)
    return of_columns(columns, {column.name: [row[column.name] for row in listed] for column in columns})


def of_columns(columns: Sequence[FrameColumn], values: Mapping[str, Any]) -> pd.DataFrame:
    """A frame of these columns, in their order.

    Args:
        values: name -> a value for each row.
    """
    return pd.DataFrame({one.name: _cast(values[one.name], one.type) for one in columns})


def check(name: str, frame: pd.DataFrame, columns: Sequence[FrameColumn] | None = None) -> None:
    """Raises: TypeError where a frame is not as its table says.

    Args:
        columns: its table, where that is not one of `FRAMES`.
    """
    expected = {one.name: one.type for one in (FRAMES[name] if columns is None else columns)}
    found = dict(zip(frame.columns, frame.dtypes, strict=True))
    if name in OPEN:
        expected |= {str(extra): OPEN[name] for extra in list(found)[len(expected) :]}
    wrong = [one for one, kind in expected.items() if one in found and found[one] != _dtype(kind)]
    if list(found) != list(expected) or wrong:
        raise TypeError(f"the frame `{name}` must have the columns {expected}, but has {found}")


def _dtype(kind: str) -> Any:
    return TEXT if kind == "str" else pd.BooleanDtype() if kind == "boolean" else np.dtype(kind)


def _cast(values: Any, kind: FrameType) -> Any:
    """Of any sequence; a missing text becomes what pandas prints for one."""
    if kind == "str":
        return pd.Series(values, dtype=object).where(lambda cell: cell.notna(), np.nan).astype(TEXT)
    if kind == "boolean":
        return pd.array(list(values), dtype="boolean")
    if kind == "float64" and not isinstance(values, np.ndarray):
        return np.array([np.nan if value is None else value for value in values], np.float64)
    return np.asarray(values, dtype=kind)
