"""CSV by Arrow, a block of lines at a time, as long as every line is a row: Python's own reader takes four times as
long.

What a block must be for both to read the same is checked byte by byte; at the first one that is something else (a line
end in a cell, a quotation mark within a word, an empty line, a row of other length) the caller goes on with Python's,
which reads it or says what is wrong with it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.csv

_LONGEST = 1 << 28
_COMMA, _QUOTE, _RETURN, _LINE = b',"\r\n'


def blocks(file: IO[bytes], size: int) -> Iterator[bytes | None]:
    """Whole lines of a file, about so many bytes at a time, or one that is longer; None at one that has no end."""
    rest = b""
    while block := file.read(size):
        lines, end, rest = (rest + block).rpartition(b"\n")
        if end:
            yield lines + end
        elif len(rest) > _LONGEST:
            yield None
            return
    if rest:
        yield rest


def tables(file: IO[bytes], size: int, wanted: Sequence[str]) -> Iterator[tuple[int, pa.Table] | None]:
    """The line at which a block begins, and the wanted columns as texts; None once, at a block that is not read here.

    Args:
        size: bytes of a block, about.
    """
    header: list[str] = []
    line = 1
    for block in blocks(file, size):
        if block is None:
            break
        if not header:
            first, _, block = block.removeprefix(b"\xef\xbb\xbf").partition(b"\n")
            line = 2
            if not is_simple(first + b"\n"):
                break
            header = next(csv.reader([first.decode()], strict=True), [])
            if len(set(header)) < len(header) or not header:
                break
        if not block:
            continue
        found = _table(block, header, wanted)
        if found is None:
            break
        yield line, found
        line += found.num_rows
    else:
        return
    yield None


def is_simple(block: bytes) -> bool:
    """Whether every line is a row, whoever reads it: quotation marks open and close at the ends of cells."""
    if b"\0" in block or block.count(b"\r") != block.count(b"\r\n"):
        return False
    if b"\n\n" in block or b"\n\r\n" in block or block.startswith((b"\n", b"\r\n")):
        return False
    try:
        if not block.isascii():
            block.decode()
    except UnicodeDecodeError:
        return False
    if b'"' not in block:
        return True
    # one more before and after, so that every mark has neighbours
    bytes_ = np.frombuffer(b"\n" + block + b"\n", np.uint8)
    marks = np.flatnonzero(bytes_ == _QUOTE)
    opens, closes = marks[::2], marks[1::2]
    before, after = bytes_[opens - 1], bytes_[closes + 1]
    if len(opens) != len(closes) or not np.isin(before, (_COMMA, _LINE, _QUOTE)).all():
        return False
    if not np.isin(after, (_COMMA, _RETURN, _LINE, _QUOTE)).all():
        return False
    lines = np.flatnonzero(bytes_ == _LINE)
    return not (np.searchsorted(marks, lines) % 2).any()


def _table(block: bytes, header: Sequence[str], wanted: Sequence[str]) -> pa.Table | None:
    if not is_simple(block):
        return None
    try:
        return pyarrow.csv.read_csv(
            pa.BufferReader(block),
            pyarrow.csv.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=list(header)),
            pyarrow.csv.ParseOptions(),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()), include_columns=list(wanted), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
