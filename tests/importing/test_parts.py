"""A source is read in parts and its rows lie on disk in files that evaluations share; nobody can tell from the result.

The same rows are imported in parts of a few rows, with two files for all evaluations, and whole.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.importing import readers, spool

from .conftest import Done, Rows, attempts, write
from .test_refusals import CASES, TWO

Rence = Callable[..., Done]
SHARES = {
    ("start", None, "sums"): 0.1,
    ("grpo", 0, "sums"): 0.5,
    ("dapo", 0, "chains"): 0.25,
    ("grpo", 1, "chains"): 0.6,
    ("dapo", 0, "sums"): 0.2,
    ("grpo", 0, "chains"): 0.4,
    ("grpo", 1, "sums"): 0.7,
    ("dapo", 1, "chains"): 0.3,
    ("dapo", 1, "sums"): 0.1,
}


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Parts of so many rows from now on."""

    def of(rows: int) -> None:
        monkeypatch.setattr(readers, "ROWS", rows)
        monkeypatch.setattr(readers, "_DECODED", rows)
        monkeypatch.setattr(spool, "FILES", 2)

    return of


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def known(rows: Rows) -> Rows:
    """With what rows may have beside their mark; some say it, some do not."""
    return [
        row
        | {"response": f"{i} é", "answer": None if i % 5 == 0 else str(i % 3), "gold": row["problem_id"], "tokens": i}
        | {"template": "chat", "benchmark_hash": f"v-{row['benchmark']}"}
        for i, row in enumerate(rows)
    ]


def save(path: Path, rows: Rows) -> None:
    if path.suffix == ".jsonl":
        write(path, rows)
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_the_run_is_the_same_to_the_last_byte(
    rence: Rence, in_parts: Callable[[int], None], tmp_path: Path, suffix: str
) -> None:
    rows = known(attempts(SHARES, problems=5, k=3))
    mixed = random.Random(1).sample(rows, len(rows))
    save(tmp_path / f"a.{suffix}", mixed[:70])
    save(tmp_path / f"b.{suffix}", mixed[70:])
    words = ["import", "attempts", f"a.{suffix}", f"b.{suffix}", "--target", "grpo", "--out"]
    assert rence(*words, "whole/x").code == 0
    for size in (1, 7, 64):
        in_parts(size)
        assert rence(*words, f"{size}/x").code == 0
        assert files(tmp_path / f"{size}/x") == files(tmp_path / "whole/x")
    assert len(files(tmp_path / "whole/x")) == 2 + 3 * len(SHARES)
    table = pq.read_table(tmp_path / "7/x/dapo/seed1/evals/step_0/sums/attempts.parquet").to_pylist()
    assert [(row["problem_id"], row["sample"]) for row in table] == [
        (f"p{i:02}", s) for i in range(5) for s in range(3)
    ]


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize(("rows", "said"), CASES)
def test_what_is_refused_is_refused_in_the_same_words(
    rence: Rence, in_parts: Callable[[int], None], tmp_path: Path, rows: list[dict[str, Any]], said: str, size: int
) -> None:
    write(tmp_path / "a.jsonl", rows)
    whole = rence("import", "attempts", "a.jsonl", "--out", "runs/x")
    in_parts(size)
    done = rence("import", "attempts", "a.jsonl", "--out", "runs/x")
    assert (done.code, done.err) == (3, whole.err) and said in done.err
    assert [path.name for path in tmp_path.rglob("*")] == ["a.jsonl"], "no folder stays behind"


def test_the_check_that_comes_first_speaks_whichever_row_comes_first(
    rence: Rence, in_parts: Callable[[int], None], tmp_path: Path
) -> None:
    """`seed` is looked at before `sample`, and `sample` before the mark."""
    rows = [dict(row) for row in TWO]
    rows[0]["correct"], rows[5]["sample"], rows[9]["sample"] = 7, -1, "x"
    in_parts(2)
    write(tmp_path / "a.jsonl", rows)
    done = rence("import", "attempts", "a.jsonl", "--out", "x")
    assert "a.jsonl:6: `sample` must be a whole number of at least 0, but is `-1` (and so in 1 more rows)." in done.err
    rows[11]["seed"] = None
    write(tmp_path / "a.jsonl", rows)
    assert "a.jsonl:12: `seed` is empty." in rence("import", "attempts", "a.jsonl", "--out", "x").err
    rows[7]["arm"], rows[10]["arm"] = "../x", ""
    write(tmp_path / "a.jsonl", rows)
    assert "a.jsonl:11: `arm` is empty." in rence("import", "attempts", "a.jsonl", "--out", "x").err


def test_a_line_that_is_no_json_is_said_before_a_cell_that_is_wrong(
    rence: Rence, in_parts: Callable[[int], None], tmp_path: Path
) -> None:
    in_parts(2)
    write(tmp_path / "a.jsonl", [TWO[0] | {"correct": 7}, *TWO[1:]])
    with (tmp_path / "a.jsonl").open("a") as file:
        file.write("{\n")
    assert "a.jsonl:13 is not valid JSON" in rence("import", "attempts", "a.jsonl", "--out", "x").err


