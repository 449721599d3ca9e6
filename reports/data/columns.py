"""Columns of one evaluation's attempts, read from its file with what `harness.records.schema` says of them.

Raises, everywhere in this module: records.DataError for a file that cannot be read or holds something else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.records import DataError
from harness.records.schema import COLUMNS

SCORED = ("problem_id", "sample", "mark", "tokens")
"""the columns that scores need, and no file is without; others are read where a section shows them"""


@contextmanager
def opened(path: Path) -> Iterator[pq.ParquetFile]:
    """An evaluation's attempts, to read columns of; what cannot be read while it is open is refused."""
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{path} cannot be read: {reason}\nDelete this evaluation's folder and run the experiment again."
        ) from None


def scored(path: Path) -> pa.Table:
    """The columns of `SCORED`, a row for each attempt, with no empty cell but in `tokens`, where all may be."""
    schema = pa.schema([(name, pa.type_for_alias(COLUMNS[name].arrow)) for name in SCORED])
    with opened(path) as file:
        missing = sorted(set(SCORED) - set(file.schema_arrow.names))
        if missing:
            raise DataError(f"{path} lacks the column `{missing[0]}`.")
        table = file.read(columns=list(SCORED)).select(SCORED).cast(schema)
    unknown = ["tokens"] if table["tokens"].null_count == table.num_rows else []  # of all attempts or of none
    empty = [name for name in SCORED if table[name].null_count and name not in unknown]
    if empty:
        raise DataError(f"{path} has empty cells in the column `{empty[0]}`.")
    return table


def words(path: Path, name: str, rows: np.ndarray) -> tuple[list[str], np.ndarray] | None:
    """A column of texts as its distinct words and, in the shape of `rows`, the place of each attempt's among them, -1
    where the cell is empty; None if the file does not have the column.

    Args:
        rows: problems x samples, which row of the file an attempt is.
    """
    column = _read(path, name)
    if column is None:
        return None
    encoded = column.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return encoded.dictionary.to_pylist(), codes[rows]


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
    column = _read(path, name)
    if column is None or column.null_count == len(column):
        return None
    return column.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)[rows]


def _read(path: Path, name: str) -> pa.Array | None:
    with opened(path) as file:
        if name not in file.schema_arrow.names:
            return None
        return file.read(columns=[name])[name].cast(pa.type_for_alias(COLUMNS[name].arrow)).combine_chunks()
