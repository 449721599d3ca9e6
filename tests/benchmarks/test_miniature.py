"""The embedded suite: its answers are right, its splits apart, its sets as promised."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, islice
from random import Random
from typing import TypeVar

import pytest

from benchmarks.marking import mark
from benchmarks.marks import NUMBERS, Mark
from benchmarks.miniature.expressions import Expression, Operation, canonical, chain, operations, symbols, value
from benchmarks.miniature.kinds import KINDS
from benchmarks.miniature.solutions import direct, slipped, worked
from benchmarks.miniature.suite import ALL_KINDS, EASY, LONGER, NEW, SHARES, TAUGHT, Split, draws, split_of
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


EVALUATED = [(name, Split.EVALUATION) for name in (*SIX, "mini_easy")]
OTHER_SPLITS = {"mini_rl": Split.RL, "mini_easy_rl": Split.RL, "mini_validation": Split.VALIDATION}


def spaces(kind: str, levels: Sequence[int]) -> Counter[Split]:
    """How many canonical computations of a kind each split has."""
    computations = {
        canonical(exercise.expression)
        for level in levels
        for exercise in Odometer().walk(lambda odometer, level=level: ALL_KINDS[kind](level, odometer))
    }
    return Counter(split_of(computation) for computation in computations)


def test_space_of_every_kind() -> None:
    """Run with -s to see the table. No set may use up what its split holds."""
    print(f"\n{'canonical computations':24}{'levels':>8}" + "".join(f"{split:>12}" for split in Split))
    for kind in ALL_KINDS:
        levels = (1, 2) if kind in ("mixed", "story", "doubled") else (1, 2, 3)  # the rest is larger still
        counts = spaces(kind, levels)
        print(f"{kind:24}{f'1-{levels[-1]}':>8}" + "".join(f"{counts[split]:>12}" for split in Split))
        for split, share in SHARES.items():
            assert counts[split] / counts.total() == pytest.approx(share / 100, abs=0.08)
        for name, split in (*OTHER_SPLITS.items(), *EVALUATED):
            taken = sum(problem.tags["kind"] == kind and int(problem.tags["level"]) in levels for problem in SETS[name])
            assert counts[split] >= 1.5 * taken


def test_splits_are_disjoint_whatever_the_wording() -> None:
    computations: dict[Split, set[str]] = {split: set() for split in Split}
    for split in Split:
        for kind in KINDS:
            for computation, exercise in islice(draws(split, kind, TAUGHT[kind], Random(kind)), 500):
                assert computation == canonical(exercise.expression)
                computations[split].add(computation)
    for name, problems in SETS.items():
        split = OTHER_SPLITS.get(name, Split.EVALUATION)
        computations[split] |= {problem.tags["computation"] for problem in problems}
    for left, right in combinations(Split, 2):
        assert not computations[left] & computations[right]
        assert min(len(computations[left]), len(computations[right])) > 1000


def test_sets_ask_no_question_of_another_split() -> None:
    questions = {name: {problem.question for problem in problems} for name, problems in SETS.items()}
    for left, right in combinations(questions, 2):
        if OTHER_SPLITS.get(left) is not OTHER_SPLITS.get(right):
            assert not questions[left] & questions[right], (left, right)


@pytest.mark.parametrize("name", SETS)
def test_no_computation_twice_in_a_set(name: str) -> None:
    assert len({problem.tags["computation"] for problem in SETS[name]}) == len(SETS[name])


def test_sizes_and_what_is_held_out() -> None:
    assert {name: len(problems) for name, problems in SETS.items()} == {
        **dict.fromkeys(SIX, 200),
        "mini_validation": 240,
        "mini_easy": 32,
        "mini_rl": 3000,
        "mini_easy_rl": 54,
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
        "mini_equations": "093bca4e7ed19469",
        "mini_sums": "e97d84a522572d89",
        "mini_chains": "35fd6644bde53913",
        "mini_stories": "2260b2970f303e0f",
        "mini_unseen": "3b682e8e0bd575bb",
        "mini_longer": "0e91d61ce65c128f",
        "mini_easy": "5e8b517680ffceac",
        "mini_validation": "528a95a58aa3fad6",
    }


def test_the_easy_sets_leave_a_third_of_their_splits() -> None:
    counts = spaces("mixed", EASY["mixed"])
    assert counts[Split.RL] >= 1.5 * len(SETS["mini_easy_rl"])
    assert counts[Split.EVALUATION] >= 1.5 * len(SETS["mini_easy"])
    assert {problem.tags["level"] for name in ("mini_easy", "mini_easy_rl") for problem in SETS[name]} == {"1"}


def solved(problem: Problem) -> int:
    """The answer worked out from the question's text alone, another way than the one that made it."""
    question, kind = problem.question, problem.tags["kind"]
    numbers = [int(number) for number in re.findall(r"\d+", question)]
    match kind:
        case "sum" | "nested":
            listing = re.sub(r"Add |Find the sum of |What is the sum of |[?.]", "", question)
            return sum(eval(term) for term in re.split(", | and ", listing))
        case "difference":
            return numbers[-1] - sum(numbers[:-1])
        case "mixed" | "product" | "inverted":
            return eval(re.sub(r"What is |Compute |[?.]", "", question))
        case "equation" | "rearranged":
            name, left, right = re.fullmatch(r"Solve for (.): (.*)=(.*)\.", question).groups()  # type: ignore[union-attr]
            both = compile(re.sub(rf"(\d){name}", rf"\1*{name}", f"{left}=={right}"), question, "eval")
            (solution,) = (x for x in range(1, 60) if eval(both, {name: x}))
            return solution
    total = numbers[0]
    for event in question.removesuffix(" now?").split(". How")[0].split(", ")[1:]:
        for number in map(int, re.findall(r"\d+", event)):
            verb = event.split()[0]
            total = total * number if verb == "then" else total + number * (1 if verb in GAINS else -1)
    return total


GAINS = ("buys", "finds", "gets")


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
        assert mark(direct(expression), gold, NUMBERS).mark is Mark.CORRECT
        text = worked(expression)
        assert mark(text, gold, NUMBERS).mark is Mark.CORRECT
        lines = re.findall(r"(\d+)([-+*/])(\d+)=(\d+)", text)
        assert len(lines) == operations(expression)
        assert all(eval(f"{left}{op}{right}") == int(result) for left, op, right, result in lines)
        wrong += mark(slipped(expression, rng), gold, NUMBERS).mark is Mark.WRONG
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
