"""Other people's files, changed as people and accidents change them, and what an import makes of them."""

from __future__ import annotations

import csv
import gzip
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.base.errors import UserError
from harness.importing import folder, recognised, sources
from harness.importing.import_plan import ImportComparison
from harness.importing.recognised import AnyOptions
from harness.importing.shapes.missing import Command
from harness.records import DataError

Files = dict[str, Any]
"""path -> its rows if it is of lines, or its one document"""


def read(root: Path) -> Files:
    """Every file of a folder, packed logs unpacked."""
    made: Files = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.suffix == ".jsonl":
            made[name] = [json.loads(line) for line in path.read_text().splitlines()]
        elif path.suffix == ".json":
            made[name] = json.loads(path.read_text())
        elif path.suffix == ".eval":
            with zipfile.ZipFile(path) as archive:
                names = [one for one in archive.namelist() if one.startswith("samples/")]
                samples = [json.loads(archive.read(one)) for one in names]
                made[f"{name[:-5]}.json"] = json.loads(archive.read("header.json")) | {"samples": samples}
    return made


def write(root: Path, files: Files, form: str = "") -> Path:
    """In a new folder.

    Args:
        form: `gz`, `zst`: packed so; `csv`, `parquet`: what is of lines becomes a table, JSON in a cell of CSV for a
            nested value; empty: as they are.
    """
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = name.endswith(".jsonl")
        text = "".join(json.dumps(row) + "\n" for row in content) if lines else json.dumps(content)
        if form == "gz":
            Path(f"{path}.gz").write_bytes(gzip.compress(text.encode()))
        elif form == "zst":
            with pa.CompressedOutputStream(f"{path}.zst", "zstd") as file:
                file.write(text.encode())
        elif form == "parquet" and lines:
            content = json.loads(json.dumps(content), object_hook=lambda one: one or None)  # it knows no empty objects
            pq.write_table(pa.Table.from_pylist(content), path.with_suffix(".parquet"))
        elif form == "csv" and lines:
            with path.with_suffix(".csv").open("w", newline="") as file:
                writer = csv.DictWriter(file, list(dict.fromkeys(key for row in content for key in row)))
                writer.writeheader()
                writer.writerows({key: _cell(value) for key, value in row.items()} for row in content)
        else:
            path.write_text(text)
    return root


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value


def score(root: Path, out: Path, **options: Any) -> dict[str, float] | str:
    """Share of correct attempts by arm, or why the import was refused."""
    asked = AnyOptions(**options)
    try:
        found_files = sources.find([str(root)], recognised.files_in, recognised.LOOKED_FOR)
        found = recognised.recognise(found_files, asked, None, Command([str(root)], ["--out", str(out)]))
        made = folder.write(recognised.read_all(found, asked), found.shape.name, {}, ImportComparison(), out)
    except (UserError, DataError) as error:
        return str(error)
    shares: dict[str, list[float]] = {}
    for one in made.design.evaluated:
        shares.setdefault(one.arm, []).append(one.correct)
    return {arm: sum(found) / len(found) for arm, found in shares.items()}


def keys(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every place of a key in a record; entries of a list are taken together."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from keys(inner, (*path, key))
    elif isinstance(value, list):
        found: dict[tuple[str, ...], None] = {}
        for entry in value:
            found.update(dict.fromkeys(keys(entry, path)))
        yield from found


def changed(value: Any, path: tuple[str, ...], change: Callable[[dict[str, Any], str], None]) -> Any:
    """A copy in which a key was changed wherever it stands at this place."""
    copy = json.loads(json.dumps(value))

    def walk(node: Any, left: tuple[str, ...]) -> None:
        if isinstance(node, list):
            for entry in node:
                walk(entry, left)
        elif isinstance(node, dict) and left[0] in node:
            if len(left) == 1:
                change(node, left[0])
            else:
                walk(node[left[0]], left[1:])

    walk(copy, path)
    return copy
