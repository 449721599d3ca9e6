"""JSON lines, CSV and Parquet as tables of raw cells, each row with its place: a file whole, or part by part."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, NoReturn, TextIO, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness.importing import csv_blocks
from harness.importing.files import opening
from harness.importing.files.opening import PACKED
from harness.importing.raw import Raw, cells_of
from harness.importing.sources import ImportSource
from harness.records import DataError, user_files

TABLES = (".jsonl", ".csv", ".parquet")
ROWS, CHARACTERS = 1 << 15, 1 << 24
"""most of one part of a file: whichever is reached first"""
_LONGEST_CELL = 2**31 - 1
LONGEST_LINE = 1 << 28
"""characters: one line of more is no row, but a file of something else"""
_MOST_ROWS, _ROWS_A_BYTE = 10_000_000, 20
"""of a Parquet file: more rows, and as many to each of its bytes, are nobody's answers"""
_DECODED = 1 << 12
"""rows of Parquet that are taken at once: 400 MB of answers of 100 kB"""

Records = Iterator[tuple[int, int, Mapping[str, Any]]]
"""place in the file, characters, cells by name"""


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if is_table(path) and path.is_file())


def is_table(path: Path) -> bool:
    """Whether its name says that it is read here; a text may be packed."""
    return path.suffix == ".parquet" or (opening.kind(path) in TABLES[:-1])


def columns(source: ImportSource) -> dict[str, bool]:
    """The columns of a file in their order, and whether any cell of each is filled.

    JSON lines are gone through to their end for it; of other files as much as it takes to find a cell.

    Raises: DataError, as `read`.
    """
    with _readable(source):
        if not source.is_text:
            with _opened(source) as file:
                found = {name: _is_filled(file, name) for name in file.schema_arrow.names if file.metadata.num_rows}
        elif _kind(source) == ".csv":
            found = {name: True for _, _, record in islice(_csv(source), 1) for name in record}  # if empty texts
        else:
            found = {}
            for _, _, record in _json_lines(source):
                for name, value in record.items():
                    if value is not None or name not in found:
                        found[name] = value is not None
    if not found:
        raise DataError(f"{source.path} holds no rows.")
    return found


def read(source: ImportSource) -> Raw:
    """A file whole.

    Raises: DataError naming file and line if it is not what its name says, is cut off, or holds nothing.
    """
    with _readable(source):
        raw = _whole(source) if source.is_text else next(_parquet(source, None))
    if raw.cells.empty:
        raise DataError(f"{source.path} holds no rows.")
    return raw


def parts(source: ImportSource, names: Mapping[str, str]) -> Iterator[Raw]:
    """A file's rows in their order, some at a time, so that a file may be larger than memory.

    Args:
        names: their column -> ours, of the columns that are wanted; each must be one of the file's.
    Raises: as `read`.
    """
    with _readable(source):
        yield from _texts(source, names) if source.is_text else _parquet(source, names)


@contextmanager
def _readable(source: ImportSource) -> Iterator[None]:
    if not is_table(source.path):
        endings = f"{', '.join(TABLES[:-1])} or {TABLES[-1]}"
        raise DataError(f"{source.path}: the name must end in {endings}; of texts also with {' or '.join(PACKED)}.")
    if wrong := user_files.mistake(source.path):
        raise DataError(f"{source.path} {wrong}.")
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(f"{source.path} is not UTF-8: {error.reason} at byte {error.start}.") from None
    except (pa.ArrowException, OSError) as error:
        if source.is_text:
            raise
        raise DataError(f"{source.path} cannot be read: {str(error).splitlines()[0]}") from None


def _opened(source: ImportSource) -> pq.ParquetFile:
    """With a buffer a column is read piece by piece; without one, a row group of it at once."""
    file = pq.ParquetFile(source.path, buffer_size=1 << 20)
    rows, size = file.metadata.num_rows, source.path.stat().st_size
    if rows > _MOST_ROWS and rows > _ROWS_A_BYTE * size:
        raise DataError(f"{source.path} says that its {size:,} bytes hold {rows:,} rows, which cannot be answers.")
    return file


def _is_filled(file: pq.ParquetFile, name: str) -> bool:
    found = (column for batch in file.iter_batches(_DECODED, columns=[name]) for column in batch.columns)
    return any(column.is_null(nan_is_null=True).false_count for column in found)


def _whole(source: ImportSource) -> Raw:
    lines: list[int] = []
    columns: dict[str, list[Any]] = {}
    for line, _, record in _records(source):
        for name, value in record.items():
            column = columns.setdefault(name, [])
            column += [None] * (len(lines) - len(column))
            column.append(value)
        lines.append(line)
    for column in columns.values():
        column += [None] * (len(lines) - len(column))
    return _raw(source, lines, columns)


