"""Files that were read as something else by a stranger: ids that are none, marks that are missing or turned."""

from __future__ import annotations

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


@pytest.fixture
def rence(rence: Rence, monkeypatch: pytest.MonkeyPatch) -> Rence:
    """The command as it is typed, so that messages repeat its options."""

    def call(*words: str) -> Done:
        monkeypatch.setattr("sys.argv", ["rence", *words])
        return rence(*words)

    return call


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
    write(
        Path("all.jsonl"), answers(lambda a, i, k: {"id": f"{a}{i}{k}", "vars": {"q": text(i)}, "output": "so"})
    )
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
