"""The embedded suite: its answers are right, its splits apart, its sets as promised."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, islice
from random import Random
from typing import TypeVar

import pytest

from benchmarks.marking import Mark, mark
from benchmarks.miniature.expressions import Expression, Operation, canonical, chain, operations, symbols, value
from benchmarks.miniature.kinds import KINDS
from benchmarks.miniature.solutions import direct, slipped, worked
from benchmarks.miniature.suite import ALL_KINDS, LONGER, NEW, SHARES, TAUGHT, Split, draws, split_of
from benchmarks.problems import Problem
from benchmarks.registry import BENCHMARKS, TRAINING_SETS

T = TypeVar("T")
SIX = ("mini_sums", "mini_chains", "mini_stories", "mini_equations", "mini_longer", "mini_unseen")
SETS = {name: s.problems for name, s in {**BENCHMARKS, **TRAINING_SETS}.items() if name.startswith("mini_")}


class Odometer:
    """A `Draw` that goes through all combinations of choices: one exhaustive walk of a kind's space."""

    def __init__(self) -> None:
        self.path: list[list[int]] = []
        self.at = 0

    def randint(self, a: int, b: int) -> int:
        return a + self._pick(b - a + 1)

    def choice(self, seq: Sequence[T]) -> T:
        # names and wordings change no computation, so they are not walked; operations and switches are
        return seq[self._pick(len(seq))] if seq[0] in {"+", "-", "*", True} else seq[0]

    def _pick(self, options: int) -> int:
        if self.at == len(self.path):
            self.path.append([0, options])
        self.at += 1
        return self.path[self.at - 1][0]

    def walk(self, make: Callable[[Odometer], T]) -> Iterator[T]:
        while True:
            self.at = 0
            yield make(self)
            while self.path and self.path[-1][0] + 1 == self.path[-1][1]:
                self.path.pop()
            if not self.path:
                return
            self.path[-1][0] += 1


def spaces(kind: str, levels: Sequence[int]) -> Counter[Split]:
    """How many canonical computations of a kind each split has."""
    computations = {
        canonical(exercise.expression)
        for level in levels
        for exercise in Odometer().walk(lambda odometer, level=level: ALL_KINDS[kind](level, odometer))
    }
    return Counter(split_of(computation) for computation in computations)


def test_space_of_every_kind() -> None:
    """Run with -s to see the table (level 4 left out: it is far larger). No set may use up what its split holds."""
    print(f"\n{'canonical computations':24}" + "".join(f"{split:>12}" for split in Split))
    for kind in ALL_KINDS:
        counts = spaces(kind, (1, 2, 3))
        print(f"{kind:24}" + "".join(f"{counts[split]:>12}" for split in Split))
        for split, share in SHARES.items():
            assert counts[split] / counts.total() == pytest.approx(share / 100, abs=0.08)
        taken = Counter(problem.tags["kind"] for problem in SETS["mini_rl"])
        assert counts[Split.RL] > taken[kind]


def test_splits_are_disjoint_whatever_the_wording() -> None:
    computations: dict[Split, set[str]] = {split: set() for split in Split}
    for split in Split:
        for kind in KINDS:
            for computation, exercise in islice(draws(split, kind, TAUGHT[kind], Random(kind)), 500):
                assert computation == canonical(exercise.expression)
                computations[split].add(computation)
    for name, problems in SETS.items():
        split = {"mini_rl": Split.RL, "mini_validation": Split.VALIDATION}.get(name, Split.EVALUATION)
        computations[split] |= {problem.tags["computation"] for problem in problems}
    for left, right in combinations(Split, 2):
        assert not computations[left] & computations[right]
        assert min(len(computations[left]), len(computations[right])) > 1000


def test_sets_ask_no_question_of_another_split() -> None:
    questions = {name: {problem.question for problem in problems} for name, problems in SETS.items()}
    for left, right in combinations(questions, 2):
        if "mini_rl" in (left, right) or "mini_validation" in (left, right):
            assert not questions[left] & questions[right], (left, right)


@pytest.mark.parametrize("name", SETS)
def test_no_computation_twice_in_a_set(name: str) -> None:
    assert len({problem.tags["computation"] for problem in SETS[name]}) == len(SETS[name])


def test_sizes_and_what_is_held_out() -> None:
    assert {name: len(problems) for name, problems in SETS.items()} == {
        **dict.fromkeys(SIX, 200),
        "mini_validation": 240,
        "mini_rl": 3000,
    }
    held_out = {"mini_longer": LONGER, "mini_unseen": NEW}
    for name, problems in SETS.items():
        for problem in problems:
            kind, level = problem.tags["kind"], int(problem.tags["level"])
            assert name in held_out or level in TAUGHT[kind]
            assert name not in held_out or level not in TAUGHT.get(kind, ())
    for name, levels in held_out.items():
        assert {problem.tags["kind"] for problem in SETS[name]} == set(levels)


