"""Files that could be read as something else without a word: said, or refused with what settles it."""

from __future__ import annotations

import csv
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Done, write
from .shape_files import write as write_files
from .test_shape_folders import scores

Rence = Callable[..., Done]
ARMS = {"base": 0.25, "tuned": 0.75}
PROBLEMS = 32


def right(arm: str, problem: int) -> bool:
    return problem % 4 < 4 * ARMS[arm]


def runs(arm: str, **cells: Callable[[int], Any]) -> list[dict[str, Any]]:
    """Answers whose ids are those of calls of a model."""
    return [
        {"id": f"{arm}-{7 * i}", "gold": str(i * 7 % 30), "correct": right(arm, i)}
        | {name: cell(i) for name, cell in cells.items()}
        for i in range(PROBLEMS)
    ]


def put(**cells: Callable[[int], Any]) -> None:
    for arm in ARMS:
        write(Path(f"in/{arm}.jsonl"), runs(arm, **cells))


def refused(rence: Rence, *words: str) -> str:
    done = rence("import", *words, "--out", "run")
    assert done.code in (2, 3) and not Path("run").exists(), done.out
    return done.err


@pytest.mark.parametrize("options", [(), ("--benchmark", "sums")])
@pytest.mark.parametrize("prompts", [False, True])
def test_ids_of_runs_with_the_same_golds_are_no_two_benchmarks(
    rence: Rence, options: tuple[str, ...], prompts: bool
) -> None:
    """Also where each arm asked with a prompt of its own."""
    for arm in ARMS:
        texts = {"question": lambda i, a=arm: f"<{a}> What is {i}?"} if prompts else {}
        write(Path(f"in/{arm}.jsonl"), runs(arm, **texts))
    said = refused(rence, "in", *options)
    assert "in/base.jsonl and in/tuned.jsonl" in said and "the same golds in the same order" in said
    assert "--arm NAME" in said and "--column problem_id=" in said
    assert rence("import", "in", *options, "--arm", "a", "--out", "run", "--json").json["arms"] == ["a"]


def test_a_key_that_both_share_is_named_and_works(rence: Rence) -> None:
    put(number=lambda i: i)
    said = refused(rence, "in", "--benchmark", "sums")
    (command,) = [line.partition("This says it: ")[2] for line in said.splitlines() if "This says it: " in line]
    assert "problem_id=number" in command
    assert rence(*shlex.split(command)[1:]).code == 0 and scores(Path("run")) == ARMS


def test_ids_that_differ_in_the_names_of_files_alone(rence: Rence) -> None:
    for arm in ARMS:
        write(Path(f"in/{arm}.jsonl"), [{"id": f"{arm}-{i}", "correct": right(arm, i)} for i in range(PROBLEMS)])
    said = refused(rence, "in")
    assert "`base-0`" in said and "`tuned-0`" in said and "--arm NAME" in said


def test_two_benchmarks_are_two_benchmarks(rence: Rence) -> None:
    for number, name in enumerate(("sums", "products")):
        rows = [
            {"id": f"{name}-{i}x{number}", "gold": str(i * (3 + number)), "correct": i % 2} for i in range(PROBLEMS)
        ]
        write(Path(f"in/{name}.jsonl"), rows)
    done = rence("import", "in", "--out", "run", "--arm", "a")
    assert done.code == 0 and "2 benchmarks" in done.out
    done = rence("import", "in", "--out", "other")
    assert done.code == 0 and "benchmarks from file names, with no problem in common" in " ".join(done.out.split())


def alternating(first: Callable[[int], bool], second: Callable[[int], bool]) -> None:
    rows = [{"id": f"q{i}", "correct": one(i)} for i in range(PROBLEMS) for one in (first, second)]
    write(Path("all.jsonl"), rows)


def test_rows_of_a_problem_that_nothing_numbers_are_said_to_be_taken_for_samples(rence: Rence) -> None:
    alternating(lambda i: i % 2 == 0, lambda i: i % 3 == 0)
    done = rence("import", "all.jsonl", "--benchmark", "sums", "--out", "run")
    said = " ".join(done.out.split())
    assert done.code == 0 and "k 2 from 2 rows a problem" in said
    assert "--column arm=KEY" in said and "--arm NAME" in said
    assert rence("report", "run").code == 0
    assert "taken for samples of one arm" in " ".join(Path("run/report/report.md").read_text().split())
    done = rence("import", "all.jsonl", "--benchmark", "sums", "--arm", "a", "--out", "other")
    assert done.code == 0 and "k 2;" in done.out and "taken for samples" not in done.out


