"""Benchmarks that nothing names are known by the texts of their problems, or refused: none are pooled unseen."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from benchmarks.problems import Problem
from benchmarks.registry import benchmark
from harness.importing.shapes.known_texts import KnownTexts

from .conftest import Done, write

Rence = Callable[..., Done]
has_data = pytest.mark.skipif(
    not Path(os.environ.get("RENCE_DATA_DIR", "/nowhere"), "benchmarks/aime24.jsonl").is_file(),
    reason="the problems are not on this machine",
)
TEMPLATE = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n{}\nPut the answer in a box.<|im_end|>\n"


def problems(name: str, count: int | None = None) -> Sequence[Problem]:
    return benchmark(name).problems[:count]


def dump(of: Iterable[tuple[str, str]], template: str = "{}", arms: Sequence[str] = ("base", "tuned")) -> None:
    """A dump of validations of each arm, without a data source; every second answer of `tuned` is right."""
    for arm in arms:
        rows = [
            {"input": template.format(question), "output": f"\\boxed{{{gold}}}", "gts": gold, "step": 20}
            | {"score": float(arm == "tuned" and i % 2 == 0)}
            for i, (question, gold) in enumerate(of)
        ]
        write(Path(f"dump/{arm}/20.jsonl"), rows)


def texts(*names: str, count: int | None = None) -> list[tuple[str, str]]:
    return [(one.question, one.gold) for name in names for one in problems(name, count)]


def found() -> dict[str, int]:
    """Problems by benchmark; of both arms the same."""
    files = {path: pq.read_table(path, columns=["arm", "problem_id"]) for path in Path("run").rglob("attempts.parquet")}
    counts: dict[str, set[int]] = {}
    for path, table in files.items():
        counts.setdefault(path.parent.name, set()).add(len(table))
    assert all(len(of) == 1 for of in counts.values())
    return {name: of.pop() for name, of in counts.items()}


def refused(rence: Rence, *words: str) -> str:
    done = rence("import", "dump", "--out", "run", *words)
    assert done.code in (2, 3) and not Path("run").exists(), done.out
    return done.err


@pytest.mark.parametrize("template", ["{}", TEMPLATE])
@pytest.mark.parametrize("names", [("mini_sums",), ("mini_sums", "mini_stories")])
def test_rows_are_named_by_the_text_of_their_problem(rence: Rence, names: tuple[str, ...], template: str) -> None:
    dump(texts(*names, count=40), template)
    done = rence("import", "dump", "--out", "run")
    assert done.code == 0, done.err
    assert found() == dict.fromkeys(names, 40)
    said = " ".join(done.out.split())
    assert "known by the texts of the problems: " + ", ".join(f"{name} (40 problems)" for name in names) in said


@has_data
def test_large_sets_and_one_far_down(rence: Rence) -> None:
    dump(texts("math500", "math500", "aime24"), TEMPLATE)
    done = rence("import", "dump", "--out", "run")
    assert done.code == 0, done.err
    assert found() == {"math500": 1000, "aime24": 30}
    assert "several benchmarks" in refused_again(rence, "--benchmark", "maths")


def refused_again(rence: Rence, *words: str) -> str:
    done = rence("import", "dump", "--out", "again", *words)
    assert done.code in (2, 3) and not Path("again").exists(), done.out
    return done.err


@has_data
def test_two_sets_under_one_name_are_refused(rence: Rence) -> None:
    dump(texts("aime24", "aime25"))
    said = refused(rence, "--benchmark", "aime")
    assert "aime24 (30 problems), aime25 (30 problems)" in said and "would pool" in said
    dump(texts("aime24"))
    assert rence("import", "dump", "--benchmark", "mine", "--out", "run").code == 0 and found() == {"mine": 30}


@has_data
def test_rows_of_none_are_refused(rence: Rence) -> None:
    dump([*texts("aime24"), ("What is one and one?", "2"), ("What is one and two?", "3")])
    said = refused(rence)
    assert "aime24 (30 problems)" in said and "2 of none" in said and "--benchmark NAME" in said
    assert rence("import", "dump", "--benchmark", "mine", "--out", "run").code == 0 and found() == {"mine": 32}


@has_data
def test_sets_that_ask_the_same(rence: Rence) -> None:
    """All of the smaller set are the smaller set; a part of it may be of either."""
    shared = {one.question for one in problems("amc23")} & {one.question for one in problems("amc12")}
    if len(shared) < len(problems("amc23")):
        pytest.skip("these sets share too few problems")
    dump(texts("amc23"))
    assert rence("import", "dump", "--out", "run").code == 0 and found() == {"amc23": 40}
    dump(texts("amc23", count=20))
    assert "amc12 or amc23" in refused_again(rence)


def test_a_dump_of_unknown_problems_asks_for_a_name(rence: Rence) -> None:
    dump([(f"Name the colour number {i}.", str(i)) for i in range(12)])
    said = refused(rence)
    assert "nothing names the benchmark" in said and "--benchmark NAME" in said


def test_short_texts_that_are_known_by_chance_name_nothing(rence: Rence) -> None:
    """A table of one's own sums, of which two are also of a set of ours."""
    rows: list[dict[str, Any]] = [
        {"question": question, "gold": gold, "correct": i % 2}
        for i, (question, gold) in enumerate(
            [*texts("mini_sums", count=2), *((f"Add {n} to 1", "?") for n in range(9))]
        )
    ]
    for arm in ("base", "tuned"):
        write(Path(f"sums/{arm}.jsonl"), rows)
    assert rence("import", "sums", "--out", "run").code == 0 and found() == {"sums": 11}


def test_the_longest_question_counts() -> None:
    known = KnownTexts(
        {"a": ["Find the sum of 2 and 3."], "b": ["Find the sum of 2 and 3. Then\ndouble it, and say it."]}
    )
    assert known.of(known.question("Q:\nFind the sum of 2 and 3. Then double  it, and say it.\nA:")) == {"b"}
    assert known.of(known.question("Find the sum of 2 and 3.\nA:")) == {"a"}
    assert known.question("Find the sum of 2 and 31.") == "" and known.question("Please Find the sum of 2 and 3.") == ""