def _texts(source: ImportSource, names: Mapping[str, str]) -> Iterator[Raw]:
    """Lines with Python's readers; of CSV what Arrow can read by it."""
    done = 0
    if _kind(source) == ".csv":
        with opening.opened(source.path) as file:
            for found in csv_blocks.tables(file, CHARACTERS // 4, list(names)):
                if found is None:
                    break
                line, table = found
                for begin in range(0, table.num_rows, ROWS):
                    part = table.slice(begin, ROWS)
                    lines = line + begin + np.arange(part.num_rows)
                    yield Raw(source, cells_of(part, names), lines)
                done += table.num_rows
            else:
                return
    yield from _by_line(source, names, islice(_records(source), done, None))


def _by_line(source: ImportSource, names: Mapping[str, str], records: Records) -> Iterator[Raw]:
    lines: list[int] = []
    rows: list[tuple[Any, ...]] = []
    size = 0
    # three times as fast as asking for each cell; a row that lacks one is asked for each
    cells = itemgetter(*names) if len(names) > 1 else lambda record: tuple(map(record.get, names))
    for line, characters, record in records:
        try:
            rows.append(cells(record))
        except KeyError:
            rows.append(tuple(map(record.get, names)))
        lines.append(line)
        size += characters
        if len(lines) >= ROWS or size >= CHARACTERS:
            yield _raw(source, lines, dict(zip(names.values(), zip(*rows, strict=True), strict=True)))
            lines, rows, size = [], [], 0
    if lines:
        yield _raw(source, lines, dict(zip(names.values(), zip(*rows, strict=True), strict=True)))


def _raw(source: ImportSource, lines: list[int], columns: Mapping[str, Sequence[Any]]) -> Raw:
    cells = {name: pd.Series(column, dtype=object) for name, column in columns.items()}
    return Raw(source, pd.DataFrame(cells), np.array(lines, dtype=np.int64))


def _records(source: ImportSource) -> Records:
    return (_json_lines if _kind(source) == ".jsonl" else _csv)(source)


def _kind(source: ImportSource) -> str:
    return opening.kind(source.path)


def _json_lines(source: ImportSource) -> Records:
    """Every line that is not blank."""
    scan = json.JSONDecoder(parse_constant=_no_number).raw_decode  # `json.loads` makes a decoder for each line
    with _text(source, "utf-8", "\n") as file:
        for number, line in enumerate(_lines(source, file), 1):
            try:
                data, end = scan(line)
                whole = not line[end:].strip()
            except (ValueError, RecursionError):
                data, whole = None, False
            if not whole:
                if not line.strip():
                    continue
                data = _parsed(source, number, line)
            if not isinstance(data, dict):
                raise DataError(f"{source.at(number)} must be an object, but is {type(data).__name__}.")
            yield number, len(line), data


def _parsed(source: ImportSource, number: int, line: str) -> Any:
    """Raises: DataError with the reason."""
    try:
        return json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{source.at(number)} is not valid JSON: {error}.") from None


@contextmanager
def _text(source: ImportSource, encoding: str, newline: str) -> Iterator[TextIO]:
    """Packed or not."""
    with opening.opened(source.path) as file:
        yield io.TextIOWrapper(cast(Any, file), encoding=encoding, newline=newline)


def _lines(source: ImportSource, file: TextIO) -> Iterator[str]:
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise DataError(f"{source.at(number)} has more than {LONGEST_LINE:,} characters.")
        yield line


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _csv(source: ImportSource) -> Records:
    with _text(source, "utf-8-sig", "") as file:
        rows = _reader(source, _lines(source, file))
        _, header = next(rows, (1, []))
        for line, cells in rows:
            if not cells:
                continue
            if len(cells) != len(header):
                raise DataError(
                    f"{source.at(line)} must have {len(header)} cells, as the first line, but has {len(cells)}."
                )
            yield line, sum(map(len, cells)), dict(zip(header, cells, strict=True))


def _reader(source: ImportSource, file: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """The line at which each record begins, and its cells."""
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(file, strict=True)
    begin = 1
    try:
        for cells in reader:
            yield begin, cells
            begin = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{source.at(begin)} is not valid CSV: {error}.") from None


def _parquet(source: ImportSource, names: Mapping[str, str] | None) -> Iterator[Raw]:
    """In parts; with all columns as they are named, and whole, if `names` is None."""
    begin = 1
    with _opened(source) as file:
        for table in [file.read()] if names is None else _gathered(file, list(names)):
            lines = np.arange(begin, begin + table.num_rows)
            begin += table.num_rows
            yield Raw(source, cells_of(table, names or {}), lines)


def _gathered(file: pq.ParquetFile, names: list[str]) -> Iterator[pa.Table]:
    """Batches put together to parts."""
    held: list[pa.RecordBatch] = []
    rows, size = 0, 0
    for batch in file.iter_batches(_DECODED, columns=names, use_threads=False):
        held.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= ROWS or size >= CHARACTERS:
            yield pa.Table.from_batches(held)
            held, rows, size = [], 0, 0
    if held:
        yield pa.Table.from_batches(held)
