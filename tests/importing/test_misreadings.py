"""Files that were read as something else by a stranger: ids that are none, marks that are missing or turned."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from .conftest import Done, write
from .test_shape_folders import scores

Rence = Callable[..., Done]
Rows = list[dict[str, Any]]
ARMS = {"base": 0.25, "tuned": 0.75}
PROBLEMS, K = 12, 2
TRUTH = {arm: pytest.approx(share) for arm, share in ARMS.items()}


def right(arm: str, problem: int, sample: int) -> bool:
    return (problem + sample) % 4 < 4 * ARMS[arm]


def answers(cell: Callable[[str, int, int], dict[str, Any]]) -> Rows:
    """Rows of both arms: sample, problem, arm.

    Args:
        cell: arm, problem and sample -> what a row holds beside model and result.
    """
    return [
        {"model": arm, **cell(arm, i, k), "success": right(arm, i, k)}
        for k in range(K)
        for i in range(PROBLEMS)
        for arm in ARMS
    ]


def refused(rence: Rence, *words: str) -> str:
    done = rence("import", *words, "--out", "run")
    assert done.code in (2, 3) and not Path("run").exists(), done.out
    assert "bug in rence" not in done.err
    return done.err


def named(said: str) -> list[list[str]]:
    """The words of every command in a message, without the program's name."""
    return [shlex.split(found)[1:] for found in re.findall(r"rence import [^\n]*", said)]


def problems() -> int:
    (file, *_) = Path("run").rglob("attempts.parquet")
    return len(set(pq.read_table(file)["problem_id"].to_pylist()))


def text(i: int) -> str:
    return f"Tom has {i} apples and buys {2 * i}. How many?"


def test_a_constant_id_beside_a_nested_text_is_no_problem(rence: Rence) -> None:
    """Also where each call of a model has an id of its own."""
    for ids in ({"promptId": "ab12"}, {}, {"promptId": "ab12", "testIdx": 0}):
        write(
            Path("all.jsonl"),
            answers(lambda a, i, k, ids=ids: {"id": f"{a}-{i}-{k}", **ids, "prompt": {"raw": text(i)}, "output": "x"}),
        )
        done = rence("import", "all.jsonl", "--out", "run", "--clean")
        assert done.code == 0 and f"{PROBLEMS} problems, k {K}" in done.out, done.err
        assert scores(Path("run")) == TRUTH and problems() == PROBLEMS


@pytest.mark.parametrize("more", [{}, {"prompt": "Answer."}])
@pytest.mark.parametrize("place", ["vars", "testCase", "thing"])
def test_a_constant_id_and_texts_of_another_name_are_asked_about(
    rence: Rence, place: str, more: dict[str, str]
) -> None:
    write(
        Path("all.jsonl"),
        answers(lambda a, i, k: {"task_id": "sums", **more, place: {"q": text(i)}, "output": "so"}),
    )
    said = refused(rence, "all.jsonl")
    assert f"`task_id` is the same for different values of `{place}.q`, of which there are {PROBLEMS}" in said
    assert "--column problem_id=task_id" in said
    (command,) = named(said)
    assert rence(*command).code == 0 and scores(Path("run")) == TRUTH and problems() == PROBLEMS


def test_ids_of_rows_are_asked_about_where_arms_share_texts(rence: Rence) -> None:
    write(Path("all.jsonl"), answers(lambda a, i, k: {"id": f"{a}{i}{k}", "vars": {"q": text(i)}, "output": "so"}))
    said = refused(rence, "all.jsonl")
    assert "`id` is another in every row, while arms share the values of `vars.q`" in said and "--common" not in said
    (command,) = named(said)
    assert rence(*command).code == 0 and scores(Path("run")) == TRUTH and problems() == PROBLEMS


def test_a_constant_id_with_many_golds_is_no_problem(rence: Rence) -> None:
    write(Path("all.jsonl"), answers(lambda a, i, k: {"question_id": "q", "expected": str(i), "output": "so"}))
    assert "which problem" in refused(rence, "all.jsonl")


def test_one_problem_and_ids_with_levels_stay_what_they_are(rence: Rence) -> None:
    """Neither the texts of answers nor what is said of many problems makes an id none."""
    rows = answers(lambda a, i, k: {"question_id": "q", "output": f"it is {i} {k}", "reason": f"as {a} {i}"})
    write(Path("one.jsonl"), rows)
    done = rence("import", "one.jsonl", "--out", "run")
    assert done.code == 0 and f"1 problem, k {PROBLEMS * K}" in done.out, done.err
    for arm in ({"base", "tuned"}, {"base"}):
        rows = answers(lambda a, i, k: {"question_id": f"q{i % 6}", "said": f"it is {i} {k if i % 3 else a}"})
        write(Path("said.jsonl"), [row for row in rows if row["model"] in arm])
        done = rence("import", "said.jsonl", "--out", "run", "--clean")
        assert done.code == 0 and "6 problems, k 4" in done.out, done.err
    rows = answers(lambda a, i, k: {"question_id": f"q{i}", "subject": f"sums of {i % 6}", "output": "so"})
    write(Path("levels.jsonl"), rows)
    assert rence("import", "levels.jsonl", "--out", "run", "--clean").code == 0
    assert scores(Path("run")) == TRUTH and problems() == PROBLEMS


