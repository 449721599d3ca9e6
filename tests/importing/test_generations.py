"""Raw generations are marked by our marker, by the rule that is asked for; two real models' difference is found."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from .conftest import Done, verdict, write

Rence = Callable[..., Done]
DATA = os.environ.get("RENCE_DATA_DIR", "")
GSM8K = Path(DATA) / "grading" / "real_gsm8k_6b.jsonl"
ANSWERS = ["\\boxed{4}", "The answer is 4", "\\boxed{5}", "I do not know", "let me think"]


def marks(run: Path, benchmark: str) -> list[str]:
    return pq.read_table(run / f"a/seed0/evals/step_0/{benchmark}/attempts.parquet")["mark"].to_pylist()


def rows(benchmark: str, gold: str, answers: list[str]) -> list[dict]:
    reasons = ["stop"] * (len(answers) - 1) + ["length"]
    return [
        {"problem_id": 7, "sample": i, "response": text, "gold": gold, "finish_reason": reason, "benchmark": benchmark}
        for i, (text, reason) in enumerate(zip(answers, reasons, strict=True))
    ]


def test_marks_by_box_or_anywhere(rence: Rence, tmp_path: Path) -> None:
    write(tmp_path / "g.jsonl", rows("x", "4", ANSWERS))
    assert rence("import", "generations", "a/seed0=g.jsonl", "--out", "boxed").code == 0
    assert marks(tmp_path / "boxed", "x") == ["correct", "no_answer", "wrong", "no_answer", "truncated"]
    done = rence(
        "import", "generations", "g.jsonl", "--arm", "a", "--seed", "0", "--reading", "anywhere", "--out", "any"
    )
    assert done.code == 0 and "the answer may stand anywhere" in done.out
    assert marks(tmp_path / "any", "x")[:3] == ["correct", "correct", "wrong"]
    header = json.loads((tmp_path / "any/a/seed0/evals/step_0/x/eval.json").read_text())
    assert header["grader_version"].endswith(", reading anywhere")
    assert rence("report", "any").code == 0


def test_the_benchmark_says_what_counts_as_equal_unless_the_command_does(rence: Rence, tmp_path: Path) -> None:
    near = [*rows("minerva_math", "1.00001", ["\\boxed{1.0}"]), *rows("math500", "1.00001", ["\\boxed{1.0}"])]
    near += rows("mini_sums", "12", ["\\boxed{5+7}"])
    write(tmp_path / "g.jsonl", near)
    assert rence("import", "generations", "a/seed0=g.jsonl", "--out", "x").code == 0
    found = {name: marks(tmp_path / "x", name) for name in ("minerva_math", "math500", "mini_sums")}
    assert found == {"minerva_math": ["correct"], "math500": ["wrong"], "mini_sums": ["wrong"]}
    assert rence("import", "generations", "a/seed0=g.jsonl", "--tolerance", "0.01", "--out", "y").code == 0
    assert marks(tmp_path / "y", "math500") == ["correct"]
    assert marks(tmp_path / "y", "mini_sums") == ["wrong"], "a tolerance changes nothing else of the rule"


def test_multiple_choice_by_the_row_or_by_the_command(rence: Rence, tmp_path: Path) -> None:
    answers = ["Answer: B", "\\boxed{b}", "Option C is correct", "I do not know"]
    lettered = rows("x", "B", [*answers[:-1], "cut"])
    write(tmp_path / "g.jsonl", [{**row, "rule": "choice"} for row in lettered])
    done = rence("import", "generations", "a/seed0=g.jsonl", "--out", "own")
    assert done.code == 0 and "not used" not in done.out, done.err
    assert marks(tmp_path / "own", "x") == ["correct", "correct", "wrong", "truncated"]
    write(tmp_path / "bare.jsonl", lettered)
    done = rence("import", "generations", "a/seed0=bare.jsonl", "--rule", "choice", "--out", "told")
    assert done.code == 0 and marks(tmp_path / "told", "x") == marks(tmp_path / "own", "x")
    assert "rule choice" in done.out
    write(tmp_path / "g.jsonl", [{**row, "rule": "chioce"} for row in lettered])
    done = rence("import", "generations", "a/seed0=g.jsonl", "--out", "none")
    assert done.code == 3 and "but is `chioce`. Did you mean `choice`?" in done.err


def test_responses_without_an_answer_are_told(rence: Rence, tmp_path: Path) -> None:
    write(tmp_path / "g.jsonl", rows("x", "4", ["The answer is 4", "4", "\\boxed{4}"]))
    done = rence("import", "generations", "a/seed0=g.jsonl", "--out", "x")
    assert "No answer was found in 2 of 3 responses. `--reading anywhere` also takes answers" in done.out
    done = rence("import", "generations", "a/seed0=g.jsonl", "--reading", "anywhere", "--out", "y")
    assert "No answer was found" not in done.out


@pytest.mark.parametrize(
    ("row", "code", "said"),
    [
        ({"problem_id": 1, "sample": 0, "gold": "4"}, 3, "g.jsonl lacks the column `response`"),
        ({"problem_id": 1, "sample": 0, "response": "4"}, 3, "g.jsonl lacks the column `gold`"),
        ({"problem_id": 1, "sample": 0, "response": None, "gold": "4"}, 3, "g.jsonl lacks the column `response`"),
        ({"problem_id": 1, "response": "4", "gold": "4"}, 3, "g.jsonl lacks the column `sample`"),
    ],
)
def test_what_a_row_needs(rence: Rence, tmp_path: Path, row: dict, code: int, said: str) -> None:
    write(tmp_path / "g.jsonl", [row])
    done = rence("import", "generations", "a/seed0=g.jsonl", "--benchmark", "x", "--out", "x")
    assert (done.code, said in done.err) == (code, True), done.err


@pytest.mark.skipif(not GSM8K.exists(), reason="set RENCE_DATA_DIR to a folder that holds grading/real_gsm8k_6b.jsonl")
def test_two_real_models_on_gsm8k(rence: Rence, tmp_path: Path) -> None:
    """The conversion of docs/how-to/import.md. By the labels of the file, 515 against 286 of 1,319 are correct."""
    data = pd.read_json(GSM8K, lines=True, dtype=False)
    data["arm"] = data["source"].str.split("6b_").str[-1]
    data["problem_id"] = data.groupby("arm").cumcount()
    data.assign(seed=0, sample=0, benchmark="gsm8k").to_json("generations.jsonl", orient="records", lines=True)
    correct = data.groupby("arm")["expected"].sum()
    words = ["--column", "response=pred", "--reading", "anywhere", "--target", "verification", "--out", "gsm8k"]
    assert rence("import", "generations", "generations.jsonl", *words).code == 0
    assert rence("report", "gsm8k").code == 0
    found = verdict(tmp_path / "gsm8k")
    assert [arm["per_benchmark"]["gsm8k"]["n_problems"] for arm in found["arms"]] == [1319, 1319]
    (pair,) = [pair for pair in found["pairs"] if pair["family"] == "primary"]
    assert pair["delta"] == pytest.approx((correct["verification"] - correct["finetuning"]) / 1319)
    assert pair["significant"] and pair["p_value"] < 1e-30 and pair["covers"] == "checkpoints"
    assert 0.14 < pair["ci_low"] < pair["delta"] < pair["ci_high"] < 0.21
    compared = rence("compare", "gsm8k/verification", "gsm8k/finetuning", "--json").json
    assert compared["pairs"][0]["delta"] == pytest.approx(pair["delta"])
