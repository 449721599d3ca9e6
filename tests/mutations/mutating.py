"""What can be wrong with a file of a run: every key another value, and the whole file other bytes."""

from __future__ import annotations

import copy
import io
import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

FOLDER, PIPE, NOTHING = "a folder", "a pipe", "no file"
"""what stands where the file should be"""


def _nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


WRONG: dict[str, Any] = {
    "null": None,
    "a text": "x",
    "an empty text": "",
    "a path": "../x/y",
    "half a character": "\ud800",
    "a number": 3.5,
    "zero": 0,
    "below zero": -1,
    "true": True,
    "beyond 64 bits": 10**30,
    "within 64 bits": 2**62,
    "beyond all floats": 10**400,
    "no number": math.nan,
    "an empty list": [],
    "a list of another": ["x", 1],
    "an empty object": {},
    "an object of another": {"x": {"y": 1}},
    "nested deep": _nested(200),
}
WHOLE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "a list": lambda _: b"[]\n",
    "an object": lambda _: b"{}\n",
    "a number": lambda _: b"7\n",
    "null": lambda _: b"null\n",
    "cut off": lambda content: content[: len(content) // 2],
    "not UTF-8": lambda content: content[:20] + b"\xff\xfe" + content[20:],
    "with a byte order mark": lambda content: b"\xef\xbb\xbf" + content,
    "zeros": lambda content: bytes(len(content)),
    "nested too deep": lambda _: b"[" * 100_000 + b"\n",
    "twice": lambda content: content + content,
}


@dataclass(frozen=True)
class Mutation:
    """Of one file."""

    file: str
    """where it is in its folder"""
    what: str
    content: bytes | str
    """the file's, or what stands in its place"""

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"

    def put(self, folder: Path) -> Callable[[], None]:
        """In the file's place; the function that is returned puts the file back."""
        path = folder / self.file
        held = path.read_bytes()
        path.unlink()
        if self.content == FOLDER:
            path.mkdir()
        elif self.content == PIPE:
            os.mkfifo(path)
        elif self.content != NOTHING:
            assert isinstance(self.content, bytes)
            path.write_bytes(self.content)

        def back() -> None:
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
            path.write_bytes(held)

        return back


def of(folder: Path, file: str) -> list[Mutation]:
    """All of one file, by its suffix."""
    content = (folder / file).read_bytes()
    made: dict[str, bytes] = dict(
        {".json": _json, ".jsonl": _lines, ".yaml": _yaml, ".parquet": _table}[suffix(file)](content)
    )
    made |= {f"the whole file {what}": change(content) for what, change in WHOLE.items()}
    places = {what: what for what in (FOLDER, PIPE, NOTHING)}
    return [Mutation(file, what, new) for what, new in {**made, **places}.items() if new != content]


def suffix(file: str) -> str:
    return Path(file).suffix


def changes(data: Any) -> Iterator[tuple[str, Any]]:
    """Every key at every depth, and the first item of every list: gone, or with each of the wrong values."""
    for keys in _keys(data):
        *outer, last = keys
        for what, value in {"gone": None, **WRONG}.items():
            new = copy.deepcopy(data)
            inner = new
            for key in outer:
                inner = inner[key]
            if what == "gone":
                del inner[last]
            else:
                inner[last] = copy.deepcopy(value)
            yield f"{'.'.join(map(str, keys))} is {what}", new


def _keys(data: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield (*at, key)
            yield from _keys(value, (*at, key))
    elif isinstance(data, list) and data:
        yield (*at, 0)
        yield from _keys(data[0], (*at, 0))


def _json(content: bytes) -> Iterator[tuple[str, bytes]]:
    data = json.loads(content)
    for what, new in changes(data):
        yield what, _written(new)
    for what, schema in {"newer": 99, "a text": "1", "true": True, "null": None, "half": 1.5, "zero": 0}.items():
        yield f"schema is {what}", _written({**data, "schema": schema})
    first = next(iter(data))
    yield "a key twice", b'{"%s": 0, ' % first.encode() + content.lstrip()[1:]
    yield "a key of a later version", _written({**data, "of a later version": {"x": [1, None]}})


def _lines(content: bytes) -> Iterator[tuple[str, bytes]]:
    first, *rest = content.splitlines(keepends=True)
    for what, new in changes(json.loads(first)):
        yield f"line 1: {what}", _written(new) + b"\n" + b"".join(rest)
        yield f"last line: {what}", first + b"".join(rest[:-1]) + _written(new) + b"\n"
    for what, line in {
        "empty": b"",
        "a list": b"[]",
        "a number": b"3",
        "not UTF-8": b'{"\xff": 1}',
        "a word": b"x",
    }.items():
        yield f"line 1 is {what}", line + b"\n" + b"".join(rest)
        yield f"last line is {what}", content + line + b"\n"


def _yaml(content: bytes) -> Iterator[tuple[str, bytes]]:
    for what, new in changes(yaml.safe_load(content)):
        yield what, yaml.safe_dump(new, allow_unicode=True).encode("utf-8", "surrogatepass")
    for schema in (99, "x", True, None, 1.5):
        new = {**yaml.safe_load(content), "schema": schema}
        yield f"schema is {schema}", yaml.safe_dump(new).encode()
    yield "a key twice", content + b"schema: 1\n"
    yield "an alias", content.replace(b"template: ", b"template: &a ") + b"limit: *a\n"


def _table(content: bytes) -> Iterator[tuple[str, bytes]]:
    table = pq.read_table(io.BytesIO(content))
    for place, name in enumerate(table.column_names):
        yield f"column {name} is gone", _parquet(table.drop_columns([name]))
        yield (
            f"column {name} has another name",
            _parquet(table.rename_columns([f"_{n}" if n == name else n for n in table.column_names])),
        )
        values = table[name].to_pylist()
        for what, column in {
            "all empty": pa.array([None] * len(values), table.schema.field(name).type),
            "of no type": pa.nulls(len(values)),
            "empty in one cell": pa.array([None, *values[1:]], table.schema.field(name).type),
            "of texts": pa.array(["x"] * len(values)),
            "of numbers": pa.array([1.5] * len(values)),
            "below zero": pa.array([-1] * len(values)),
            "of large numbers": pa.array([2**62] * len(values)),
            "of unsigned numbers": pa.array([2**64 - 1] * len(values), pa.uint64()),
            "of one value": pa.array(values[:1] * len(values), table.schema.field(name).type),
            "of lists": pa.array([[1]] * len(values)),
            "of bytes": pa.array([b"\xff"] * len(values)),
            "of times": pa.array([10**15] * len(values), pa.timestamp("us")),
            "of truths": pa.array([True] * len(values)),
        }.items():
            yield f"column {name} is {what}", _parquet(table.set_column(place, name, column))
    yield "no rows", _parquet(table.slice(0, 0))
    yield "a row less", _parquet(table.slice(1))
    yield "rows twice", _parquet(pa.concat_tables([table, table]))
    yield "a column more", _parquet(table.append_column("later", pa.array(range(table.num_rows))))
    yield "a column twice", _parquet(table.append_column("mark", table["mark"]))
    for start in range(4, len(content), max(1, len(content) // 40)):
        yield f"other bytes at {start}", content[:start] + b"\xff" * 8 + content[start + 8 :]


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def _written(data: Any) -> bytes:
    return json.dumps(data).encode()
