"""Other people's files, changed as people and accidents change them, and what an import makes of them."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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


def write(root: Path, files: Files, pack: bool = False) -> Path:
    """In a new folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = name.endswith(".jsonl")
        text = "".join(json.dumps(row) + "\n" for row in content) if lines else json.dumps(content)
        if pack:
            with gzip.open(f"{path}.gz", "wt") as file:
                file.write(text)
        else:
            path.write_text(text)
    return root


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
