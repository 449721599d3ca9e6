"""The scores of one evaluated model: worked out by hand, and refused where files make no table."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import reports
from benchmarks import scoring
from benchmarks.marks import Mark, Marked
from harness.evaluation import attempts
from harness.records import Attempt, DataError, EvalFolder, EvalRecord
from harness.records.chain import BrokenSeal
from reports.statistics.votes import majority

HEADER = EvalRecord(
    arm="model", seed=None, step=0, rollouts=0, grid=0, benchmark="", benchmark_hash="", problems=0, k=2,
    model_hash="weights", template="chat", engine="local", engine_version="1", grader_version="7",
    sampling={"temperature": 0.6, "top_p": 0.95, "max_tokens": 4096, "seed": 0, "chunk_problems": 32},
)  # fmt: skip
MARKS = {"c": "correct", "w": "wrong", "n": "no_answer", "t": "truncated", "f": "grader_failed"}


def write(root: Path, benchmark: str, problems: dict[str, str], second: str = "", **header: Any) -> EvalFolder:
    """
    Args:
        problems: id -> a letter for each attempt's mark; answers are `gold` or `id`.
        second: a letter for each attempt's second mark, all problems in a row.
    """
    folder, k = EvalFolder(root / "evals" / benchmark), len(next(iter(problems.values())))
    made = replace(HEADER, benchmark=benchmark, benchmark_hash=benchmark, problems=len(problems), k=k, **header)
    made.write(folder.header)
    seconds = iter(second)
    rows = [
        Attempt(
            arm="model", seed=None, step=0, benchmark=benchmark, problem_id=name, sample=sample, response="",
            answer={"c": "gold", "w": name, "f": name}.get(letter), gold="gold", mark=MARKS[letter],
            finish_reason="stop", tokens=10 * (sample + 1), template="chat", engine="local", generation_key="",
            grader_version="7", mark_second=MARKS[next(seconds)] if second else None,
        )
        for name, letters in problems.items()
        for sample, letter in enumerate(letters)
    ]  # fmt: skip
    attempts.append(folder, rows)
    attempts.seal(folder)
    return folder


def test_scores_worked_out_by_hand(tmp_path: Path) -> None:
    write(tmp_path, "sums", {"a": "cc", "b": "cw", "c": "nt", "d": "ff"})
    found = reports.evaluated_model(tmp_path).to_json()
    sums = found["per_benchmark"]["sums"]
    # per-problem means 1, 1/2, 0, 0: mean 3/8; deviations 5/8, 1/8, -3/8, -3/8, squares add up to 44/64, so
    # variance 44/192 and standard error sqrt(44/192/4) = .23936. A t interval would reach from -39 to 114 percent
    assert sums["mean"] == 0.375 and sums["se"] == pytest.approx(0.23936, abs=1e-5) and sums["df"] == 3
    assert 0 <= sums["ci_low"] < 0.1 and 0.75 < sums["ci_high"] <= 1
    assert sums["pass_at_k"] == 0.5, "a and b"
    assert sums["maj_at_k"] == 0.375, "a: 1; b: one vote each, 1/2; c: no votes; d: wrong"
    assert sums["marks"] == {"correct": 3, "wrong": 1, "no_answer": 1, "truncated": 1, "grader_failed": 2}
    assert (sums["no_answer"], sums["truncated"], sums["grader_failed"]) == (1 / 8, 1 / 8, 1 / 4)
    assert sums["mean_tokens"] == 15 and sums["n_problems"] == 4 and sums["k"] == 2
    assert "markers_disagree" not in sums
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_average_weighs_benchmarks_alike(tmp_path: Path) -> None:
    write(tmp_path, "sums", {"a": "c", "b": "w"})
    write(tmp_path, "chains", {f"p{i}": "cw"[i % 4 > 0] for i in range(8)})
    average = reports.evaluated_model(tmp_path).to_json()["average"]
    # 1/2 and 1/4. Variances of the means: .5/2 = .25 and (1.5/7)/8 = .026786; of the average (.25 + .026786)/4.
    assert average["mean"] == 0.375 and average["se"] == pytest.approx((0.276786 / 4) ** 0.5, abs=1e-5)
    assert average["target"] == "checkpoints"


def test_benchmarks_that_share_problems_are_not_averaged(tmp_path: Path) -> None:
    write(tmp_path, "amc12", {"a": "c", "b": "w", "c": "w"})
    write(tmp_path, "amc23", {"a": "c", "b": "w"})
    found = reports.evaluated_model(tmp_path)
    assert found.average is None and found.to_json()["average"] is None
    assert "No average: amc12 and amc23 have 2 problems in common." in reports.evaluation_text(found, 200)
    assert "average  " not in reports.evaluation_text(found, 200)


def test_where_nothing_varies_the_interval_is_as_wide_as_what_was_not_seen(tmp_path: Path) -> None:
    write(tmp_path, "sums", {"a": "w", "b": "w"})
    found = reports.evaluated_model(tmp_path)
    sums = found.to_json()["per_benchmark"]["sums"]
    # of two problems, both wrong: 1 - .025^(1/2)
    assert (sums["ci_low"], sums["ci_high"]) == pytest.approx((0, 1 - 0.025**0.5))
    assert "0.0 to 84.2" in reports.evaluation_text(found, 200).splitlines()[2]


def test_where_two_markers_disagree(tmp_path: Path) -> None:
    # one correct and the other not: b's second, c's first; d's marks are no marks
    write(tmp_path, "sums", {"a": "cn", "b": "cc", "c": "wf", "d": "cf"}, second="cwcwcffc", second_marker=True)
    found = reports.evaluated_model(tmp_path)
    sums = found.to_json()["per_benchmark"]["sums"]
    assert (sums["markers_disagree"], sums["second_marker_failed"]) == (2, 2)
    lines = reports.evaluation_text(found, 200).splitlines()
    assert lines[0].endswith("markers disagree") and lines[2].split()[-1] == "2"
    assert lines[-1] == ("Engine local 1; marker 7 beside a second, Math-Verify alone, on which no score depends.")


def test_a_narrow_terminal_gets_two_tables(tmp_path: Path) -> None:
    write(tmp_path, "olympiadbench", {"a": "cc", "b": "cw"}, limit=2)
    write(tmp_path, "sums", {"c": "cc", "d": "cw"}, limit=2)
    found = reports.evaluated_model(tmp_path)
    wide, narrow = (reports.evaluation_text(found, width).splitlines() for width in (160, 80))
    assert wide[4].split()[:2] == ["average", "75.0"] and wide[5] == ""
    assert max(map(len, narrow)) <= 80 and [line.split()[:1] for line in narrow[:9]] == [
        ["benchmark"], [narrow[1]], ["OlympiadBench"], ["sums"], ["average"], [], ["benchmark"], [narrow[7]],
        ["OlympiadBench"],
    ]  # fmt: skip
    assert "Model model, template chat, the first 2 problems of each benchmark only." in narrow


def test_what_is_not_complete_is_left_out_and_said(tmp_path: Path) -> None:
    write(tmp_path, "sums", {"a": "c", "b": "w"})
    write(tmp_path, "chains", {"c": "c"}).attempts.unlink()
    found = reports.evaluated_model(tmp_path)
    assert [result.name for result in found.results] == ["sums"]
    assert found.notes == ["Begun but not complete, and left out: chains."]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"model_hash": "others"}, "sums/eval.json says `model_hash: weights`, where others belongs"),
        ({"limit": 5}, "`limit` is 5 for chains, but None for sums"),
        ({"sampling": {**HEADER.sampling, "top_p": 1.0}}, "`sampling` is .*'top_p': 1.0"),
    ],
)
def test_two_models_are_no_table(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    write(tmp_path, "sums", {"a": "c", "b": "w"})
    write(tmp_path, "chains", {"c": "c", "d": "w"}, **changed)
    with pytest.raises((DataError, BrokenSeal), match=words):
        reports.evaluated_model(tmp_path)


def test_chunks_may_differ(tmp_path: Path) -> None:
    write(tmp_path, "sums", {"a": "c", "b": "w"})
    write(tmp_path, "chains", {"c": "c", "d": "w"}, sampling={**HEADER.sampling, "chunk_problems": 2})
    assert reports.evaluated_model(tmp_path).average is not None


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no complete evaluation"):
        reports.evaluated_model(tmp_path)


def test_a_torn_file_is_no_table(tmp_path: Path) -> None:
    folder = write(tmp_path, "sums", {"a": "c", "b": "w"})
    folder.attempts.write_bytes(folder.attempts.read_bytes()[:-50])
    with pytest.raises(BrokenSeal, match=r"attempts.parquet is not what seal.json beside it was made with"):
        reports.evaluated_model(tmp_path)
    folder.seal.unlink()  # as of before there were seals
    with pytest.raises(DataError, match=r"attempts.parquet cannot be read"):
        reports.evaluated_model(tmp_path)


@pytest.mark.parametrize(
    ("votes", "score"),
    [
        ([(True, "1/2"), (True, "0.5"), (False, "2"), (False, "2"), (False, "3")], 0.5),  # correct ones are one class
        ([(False, "1 0"), (False, "10"), (True, "5")], 0.0),  # equal but for blanks
        ([(True, "5"), (False, "6"), (False, "7")], 1 / 3),
        ([(False, None), (False, None), (True, "5")], 1.0),  # without an answer there is no vote
        ([(False, None)], 0.0),
        ([], 0.0),
    ],
)
def test_majority(votes: list[tuple[bool, str | None]], score: float) -> None:
    correct, answers = np.array([c for c, _ in votes], bool), pa.array([a for _, a in votes], pa.string())
    alone = majority(np.zeros(len(votes), int), correct, answers, 1)
    assert alone.tolist() == pytest.approx([score])
    # between two problems that have the same answers, one right and one without a vote
    both = pa.concat_arrays([pa.array(["10"]), answers, pa.array([None], pa.string())])
    problems = np.array([0, *[1] * len(votes), 2])
    assert majority(problems, np.array([True, *correct, False]), both, 3).tolist() == pytest.approx([1, score, 0])


def test_majority_agrees_with_the_rule_for_one_problem() -> None:
    """Against the same rule on marked attempts, in `benchmarks.scoring`, on random votes."""
    rng = np.random.default_rng(0)
    problems, answers = rng.integers(0, 40, 400), rng.choice(["1", "1 ", "2", "3", None], 400)
    correct = (rng.random(400) < 0.3) & (answers != None)  # noqa: E711  elementwise
    found = majority(problems, correct, pa.array(answers, pa.string()), 40)
    for problem in range(40):
        mine = problems == problem
        marked = [
            Marked(Mark.CORRECT if right else Mark.WRONG, answer)
            for right, answer in zip(correct[mine], answers[mine], strict=True)
        ]
        assert found[problem] == pytest.approx(scoring.maj(marked))
