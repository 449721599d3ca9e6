"""CSV, JSON, JSON lines and Parquet as columns of cells, plain or compressed; each row keeps its line."""

from __future__ import annotations

import csv
import io
import json
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from harness.importing.files import foreign, opening
from harness.importing.files.documents import in_words
from harness.importing.sources import ImportSource
from harness.records import DataError

_DEEPEST = 8
_BLOCK = 1 << 24


@dataclass(frozen=True)
class ScalarTable:
    """One source's cells."""

    source: ImportSource
    shape: str
    """in words, such as `verl's file logger`"""
    cells: pd.DataFrame
    """as they were written: texts of a CSV, numbers of JSON; None or empty is a gap"""
    lines: np.ndarray
    of_one_run: bool = False
    """whether its columns are metrics of one run, by its shape"""
    seedless: bool = False
    """whether such files know no seed: they are of one evaluated model"""
    arm: str | None = None
    """that the source itself names; what the path says goes first"""
    arm_first: bool = False
    """whether that goes before the path: a run's parameters say more than its name"""
    seed: int | None = None
    decimal_comma: bool = False
    notes: tuple[str, ...] = field(default=())

    def at(self, row: int) -> str:
        """Where a row is."""
        return self.source.at(int(self.lines[row]))


def read_delimited(source: ImportSource) -> ScalarTable:
    """A file of cells between commas, semicolons or tabs, whichever its first line has most of.

    Raises: DataError if it is no such file, is cut off in a row, or holds nothing.
    """
    with _as_user_error(source):
        with _text(source) as text:
            first = text.readline()
            rest = text.read(1)
        if said := first.lstrip().startswith("<") and foreign.known_by_text(first):
            raise DataError(f"{source.path} {said}")
        delimiter = max(",;\t|", key=first.count)
        header = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
        if not first:
            raise DataError(f"{source.path} is empty.")
        _check_header(source, header)
        # before Arrow reads it, who would forgive it
        if _open_quote(source):
            raise DataError(f"{source.path}: a quotation mark is opened and not closed. Was it cut off?")
        if not rest:
            raise DataError(f"{source.path} has no rows below its first line: {', '.join(header)}.")
        with pa.input_stream(str(source.path), compression="detect") as stream:
            table = pyarrow.csv.read_csv(
                stream,
                pyarrow.csv.ReadOptions(block_size=_BLOCK, column_names=header, skip_rows=1),
                pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
                pyarrow.csv.ConvertOptions(column_types={name: pa.string() for name in header}),
            )
    cells = _cells({name: _shared(table[name]) for name in header})
    if cells.empty:
        raise DataError(f"{source.path} has no rows below its first line: {', '.join(header)}.")
    notes = () if _ends_well(source) else (_NO_END.format(path=source.path),)
    lines = np.arange(2, len(cells) + 2)
    return ScalarTable(source, "table", cells, lines, decimal_comma=delimiter == ";", notes=notes)


_NO_END = "{path} ends without a line end: if it was cut off, its last cell may be, too."


def _cells(columns: Mapping[str, Any]) -> pd.DataFrame:
    """Without a copy of all columns as one block."""
    return pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in columns.items()}, copy=False)


def _shared(column: pa.ChunkedArray) -> np.ndarray:
    """As Python's values, equal ones once; None where there is none."""
    coded = column.combine_chunks().dictionary_encode()
    once = [*coded.dictionary.to_pylist(), None]
    return np.array(once, object)[coded.indices.fill_null(len(once) - 1).to_numpy()]


def _values(column: pa.ChunkedArray) -> Any:
    """As Python's values."""
    often = pa.types.is_string(column.type) or pa.types.is_integer(column.type)
    return _shared(column) if often else column.to_pylist()


def _check_header(source: ImportSource, header: list[str]) -> None:
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{source.path}: two columns are called `{twice}`. Every column needs a name of its own.")
    if not any(header):
        raise DataError(f"{source.path} has no header: its first line must name the columns.")


