"""Messages of `rence import PATH`: no command that they offer makes a wrong number, and each that they name works."""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from .conftest import Done, write
from .test_shape_folders import DATA, FIRST, scores, truth

Rence = Callable[..., Done]
examples = pytest.mark.skipif(not (DATA / "truth.json").exists(), reason="the examples are not on this machine")
ARMS = {"base": 0.25, "tuned": 0.75}


def right(arm: str, problem: int, sample: int = 0) -> bool:
    """Of four answers to each problem, or of four problems, so many as the arm's share says."""
    return (problem + sample) % 4 < 4 * ARMS[arm]


def commands(text: str) -> list[list[str]]:
    """The words of every command in a message, without the program's name."""
    return [shlex.split(found)[1:] for found in re.findall(r"rence import [^\n]*", text)]


def table(name: str, rows: Sequence[dict[str, Any]]) -> None:
    with Path(name).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def refused(rence: Rence, *words: str) -> str:
    done = rence("import", *words, "--out", "run")
    assert done.code in (2, 3) and not Path("run").exists(), done.out
    return done.err


def rows(arm: str, **cells: Callable[[int], Any]) -> list[dict[str, Any]]:
    return [{"question_id": f"q{i}", **{name: cell(i) for name, cell in cells.items()}} for i in range(12)]


@pytest.mark.parametrize(
    "values", [(0, 1, 50, 100), (0, 0.5, 1, 50), (0, 1, 100), (0, 0.25, 0.5, 1), (0, 50, 100), tuple(range(11))]
)
def test_no_number_is_offered_where_none_divides_right_from_wrong(rence: Rence, values: tuple[float, ...]) -> None:
    for arm in ARMS:
        write(Path(f"in/{arm}.jsonl"), rows(arm, score=lambda i: values[i % len(values)]))
    said = refused(rence, "in")
    assert "`score` is neither right nor wrong" in said
    assert not re.search(r"--correct-above [\d.]", said)
    assert ("in one unit" in said) == (values[-1] > 1 and any(0 < one <= 1 for one in values))


@pytest.mark.parametrize("wrong_and_right", [((0.0, 0.1), 1.0), ((0.1,), 1.1), ((0.0, 0.25), 5)])
def test_a_number_that_divides_is_offered_and_works(rence: Rence, wrong_and_right: Any) -> None:
    wrong, best = wrong_and_right
    for arm in ARMS:
        write(
            Path(f"in/{arm}.jsonl"),
            rows(arm, score=lambda i, a=arm: best if right(a, i) else wrong[i % len(wrong)]),
        )
    said = refused(rence, "in")
    if isinstance(best, int):  # points beside shares
        assert not commands(said)
        return
    assert rence(*commands(said)[0]).code == 0
    assert scores(Path("run")) == ARMS


def test_another_unit_far_down_is_refused(rence: Rence) -> None:
    for arm in ARMS:
        found = [{"question_id": f"q{i}", "score": 100 * right(arm, i)} for i in range(800)]
        found[700]["score"] = 1
        write(Path(f"in/{arm}.jsonl"), found)
    assert "base.jsonl:701" in (said := refused(rence, "in")) and "0 or 100 in rows before" in said


def test_results_that_differ_are_of_markers_or_of_arms(rence: Rence) -> None:
    found = [
        {"question_id": f"q{i}", "question": f"What is {i}?", "x_correct": right("base", i), "z": i}
        | {"y_correct": right("tuned", i), "response": "so"}
        for i in range(12)
    ]
    write(Path("all.jsonl"), found)
    table("all.csv", found)
    for name in ("all.jsonl", "all.csv"):
        said = refused(rence, name)
        assert "`x_correct` and `y_correct` contradict" in said and not commands(said)
        words = re.findall(r"--column (\S*correct=\S*correct)", said.replace("'", ""))
        assert words == ["correct=x_correct", "correct=y_correct", "correct={arm}_correct"]
        for number, expected in enumerate(({"a": 0.25}, {"a": 0.75}, {"x": 0.25, "y": 0.75})):
            out = f"{name}{number}"
            arm = ["--arm", "a"] if "a" in expected else []
            done = rence("import", name, "--column", words[number], *arm, "--benchmark", "sums", "--out", out)
            assert done.code == 0, done.err
            assert scores(Path(out)) == expected