@pytest.mark.parametrize(
    ("lacks", "said"),
    [
        ({"gold"}, "no right answers"),
        ({"output"}, "no texts of answers"),
        ({"gold", "output"}, "no texts of answers and no right answers"),
    ],
)
def test_marking_what_has_nothing_to_mark_is_refused_in_words(rence: Rence, lacks: set[str], said: str) -> None:
    whole = answers(lambda a, i, k: {"question": text(i), "output": f"\\boxed{{{i}}}", "gold": str(i)})
    write(Path("all.jsonl"), [{name: cell for name, cell in row.items() if name not in lacks} for row in whole])
    found = refused(rence, "all.jsonl", "--mark")
    assert f"there are {said}, so rence's marker cannot mark" in found and "Without --mark" in found
    assert rence("import", "all.jsonl", "--out", "run").code == 0 and scores(Path("run")) == TRUTH


def test_marks_alone_by_column_cannot_be_marked(rence: Rence) -> None:
    lines = ["example,base,tuned", *(f"{i},{int(i % 2)},{int(i % 3 > 0)}" for i in range(PROBLEMS))]
    Path("wide.csv").write_text("\n".join(lines) + "\n")
    assert "cannot mark (--mark)" in refused(rence, "wide.csv", "--mark")


@pytest.mark.parametrize("words", [(), ("--mark",)])
@pytest.mark.parametrize("name", ["gold", "output"])
def test_a_row_that_cannot_be_marked_is_named(rence: Rence, name: str, words: tuple[str, ...]) -> None:
    rows = answers(lambda a, i, k: {"question": text(i), "output": f"\\boxed{{{i}}}", "gold": str(i)})
    rows = [{key: cell for key, cell in row.items() if key != "success"} for row in rows]
    rows[2 * 5][name] = None
    if name == "gold":  # text and gold name a problem
        rows[2 * 5 + 1][name] = None
    write(Path("all.jsonl"), rows)
    done = rence("import", "all.jsonl", *words, "--out", "run")
    assert done.code in (2, 3) and "bug in rence" not in done.err
    assert "all.jsonl:11" in done.err and "cannot mark this answer" in done.err and "--common" in done.err
    assert rence("import", "all.jsonl", *words, "--common", "--out", "run").code == 0 and problems() <= PROBLEMS


