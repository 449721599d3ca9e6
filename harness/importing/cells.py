"""Raw cells as numbers, words and marks. Each takes one column of one file; a cell that is empty or is something else
is refused with its place."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from harness.importing.reading import Raw
from harness.records import Mark

MARKS = [mark.value for mark in Mark]
YES = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}
_LONGEST_SHOWN = 60


def is_missing(cell: Any) -> bool:
    """No value, as None, NaN or pandas' NA."""
    return cell is None or cell is pd.NA or (isinstance(cell, float | np.floating) and bool(np.isnan(cell)))


def is_empty(column: pd.Series) -> np.ndarray:
    """No value at all, NaN, or the empty text that CSV has for both."""
    return np.array([is_missing(cell) or (isinstance(cell, str) and not cell.strip()) for cell in column])


def whole(raw: Raw, name: str, column: pd.Series, least: int = 0) -> np.ndarray:
    """Integers, from numbers or their texts."""
    _refuse_empty(raw, name, column)
    found = _numbers(_plain(cell) for cell in column)
    wrong = ~np.isfinite(found) | (found < least) | (found != np.floor(found))
    _refuse(raw, name, column, wrong, f"a whole number of at least {least}")
    return found.astype(np.int64)


def numbers(raw: Raw, name: str, column: pd.Series) -> np.ndarray:
    """Finite numbers; booleans are 0 and 1."""
    _refuse_empty(raw, name, column)
    found = _numbers(column)
    _refuse(raw, name, column, ~np.isfinite(found), "a number")
    return found


def _numbers(values: Iterable[Any]) -> np.ndarray:
    """NaN for what is none."""
    return np.asarray(pd.to_numeric(pd.Series(list(values), dtype=object), errors="coerce"), dtype=float)


def yes_or_no(raw: Raw, name: str, column: pd.Series) -> np.ndarray:
    """0 and 1, in whatever way they are written."""
    _refuse_empty(raw, name, column)
    found = [YES.get(str(cell).strip().lower()) for cell in column]
    _refuse(raw, name, column, np.array([one is None for one in found]), "0 or 1")
    return np.array(found, dtype=bool)


def marks(raw: Raw, name: str, column: pd.Series) -> pd.Series:
    _refuse_empty(raw, name, column)
    _refuse(raw, name, column, np.array([cell not in MARKS for cell in column]), f"one of {', '.join(MARKS)}")
    return column.astype(str)


def names(raw: Raw, name: str, column: pd.Series) -> pd.Series:
    """Texts that identify something; whole numbers are taken by their digits."""
    _refuse_empty(raw, name, column)
    known = np.array([isinstance(cell, str | int | np.integer) or _is_whole(cell) for cell in column], dtype=bool)
    _refuse(raw, name, column, ~known, "a text or a whole number")
    return column.map(lambda cell: cell if isinstance(cell, str) else str(int(cell))).astype(str)


def texts(raw: Raw, name: str, column: pd.Series) -> pd.Series:
    """What may be long, and may be the empty text, but is there."""
    _refuse(raw, name, column, np.array([is_missing(cell) for cell in column]), "a text", "is empty")
    return column.map(written)


def written(cell: Any) -> str:
    """A cell as a text: itself, or the JSON of it. Half a surrogate pair, which no file can hold, becomes `?`."""
    if not isinstance(cell, str):
        cell = json.dumps(cell, ensure_ascii=False, default=_from_arrow)
    return cell if cell.isascii() else cell.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def written_or_none(column: pd.Series) -> pd.Series:
    """Texts, and None where there is none."""
    return pd.Series([None if is_missing(cell) else written(cell) for cell in column], dtype=object)


def or_none(values: Iterable[Any]) -> list[Any]:
    """Values, and None for NaN."""
    return [None if is_missing(value) else value for value in values]


def _from_arrow(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _plain(cell: Any) -> Any:
    """Booleans are no numbers here."""
    return None if isinstance(cell, bool | np.bool_) else cell


def _is_whole(cell: Any) -> bool:
    return isinstance(cell, float) and cell == np.floor(cell)


def _refuse_empty(raw: Raw, name: str, column: pd.Series) -> None:
    empty = is_empty(column)
    if empty.any():
        raw.refuse(int(empty.argmax()), f"`{name}` is empty{_more(empty)}. Nothing is filled in: mend or leave out.")


def _refuse(raw: Raw, name: str, column: pd.Series, wrong: np.ndarray, must: str, found: str = "") -> None:
    if not wrong.any():
        return
    row = int(wrong.argmax())
    shown = str(column.iloc[row])
    shown = shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}..."
    raw.refuse(row, f"`{name}` must be {must}, but {found or f'is `{shown}`'}{_more(wrong)}.")


def _more(wrong: np.ndarray) -> str:
    others = int(wrong.sum()) - 1
    return f" (and so in {others:,} more rows)" if others else ""
