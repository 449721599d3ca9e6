"""What contradicts itself or is not there is refused with its place, and nothing is written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from .conftest import Done, attempts, write

Rence = Callable[..., Done]
TWO = attempts({("grpo", 0, "sums"): 0.5, ("dapo", 0, "sums"): 0.25}, problems=3, k=2)
LINES = {(row["arm"], row["problem_id"], row["sample"]): number for number, row in enumerate(TWO, 1)}


def changed(line: int, **cells: Any) -> list[dict[str, Any]]:
    return [row | cells if number == line else row for number, row in enumerate(TWO, 1)]


CASES = [
    (TWO[:-1], "dapo seed 0 on sums: the problem p02 has 1 attempts, but p00 has 2; 1 of 3 problems have fewer"),
    ([*TWO, TWO[4]], "a.jsonl:5 and a.jsonl:13 are the same attempt: grpo seed 0 on sums, problem p01, sample 1"),
    (changed(3, correct=None), "a.jsonl:3: `correct` is empty"),
    (changed(3, correct=2), "a.jsonl:3: `correct` must be 0 or 1, but is `2`"),
    (changed(3, correct="yes"), "a.jsonl:3: `correct` must be 0 or 1, but is `yes`"),
    (changed(3, mark="right"), "a.jsonl:1: `mark` is empty (and so in 10 more rows)"),
    ([row | {"mark": "right"} for row in TWO], "a.jsonl:1: `mark` must be one of correct, wrong, no_answer"),
    ([row | {"mark": "wrong"} for row in TWO], "a.jsonl:1: `mark` is `wrong`, but `correct` is `1`"),
    (changed(7, seed=None), "a.jsonl:7: `seed` is empty"),
    (changed(7, seed=0.5), "a.jsonl:7: `seed` must be a whole number of at least 0, but is `0.5`"),
    (changed(7, seed=-1), "a.jsonl:7: `seed` must be a whole number of at least 0, but is `-1`"),
    (changed(7, seed=True), "a.jsonl:7: `seed` must be a whole number of at least 0, but is `True`"),
    (changed(2, problem_id=""), "a.jsonl:2: `problem_id` is empty"),
    (changed(2, problem_id=["a"]), "a.jsonl:2: `problem_id` must be a text or a whole number"),
    (changed(2, tokens=5), "a.jsonl:1: `tokens` is empty (and so in 10 more rows)"),
    (changed(12, problem_id="p09"), "the problem p02 has 1 attempts"),
    (
        [row | ({"problem_id": "p07"} if row["arm"] == "dapo" and row["problem_id"] == "p02" else {}) for row in TWO],
        "sums was asked with different problems, so answers cannot be paired: 2 are in both, 1 (p02) only in grpo seed "
        "0 on sums, 1 (p07) only in dapo seed 0 on sums.",
    ),
    (
        [row | {"gold": "5" if row["arm"] == "dapo" and row["problem_id"] != "p00" else "4"} for row in TWO],
        "sums was asked with different golds: that of the problem p01 differs between grpo seed 0 on sums and dapo "
        "seed 0 on sums, and so do 1 others.",
    ),
    (
        [row | {"benchmark_hash": row["arm"]} for row in TWO],
        "sums is there in 2 versions (grpo in grpo seed 0 on sums, dapo in dapo seed 0 on sums)",
    ),
    (changed(2, template="b"), "a.jsonl:"),
    ([row | {"arm": "start"} for row in TWO], "a.jsonl:1: `start` is the untrained model, and its `seed` must be"),
    ([row | {"arm": "start", "seed": None} for row in TWO[:6]], "there is nothing but `start`"),
    ([{**row, "arm": None} for row in TWO], "a.jsonl:1: `arm` is empty (and so in 11 more rows)"),
    ([{key: row[key] for key in row if key != "problem_id"} for row in TWO], "a.jsonl lacks the column `problem_id`"),
    ([{key: row[key] for key in row if key != "correct"} for row in TWO], "`correct` (0 or 1) or `mark` is needed"),
    ([], "a.jsonl holds no rows"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "said"), CASES)
def test_contradictions_are_refused(rence: Rence, tmp_path: Path, rows: list[dict[str, Any]], said: str) -> None:
    write(tmp_path / "a.jsonl", rows)
    done = rence("import", "attempts", "a.jsonl", "--out", "runs/x")
    assert done.code == 3 and said in done.err and done.out == "", done.err
    assert sorted(path.name for path in tmp_path.rglob("*")) in (["a.jsonl"], ["a.jsonl", "runs"])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", b'{"arm": "a"}\n{"arm": NaN}\n', "a.jsonl:2 is not valid JSON: NaN is no number of JSON"),
        ("a.jsonl", b'{"arm": "a"}\n{"arm": "b", "se', "a.jsonl:2 is not valid JSON"),
        ("a.jsonl", b"[1]\n", "a.jsonl:1 must be an object, but is list"),
        ("a.jsonl", b"\xff\n", "a.jsonl is not UTF-8"),
        ("a.csv", b"arm,seed\ngrpo,0\ngrpo\n", "a.csv:3 must have 2 cells"),
        ("a.csv", b"arm,seed\ngrpo,0,1\n", "a.csv:2 must have 2 cells"),
        ("a.csv", b'arm,seed\n"grpo"x,0\n', "a.csv:2 is not valid CSV"),
        ("a.parquet", b"PAR1", "a.parquet cannot be read"),
        ("a.txt", b"", "a.txt: the name must end in .jsonl, .csv or .parquet"),
    ],
)
def test_files_that_are_not_what_they_must_be(
    rence: Rence, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    done = rence("import", "attempts", name, "--out", "x")
    assert done.code == 3 and said in done.err and not (tmp_path / "x").exists()


def test_a_parquet_file_cut_in_half_and_one_with_nan(rence: Rence, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pd.DataFrame(TWO).assign(correct=[1.0, float("nan"), *[0.0] * 10]).to_parquet(path)
    done = rence("import", "attempts", "a.parquet", "--out", "x")
    assert done.code == 3 and "a.parquet, row 2: `correct` is empty" in done.err
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    done = rence("import", "attempts", "a.parquet", "--out", "x")
    assert done.code == 3 and "a.parquet cannot be read" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none.jsonl"], "none.jsonl does not exist. A PATH is a file, a folder"),
        (["empty"], "empty holds no *.jsonl, *.csv or *.parquet"),
        (["a.jsonl", "./a.jsonl"], "a.jsonl is named twice"),
        (["grpo=a.jsonl"], "a.jsonl has a column `arm`, so the command must not say it too"),
        (["a b=a.jsonl"], "`a b` cannot be an arm's name"),
        (["report=a.jsonl"], "`report` cannot be an arm's name"),
        (["{arm}/seed{seed}.jsonl"], "{arm}/seed{seed}.jsonl stands for nothing that is there. An example"),
        (["{arm}/{arm}"], "{arm}/{arm}: arm, seed and step can each be said once."),
        (["grpo={arm}.jsonl"], "{arm}.jsonl: arm, seed and step can each be said once."),
        (["start/seed0=a.jsonl"], "`start` is the untrained model and has neither seed nor step"),
        (["a.jsonl", "--seed", "1"], "a.jsonl has a column `seed`"),
        (["a.jsonl", "--target", "gpro"], "there is no arm `gpro` in what is imported. Did you mean `grpo`?"),
        (["a.jsonl", "--baseline", "ppo"], "there is no arm `ppo`"),
        (["a.jsonl", "--target", "grpo", "--baseline", "grpo"], "the target cannot be its own baseline"),
        (["a.jsonl", "--column", "response"], "--column response: it must be NAME=THEIRS"),
        (["a.jsonl", "--column", "respnse=text"], "there is no column `respnse`. Did you mean `response`?"),
    ],
)
def test_words_that_cannot_be_followed(rence: Rence, tmp_path: Path, words: list[str], said: str) -> None:
    write(tmp_path / "a.jsonl", TWO)
    (tmp_path / "empty").mkdir()
    done = rence("import", "attempts", *words, "--out", "x")
    assert done.code == 2 and said in done.err and not (tmp_path / "x").exists(), done.err


def test_an_arm_that_no_folder_can_be_called(rence: Rence, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [row | {"arm": "../x"} for row in TWO])
    done = rence("import", "attempts", "a.jsonl", "--out", "x")
    assert done.code == 2 and "`../x` cannot be an arm's name" in done.err


def test_what_is_at_out_is_replaced_only_if_it_is_ours_and_asked_for(rence: Rence, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", TWO)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("x")
    for words in ([], ["--clean"]):
        done = rence("import", "attempts", "a.jsonl", "--out", "mine", *words)
        assert done.code == 2 and "mine exists and was not imported by rence" in done.err
    assert (tmp_path / "mine/thesis.tex").exists()
    assert rence("import", "attempts", "a.jsonl", "--out", "x").code == 0
    before = (tmp_path / "x/plan.json").read_bytes()
    done = rence("import", "attempts", "a.jsonl", "--out", "x")
    assert done.code == 2 and "--clean replaces it" in done.err
    write(tmp_path / "a.jsonl", TWO[:-1])  # broken: what is there stays
    assert rence("import", "attempts", "a.jsonl", "--out", "x", "--clean").code == 3
    assert (tmp_path / "x/plan.json").read_bytes() == before
    write(tmp_path / "a.jsonl", [row for row in TWO if row["arm"] == "grpo"])
    assert rence("import", "attempts", "a.jsonl", "--out", "x", "--clean").code == 0
    assert [arm["name"] for arm in json.loads((tmp_path / "x/plan.json").read_text())["arms"]] == ["grpo"]
    assert sorted(os.listdir(tmp_path)) == ["a.jsonl", "mine", "x"]  # and no half-written folder beside it


def test_one_arm_one_seed_one_problem_is_a_report(rence: Rence, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", TWO[:1])
    assert rence("import", "attempts", "a.jsonl", "--out", "x").code == 0
    assert rence("report", "x").code == 0
    page = (tmp_path / "x/report/report.md").read_text(encoding="utf-8")
    assert "grpo has nothing to be compared with." in page and "too few problems or seeds for an interval" in page