def _open_quote(source: ImportSource) -> bool:
    """Arrow closes a quotation at the end of the file by itself, and reads half a cell as whole."""
    marks = 0
    with pa.input_stream(str(source.path), compression="detect") as stream:
        while block := stream.read(_BLOCK):
            marks += block.count(b'"')
    return marks % 2 == 1


def _ends_well(source: ImportSource) -> bool:
    if source.path.suffix.lower() in (".gz", ".zst", ".bz2"):
        return True
    with source.path.open("rb") as file:
        file.seek(-1, io.SEEK_END)
        return file.read(1) in b"\r\n"


def read_parquet(source: ImportSource) -> ScalarTable:
    """Raises: DataError."""
    with _as_user_error(source):
        table = pq.read_table(source.path).flatten()
    cells = _cells({name: _values(table[name]) for name in table.schema.names})
    if cells.empty:
        raise DataError(f"{source.path} holds no rows.")
    return ScalarTable(source, "table", cells, np.arange(1, len(cells) + 1))


def records(
    source: ImportSource, rows: Iterable[tuple[int, Mapping[str, Any]]], shape: str, **more: Any
) -> ScalarTable:
    """Of (line, object) pairs, nested values under dotted names.

    Raises: DataError if there are none.
    """
    lines, columns = array("q"), dict[str, list[Any]]()
    for line, row in rows:
        for name, value in flat(row):
            column = columns.setdefault(name, [])
            column += [None] * (len(lines) - len(column))
            # equal texts once: of a million rows they are most of the memory
            column.append(sys.intern(value) if type(value) is str else value)
        lines.append(line)
    for column in columns.values():
        column += [None] * (len(lines) - len(column))
    if not lines or not columns:
        raise DataError(f"{source.path} holds no rows.")
    cells = _cells(columns)
    return ScalarTable(source, shape, cells, np.array(lines), **more)


def flat(row: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Dotted name -> value; lists are no scalars and are left out."""
    for name, value in row.items():
        if isinstance(value, Mapping):
            if depth < _DEEPEST:
                yield from flat(value, f"{before}{name}.", depth + 1)
        elif not isinstance(value, list):
            yield f"{before}{name}", value


def json_lines(source: ImportSource) -> Iterator[tuple[int, dict[str, Any]]]:
    """Raises: DataError for a line that is no object, such as one that was cut off."""
    with _as_user_error(source), _text(source) as text:
        for number, line in enumerate(text, 1):
            if not line.strip():
                continue
            row = _loaded(line, source.at(number))
            if not isinstance(row, dict):
                raise DataError(f"{source.at(number)} must be an object, but is {type(row).__name__}.")
            yield number, row


def whole_json(source: ImportSource) -> Any:
    """A JSON document. Raises: DataError."""
    with _as_user_error(source), _text(source) as text:
        content = text.read()
    return _loaded(content, str(source.path))


def _loaded(text: str, where: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as error:
        if not text.strip():
            raise DataError(f"{where} is empty.") from None
        if said := foreign.known_by_text(text):
            raise DataError(f"{where} {said}") from None
        raise DataError(f"{where} is not valid JSON: {in_words(error)}. Was it cut off?") from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        _twice([key for key, _ in pairs])
    return found


def _twice(keys: list[str]) -> NoReturn:
    raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} is there twice")


@contextmanager
def _text(source: ImportSource) -> Iterator[io.TextIOWrapper]:
    with pa.input_stream(str(source.path), compression="detect") as stream:
        yield io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")


@contextmanager
def _as_user_error(source: ImportSource) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(opening.not_utf8(source.path, error)) from None
    except (pa.ArrowException, csv.Error, EOFError, OSError) as error:
        said = " ".join(str(error).split())
        raise DataError(f"{source.path} cannot be read: {said.rstrip('.')}. Was it cut off?") from None
