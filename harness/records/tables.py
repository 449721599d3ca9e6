"""Finished attempts, which are Parquet: opened where every column that is known has the type that the schema says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.records.decode import decoder
from harness.records.files import DataError, check_file
from harness.records.schema import COLUMNS, Attempt
from harness.records.wrong_type import WrongType

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.parquet

_MEND = "Delete this evaluation's folder and run the experiment again."


@contextmanager
def opened(path: Path, needed: Sequence[str] = (), words: Sequence[str] = ()) -> Iterator[pyarrow.parquet.ParquetFile]:
    """An evaluation's attempts, to read columns of.

    Args:
        needed: columns that must be there.
        words: columns that are read as their distinct words, as the file keeps them; they need not be there.
    Raises: DataError for a file that cannot be read, then or while it is open, or that holds something else.
    """
    import pyarrow
    import pyarrow.parquet

    check_file(path, _MEND)
    try:
        metadata = pyarrow.parquet.read_metadata(path)
        there = [name for name in words if name in metadata.schema.names]
        with pyarrow.parquet.ParquetFile(path, metadata=metadata, read_dictionary=there) as file:
            _check_columns(path, file.schema_arrow, needed)
            yield file
    # A text that is not UTF-8 is noticed when it becomes one of Python's.
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path} cannot be read: {reason}\n{_MEND}") from None


def attempts_in(path: Path) -> list[dict[str, Any]]:
    """All rows of an evaluation of ours, each as an `Attempt`'s file form. Raises: DataError, with the row."""
    with opened(path) as file:
        rows, check = file.read().to_pylist(), decoder(Attempt)
    for number, row in enumerate(rows, 1):
        try:
            check(row)
        except WrongType as error:
            raise DataError(f"{path}, row {number}{error}.\n{_MEND}") from None
    return rows


def marks_in(path: Path) -> list[str]:
    """Of every row. Raises: DataError."""
    with opened(path, ["mark"]) as file:
        return file.read(columns=["mark"])["mark"].to_pylist()


def _check_columns(path: Path, schema: pyarrow.Schema, needed: Sequence[str]) -> None:
    missing = [f"`{name}`" for name in needed if name not in schema.names]
    if missing:
        raise DataError(f"{path} lacks the column {' and '.join(missing)}.\n{_MEND}")
    twice = [name for name in COLUMNS if schema.names.count(name) > 1]
    if twice:
        raise DataError(f"{path} has the column `{twice[0]}` twice.\n{_MEND}")
    for name, column in COLUMNS.items():
        if name in schema.names and not _fits(schema.field(name).type, column.type):
            allowed = {str: "texts", int: "whole numbers", float: "numbers"}[column.type]
            raise DataError(
                f"{path} must have {allowed} in its column `{name}`, but has {schema.field(name).type}.\n{_MEND}"
            )


def _fits(found: pyarrow.DataType, kind: type) -> bool:
    from pyarrow import types

    if types.is_dictionary(found):
        return _fits(found.value_type, kind)
    if kind is str:
        fits = types.is_string(found) or types.is_large_string(found)
    else:
        fits = types.is_integer(found) or (kind is float and types.is_floating(found))
    return fits or types.is_null(found)
