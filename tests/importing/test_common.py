"""`rence import --common`: the problems that all have, what was left out, and on which side."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.records import EvalRecord, ImportRecord

from .conftest import Done, Rows, attempts, write

Rence = Callable[..., Done]
FULL = attempts({("grpo", 0, "sums"): 0.5, ("dapo", 0, "sums"): 0.25}, problems=5, k=2)


def without(rows: Rows, *gone: tuple[str, str, int]) -> Rows:
    return [row for row in rows if (row["arm"], row["problem_id"], row["sample"]) not in gone]


def test_the_default_refuses_and_names_the_option(rence: Rence, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", without(FULL, ("dapo", "p04", 1)))
    done = rence("import", "attempts", "a.jsonl", "--out", "x")
    assert done.code == 3 and "--common keeps the problems that all have" in done.err
    write(tmp_path / "a.jsonl", without(FULL, ("dapo", "p04", 0), ("dapo", "p04", 1)))
    done = rence("import", "attempts", "a.jsonl", "--out", "x")
    assert done.code == 3 and "--common keeps the problems that all have" in done.err
    write(tmp_path / "a.jsonl", [row | ({"correct": None} if row["problem_id"] == "p04" else {}) for row in FULL])
    done = rence("import", "attempts", "a.jsonl", "--out", "x")
    assert done.code == 3 and "--common keeps the problems that all have" in done.err


def test_rows_and_cells_that_are_missing(rence: Rence, tmp_path: Path) -> None:
    # grpo has 5 of 10 correct, p00 to p04 once each; dapo 2 of 10 (rounded from 2.5): p00 and p01 once.
    # dapo lacks p04 wholly and one wrong answer to p00; grpo's answer 1 to p03, a wrong one, has an empty cell.
    rows = without(FULL, ("dapo", "p04", 0), ("dapo", "p04", 1), ("dapo", "p00", 1))
    rows = [row | ({"correct": None} if (row["arm"], row["problem_id"], row["sample"]) == ("grpo", "p03", 1) else {})
            for row in rows]  # fmt: skip
    write(tmp_path / "a.jsonl", rows)
    done = rence("import", "attempts", "a.jsonl", "--common", "--out", "x", "--json")
    assert done.code == 0, done.err
    said = "sums: 2 of 5 problems are kept, those that all have; grpo seed 0 lacks 1, dapo seed 0 lacks 2."
    assert said in done.json["notes"] and "1 rows have no result and were left out." in done.json["notes"]
    record = ImportRecord.read(tmp_path / "x/import.json")
    grpo, dapo = record.left_out
    # grpo on p00, p03, p04: one half known, one half at least and 1 at most, one half
    assert (grpo.arm, grpo.kept, grpo.problems, grpo.lacks, grpo.low, grpo.high) == ("grpo", 2, 3, 1, 1.5, 2.0)
    # dapo: p00 one half at least, 1 at most; p03 0; p04 unknown
    assert (dapo.lacks, dapo.low, dapo.high) == (2, 0.5, 2.0)
    assert record.options == {"common": True}
    header = EvalRecord.read(tmp_path / "x/dapo/seed0/evals/step_0/sums/eval.json")
    assert (header.problems, header.k) == (2, 2)
    found = rence("compare", "x/grpo", "x/dapo", "--json").json
    # p01 and p02 are kept: 1 and 1 of 2 against 1 and 0. On all five: grpo 2.5 to 3 of 5, dapo 1 to 2.5
    assert found["common"]["low"] == pytest.approx(0.0) and found["common"]["high"] == pytest.approx(0.4)
    page = rence("report", "x")
    assert page.code == 0 and "2 of 5 problems are kept" in (tmp_path / "x/report/report.md").read_text()


def test_what_is_complete_is_imported_as_without_the_option(rence: Rence, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", FULL)
    assert rence("import", "attempts", "a.jsonl", "--out", "x").code == 0
    assert rence("import", "attempts", "a.jsonl", "--common", "--out", "y").code == 0
    place = "dapo/seed0/evals/step_0/sums/attempts.parquet"
    assert (tmp_path / "x" / place).read_bytes() == (tmp_path / "y" / place).read_bytes()
    assert "left_out" not in json.loads((tmp_path / "y/import.json").read_text())


def test_surplus_attempts_of_a_problem(rence: Rence, tmp_path: Path) -> None:
    surplus = {**FULL[0], "sample": 2, "correct": 0}
    write(tmp_path / "a.jsonl", [*FULL, surplus])
    done = rence("import", "attempts", "a.jsonl", "--common", "--out", "x", "--json")
    assert done.code == 0 and "1 attempts more than others have of their problem were left out." in done.json["notes"]
    assert done.json["attempts"] == 20 and done.json["left_out"] == []


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [row for row in FULL if (row["arm"] == "grpo") == (row["problem_id"] < "p03")],
            "sums: no problem was answered in full by all of its 2 evaluations; dapo seed 0 has 2 of 5.",
        ),
        ([row | {"correct": None} for row in FULL], "is needed"),
        ([row | {"mark": ""} for row in FULL], "none of the 20 rows has a result, so --common keeps nothing."),
    ],
)
def test_nothing_in_common(rence: Rence, tmp_path: Path, rows: Rows, said: str) -> None:
    write(tmp_path / "a.jsonl", rows)
    done = rence("import", "attempts", "a.jsonl", "--common", "--out", "x")
    assert done.code == 3 and said in done.err and not (tmp_path / "x").exists(), done.err


def test_k_1_against_k_32_and_a_benchmark_of_one_arm(rence: Rence, tmp_path: Path) -> None:
    rows = attempts({("grpo", 0, "sums"): 0.5}, problems=5, k=1) + attempts({("dapo", 0, "sums"): 0.25}, 5, 32)
    write(tmp_path / "a.jsonl", [*rows[:-1], *attempts({("grpo", 0, "tens"): 0.5}, problems=1, k=1)])
    done = rence("import", "attempts", "a.jsonl", "--common", "--out", "x", "--json")
    assert done.code == 0 and done.json["left_out"][0]["kept"] == 4
    assert rence("report", "x").code == 0


def test_answers_that_are_missing_are_not_marked(rence: Rence, tmp_path: Path) -> None:
    rows = [row | {"response": "\\boxed{4}", "gold": "4"} for row in FULL]
    rows = [{key: value for key, value in row.items() if key != "correct"} for row in rows]
    rows[0]["response"], rows[1]["response"] = None, ""
    write(tmp_path / "a.jsonl", rows)
    done = rence("import", "generations", "a.jsonl", "--common", "--out", "x", "--json")
    assert done.code == 0, done.err
    # the empty text is an answer, and a wrong one
    assert done.json["left_out"][0]["lacks"] == 1 and done.json["left_out"][0]["kept"] == 4