def test_the_same_problems_on_every_machine() -> None:
    assert {name: BENCHMARKS[name].hash for name in BENCHMARKS if name.startswith("mini_")} == {
        "mini_sums": "e97d84a522572d89",
        "mini_chains": "35fd6644bde53913",
        "mini_stories": "59410edb55dffa01",
        "mini_equations": "093bca4e7ed19469",
        "mini_longer": "b765abe4d5b34df0",
        "mini_unseen": "6d6350f8a7944a15",
        "mini_validation": "731a9ec671162c63",
    }


def solved(problem: Problem) -> int:
    """The answer worked out from the question's text alone, another way than the one that made it."""
    question, kind = problem.question, problem.tags["kind"]
    numbers = [int(number) for number in re.findall(r"\d+", question)]
    match kind:
        case "sum" | "together":
            return sum(numbers)
        case "difference":
            return numbers[-1] - sum(numbers[:-1])
        case "mixed" | "product" | "brackets":
            return eval(re.sub(r"What is |Compute |[?.]", "", question))
        case "equation" | "rearranged":
            name, left, right = re.fullmatch(r"Solve for (.): (.*)=(.*)\.", question).groups()  # type: ignore[union-attr]
            sides = [re.sub(rf"(\d){name}", rf"\1*{name}", side) for side in (left, right)]
            (solution,) = (x for x in range(1, 200) if eval(sides[0], {name: x}) == eval(sides[1], {name: x}))
            return solution
    total = numbers[0]
    for word, number in re.findall(r"(\w+)(?: away| has)? (\d+)", question)[1:]:
        total = {
            **dict.fromkeys(("buys", "finds", "gets", "Add"), total + int(number)),
            **dict.fromkeys(("loses", "sells", "gives", "Subtract"), total - int(number)),
            "then": total * int(number),
        }[word]
    return total


@pytest.mark.parametrize("name", SETS)
def test_gold_answers_are_right(name: str) -> None:
    for problem in SETS[name]:
        assert problem.gold == str(solved(problem)), problem.question


@pytest.mark.parametrize("kind", KINDS)
def test_solutions(kind: str) -> None:
    rng, wrong = Random(0), 0
    for _, exercise in islice(draws(Split.SFT, kind, TAUGHT[kind], rng), 200):
        expression = exercise.expression
        gold = str(value(expression))
        assert mark(direct(expression), gold, False).mark is Mark.CORRECT
        text = worked(expression)
        assert mark(text, gold, False).mark is Mark.CORRECT
        lines = re.findall(r"(\d+)([-+*/])(\d+)=(\d+)", text)
        assert len(lines) == operations(expression)
        assert all(eval(f"{left}{op}{right}") == int(result) for left, op, right, result in lines)
        wrong += mark(slipped(expression, rng), gold, False).mark is Mark.WRONG
    assert wrong >= 170  # in a division a slip may round away


def test_a_slip_is_carried_on() -> None:
    class Second(Random):
        def randrange(self, *_: object) -> int:
            return 1

        def choice(self, seq: Sequence[int]) -> int:  # type: ignore[override]
            return 2

    expression = chain(3, ("+", 4), ("*", 2), ("-", 5))
    assert worked(expression) == r"3+4=7, 7*2=14, 14-5=9. \boxed{9}"
    assert slipped(expression, Second()) == r"3+4=7, 7*2=16, 16-5=11. \boxed{11}"


def op(text: str, left: Expression, right: Expression) -> Operation:
    return Operation(text, left, right)


@pytest.mark.parametrize(
    "left, right",
    [
        (chain(3, ("+", 4)), chain(4, ("+", 3))),
        (chain(9, ("-", 4), ("+", 3)), chain(3, ("+", 9), ("-", 4))),
        (op("-", 9, chain(4, ("-", 3))), chain(9, ("-", 4), ("+", 3))),
        (op("-", 9, chain(4, ("+", 3))), chain(9, ("-", 4), ("-", 3))),
        (op("+", 5, op("*", 3, 4)), op("+", op("*", 4, 3), 5)),
        (op("*", 2, op("*", 3, 4)), chain(4, ("*", 2), ("*", 3))),
    ],
)
def test_one_canonical_text_for_all_orders(left: Expression, right: Expression) -> None:
    assert canonical(left) == canonical(right) and value(left) == value(right)


def test_different_computations_have_different_canonical_texts() -> None:
    different = [
        chain(3, ("+", 4)),
        chain(7, ("-", 4)),
        chain(4, ("-", 7)),
        chain(3, ("*", 4)),
        chain(12, ("/", 4)),
        chain(4, ("/", 12)),
        chain(3, ("+", 4), ("*", 2)),
        op("+", 3, op("*", 4, 2)),
        chain(34, ("+", 4)),
        chain(3, ("+", 44)),
    ]
    assert len({canonical(expression) for expression in different}) == len(different)


def test_symbols_have_the_brackets_they_need() -> None:
    assert symbols(chain(3, ("+", 4), ("*", 2))) == "(3+4)*2"
    assert symbols(op("-", 9, chain(4, ("+", 3)))) == "9-(4+3)"
    assert symbols(op("+", 9, op("*", 4, 3))) == "9+4*3"
    assert symbols(op("/", 12, op("/", 6, 3))) == "12/(6/3)"
