"""The zoo: every shape imports without a flag and with its truth, also moved and shuffled, or is refused in words."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from .conftest import Done
from .zoo import ARMS, SHAPES, share

Rence = Callable[..., Done]
KNOWN = [name for name, shape in SHAPES.items() if not shape.refused]
REFUSED = [name for name, shape in SHAPES.items() if shape.refused]


def imported(rence: Rence, name: str, place: str) -> None:
    """Arms, problems, k and shares are those of the truth, in every benchmark."""
    shape = SHAPES[name]
    done = rence("import", place, *shape.needs, "--out", "run", "--json")
    assert done.code == 0, done.err
    assert set(done.json["arms"]) == set(ARMS)
    run = Path("run")
    benchmarks = done.json["benchmarks"]
    for arm in ARMS:
        files = sorted(run.glob(f"{arm}/seed*/evals/*/*/attempts.parquet"))
        assert len(files) == len(benchmarks)
        for file in files:
            rows = pq.read_table(file).to_pydict()
            assert len(rows["mark"]) == 12 * shape.k and len(set(rows["problem_id"])) == 12
            assert rows["mark"].count("correct") / len(rows["mark"]) == pytest.approx(share(arm, shape.k))


def paired(run: Path) -> None:
    """Both arms have the same problems."""
    files = [sorted(run.glob(f"{arm}/seed*/evals/*/*/attempts.parquet")) for arm in ARMS]
    for one, other in zip(*files, strict=True):
        ids = [set(pq.read_table(file)["problem_id"].to_pylist()) for file in (one, other)]
        assert ids[0] == ids[1]


@pytest.mark.parametrize("name", KNOWN)
def test_without_a_flag(rence: Rence, name: str) -> None:
    SHAPES[name].make(Path("found"))
    imported(rence, name, "found")
    paired(Path("run"))


@pytest.mark.parametrize("name", KNOWN)
def test_renamed_and_shuffled(rence: Rence, name: str) -> None:
    """Files in a folder of another name, rows in any order."""
    SHAPES[name].make(Path("found"))
    draw = random.Random(name)
    for file in sorted(path for path in Path("found").rglob("*") if path.is_file()):
        shuffle(file, draw)
    Path("found").rename("my downloads (2)")
    imported(rence, name, "my downloads (2)")
    paired(Path("run"))


@pytest.mark.parametrize("name", REFUSED)
def test_what_nobody_could_know(rence: Rence, name: str) -> None:
    SHAPES[name].make(Path("found"))
    done = rence("import", "found", "--out", "run")
    assert done.code in (2, 3) and not Path("run").exists()
    assert SHAPES[name].refused in done.err


@pytest.mark.parametrize("name", KNOWN[::10])
def test_dry_run_writes_nothing(rence: Rence, name: str) -> None:
    SHAPES[name].make(Path("found"))
    done = rence("import", "found", *SHAPES[name].needs, "--out", "run", "--dry-run")
    assert done.code == 0 and "12 problems" in done.out and not Path("run").exists(), done.err


def shuffle(file: Path, draw: random.Random) -> None:
    """Rows of a table, and lists and objects of rows in a document, in another order."""
    if file.suffix == ".parquet":
        table = pq.read_table(file)
        pq.write_table(table.take(draw.sample(range(len(table)), len(table))), file)
        return
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".jsonl":
        lines = text.splitlines(keepends=True)
        file.write_text("".join(draw.sample(lines, len(lines))), encoding="utf-8")
    elif file.suffix == ".csv" and "summary" not in file.name:
        first, *rows = csv.reader(text.splitlines())
        with file.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([first, *draw.sample(rows, len(rows))])
    elif file.suffix == ".json":
        data = json.loads(text)
        if isinstance(data, list) and all(isinstance(one, dict) for one in data):
            data = draw.sample(data, len(data))
        elif isinstance(data, dict):
            data = dict(draw.sample(list(data.items()), len(data)))
        file.write_text(json.dumps(data), encoding="utf-8")
