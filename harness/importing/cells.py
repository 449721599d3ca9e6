"""Raw cells as numbers, words and marks. Each takes one column of one file; a cell that is empty or is something else
is refused with its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from harness.importing import common
from harness.importing.readers import Raw
from harness.records import Mark

T = TypeVar("T")
MARKS = [mark.value for mark in Mark]
YES = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}
_LONGEST_SHOWN = 60


def is_missing(cell: Any) -> bool:
    """No value, as None, NaN or pandas' NA."""
    return cell is None or cell is pd.NA or (isinstance(cell, float | np.floating) and bool(np.isnan(cell)))


def each(column: pd.Series, f: Callable[[Any], T]) -> list[T]:
    """`f` of every cell, called once for equal ones if all cells are of one type."""
    values = column.to_numpy(dtype=object)
    if pd.api.types.infer_dtype(values) not in ("string", "integer", "floating", "boolean"):
        return [f(cell) for cell in values]  # among others 1 and True would be equal
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    found = [f(cell) for cell in distinct]
    return [found[code] for code in codes.tolist()]


def is_empty(column: pd.Series) -> np.ndarray:
    """No value at all, NaN, or the empty text that CSV has for both."""
    return np.array(each(column, lambda cell: is_missing(cell) or (isinstance(cell, str) and not cell.strip())), bool)


def whole(raw: Raw, name: str, column: pd.Series, least: int = 0) -> np.ndarray:
    """Integers, from numbers or their texts."""
    _refuse_empty(raw, name, column)
    found = _numbers(each(column, _plain))
    wrong = ~np.isfinite(found) | (found < least) | (found != np.floor(found))
    _refuse(raw, name, column, wrong, f"a whole number of at least {least}")
    return found.astype(np.int64)


def numbers(raw: Raw, name: str, column: pd.Series) -> np.ndarray:
    """Finite numbers; booleans are 0 and 1."""
    _refuse_empty(raw, name, column)
    found = _numbers(column)
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


def _numbers(values: Iterable[Any]) -> np.ndarray:
    """NaN for what is none."""
    return np.asarray(pd.to_numeric(pd.Series(list(values), dtype=object), errors="coerce"), dtype=float)


def yes_or_no(raw: Raw, name: str, column: pd.Series) -> np.ndarray:
    """0 and 1, in whatever way they are written."""
    _refuse_empty(raw, name, column)
    found = each(column, lambda cell: YES.get(str(cell).strip().lower()))
    _refuse(raw, name, column, np.array([one is None for one in found]), "0 or 1")
    return np.array(found, dtype=bool)


def marks(raw: Raw, name: str, column: pd.Series) -> pd.Series:
    """One of the five words in every cell."""
    _refuse_empty(raw, name, column)
    _refuse(raw, name, column, np.array(each(column, lambda cell: cell not in MARKS)), f"one of {', '.join(MARKS)}")
    return _texts(column)


def names(raw: Raw, name: str, column: pd.Series) -> pd.Series:
    """Texts that identify something; whole numbers are taken by their digits."""
    _refuse_empty(raw, name, column)
    known = each(column, lambda cell: isinstance(cell, str | int | np.integer) or _is_whole(cell))
    _refuse(raw, name, column, ~np.array(known), "a text or a whole number")
    return _texts(each(column, lambda cell: cell if isinstance(cell, str) else str(int(cell))))


def texts(raw: Raw, name: str, column: pd.Series) -> pd.Series:
    """What may be long, and may be the empty text, but is there."""
    _refuse(raw, name, column, np.array(each(column, is_missing)), "a text", "is empty")
    return _texts(map(written, column))


def _texts(values: Iterable[str]) -> pd.Series:
    return pd.Series(list(values), dtype=object)


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
    return pd.Series([None if is_missing(cell) else written(cell) for cell in column], dtype=object)


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
        raw.refuse(
            int(empty.argmax()),
            f"`{name}` is empty{_more(empty)}. Nothing is filled in: mend or leave out.{_next(name)}",
        )


def _next(name: str) -> str:
    return f"\n{common.NEXT}." if name in ("correct", "mark") else ""


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
