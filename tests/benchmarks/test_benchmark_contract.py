"""The contract of benchmarks holds for ours, and each of its checks fails for one that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from unittest import SkipTest

import pytest

from benchmarks import contract
from benchmarks.marks import NUMBERS, Rule
from benchmarks.problems import Benchmark, Problem, ProblemsMissing
from benchmarks.registry import BENCHMARKS

PROBLEMS = tuple(Problem(f"What is {n}/3?", f"\\frac{{{n}}}{{3}}" if n % 3 else str(n // 3)) for n in range(1, 31))


def made(*problems: Problem, **changed: object) -> Benchmark:
    found = Benchmark("thirds", "Thirds", "thirds of numbers", len(problems), lambda: problems)
    return replace(found, **changed)  # type: ignore[arg-type]


def failures(benchmark: Benchmark) -> dict[str, str]:
    found = {}
    for check in contract.CHECKS:
        try:
            check(benchmark)
        except SkipTest:
            continue
        except Exception as error:
            found[check.__name__] = str(error)
    return found


@pytest.mark.parametrize("name", BENCHMARKS)
def test_it_holds_for_ours(name: str) -> None:
    try:
        BENCHMARKS[name].problems  # noqa: B018  which loads them
    except ProblemsMissing:
        pytest.skip(f"the problems of {name} are not shipped; set RENCE_DATA_DIR to a folder that holds them")
    assert failures(BENCHMARKS[name]) == {}


def test_it_holds_for_fractions_and_numbers() -> None:
    assert failures(made(*PROBLEMS)) == {}
    assert failures(made(*(Problem(f"{n}+{n}", str(2 * n)) for n in range(1, 31)), rule=NUMBERS)) == {}


@pytest.mark.parametrize(
    ("broken", "check", "said"),
    [
        (made(*PROBLEMS, title=" "), "title_k_and_description_are_said", "`title` is empty"),
        (made(*PROBLEMS, k=0), "title_k_and_description_are_said", "`k` must be at least 1, but is 0"),
        (made(*PROBLEMS, count=31), "count_and_hash_are_those_that_are_pinned", "must have 31 problems, but has 30"),
        (made(*PROBLEMS, content="0" * 16), "count_and_hash_are_those_that_are_pinned", "must have the hash 0000"),
        (
            made(*PROBLEMS, load=iter([PROBLEMS, PROBLEMS[::-1]]).__next__),
            "count_and_hash_are_those_that_are_pinned",
            "loading it twice gives other problems, or another order",
        ),
        (made(*PROBLEMS, Problem("How much?", "")), "questions_can_be_asked_and_stored", "has an empty gold"),
        (made(*PROBLEMS, Problem("\ud800?", "1")), "questions_can_be_asked_and_stored", "no text that UTF-8 can hold"),
        (
            made(*PROBLEMS, Problem("Half?", "\\frac{1}{2")),
            "golds_are_correct_answers_to_their_own_problems",
            "1 of 31 problems do not take its own gold as correct",
        ),
        (
            made(*(Problem(f"About {n}?", f"{n}.5") for n in range(100, 130)), rule=Rule(tolerance=0.5)),
            "golds_refuse_those_of_other_problems",
            "30 of 30 problems accept the gold of another one: '101.5' counts as '100.5'",
        ),
    ],
)  # fmt: skip
def test_each_check_finds_what_it_is_for(broken: Benchmark, check: str, said: str) -> None:
    assert said in failures(broken)[check]


def test_a_rule_that_reads_no_expressions_is_asked_for_no_other_notation_of_fractions() -> None:
    assert failures(made(*PROBLEMS, rule=NUMBERS)) == {}


def test_the_same_problem_twice() -> None:
    found = failures(made(*PROBLEMS, PROBLEMS[0]))
    assert "holds the same problem twice" in found["count_and_hash_are_those_that_are_pinned"]


def test_problems_with_one_gold_cannot_be_told_apart() -> None:
    check: Callable[[Benchmark], None] = contract.golds_refuse_those_of_other_problems
    with pytest.raises(SkipTest, match="all problems have the same gold"):
        check(made(*(Problem(f"{n}-{n}", "0") for n in range(30))))
