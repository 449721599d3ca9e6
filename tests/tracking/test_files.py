"""What is read from a run folder, before MLflow hears of it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from harness.records import DataError, StepRecord, json_line
from harness.records.decode import decoder
from harness.tracking.files import MetricRow, Tail, VerdictFile, verdict_numbers
from harness.tracking.runs import batches


def lines(*steps: int) -> str:
    return "".join(json_line({**asdict(StepRecord(step, 1, 1, 1, 1)), "metrics": {"m": step}}) for step in steps)


def steps(tail: Tail) -> list[int]:
    return [line.step for line in tail.read()]


def test_a_tail_reads_each_whole_line_once(tmp_path: Path) -> None:
    path = tmp_path / "steps.jsonl"
    tail = Tail(path)
    assert tail.read() == []
    path.write_text(lines(1, 2, 3)[:-20])
    assert steps(tail) == [1, 2]
    assert steps(tail) == []
    with path.open("a") as file:
        file.write(lines(3)[-20:])
    assert steps(tail) == [3]


def test_a_tail_starts_over_when_the_file_was_cut_back(tmp_path: Path) -> None:
    path = tmp_path / "steps.jsonl"
    path.write_text(lines(1, 2, 3))
    tail = Tail(path)
    tail.read()
    path.write_text(lines(1))
    assert steps(tail) == [1]
    # cut back and grown past the old end between two looks, with lines of other lengths
    path.write_text(lines(1, 20, 30, 40))
    assert steps(tail) == [20, 30, 40]
    path.write_text(lines(100, 200, 300, 400, 5))
    assert steps(tail) == [100, 200, 300, 400, 5]


def test_a_line_that_is_no_step_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "steps.jsonl"
    path.write_text(lines(1) + "[]\n")
    with pytest.raises(DataError, match=r"a line of .*steps\.jsonl must be an object, but is a list of 0 instead"):
        Tail(path).read()


def test_batches_keep_rows_whole_and_sentinels_last() -> None:
    rows = [MetricRow(step, 0.0, {"first": 1.0, "a": 2.0, "b": 3.0}, sentinel="first") for step in (1, 2, 3)]
    made = list(batches(rows, limit=7))
    assert [[(name, step) for name, _, _, step in batch] for batch in made] == [
        [("a", 1), ("b", 1), ("first", 1), ("a", 2), ("b", 2), ("first", 2)],
        [("a", 3), ("b", 3), ("first", 3)],
    ]
    # a row that does not fit into one batch ends with its sentinel
    split = list(batches(rows[:1], limit=2))
    assert [[name for name, *_ in batch] for batch in split] == [["a", "b"], ["first"]]


def test_verdict_numbers_leave_out_what_could_not_be_estimated() -> None:
    score = {"mean": 0.5, "se": None, "ci_low": 0.4, "ci_high": 0.6, "n_problems": 9, "best": True}
    pair = {"a": "rence", "b": "grpo", "benchmark": "average", "family": "primary", "delta": 0.1, "p_value": None}
    verdict = {
        "arms": [{"arm": "rence", "per_benchmark": {"sums": score}, "average": None}],
        "pairs": [pair],
    }
    assert verdict_numbers(decoder(VerdictFile)(verdict)) == {
        "verdict/sums/rence/mean": 0.5,
        "verdict/sums/rence/ci_low": 0.4,
        "verdict/sums/rence/ci_high": 0.6,
        "verdict/average/primary/rence - grpo/delta": 0.1,
    }