def test_rows_that_take_turns_and_differ_are_not_samples_of_one_model(rence: Rence) -> None:
    alternating(lambda i: i % 8 == 0, lambda i: i % 8 != 1)
    said = refused(rence, "all.jsonl", "--benchmark", "sums")
    assert "row 1 of each problem is correct 12.5 % of the time and row 2 87.5 %" in said
    assert "--arm NAME" in said and "--column arm=KEY" in said
    done = rence("import", "all.jsonl", "--benchmark", "sums", "--arm", "a", "--out", "run")
    assert done.code == 0 and scores(Path("run")) == {"a": 0.5}


def table(name: str, *without: str, **more: Callable[[int], Any]) -> None:
    """Columns of two arms, some of them lost."""
    with Path(name).open("w", newline="") as file:
        rows = [
            {"id": i, "question": f"What is {i}?", "gold": i}
            | {f"{arm}_answer": i if right(arm, i) else -1 for arm in ARMS}
            | {f"{arm}_correct": int(right(arm, i)) for arm in ARMS}
            | {column: cell(i) for column, cell in more.items()}
            for i in range(PROBLEMS)
        ]
        kept = [column for column in rows[0] if column not in without]
        writer = csv.DictWriter(file, kept, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def test_a_group_of_columns_without_its_result_is_no_arm_that_drops_silently(rence: Rence) -> None:
    table("all.csv", "tuned_correct")
    said = refused(rence, "all.csv")
    assert "`tuned_answer`" in said and "`base_correct`" in said and "--arm base" in said
    assert rence("import", "all.csv", "--arm", "base", "--out", "run").code == 0
    assert scores(Path("run")) == {"base": 0.25}


def test_a_third_group_without_its_result_is_named(rence: Rence) -> None:
    table("all.csv", large_answer=lambda i: i)
    done = rence("import", "all.csv", "--out", "run")
    assert done.code == 0 and scores(Path("run")) == ARMS
    assert "`large_answer`" in done.out and "was not taken for an arm" in " ".join(done.out.split())


@pytest.mark.parametrize("nothing", [None, {}, []])
def test_an_arm_that_is_empty_in_all_rows_is_named(rence: Rence, nothing: Any) -> None:
    rows = [
        {"question": f"What is {i}?", "gold": i, "base": nothing}
        | {"tuned": {"is_correct": right("tuned", i), "solution": "so"}}
        for i in range(PROBLEMS)
    ]
    write(Path("sums.jsonl"), rows)
    said = refused(rence, "sums.jsonl")
    assert "`base` is empty in every row" in said and "--arm tuned" in said
    assert rence("import", "sums.jsonl", "--arm", "tuned", "--out", "run").code == 0


def test_an_arm_whose_keys_are_others_is_named(rence: Rence) -> None:
    rows = [
        {"question": f"What is {i}?", "gold": i}
        | {arm: {"is_correct": right(arm, i), "solution": "so"} for arm in ARMS}
        | {"large": {"verdict_of_it": True, "prose": "so", "passed": True, "x": 1, "y": 2}}
        for i in range(PROBLEMS)
    ]
    write(Path("all.jsonl"), rows)
    done = rence("import", "all.jsonl", "--out", "run")
    assert done.code == 0 and scores(Path("run")) == ARMS
    assert "`large`" in done.out and "was not taken for an arm" in " ".join(done.out.split())


OLMES = "task-{number:03d}-{name}-predictions.jsonl"


def olmes() -> None:
    files = {}
    for arm in ARMS:
        for number, name in enumerate(("gsm8k::olmes", "minerva_math_algebra")):
            files[f"in/{arm}/{OLMES.format(number=number, name=name)}"] = [
                {"doc_id": i, "native_id": i, "metrics": {"exact_match": float(right(arm, i))}}
                | {"model_output": [{"continuation": f"so \\boxed{{{i}}}", "num_tokens": 7}], "label": str(i + number)}
                for i in range(PROBLEMS)
            ]
            metrics = {"task_name": name, "metrics": {"exact_match": ARMS[arm], "primary_score": ARMS[arm]}}
            files[f"in/{arm}/task-{number:03d}-{name}-metrics.json"] = metrics
    write_files(Path(), files)


def test_the_benchmarks_of_olmes_are_called_as_its_tasks(rence: Rence) -> None:
    olmes()
    done = rence("import", "in", "--out", "run", "--json")
    assert done.code == 0, done.err
    assert done.json["benchmarks"].keys() == {"gsm8k_olmes", "minerva_math_algebra"}
    assert done.json["arms"] == list(ARMS) and " says " not in done.out
    for folder in Path("in/base").glob("task-000*metrics*"):
        found = json.loads(folder.read_text())
        found["metrics"]["exact_match"] = 0.5
        folder.write_text(json.dumps(found))
    done = rence("import", "in", "--out", "run", "--clean")
    assert "says metrics.exact_match 0.5000, but 8 of 32" in " ".join(done.out.split())