def statuses(base: Callable[[str, int, int], bool]) -> None:
    """A file of EvalPlus for each arm.

    Args:
        base: whether an answer passes the tests of the first set.
    """
    for arm in ARMS:
        whole = {
            f"HumanEval/{i}": [
                {"task_id": f"HumanEval/{i}", "solution": "def f(): ...", "base_status": words[base(arm, i, k)]}
                | {"plus_status": words[right(arm, i, k)]}
                for k in range(K)
            ]
            for i in range(PROBLEMS)
            for words in [{True: "pass", False: "fail"}]
        }
        path = Path(f"mine/humaneval/{arm}_vllm_temp_0.8_eval_results.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"date": "2026-11-30 10:00", "eval": whole}))


def test_two_marks_of_evalplus_that_differ_are_asked_about(rence: Rence) -> None:
    statuses(lambda arm, i, k: right(arm, i, k) or i == 3)
    said = refused(rence, "mine")
    assert "`base_status` and `plus_status` contradict" in said and "{arm}" not in said
    for word in ("--column correct=plus_status", "--column correct=base_status"):
        assert word in said
        done = rence("import", "mine", *word.split(), "--out", "run", "--clean", "--json")
        assert done.code == 0 and list(done.json["benchmarks"]) == ["humaneval"], done.err
        assert (scores(Path("run")) == TRUTH) is ("plus" in word)
    assert rence("import", "mine", "--metric", "plus_status", "--out", "run", "--clean").code == 0
    assert scores(Path("run")) == TRUTH


def test_two_marks_of_evalplus_that_agree_are_one(rence: Rence) -> None:
    statuses(right)
    assert rence("import", "mine", "--out", "run").code == 0 and scores(Path("run")) == TRUTH


@pytest.mark.parametrize("words", [("--column", "correct=stats.number_match"), ("--metric", "number_match")])
def test_a_result_that_a_refusal_lists_can_be_named(rence: Rence, words: tuple[str, ...]) -> None:
    """Beside a summary of another layout."""
    for arm in ARMS:
        folder = Path(f"in/sums:model={arm}")
        folder.mkdir(parents=True)

        def stats(**values: float) -> Rows:
            return [
                {"name": {"name": name, "split": "test"}, "count": 1, "sum": value, "mean": value}
                for name, value in values.items()
            ]

        rows = [
            {"instance_id": f"id{i}", "train_trial_index": k}
            | {"stats": stats(num_references=1, number_match=float(right(arm, i, k)), runtime=0.5)}
            for i in range(PROBLEMS)
            for k in range(K)
        ]
        (folder / "per_instance_stats.json").write_text(json.dumps(rows))
        (folder / "stats.json").write_text(json.dumps(stats(number_match=ARMS[arm])))
    said = refused(rence, "in")
    assert "`stats.number_match`" in said and "--column correct=KEY" in said
    assert "Did you mean `stats.number_match`" in refused(rence, "in", "--column", "correct=stats.numbr_match")
    assert rence("import", "in", *words, "--out", "run").code == 0 and scores(Path("run")) == TRUTH


@pytest.mark.parametrize("stems", [("gsm8k_0", "gsm8k_1"), ("results_0", "results_1")])
def test_the_path_that_is_offered_names_benchmark_and_sample(rence: Rence, stems: tuple[str, ...]) -> None:
    for arm in ARMS:
        for k, stem in enumerate(stems):
            folder = Path(f"in/20261130_100000/results/{arm}")
            folder.mkdir(parents=True, exist_ok=True)
            write(
                folder / f"{stem}.jsonl",
                [{"question": text(i), "gold": str(i), "correct": right(arm, i, k)} for i in range(PROBLEMS)],
            )
    said = refused(rence, "in")
    word = "{benchmark}_{sample}" if stems[0] == "gsm8k_0" else "results_{sample}"
    assert f"{{arm}}/{word}.jsonl" in said
    (command,) = named(said)
    done = rence(*command, "--json")
    assert done.code == 0 and scores(Path("run")) == TRUTH, done.err
    assert ("gsm8k" in done.json["benchmarks"]) is ("gsm8k" in stems[0])
    assert not any("2026" in name for name in done.json["benchmarks"])


def table(name: str, column: str, values: dict[bool, object]) -> None:
    lines = [f"{i}\t{arm}\t{k}\t{values[right(arm, i, k)]}" for k in range(K) for i in range(PROBLEMS) for arm in ARMS]
    Path(name).write_text("\n".join([f"item\tsystem\trun\t{column}", *lines]) + "\n")


@pytest.mark.parametrize("column", ["error", "failed", "Incorrect", "is_wrong"])
@pytest.mark.parametrize("values", [{True: 0, False: 1}, {True: "false", False: "true"}])
def test_a_column_of_errors_is_asked_about(rence: Rence, column: str, values: dict[bool, object]) -> None:
    table("err.tsv", column, values)
    said = refused(rence, "err.tsv")
    assert f"`{column}` may say which are wrong" in said and "scores" not in said
    (command,) = named(said)
    done = rence(*command)
    assert done.code == 0 and scores(Path("run")) == TRUTH
    assert f"`{column}` says which answers are wrong" in " ".join(done.out.split())
    done = rence("import", "err.tsv", "--column", f"correct={column}", "--out", "run", "--clean")
    assert "1 is taken for correct, as the command says" in " ".join(done.out.split())
    assert "leave out" in refused_beside(rence, f"wrong={column}", f"correct={column}")


def refused_beside(rence: Rence, *columns: str) -> str:
    words = [word for column in columns for word in ("--column", column)]
    done = rence("import", "err.tsv", *words, "--out", "other")
    assert done.code == 2 and not Path("other").exists()
    return done.err


def test_a_result_of_any_name_is_no_table_of_scores(rence: Rence) -> None:
    table("odd.tsv", "zap", {True: 1, False: 0})
    (command,) = named(refused(rence, "odd.tsv"))
    assert command[-1] == "correct=zap" and rence(*command).code == 0 and scores(Path("run")) == TRUTH


def test_columns_that_differ_in_a_number_alone_may_be_samples(rence: Rence) -> None:
    names = [f"{arm}_{k}" for arm in ARMS for k in (1, 2)]
    cells = [",".join(str(int(right(arm, i, k))) for arm in ARMS for k in (1, 2)) for i in range(PROBLEMS)]
    Path("wide.csv").write_text("\n".join([f"example,{','.join(names)}", *(f"{i},{c}" for i, c in enumerate(cells))]))
    done = rence("import", "wide.csv", "--out", "run")
    said = " ".join(done.out.split())
    assert done.code == 0 and "`base_1` and `base_2` differ in a number alone" in said
    assert "differ in a number alone" in " ".join(Path("run/import.json").read_text().split())
    Path("wide.csv").write_text(Path("wide.csv").read_text().replace("base_2", "mid_7"))
    assert "differ in a number" not in rence("import", "wide.csv", "--out", "run", "--clean").out
