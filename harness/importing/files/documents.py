"""The documents of a file: of JSON lines each line, of tables each row, of JSON the value, of an archive all."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.importing.files import foreign, opening
from harness.records import DataError

Documents = Iterator[tuple[int, Any]]
"""number of the line, the row or the document, from 1, and its value"""
LONGEST_LINE = 1 << 28
"""characters: one line of more is no row, but a file of something else"""
_SEPARATORS = (",", ";", "\t", "|")
"""of cells in a table"""
_HEADER, _SAMPLES = "header.json", "samples/"


def documents(path: Path) -> Documents:
    """Every document of a file in its order.

    Raises: DataError with the line if it is not what its name says, or was cut off.
    """
    kind = opening.kind(path)
    if kind == ".parquet":
        yield from _parquet(path)
    elif kind == ".eval":
        yield 1, _archive(path)
    elif kind in (".csv", ".tsv"):
        with opening.text(path) as file:
            yield from _csv(path, file)
    else:
        with opening.text(path) as file:
            yield from _json(path, file)


def is_lines(path: Path) -> bool:
    """Whether the numbers of its documents are those of lines."""
    return opening.kind(path) in (".jsonl", ".ndjson", ".csv", ".tsv")


def _json(path: Path, file: io.TextIOWrapper) -> Documents:
    """Lines, if the first that is not blank is a document; else one document, whatever the file is called."""
    number, line = 0, ""
    while not line.strip():
        line = file.readline(LONGEST_LINE)
        number += 1
        if not line:
            return
    first = _parsed(line)
    rest = file.readline(LONGEST_LINE)
    if first is not _NOTHING and rest:
        yield number, first
        yield from _lines(path, file, number + 1, rest)
    elif first is not _NOTHING:
        yield number, first
    elif opening.kind(path) != ".json" and (second := _parsed(rest)) is not _NOTHING and isinstance(second, dict):
        raise DataError(f"{path}:{number} is not valid JSON: {_reason(line)}.")
    else:
        whole = line + rest + file.read()
        try:
            yield 1, json.loads(whole)
        except (ValueError, RecursionError) as error:
            raise DataError(_no_json(path, number, line, whole, error)) from None


def _no_json(path: Path, number: int, line: str, whole: str, error: ValueError | RecursionError) -> str:
    """What is wrong with a file that is not one JSON value, and whose first line is none.

    Args:
        line: the first that is not blank, of that number.
    """
    if said := foreign.known_by_text(whole):
        return f"{path} {said}"
    start = line.strip()
    if start[:1] not in ("{", "["):
        shown = f"{start[:40]}..." if len(start) > 40 else start
        return (
            f"{path} is no JSON: it begins with `{shown}`. JSON, JSON lines, CSV and Parquet are read; the name of a "
            "table ends in .csv, .tsv or .parquet."
        )
    if opening.kind(path) != ".json" and start.startswith("{") and "}" in start:
        return f"{path}:{number} is not valid JSON: {_reason(line)}."
    return f"{path} is not valid JSON: {in_words(error)}. Was the file cut off?"


def _lines(path: Path, file: io.TextIOWrapper, number: int, line: str) -> Documents:
    while line:
        if len(line) >= LONGEST_LINE:
            raise DataError(f"{path}:{number} has more than {LONGEST_LINE:,} characters.")
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DataError(
                    f"{path}:{number} is not valid JSON: {in_words(error)}. Was the file cut off?"
                ) from None
        line = file.readline(LONGEST_LINE)
        number += 1


_NOTHING = object()


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return _NOTHING


def _reason(line: str) -> str:
    try:
        json.loads(line)
    except (ValueError, RecursionError) as error:
        return in_words(error)
    return ""


def in_words(error: ValueError | RecursionError) -> str:
    """What json says, without the places that its own words repeat."""
    if isinstance(error, json.JSONDecodeError):
        where = f"line {error.lineno}, " if error.lineno > 1 else ""
        return f"{error.msg[:1].lower()}{error.msg[1:]} at {where}column {error.colno}"
    return "it is nested too deep" if isinstance(error, RecursionError) else str(error)


def first_line(path: Path) -> str:
    """Of a text, without its end."""
    with opening.text(path) as file:
        return file.readline(LONGEST_LINE).strip()


def separator(path: Path) -> str:
    """What stands between the cells of a table: by its first line, whatever its name says; `,` if that has one cell."""
    with opening.text(path) as file:
        line = file.readline(LONGEST_LINE)
    if line.lstrip().startswith("<") and (said := foreign.known_by_text(line)):
        raise DataError(f"{path} {said}")
    line = re.sub(r'"[^"]*"', "", line)
    first = "\t" if opening.kind(path) == ".tsv" else ","
    return max((first, *_SEPARATORS), key=lambda one: line.count(one))


def _csv(path: Path, file: io.TextIOWrapper) -> Documents:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    reader = csv.reader(file, delimiter=separator(path), strict=True)
    line = 1
    try:
        header = next(reader, [])
        if twice := next((name for name in header if header.count(name) > 1), None):
            raise DataError(f"{path}:1 names the column `{twice}` twice.")
        line = reader.line_num + 1
        for cells in reader:
            if cells:
                if len(cells) != len(header):
                    raise DataError(
                        f"{path}:{line} must have {len(header)} cells, as the first line, but has {len(cells)}."
                    )
                yield line, dict(zip(header, map(_cell, cells), strict=True))
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path}:{line} is not valid CSV: {error}.") from None


def _cell(text: str) -> Any:
    """A list or an object that was written into a cell as JSON is one again; nothing is None."""
    if not text:
        return None
    if text[0] in "[{" and text[-1] in "]}":
        found = _parsed(text)
        return text if found is _NOTHING else found
    return text


def _parquet(path: Path) -> Documents:
    opening.check(path)
    try:
        number = 1
        with pq.ParquetFile(path, buffer_size=1 << 20) as file:
            for batch in file.iter_batches(1 << 10, use_threads=False):
                for row in batch.to_pylist():
                    yield number, row
                    number += 1
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None


def _archive(path: Path) -> dict[str, Any]:
    """inspect's log as its `.json` would have it: the header with all samples."""
    opening.check(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if _HEADER not in names:
                raise DataError(
                    f"{path} has no {_HEADER}: the evaluation was not finished, or it is no log of inspect."
                )
            header = json.loads(archive.read(_HEADER))
            samples = [
                json.loads(archive.read(name)) for name in names if name.startswith(_SAMPLES) and name[-1] != "/"
            ]
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError) as error:
        raise DataError(f"{path} is cut off or no log of inspect: {error}.") from None
    return {**header, "samples": samples}
