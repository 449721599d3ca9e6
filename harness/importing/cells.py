"""Raw cells as numbers, words and marks. Each takes one column of one file; a cell that is empty or is something else
is refused with its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from harness.importing import common
from harness.importing.raw import Raw
from harness.importing.sources import LARGEST
from harness.records import Mark

MARKS = [mark.value for mark in Mark]
YES = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}
_LONGEST_SHOWN = 60


def is_missing(cell: Any) -> bool:
    """No value, as None, NaN or pandas' NA."""
    return cell is None or cell is pd.NA or (isinstance(cell, float | np.floating) and bool(np.isnan(cell)))


@dataclass(frozen=True)
class _Distinct:
    """A column's cells, found once for all that is asked of them: that took a sixth of an import's time."""

    codes: np.ndarray | None
    """place of each cell among the values"""
    values: np.ndarray
    """distinct; where codes is None, those of all rows"""

    def each(self, f: Callable[[Any], Any], kind: type) -> np.ndarray:
        found = _array([f(cell) for cell in self.values], kind)
        return found if self.codes is None else found[self.codes]


def each(column: pd.Series, f: Callable[[Any], Any], kind: type) -> np.ndarray:
    """`f` of every cell as an array of a type; called once for equal ones if all cells are of one type."""
    return _distinct(column).each(f, kind)


def _distinct(column: pd.Series) -> _Distinct:
    """All cells as they are where they are of several types, for among others 1 and True would be equal."""
    values = column.to_numpy(dtype=object)
    if pd.api.types.infer_dtype(values) not in ("string", "integer", "floating", "boolean"):
        return _Distinct(None, values)
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    return _Distinct(codes, np.asarray(distinct, dtype=object))


def _array(values: Sequence[Any], kind: type) -> np.ndarray:
    """One dimension, whatever the values are."""
    made = np.empty(len(values), kind)
    made[:] = values
    return made


def is_empty(column: pd.Series) -> np.ndarray:
    """No value at all, NaN, or the empty text that CSV has for both."""
    return each(column, _says_nothing, bool)


def _says_nothing(cell: Any) -> bool:
    return is_missing(cell) or (isinstance(cell, str) and not cell.strip())


def whole(raw: Raw, name: str, column: pd.Series, least: int = 0) -> np.ndarray:
    """Integers up to `LARGEST`, from numbers or their texts."""
    cells = _refuse_empty(raw, name, column)
    found = _numbers(cells, _plain)
    wrong = ~np.isfinite(found) | (found < least) | (found != np.floor(found))
    _refuse(raw, name, column, wrong, f"a whole number of at least {least}")
    _refuse(raw, name, column, found > LARGEST, f"at most {LARGEST}")
    return found.astype(np.int64)


def numbers(raw: Raw, name: str, column: pd.Series) -> np.ndarray:
    """Finite numbers; booleans are 0 and 1."""
    found = _numbers(_refuse_empty(raw, name, column))
    _refuse(raw, name, column, ~np.isfinite(found), "a number")
    return found


def where_there(raw: Raw, name: str, check: Callable[[Raw, str, pd.Series], np.ndarray]) -> np.ndarray:
    """Numbers, and NaN in cells that are empty.

    Args:
        check: `whole` or `numbers`, for those that are not.
    """
    there = ~is_empty(raw[name])
    found, part = np.full(len(there), np.nan), raw.only(there)
    found[there] = check(part, name, part[name])
    return found


def _numbers(column: _Distinct, plain: Callable[[Any], Any] = lambda cell: cell) -> np.ndarray:
    """NaN for what is none.

    Args:
        plain: of a cell what is taken for its number.
    """
    cells = [_as_float(value) if type(value) is int else value for value in map(plain, column.values)]
    found = np.asarray(pd.to_numeric(pd.Series(cells, dtype=object), errors="coerce"), dtype=float)
    return found if column.codes is None else found[column.codes]


def _as_float(number: int) -> float:
    """Of one that no float holds the infinite one, which is refused."""
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


def yes_or_no(raw: Raw, name: str, column: pd.Series) -> np.ndarray:
    """0 and 1, in whatever way they are written."""
    found = _refuse_empty(raw, name, column).each(lambda cell: YES.get(str(cell).strip().lower()), object)
    _refuse(raw, name, column, pd.isna(found), "0 or 1")
    return found.astype(bool)


def marks(raw: Raw, name: str, column: pd.Series) -> pd.Series:
    """One of the five words in every cell."""
    cells = _refuse_empty(raw, name, column)
    _refuse(raw, name, column, cells.each(lambda cell: cell not in MARKS, bool), f"one of {', '.join(MARKS)}")
    return _texts(column)


def names(raw: Raw, name: str, column: pd.Series) -> pd.Series:
    """Texts that identify something; whole numbers are taken by their digits."""
    cells = _refuse_empty(raw, name, column)
    known = cells.each(lambda cell: isinstance(cell, str | int | np.integer) or _is_whole(cell), bool)
    _refuse(raw, name, column, ~known, "a text or a whole number")
    return _texts(cells.each(lambda cell: cell if isinstance(cell, str) else str(int(cell)), object))


def texts(raw: Raw, name: str, column: pd.Series) -> pd.Series:
    """What may be long, and may be the empty text, but is there."""
    _refuse(raw, name, column, column.isna().to_numpy(), "a text", "is empty")
    return written_or_none(column)


def _texts(values: Sequence[str] | np.ndarray | pd.Series) -> pd.Series:
    """Numbered from 0."""
    return pd.Series(np.asarray(values, dtype=object), dtype=object)


def of_kind(raw: Raw, name: str, column: pd.Series, kind: type) -> None:
    """What a foreign file must hold to be read at all."""
    words = {dict: "an object", list: "a list", str: "a text"}.get(kind, "there")
    _refuse(raw, name, column, np.array([is_missing(cell) or not isinstance(cell, kind) for cell in column]), words)


def written(cell: Any) -> str:
    """A cell as a text: itself, or the JSON of it. Half a surrogate pair, which no file can hold, becomes `?`."""
    if not isinstance(cell, str):
        cell = json.dumps(cell, ensure_ascii=False, default=_from_arrow)
    return cell if cell.isascii() else cell.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def written_or_none(column: pd.Series) -> pd.Series:
    """Texts, and None where there is none."""
    if pd.api.types.infer_dtype(column) == "string":
        return pd.Series(each(column, _written_or_none, object), dtype=object)
    return pd.Series([_written_or_none(cell) for cell in column], dtype=object)


def _written_or_none(cell: Any) -> str | None:
    return None if is_missing(cell) else written(cell)


def _from_arrow(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _plain(cell: Any) -> Any:
    """Booleans are no numbers here."""
    return None if isinstance(cell, bool | np.bool_) else cell


def _is_whole(cell: Any) -> bool:
    return isinstance(cell, float) and cell == np.floor(cell)


def _refuse_empty(raw: Raw, name: str, column: pd.Series) -> _Distinct:
    """Returns: the cells, of which each says something."""
    cells = _distinct(column)
    end = f"\n{common.NEXT}." if name in ("correct", "mark") else ""
    empty = cells.each(_says_nothing, bool)
    raw.check(empty, lambda _: f"`{name}` is empty", f". Nothing is filled in: mend or leave out.{end}")
    return cells


def _refuse(raw: Raw, name: str, column: pd.Series, wrong: np.ndarray, must: str, found: str = "") -> None:
    raw.check(wrong, lambda row: f"`{name}` must be {must}, but {found or f'is `{_shown(column.iloc[row])}`'}", ".")


def _shown(cell: Any) -> str:
    text = str(cell)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