def test_two_models_without_a_name_are_not_one(rence: Rence) -> None:
    single = [{"question_id": f"q{i}", "correct": right(arm, i)} for arm in ARMS for i in range(700)]
    write(Path("single.jsonl"), single)
    said = refused(rence, "single.jsonl", "--benchmark", "sums")
    assert "the same 700 problems come 2 times in the same order" in said
    assert rence("import", "single.jsonl", "--arm", "a", "--benchmark", "sums", "--out", "a").code == 0
    assert scores(Path("a")) == {"a": 0.5}
    counts = [
        {"question_id": f"q{i}", "n": 4, "c": sum(right(arm, i, s) for s in range(4))} for arm in ARMS for i in range(9)
    ]
    table("counts.csv", counts)
    assert "the problem `q0`" in refused(rence, "counts.csv", "--benchmark", "sums")
    runs = [
        {"question_id": f"q{i}", "run": run, "correct": int(right(arm, i, run))}
        for i in range(9)
        for arm in ARMS
        for run in range(4)
    ]
    table("runs.csv", runs)
    assert "q0" in refused(rence, "runs.csv", "--benchmark", "sums")
    # rows of both beside each other, and files of arms with samples in turns, which are what they seem to be
    write(Path("beside.jsonl"), sorted(single, key=lambda row: row["question_id"]))
    assert "row 1 of each problem is correct 25.0 %" in refused(rence, "beside.jsonl", "--benchmark", "sums")
    for arm in ARMS:
        write(
            Path(f"in/{arm}.jsonl"),
            [{"question_id": f"q{i}", "correct": right(arm, i, s)} for s in range(4) for i in range(9)],
        )
    assert rence("import", "in", "--out", "c").code == 0 and scores(Path("c")) == ARMS


def test_lists_of_marks_that_are_not_read_are_named(rence: Rence) -> None:
    for arm in ARMS:
        write(
            Path(f"in/{arm}.jsonl"),
            [
                {"question": f"What is {i} + 1?", "gold": str(i + 1), "response": f"\\boxed{{{i + 1}}}"}
                | {"verified_q": [right(arm, i), False]}
                for i in range(12)
            ],
        )
    said = refused(rence, "in")
    assert "`verified_q` holds lists of true and false" in said
    assert rence(*commands(said)[0]).code == 0 and scores(Path("run")) == {"base": 1, "tuned": 1}


def told(rence: Rence, *words: str) -> dict[str, float]:
    """What the command makes that the refusal of another one names."""
    (found,) = commands(refused(rence, *words))
    done = rence(*found)
    assert done.code == 0, done.err
    return scores(Path("run"))


@examples
def test_reruns(rence: Rence) -> None:
    """The latest is as the truth; the earlier had another mark for one answer."""
    assert told(rence, str(DATA / "lm_eval_reruns")) == {"tuned": pytest.approx(truth(FIRST)["tuned"])}
    assert {path.parent.name for path in Path("run").rglob("attempts.parquet")} == {"sums"}


@examples
def test_a_problem_that_one_arm_lacks(rence: Rence) -> None:
    said = refused(rence, str(DATA / "missing_one"))
    assert "q03" in said and "--common" in said
    assert rence("import", str(DATA / "missing_one"), "--common", "--out", "run").code == 0
    rows = [json.loads(line) for line in (DATA / "missing_one/attempts.jsonl").open()]
    kept = [row for row in rows if row["problem_id"] != "q03"]
    expected = {arm: mean(row["correct"] for row in kept if row["arm"] == arm) for arm in ARMS}
    assert scores(Path("run")) == pytest.approx(expected)


@examples
@pytest.mark.parametrize(
    ("place", "base", "tuned"),
    [
        ("lm_eval_results_only", None, None),
        ("scores.csv", 0.3994, 0.7378),
        ("wandb_export.csv", 0.46, 0.6),
        ("curves/trainer_state", 0.46, 0.6),
        ("curves/trainer_state/tuned-seed0/trainer_state.json", None, 0.6),
        ("curves/verl_file", 0.46, 0.6),
        ("curves", 0.46, 0.6),
    ],
)
def test_curves_and_results_of_whole_benchmarks(
    rence: Rence, place: str, base: float | None, tuned: float | None
) -> None:
    said = refused(rence, str(DATA / place))
    (found,) = commands(said)
    assert "nothing can be paired by problem" in said and found[:2] == ["import", "scores"]
    done = rence(*found, "--dry-run", "--json")
    assert done.code == 0, done.err
    given = {"base": base, "tuned": tuned} if base or tuned else truth(FIRST)
    expected = {arm: pytest.approx(value, abs=1e-4) for arm, value in given.items() if value is not None}
    assert {arm: next(iter(of.values())) for arm, of in done.json["means"].items()} == expected
    assert rence(*found).code == 0 and any(Path("run").iterdir())


def test_a_role_that_does_not_exist_is_named(rence: Rence, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{"question": "1 + 1?", "gold": "2", "corect": True, "model": "a"}])
    done = rence("import", "a.jsonl", "--column", "corect=corect", "--out", "runs/x")
    assert done.code == 2 and "--column corect: nothing is called so here. Did you mean `correct`?" in done.err


def test_ids_of_runs_do_not_hide_that_the_questions_are_the_same(rence: Rence, tmp_path: Path) -> None:
    """An export with nested names as columns, and an id for each call of a model."""
    for arm, share in ARMS.items():
        rows = [
            {
                "id": f"{arm}-{i}",
                "inputs.question": f"What is {i} + 1?",
                "outputs.output": "It is \\boxed{7}.",
                "reference_outputs.answer": i + 1,
                "feedback.correctness": int(i < 12 * share),
            }
            for i in range(12)
        ]
        with (tmp_path / f"{arm}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    done = rence("import", "base.csv", "tuned.csv", "--out", "runs/x", "--benchmark", "sums", "--json")
    assert done.code == 0, done.err
    assert scores(tmp_path / "runs/x") == ARMS
