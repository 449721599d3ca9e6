"""Types of fields that say which values are allowed besides their kind (`decode.py` holds files to them)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from benchmarks.marks import Mark
from harness.records.wrong_type import Limit

_LONGEST_NAME = 200
"""bytes; file systems allow 255 for a name, and ours stand beside suffixes"""
_MARKS = tuple(mark.value for mark in Mark)


def names_a_folder(text: str) -> bool:
    """Whether a folder, or an arm, can be called so."""
    inside = "/" not in text and text.isprintable() and len(text.encode()) <= _LONGEST_NAME
    return bool(text) and text not in (".", "..") and inside


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return not text
    return True


Whole = Annotated[int, Limit("of at least 0", lambda value: value >= 0)]
Count = Annotated[int, Limit("of at least 1", lambda value: value >= 1)]
NonNegative = Annotated[float, Limit("of at least 0", lambda value: value >= 0)]
Positive = Annotated[float, Limit("above 0", lambda value: value > 0)]
Percent = Annotated[float, Limit("from 0 to 100", lambda value: 0 <= value <= 100)]
Digits = Annotated[int, Limit("from 0 to 6", lambda value: 0 <= value <= 6)]
"""of a printed number, after the point"""
FolderName = Annotated[str, Limit("that can be the name of a folder", names_a_folder)]
Date = Annotated[str, Limit("that is an ISO date, or empty", _is_date)]
MarkWord = Annotated[str, Limit(f"among {', '.join(_MARKS)}", _MARKS.__contains__)]

FILLED = Limit("that is not empty", bool)
DISTINCT = Limit("without repetition", lambda values: len(set(values)) == len(values))
ASCENDING = Limit("that ascends", lambda values: sorted(set(values)) == values)
