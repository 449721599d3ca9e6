"""Scores as they were written -> numbers; and cells that are there often, read once each."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from harness.importing.scalars.resolving import ResolvedScores
from harness.records import DataError


def distinct(values: np.ndarray) -> tuple[np.ndarray, np.ndarray | slice]:
    """Cells each once, and which of them stands in each row, so that work on texts is done once for each.

    Only of texts alone or of whole numbers alone: else 1, 1.0 and True would be one. Others are given back as they are.
    """
    if pd.api.types.infer_dtype(values, skipna=False) not in ("string", "integer"):
        return values, slice(None)
    places, once = pd.factorize(values)
    return np.asarray(once), places


def numbers_of(found: ResolvedScores) -> tuple[np.ndarray, np.ndarray]:
    """The scores, and which were written with a percent sign. Raises: DataError."""
    once, rows = distinct(found.rows.score)
    raw: Any = pd.Series(once, dtype=object)
    is_text = np.array([isinstance(value, str) for value in once], bool)
    text = raw.where(is_text, "").astype(str).str.strip()
    percent = text.str.endswith("%").to_numpy()
    cleaned = text.str.removesuffix("%").str.strip()
    numbers = _read(raw.where(~is_text, cleaned))[rows]
    commas = np.array([table.decimal_comma for table in found.tables])
    if commas.any():
        with_points = raw.where(~is_text, cleaned.str.replace(",", ".", regex=False))
        numbers = np.where(commas[found.rows.table], _read(with_points)[rows], numbers)
    is_bool = np.array([isinstance(value, bool) for value in once], bool)[rows]
    bad = np.flatnonzero(~np.isfinite(numbers) | is_bool)
    if len(bad):
        _refuse_number(found, bad)
    return numbers, percent[rows]


def _read(cells: Any) -> np.ndarray:
    """NaN where there is no number."""
    numbers: Any = pd.to_numeric(cells, errors="coerce")
    return numbers.to_numpy(float)


def _refuse_number(found: ResolvedScores, bad: np.ndarray) -> None:
    first, more = int(bad[0]), len(bad) - 1
    value, others = found.rows.score[first], f" (and so in {more:,} more)" if more else ""
    word = str(value)
    if isinstance(value, float) or word.strip().casefold().lstrip("+-") in ("nan", "inf", "infinity"):
        raise DataError(
            f"{found.at(first)}: the score is {word}{others}, which is no number. If the run diverged, give it the "
            "score that it has; if it was not measured, leave the cell empty: that is a gap, not a zero."
        )
    spread = " One row for each seed is needed, not a mean with its spread." if re.search(r"±|\+/?-|\(", word) else ""
    raise DataError(f"{found.at(first)}: the score `{word[:60]}` is no number{others}.{spread}")
