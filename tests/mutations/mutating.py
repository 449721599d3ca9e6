"""What can be wrong with a file of a run: every key another value, and the whole file other bytes."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
import yaml
from safetensors.torch import load, save

Make = Callable[[], bytes | str]
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
    make: Make
    """the file's content, or what stands in its place"""

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"

    @property
    def key(self) -> str:
        """What is changed: `arms.0.name`, `column mark`; empty where it is the whole file."""
        return self.what.rpartition(" is ")[0]

    def put(self, folder: Path) -> Callable[[], None]:
        """In the file's place; the function that is returned puts the file back."""
        path = folder / self.file
        held = path.read_bytes()
        content = self.make()
        path.unlink()
        if content == FOLDER:
            path.mkdir()
        elif content == PIPE:
            os.mkfifo(path)
        elif isinstance(content, bytes):
            path.write_bytes(content)

        def back() -> None:
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
            path.write_bytes(held)

        return back


def of(folder: Path, file: str) -> list[Mutation]:
    """All of one file, by its suffix."""
    content = (folder / file).read_bytes()
    made: dict[str, Make] = dict(KINDS[Path(file).suffix](content))
    made |= {f"the whole file {what}": partial(change, content) for what, change in WHOLE.items()}
    made |= {what: partial(str, what) for what in (FOLDER, PIPE, NOTHING)}
    return [Mutation(file, what, make) for what, make in made.items()]


def part(all_of: Iterable[Mutation], draw: str) -> Iterator[Mutation]:
    """Of every key one change, which is drawn by its name, and every second change of the whole file."""
    by_key: dict[tuple[str, str], list[Mutation]] = {}
    for one in all_of:
        if one.key:
            by_key.setdefault((one.file, one.key), []).append(one)
        elif number(f"{draw} {one}") % 2:
            yield one
    for key, changed in by_key.items():
        yield changed[number(f"{draw} {key}") % len(changed)]


def number(text: str) -> int:
    """The same for the same text, everywhere."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")


def changes(data: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Every key at every depth, and the first item of every list: gone, or with each of the wrong values."""
    for keys in _keys(data):
        for what in ("gone", *WRONG):
            yield f"{'.'.join(map(str, keys))} is {what}", partial(_changed, data, keys, what)


def _changed(data: Any, keys: tuple[Any, ...], what: str) -> Any:
    *outer, last = keys
    new = copy.deepcopy(data)
    inner = new
    for key in outer:
        inner = inner[key]
    if what == "gone":
        del inner[last]
    else:
        inner[last] = WRONG[what]
    return new


