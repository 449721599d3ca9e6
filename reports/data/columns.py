"""Columns of one evaluation's attempts, read from its file with what `harness.records.schema` says of them.

Raises, everywhere in this module: records.DataError for a file that cannot be read or holds something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from harness.records import DataError, Mark
from harness.records.schema import COLUMNS
from harness.records.tables import opened

MOST_TOKENS = 2**40
"""of one attempt: sums over many of them stay within 64 bits"""
SCORED = ("problem_id", "sample", "mark", "tokens")
"""the columns that scores need, and no file is without; others are read where a section shows them"""
KEY = "generation_key"
"""texts that are all different"""


def read(
    path: Path, needed: Sequence[str] = SCORED, also: Sequence[str] = (), plain: Sequence[str] = ()
) -> dict[str, pa.Array]:
    """Columns of a file, opened once for all of them; texts as places among their distinct words.

    Args:
        needed: columns that must be there.
        also: columns that are left out where the file does not have them.
        plain: such columns, as the file has them.
    """
    kinds = {name: _type(name) if COLUMNS[name].is_number else _words() for name in (*needed, *also)}
    with opened(path, needed, [name for name, kind in kinds.items() if kind == _words()]) as file:
        names = set(file.schema_arrow.names)
        table = file.read(columns=[name for name in (*kinds, *plain) if name in names])
        return {
            name: _cast(table[name], kinds[name]) if name in kinds else table[name].combine_chunks()
            for name in table.column_names
        }


def check_scored(path: Path, found: Mapping[str, pa.Array]) -> None:
    """That the columns of `SCORED` have a cell for each attempt, none of them empty but in `tokens`, where all may be,
    and numbers that can be."""
    unknown = ["tokens"] if found["tokens"].null_count == len(found["tokens"]) else []  # of all attempts or of none
    empty = [name for name in SCORED if found[name].null_count and name not in unknown]
    if empty:
        raise DataError(f"{path} has empty cells in the column `{empty[0]}`.")
    for name in ("sample", "tokens"):
        numbers = found[name].drop_null().to_numpy()
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() <= MOST_TOKENS:
            raise DataError(
                f"{path} must have whole numbers from 0 to {MOST_TOKENS:,} in its column `{name}`, but they go from "
                f"{numbers.min():,} to {numbers.max():,}."
            )


def belong(path: Path, found: Mapping[str, pa.Array], header: Mapping[str, Any]) -> None:
    """That every row is of the evaluation beside it, and none is there twice by its generation key.

    Args:
        found: the file's columns.
        header: column -> what all its cells must be, None for empty ones.
    """
    for name in header.keys() & found.keys():
        cells = found[name].unique().to_pylist()
        if cells not in ([header[name]], []):
            other = next(value for value in cells if value != header[name])
            raise DataError(
                f"{path} has rows whose `{name}` is {other}, but eval.json beside it is of {header[name]}: they belong "
                "elsewhere.\nBring the right file back from a copy, or delete this evaluation's folder and run the "
                "experiment again."
            )
    if KEY in found and _repeated(found[KEY]):
        raise DataError(
            f"{path} has the same `{KEY}` twice: rows were copied, or are another evaluation's.\n"
            "Delete this evaluation's folder and run the experiment again."
        )


def _repeated(keys: pa.Array) -> bool:
    """Whether one is there twice; an import has none, or empty ones."""
    if keys.null_count == len(keys):
        return False
    distinct, there = keys.unique().to_pylist(), len(keys) - keys.null_count
    return "" not in distinct and len([key for key in distinct if key is not None]) < there


def words(path: Path, name: str, rows: np.ndarray) -> tuple[list[str], np.ndarray] | None:
    """A column of texts as its distinct words and, in the shape of `rows`, the place of each attempt's among them, -1
    where the cell is empty; None if the file does not have the column.

    Args:
        rows: problems x samples, which row of the file an attempt is.
    """
    encoded = read(path, (), [name]).get(name)
    return None if encoded is None else _placed(encoded, rows)


def _placed(encoded: pa.Array, rows: np.ndarray) -> tuple[list[str], np.ndarray]:
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return encoded.dictionary.to_pylist(), codes[rows]


def marks(column: pa.Array | None, rows: np.ndarray) -> np.ndarray | None:
    """A column of marks in the shape of `rows`: the place of each among `records.Mark`. None if the file does not have
    the column, or a cell is empty or no mark that we know.

    Args:
        rows: as in `words`.
    """
    if column is None:
        return None
    known = {mark.value: place for place, mark in enumerate(Mark)}
    distinct, codes = _placed(column, rows)
    places = np.array([*(known.get(word, -1) for word in distinct), -1], np.int8)[codes]
    return None if (places < 0).any() else places


def values(path: Path, name: str, rows: np.ndarray) -> np.ndarray | None:
    """A column in the shape of `rows`: numbers as floats, NaN in an empty cell; texts as objects, None in an empty one.
    None if the file does not have the column, or no cell of it is filled.

    Args:
        rows: as in `words`.
    Raises: ValueError for a name that is no column of attempts.
    """
    if name not in COLUMNS:
        raise ValueError(f"`{name}` is no column of attempts. Allowed: {', '.join(COLUMNS)}.")
    if not COLUMNS[name].is_number:
        found = words(path, name, rows)
        # the place -1 takes the None at the end
        return None if found is None or not found[0] else np.array([*found[0], None], dtype=object)[found[1]]
    column = read(path, (), [name]).get(name)
    if column is None or column.null_count == len(column):
        return None
    return column.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)[rows]


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    """In one piece; words are distinct, which a file may keep otherwise."""
    if kind != _words():
        return column.cast(kind).combine_chunks()
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string())
    encoded = column.cast(kind).unify_dictionaries().combine_chunks()
    words = encoded.dictionary
    return encoded if len(words.unique()) == len(words) else encoded.dictionary_decode().dictionary_encode()


def _type(name: str) -> pa.DataType:
    return pa.type_for_alias(COLUMNS[name].arrow)


def _words() -> pa.DataType:
    return pa.dictionary(pa.int32(), pa.string())
