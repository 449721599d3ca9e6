"""Files that were renamed, shuffled, packed, or lost a key: the same numbers, or a refusal, never another number."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from .shape_files import Files, changed, keys, read, score, write
from .test_shape_folders import DATA, FOLDERS, truth

pytestmark = pytest.mark.skipif(not (DATA / "truth.json").exists(), reason="the examples are not on this machine")
SHAPES = [name for name in FOLDERS if name != "inspect_eval"]  # which are the documents of inspect_json
MOST_PLACES = 6
"""of each folder that are changed, drawn by chance"""


def shuffled(files: Files) -> Files:
    """Rows in another order; of a document every list in it."""
    rng, copy = random.Random(3), json.loads(json.dumps(files))
    for content in copy.values():
        for rows in [content] if isinstance(content, list) else content.values():
            if isinstance(rows, list):
                rng.shuffle(rows)
    return copy


def renamed(files: Files) -> Files:
    """Every folder and file called something that says nothing."""
    names: dict[str, str] = {}

    def new(part: str) -> str:
        return names.setdefault(part, f"x{len(names)}q")

    paths = {name: PurePosixPath(name) for name in files}
    return {
        "/".join([*map(new, path.parts[:-1]), new(path.stem) + path.suffix]): files[name]
        for name, path in paths.items()
    }


def values(found: dict[str, float]) -> list[float]:
    return sorted(round(one, 9) for one in found.values())


@pytest.mark.parametrize("folder", SHAPES)
@pytest.mark.parametrize("change", [shuffled, renamed])
def test_the_same_truth_after_a_change(tmp_path: Path, folder: str, change: Callable[[Files], Files]) -> None:
    root = write(tmp_path / "in", change(read(DATA / folder)))
    found = score(root, tmp_path / "out")
    if (folder, change) == ("nemo_skills", renamed):
        # without their names, files of samples are as files of arms: the pattern of the message says it
        assert isinstance(found, str) and "{arm}/x1q/{sample}.jsonl" in found
        pattern = Path(str(root) + found.partition(str(root))[2].partition(str(root))[2].partition("'")[0])
        found = score(pattern, tmp_path / "out")
    assert not isinstance(found, str), found
    assert values(found) == values(truth(FOLDERS[folder]))


@pytest.mark.parametrize("folder", SHAPES)
@pytest.mark.parametrize("form", ["gz", "zst", "csv", "parquet"])
def test_the_same_truth_in_another_form(tmp_path: Path, folder: str, form: str) -> None:
    files = read(DATA / folder)
    if form in ("csv", "parquet") and not any(name.endswith(".jsonl") for name in files):
        pytest.skip("a document is no table")
    found = score(write(tmp_path / "in", files, form), tmp_path / "out")
    assert found == pytest.approx(truth(FOLDERS[folder]))


def delete(record: dict[str, Any], key: str) -> None:
    del record[key]


def rename(record: dict[str, Any], key: str) -> None:
    record[f"zq_{key[::-1]}"] = record.pop(key)


def retype(record: dict[str, Any], key: str) -> None:
    value = record[key]
    record[key] = str(value) if isinstance(value, int | float) else [value] if isinstance(value, str) else {"v": value}


def empty(record: dict[str, Any], key: str) -> None:
    record[key] = None


@pytest.mark.parametrize("folder", SHAPES)
@pytest.mark.parametrize("change", [delete, rename, retype, empty])
def test_every_key_that_changes_gives_the_truth_or_a_refusal(
    tmp_path: Path, folder: str, change: Callable[[dict[str, Any], str], None]
) -> None:
    files = read(DATA / folder)
    places = list(dict.fromkeys(place for content in files.values() for place in keys(content)))
    draw = random.Random(f"{folder} {change.__name__}")
    places = draw.sample(places, min(MOST_PLACES, len(places)))
    expected, refused = values(truth(FOLDERS[folder])), 0
    for number, place in enumerate(places):
        new = {name: changed(content, place, change) for name, content in files.items()}
        out = tmp_path / f"out{number}"
        found = score(write(tmp_path / f"in{number}", new), out)
        if isinstance(found, str):
            refused += 1
            assert not out.exists(), place
        else:
            # where all that an arm has is gone, the other's number stays
            assert set(values(found)) <= set(expected), (place, found)
            assert len(found) == 2 or ((folder, change) == ("wide", delete) and len(place) == 1), (place, found)
    assert refused < len(places) or folder == "counts"  # where nothing can be done without
