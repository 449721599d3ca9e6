"""What every family of files keeps to, tried on its own example: `rence check NAME`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from unittest import SkipTest

from harness.base.errors import UserError
from harness.importing import folder, recognised, sources
from harness.importing.import_plan import ImportComparison
from harness.importing.shapes.family import Family
from harness.importing.shapes.missing import Command
from harness.records import DataError

Check = Callable[[Family], None]


def _imported(files: Mapping[str, Any]) -> tuple[str, dict[str, str]] | str:
    """Name of the shape and `correct/attempts` of each arm; or why it was refused."""
    with tempfile.TemporaryDirectory() as place:
        root, out = Path(place) / "in", Path(place) / "out"
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            lines = content if name.endswith(".jsonl") else [content]
            (root / name).write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
        asked = recognised.AnyOptions(benchmark="example")
        try:
            there = sources.find([str(root)], recognised.files_in, recognised.LOOKED_FOR)
            found = recognised.recognise(there, asked, None, Command([str(root)]))
            made = folder.write(recognised.read_all(found, asked), found.shape.name, {}, ImportComparison(), out)
        except (UserError, DataError) as error:
            return str(error)
        counts: dict[str, list[int]] = {}
        for one in made.design.evaluated:
            tally = counts.setdefault(one.arm, [0, 0])
            tally[0], tally[1] = tally[0] + one.measured.correct, tally[1] + one.attempts
        return found.shape.name, {arm: f"{right}/{total}" for arm, (right, total) in counts.items()}


def its_example_is_recognised_with_its_numbers(family: Family) -> None:
    """Without an option but the benchmark's name."""
    _need_example(family)
    found = _imported(family.example)
    assert found == (family.name, dict(family.expected)), found


def the_order_of_rows_and_the_names_of_folders_change_no_number(family: Family) -> None:
    """A refusal is no number: files of samples may look like files of arms."""
    _need_example(family)
    names = {part: f"x{n}" for n, part in enumerate(sorted({p for f in family.example for p in Path(f).parts[:-1]}))}
    turned = {
        "/".join([*(names[part] for part in PurePosixPath(name).parts[:-1]), PurePosixPath(name).name]): (
            content[::-1] if isinstance(content, list) else content
        )
        for name, content in family.example.items()
    }
    found = _imported(turned)
    assert isinstance(found, str) or sorted(found[1].values()) == sorted(family.expected.values()), found


def a_key_that_is_gone_gives_the_same_numbers_or_a_refusal(family: Family) -> None:
    """Each key of a row or a document in turn."""
    _need_example(family)
    contents = [content if isinstance(content, list) else [content] for content in family.example.values()]
    records = [row for rows in contents for row in rows]
    for key in dict.fromkeys(key for row in records for key in row):
        without = {
            name: [_less(row, key) for row in content] if isinstance(content, list) else _less(content, key)
            for name, content in family.example.items()
        }
        found = _imported(without)
        same = isinstance(found, str) or sorted(found[1].values()) == sorted(family.expected.values())
        assert same, f"without `{key}`: {found}"


def _less(row: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != key}


def _need_example(family: Family) -> None:
    if not family.example:
        raise SkipTest(f"`{family.name}` has no example: give it `example` and `expected` in families")


CHECKS: tuple[Check, ...] = (
    its_example_is_recognised_with_its_numbers,
    the_order_of_rows_and_the_names_of_folders_change_no_number,
    a_key_that_is_gone_gives_the_same_numbers_or_a_refusal,
)
