"""JSON lines, CSV and Parquet as one table of raw cells, each row with its place."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness.base.errors import nearest
from harness.importing.sources import ImportSource
from harness.records import DataError

TABLES = (".jsonl", ".csv", ".parquet")
_LONGEST_CELL = 2**31 - 1


@dataclass(frozen=True)
class Raw:
    """One file's cells as they are, rows in the file's order."""

    source: ImportSource
    cells: pd.DataFrame
    lines: np.ndarray
    """where each row stands: `Source.at`"""

    def __contains__(self, column: str) -> bool:
        return column in self.cells

    def __getitem__(self, column: str) -> pd.Series:
        return cast(pd.Series, self.cells[column])

    def need(self, column: str, hint: str = "") -> pd.Series:
        """Raises: DataError with the columns there are."""
        if column not in self:
            there = [str(name) for name in self.cells.columns]
            raise DataError(f"{self.source.path} lacks the column `{column}`. {hint or nearest(column, there)}")
        return self[column]

    def only(self, rows: np.ndarray) -> Raw:
        """Args: rows: which to keep."""
        return Raw(self.source, cast(pd.DataFrame, self.cells[rows]).reset_index(drop=True), self.lines[rows])

    def refuse(self, row: int, reason: str) -> NoReturn:
        raise DataError(f"{self.source.at(int(self.lines[row]))}: {reason}")


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in TABLES and path.is_file())


def read(source: ImportSource) -> Raw:
    """Raises: DataError naming file and line if it is not what its name says, is cut off, or holds nothing."""
    suffix = source.path.suffix
    if suffix not in TABLES:
        raise DataError(f"{source.path}: the name must end in {', '.join(TABLES[:-1])} or {TABLES[-1]}.")
    try:
        raw = {".jsonl": _json_lines, ".csv": _csv, ".parquet": _parquet}[suffix](source)
    except UnicodeDecodeError as error:
        raise DataError(f"{source.path} is not UTF-8: {error.reason} at byte {error.start}.") from None
    if raw.cells.empty:
        raise DataError(f"{source.path} holds no rows.")
    return raw


def json_objects(source: ImportSource) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of every line that is not blank."""
    with source.path.open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                data = json.loads(line, parse_constant=_no_number)
            except (ValueError, RecursionError) as error:
                raise DataError(f"{source.at(number)} is not valid JSON: {error}.") from None
            if not isinstance(data, dict):
                raise DataError(f"{source.at(number)} must be an object, but is {type(data).__name__}.")
            yield number, data


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _json_lines(source: ImportSource) -> Raw:
    return _raw(source, json_objects(source))


def _csv(source: ImportSource) -> Raw:
    csv.field_size_limit(_LONGEST_CELL)
    with source.path.open(encoding="utf-8-sig", newline="") as file:
        return _raw(source, _records(source, csv.DictReader(file, strict=True)))


def _records(source: ImportSource, reader: csv.DictReader[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    begin = 2
    try:
        for record in reader:
            if None in record or None in record.values():
                columns = len(reader.fieldnames or ())
                raise DataError(f"{source.at(begin)} must have {columns} cells, as the first line has.")
            yield begin, record
            begin = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{source.at(begin)} is not valid CSV: {error}.") from None


def _raw(source: ImportSource, records: Iterable[tuple[int, dict[str, Any]]]) -> Raw:
    lines, columns = [], {}
    for number, record in records:
        for name, value in record.items():
            column = columns.setdefault(name, [])
            column += [None] * (len(lines) - len(column))
            column.append(value)
        lines.append(number)
    for column in columns.values():
        column += [None] * (len(lines) - len(column))
    cells = pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in columns.items()})
    return Raw(source, cells, np.array(lines, dtype=np.int64))


def _parquet(source: ImportSource) -> Raw:
    try:
        table = pq.ParquetFile(source.path).read()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{source.path} cannot be read: {str(error).splitlines()[0]}") from None
    # As objects: pandas' own strings are slow to go through. An index that was saved is a column as others.
    cells = table.to_pandas(integer_object_nulls=True, ignore_metadata=True).astype(object)
    return Raw(source, cells, np.arange(1, table.num_rows + 1))