def _keys(data: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield (*at, key)
            yield from _keys(value, (*at, key))
    elif isinstance(data, list) and data:
        yield (*at, 0)
        yield from _keys(data[0], (*at, 0))


def _json(content: bytes) -> Iterator[tuple[str, Make]]:
    data = json.loads(content)
    for what, new in changes(data):
        yield what, lambda new=new: _written(new())
    for what, schema in {"newer": 99, "a text": "1", "true": True, "null": None, "half": 1.5, "zero": 0}.items():
        yield f"with the schema {what}", partial(_written, {**data, "schema": schema})
    first = next(iter(data))
    yield "with a key twice", partial(bytes, b'{"%s": 0, ' % first.encode() + content.lstrip()[1:])
    yield "with a key of a later version", partial(_written, {**data, "of a later version": {"x": [1, None]}})


def _lines(content: bytes) -> Iterator[tuple[str, Make]]:
    first, *rest = content.splitlines(keepends=True)
    after, before = b"".join(rest), first + b"".join(rest[:-1])
    for what, new in changes(json.loads(first)):
        yield f"line 1: {what}", lambda new=new: _written(new()) + b"\n" + after
        yield f"last line: {what}", lambda new=new: before + _written(new()) + b"\n"
    lines = {"empty": b"", "a list": b"[]", "a number": b"3", "not UTF-8": b'{"\xff": 1}', "a word": b"x"}
    for what, line in lines.items():
        yield f"with a first line: {what}", partial(bytes, line + b"\n" + after)
        yield f"with a last line: {what}", partial(bytes, content + line + b"\n")


def _yaml(content: bytes) -> Iterator[tuple[str, Make]]:
    data = yaml.safe_load(content)
    for what, new in changes(data):
        yield what, lambda new=new: _dumped(new())
    for schema in (99, "x", True, None, 1.5):
        yield f"with the schema {schema}", partial(_dumped, {**data, "schema": schema})
    yield "with a key twice", partial(bytes, content + b"schema: 1\n")
    yield "with an alias", partial(bytes, content.replace(b"template: ", b"template: &a ") + b"limit: *a\n")


def _table(content: bytes) -> Iterator[tuple[str, Make]]:
    table = pq.read_table(io.BytesIO(content))
    n = table.num_rows
    for name in table.column_names:
        kind, values = table.schema.field(name).type, table[name].to_pylist()
        columns = {
            "all empty": pa.array([None] * n, kind),
            "of no type": pa.nulls(n),
            "empty in one cell": pa.array([None, *values[1:]], kind),
            "of texts": pa.array(["x"] * n),
            "of numbers": pa.array([1.5] * n),
            "below zero": pa.array([-1] * n),
            "of large numbers": pa.array([2**62] * n),
            "of unsigned numbers": pa.array([2**64 - 1] * n, pa.uint64()),
            "of one value": pa.array(values[:1] * n, kind),
            "of lists": pa.array([[1]] * n),
            "of bytes": pa.array([b"\xff"] * n),
            "of times": pa.array([10**15] * n, pa.timestamp("us")),
            "of truths": pa.array([True] * n),
        }
        yield f"column {name} is gone", partial(_parquet, table.drop_columns([name]))
        others = [f"_{one}" if one == name else one for one in table.column_names]
        yield f"column {name} is of another name", partial(_parquet, table.rename_columns(others))
        for what, column in columns.items():
            new = table.set_column(table.column_names.index(name), name, column)
            yield f"column {name} is {what}", partial(_parquet, new)
    yield "no rows", partial(_parquet, table.slice(0, 0))
    yield "a row less", partial(_parquet, table.slice(1))
    yield "rows twice", partial(_parquet, pa.concat_tables([table, table]))
    yield "a column more", partial(_parquet, table.append_column("later", pa.array(range(n))))
    twice = "mark" if "mark" in table.column_names else table.column_names[-1]
    yield "a column twice", partial(_parquet, table.append_column(twice, table[twice]))
    for start in range(4, len(content), max(1, len(content) // 40)):
        yield f"other bytes at {start}", partial(bytes, content[:start] + b"\xff" * 8 + content[start + 8 :])


def _tensors(content: bytes) -> Iterator[tuple[str, Make]]:
    tensors = load(content)
    for name, value in tensors.items():
        rest = {other: tensor for other, tensor in tensors.items() if other != name}
        yield f"{name} is gone", partial(save, rest)
        for what, new in {
            "shorter": value[1:],
            "longer": torch.cat([value, value]),
            "of another shape": value[None],
            "empty": value[:0],
            "of half numbers": value.half(),
            "of large numbers": torch.full(value.shape, 2**40),
            "below zero": torch.full(value.shape, -1),
        }.items():
            yield f"{name} is {what}", partial(save, {**rest, name: new})


KINDS: dict[str, Callable[[bytes], Iterator[tuple[str, Make]]]] = {
    ".json": _json,
    ".jsonl": _lines,
    ".yaml": _yaml,
    ".parquet": _table,
    ".safetensors": _tensors,
}


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def _written(data: Any) -> bytes:
    return json.dumps(data).encode()


def _dumped(data: Any) -> bytes:
    return yaml.safe_dump(data, allow_unicode=True).encode("utf-8", "surrogatepass")