def test_a_column_that_only_later_rows_have(rence: Rence, in_parts: Callable[[int], None], tmp_path: Path) -> None:
    in_parts(3)
    write(tmp_path / "a.jsonl", [row if i < 6 else row | {"answer": "4"} for i, row in enumerate(TWO)])
    assert rence("import", "attempts", "a.jsonl", "--out", "x").code == 0
    found = [
        pq.read_table(tmp_path / f"x/{arm}/seed0/evals/step_0/sums/attempts.parquet")["answer"].to_pylist()
        for arm in ("grpo", "dapo")
    ]
    assert found == [[None] * 6, ["4"] * 6]
    write(tmp_path / "a.jsonl", [row if i < 6 else row | {"tokens": 4} for i, row in enumerate(TWO)])
    done = rence("import", "attempts", "a.jsonl", "--out", "y")
    assert done.code == 3 and "a.jsonl:1: `tokens` is empty (and so in 5 more rows)" in done.err


def test_marked_in_parts(rence: Rence, in_parts: Callable[[int], None], tmp_path: Path) -> None:
    answers = ["\\boxed{4}", "I do not know", "\\boxed{5}", "The answer is 4"]
    lines = [
        {"arm": arm, "seed": 0, "benchmark": "x", "problem_id": p, "sample": s, "response": text, "gold": "4"}
        for arm in ("grpo", "dapo")
        for p in range(3)
        for s, text in enumerate(answers)
    ]
    write(tmp_path / "g.jsonl", lines)
    words = ["import", "generations", "g.jsonl", "--workers", "1", "--json", "--out"]
    whole = rence(*words, "whole/x")
    in_parts(5)
    done = rence(*words, "parts/x")
    assert done.json["notes"] == whole.json["notes"] and "in 12 of 24 responses" in str(done.json["notes"])
    assert files(tmp_path / "parts/x") == files(tmp_path / "whole/x")


@pytest.mark.parametrize("source", ["attempts", "generations"])
def test_what_all_have_in_parts(rence: Rence, in_parts: Callable[[int], None], tmp_path: Path, source: str) -> None:
    """Rows without a result are counted once, whether read once or twice; of surplus the first numbers are kept."""
    result = "correct" if source == "attempts" else "response"
    rows = [row | {"sample": 10 * row["sample"], "gold": "4"} for row in attempts(SHARES, problems=7, k=3)]
    rows += [row | {"sample": 5} for row in rows if row["sample"] == 0 and row["problem_id"] < "p02"]
    rows = [row | {"response": f"\\boxed{{{4 * row['correct']}}}"} for row in rows]
    of_dapo = {(row["benchmark"], row["problem_id"], row["sample"]): row for row in rows if row["arm"] == "dapo"}
    rows = [row for row in rows if row is not of_dapo["sums", "p05", 10]]  # of the last seed
    rows = [row | {result: None} if row is of_dapo["chains", "p06", 10] else row for row in rows]
    if source == "generations":
        rows = [{name: value for name, value in row.items() if name != "correct"} for row in rows]
    write(tmp_path / "a.jsonl", random.Random(3).sample(rows, len(rows)))
    words = ["import", source, "a.jsonl", "--common", "--target", "grpo", "--json", "--out"]
    whole = rence(*words, "whole/x")
    assert whole.code == 0, whole.err
    assert "1 rows have no result and were left out." in whole.json["notes"]
    assert "18 attempts more than others have of their problem were left out." in whole.json["notes"]
    assert "sums: 6 of 7 problems are kept, those that all have; dapo seed 1 lacks 1" in str(whole.json["notes"])
    assert {(one["benchmark"], one["kept"]) for one in whole.json["left_out"]} == {("sums", 6), ("chains", 6)}
    table = pq.read_table(tmp_path / "whole/x/dapo/seed1/evals/step_0/sums/attempts.parquet").to_pylist()
    kept = [f"p{i:02}" for i in (0, 1, 2, 3, 4, 6)]
    assert [(row["problem_id"], row["sample"]) for row in table] == [(name, s) for name in kept for s in range(3)]
    for size in (1, 7, 64):
        in_parts(size)
        assert rence(*words, f"{size}/x").code == 0
        assert files(tmp_path / f"{size}/x") == files(tmp_path / "whole/x")


def test_what_is_left_out_leaves_no_folder(rence: Rence, in_parts: Callable[[int], None], tmp_path: Path) -> None:
    in_parts(4)
    rows = [
        row for step in (10, 20) for row in attempts({("grpo", 0, "sums"): 0.5, ("dapo", 1, "sums"): 0.5}, step=step)
    ]
    write(tmp_path / "a.jsonl", [row for row in rows if (row["arm"], row["step"]) != ("dapo", 10)])
    assert rence("import", "attempts", "a.jsonl", "--step", "10", "--out", "x").code == 0
    folders = sorted(str(path.relative_to(tmp_path / "x")) for path in (tmp_path / "x").rglob("*") if path.is_dir())
    assert folders == [
        "grpo",
        "grpo/seed0",
        "grpo/seed0/evals",
        "grpo/seed0/evals/step_10",
        "grpo/seed0/evals/step_10/sums",
    ]
