"""`rence grade`: marks for any file, agreement with labels, and files that are not what they must be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [
    {"gold": "1/2", "pred": "so \\boxed{0.5}", "expected": 1, "id": "a"},
    {"gold": "x^2-1", "pred": "(x-1)(x+1)", "expected": 1},
    {"gold": "42", "pred": "The answer is 41", "expected": 0},
    {"gold": "42", "pred": "The answer is 42", "expected": 0},  # a wrong label
    {"gold": "7", "pred": "", "expected": 0},
    {"gold": "2", "pred": "\\boxed{(10^{100000000}+1)!}", "expected": 0},
]


def grade(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rence", "grade", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return path


def test_marks_agreement_and_misses(file: Path) -> None:
    done = grade(file.name, "--workers", "1", cwd=file.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Agreement: 4 of 6 (66.67 %); the marker failed on 1, which agree with nothing" in done.stdout
    assert "Reading anywhere. Rules: maths 6. Answers were found: bare 1, box 2, none 1, stated 2." in done.stdout
    misses = [line.split() for line in done.stdout.splitlines() if line.strip().startswith("4 ")]
    assert misses == [["4", "wrong", "correct", "42", "42", "equal"]]


def test_one_document_and_a_file_of_lines(file: Path) -> None:
    done = grade(file.name, "--json", "--second-marker", "--out", "marked.jsonl", cwd=file.parent)
    found = json.loads(done.stdout)
    assert found["rows"] == found["labelled"] == 6 and (found["agree"], found["failed"]) == (4, 1)
    assert found["reading"] == "anywhere" and found["found"] == {"bare": 1, "box": 2, "none": 1, "stated": 2}
    assert found["marks"] == {"correct": 3, "grader_failed": 1, "no_answer": 1, "wrong": 1}
    assert [miss["line"] for miss in found["misses"]] == [4, 6]
    assert (found["markers_disagree"], found["second_marker_failed"]) == (1, 1)
    lines = [json.loads(line) for line in (file.parent / "marked.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["mark"] for line in lines] == ["correct", "correct", "wrong", "correct", "no_answer", "grader_failed"]
    assert [line["reason"] for line in lines if line["mark"] == "no_answer"] == ["the response is empty"]
    assert all(line["reason"] for line in lines if line["mark"] != "correct")
    assert lines[0]["id"] == "a" and lines[0]["answer"] == "0.5" and lines[0]["mark_second"] == "correct"
    assert all(line["grader_version"] == found["grader_version"] for line in lines)


def marks_of(tmp_path: Path, rows: list[dict], *options: str) -> list[str]:
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = grade("a.jsonl", "--out", "b.jsonl", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return [json.loads(line)["mark"] for line in (tmp_path / "b.jsonl").read_text().splitlines()]


def test_readings(tmp_path: Path) -> None:
    preds = ["\\boxed{5}", "The answer is 5.", "5", "so $x = 5$ and that was it, as we know", "<think>5</think>"]
    preds += ["\\boxed{5} or \\boxed{"]
    rows = [{"gold": "5", "pred": pred} for pred in preds]
    anywhere = ["correct"] * 4 + ["no_answer"] * 2
    boxed = ["correct"] + ["no_answer"] * 5
    assert marks_of(tmp_path, rows) == marks_of(tmp_path, rows, "--reading", "anywhere") == anywhere
    assert marks_of(tmp_path, rows, "--reading", "box") == marks_of(tmp_path, rows, "--reading", "rule") == boxed


def test_multiple_choice(tmp_path: Path) -> None:
    rows = [{"gold": "B", "pred": "**Answer:** (B)"}, {"gold": "B", "pred": "\\boxed{B: text}"}]
    rows += [{"gold": "B", "pred": "Answer: B or C"}, {"gold": "A", "pred": "A person"}]
    found = ["correct", "correct", "wrong", "no_answer"]
    assert marks_of(tmp_path, rows, "--rule", "choice") == found
    assert marks_of(tmp_path, [{**row, "rule": "choice"} for row in rows], "--reading", "rule") == found
    assert marks_of(tmp_path, rows)[:3] == ["correct", "correct", "wrong"], "without a rule the gold is enough"
    (tmp_path / "a.jsonl").write_text('{"gold": "A", "pred": "A"}\n{"gold": "42", "pred": "A"}\n')
    done = grade("a.jsonl", "--rule", "choice", cwd=tmp_path)
    assert (
        done.returncode == 2
        and "a.jsonl:2: `gold` of multiple choice must be a letter, A to J, but is `42`" in done.stderr
    )


def test_a_lines_own_rule_goes_before_the_options(tmp_path: Path) -> None:
    rows = [{"gold": "12", "pred": "5+7"}, {"gold": "12", "pred": "5+7", "rule": "numbers"}]
    rows += [{"gold": "1.6", "pred": "1.61", "tolerance": 0.02}, {"gold": "1.6", "pred": "1.61"}]
    assert marks_of(tmp_path, rows) == ["correct", "wrong", "correct", "wrong"]
    assert marks_of(tmp_path, rows, "--rule", "numbers")[0] == "wrong"


@pytest.mark.parametrize("options, mark", [((), "wrong"), (("--tolerance", "0.02"), "correct")])
def test_tolerance(tmp_path: Path, options: tuple[str, ...], mark: str) -> None:
    (tmp_path / "a.jsonl").write_text('{"gold": "1.6", "pred": "1.61"}\n')
    assert list(json.loads(grade("a.jsonl", "--json", *options, cwd=tmp_path).stdout)["marks"]) == [mark]


@pytest.mark.parametrize(
    "content, said",
    [
        (b'{"gold": "1", "pred": "1"}\nnonsense\n', "a.jsonl:2: the line is not JSON"),
        (b"[1]\n", "a.jsonl:1: the line must be an object with `gold` and `pred`, but is list"),
        (b'\n{"gold": "1"}\n', "a.jsonl:2: `pred` is missing"),
        (b'{"gold": [1], "pred": "1"}\n', "a.jsonl:1: `gold` must be text or a number, but is `[1]`"),
        (b'{"gold": " ", "pred": "1"}\n', "a.jsonl:1: `gold` is empty"),
        (b'{"gold": "1", "pred": 1}\n', "a.jsonl:1: `pred` must be text, but is int"),
        (
            b'{"gold": "1", "pred": "1", "tolerance": NaN}\n',
            "a.jsonl:1: the line is not JSON: NaN is no number of JSON",
        ),
        (
            b'{"gold": "1", "pred": "1", "tolerance": true}\n',
            "`tolerance` must be a number from 0 to 0.5, but is `true`",
        ),
        (b'{"gold": "1", "pred": "1", "tolerance": "1%"}\n', "`tolerance` must be a number from 0 to 0.5, but is `1%`"),
        (
            b'{"gold": "1", "pred": "1", "tolerance": 1e9}\n',
            "a.jsonl:1: `tolerance` must be a number from 0 to 0.5, but",
        ),
        (
            b'{"gold": "1", "pred": "1", "tolerance": -1}\n',
            "a.jsonl:1: `tolerance` must be a number from 0 to 0.5, but",
        ),
        (
            b'{"gold": "1", "pred": "1", "rule": "math"}\n',
            "a.jsonl:1: `rule` must be one of maths, numbers, choice, but is `math`. Did you mean `maths`?",
        ),
        (b'{"gold": "1", "pred": "1", "expected": "yes"}\n', "a.jsonl:1: `expected` must be 0 or 1"),
        (
            b'{"gold": "1", "pred": "1", "rule": "letters"}\n',
            "a.jsonl:1: `rule` must be one of maths, numbers, choice, but is `letters`.",
        ),
        (b"\xff\n", "a.jsonl is not UTF-8"),
        (b"[" * 100_000 + b"\n", "a.jsonl:1: the line is not JSON"),
    ],
)
def test_a_file_that_is_not_what_it_must_be(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(content)
    done = grade("a.jsonl", cwd=tmp_path)
    assert done.returncode == 2 and said in done.stderr and len(done.stderr.splitlines()) <= 3
    assert "Traceback" not in done.stderr and done.stdout == ""


def test_what_is_accepted_and_what_every_line_gets(tmp_path: Path) -> None:
    """A byte-order mark, golds that are numbers, null where nothing is said; `extra` is not looked at."""
    rows = [{"gold": 4, "pred": "\\boxed{4}", "rule": None, "tolerance": None}]
    rows += [{"gold": 2.5, "pred": "2.49", "extra": {"precision": 1}}, {"gold": "b)", "pred": "B", "rule": "choice"}]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "a.jsonl").write_text(text, encoding="utf-8-sig")
    done = grade("a.jsonl", "--out", "b.jsonl", "--tolerance", "0.001", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rules"] == {"choice within 0.001": 1, "maths within 0.001": 2}
    lines = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text().splitlines()]
    assert [line["mark"] for line in lines] == ["correct", "wrong", "correct"]
    assert [line["rule"] for line in lines] == ["maths", "maths", "choice"] and lines[0]["gold"] == 4
    assert {line["tolerance"] for line in lines} == {0.001} and {line["reading"] for line in lines} == {"anywhere"}
    assert [line["place"] for line in lines] == ["box", "bare", "bare"]


def test_golds_that_state_no_answer_are_told(tmp_path: Path) -> None:
    rows = [{"gold": "5", "pred": "5"}, {"gold": "the boy went home", "pred": "5"}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = grade("a.jsonl", "--json", cwd=tmp_path)
    assert done.returncode == 0 and json.loads(done.stdout)["rows"] == 2
    assert "a.jsonl: 1 golds state no answer (line 2)" in done.stderr


def test_a_folder_is_no_file_to_write(file: Path) -> None:
    done = grade(file.name, "--out", ".", cwd=file.parent)
    assert done.returncode == 2 and "--out . is a folder." in done.stderr and "bug" not in done.stderr


def test_no_file_and_an_empty_one(tmp_path: Path) -> None:
    done = grade("none.jsonl", cwd=tmp_path)
    assert done.returncode == 2 and "none.jsonl does not exist" in done.stderr
    (tmp_path / "empty.jsonl").touch()
    done = grade("empty.jsonl", cwd=tmp_path)
    assert done.returncode == 2 and "empty.jsonl holds no lines" in done.stderr


def test_text_of_any_kind_comes_through(tmp_path: Path) -> None:
    texts = ["\0\\boxed{1}", "\ud800\\boxed{2}", "\u202e\\boxed{3}", "a" * 100_000, "\\boxed{" + "{" * 1000]
    rows = [{"gold": "1", "pred": text} for text in texts]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = grade("a.jsonl", "--out", "b.jsonl", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text().splitlines()]
    assert [line["pred"] for line in lines] == texts
    assert [line["mark"] for line in lines[:3]] == ["correct", "wrong", "wrong"]
