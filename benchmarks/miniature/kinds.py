"""The kinds of problem that are taught: a question, and the expression that answers it.

A level is the number of operations. Every value on the way is a positive whole number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from benchmarks.miniature.expressions import Expression, Operation, chain, symbols, value

T = TypeVar("T")


class Draw(Protocol):
    """The part of `random.Random` that the kinds use."""

    def randint(self, a: int, b: int) -> int: ...

    def choice(self, seq: Sequence[T]) -> T: ...


@dataclass(frozen=True, slots=True)
class Exercise:
    """A question in words, and the computation that answers it."""

    question: str
    expression: Expression


Kind = Callable[[int, Draw], Exercise]
"""(level, draw) -> exercise"""

NAMES = ("Tom", "Ana", "Sam", "Mia", "Leo", "Zoe", "Max", "Eva")
THINGS = ("pens", "coins", "books", "cards", "shells", "eggs", "cups", "apples")
VARIABLES = ("x", "y", "z")


def summed(level: int, draw: Draw) -> Exercise:
    """A list of `level` + 1 numbers to be added up."""
    terms = [draw.randint(1, 25), *(draw.randint(2, 9) for _ in range(level))]
    expression = chain(terms[0], *(("+", term) for term in terms[1:]))
    wording = draw.choice(("Add {}.", "Find the sum of {}.", "What is the sum of {}?"))
    return Exercise(wording.format(listed(terms)), expression)


def difference(level: int, draw: Draw) -> Exercise:
    """`level` numbers of 2 to 9 to be taken from one that is larger than all of them together."""
    taken = [draw.randint(2, 9) for _ in range(level)]
    start = sum(taken) + draw.randint(1, 20)
    wording = draw.choice(("Subtract {} from {}.", "Take {} away from {}."))
    return Exercise(wording.format(listed(taken), start), chain(start, *(("-", number) for number in taken)))


def mixed(level: int, draw: Draw) -> Exercise:
    return computed(add_or_subtract(draw.randint(1, 20), level, draw), draw)


def product(level: int, draw: Draw) -> Exercise:
    """A product of two small factors, then + and -; or, from level 2, with the product as the second term of a sum."""
    factors = Operation("*", draw.randint(2, 9), draw.randint(2, 5))
    if level > 1 and draw.choice((True, False)):
        return computed(add_or_subtract(Operation("+", draw.randint(2, 9), factors), level - 2, draw), draw)
    return computed(add_or_subtract(factors, level - 1, draw), draw)


def story(level: int, draw: Draw) -> Exercise:
    """Somebody's things become more and fewer, in `level` events. Nothing is multiplied above 12, so that the numbers
    stay small."""
    name, things, start = draw.choice(NAMES), draw.choice(THINGS), draw.randint(2, 20)
    expression: Expression = start
    events = []
    for _ in range(level):
        total = value(expression)
        op, number = link(total, draw, "+-*" if total <= 12 else "+-")
        expression = Operation(op, expression, number)
        events.append(draw.choice(EVENTS[op]).format(number))
    ending = draw.choice(("How many now?", f"How many {things} now?"))
    return Exercise(f"{name} has {start} {things}, {', '.join(events)}. {ending}", expression)


EVENTS: Mapping[str, tuple[str, ...]] = {
    "+": ("buys {} more", "finds {} more", "gets {} more"),
    "-": ("loses {}", "sells {}", "gives away {}"),
    "*": ("then has {} times as many",),
}


def equation(level: int, draw: Draw) -> Exercise:
    """a x = c, then with level - 1 terms added or subtracted on the left."""
    solution, factor, name = draw.randint(2, 9), draw.randint(2, 5), draw.choice(VARIABLES)
    left, right, undo = f"{factor}{name}", factor * solution, []
    for _ in range(level - 1):
        op, number = link(right, draw, "+-")
        left += f"{op}{number}"
        undo.append(("-" if op == "+" else "+", number))
        right += number if op == "+" else -number
    expression = chain(right, *reversed(undo), ("/", factor))
    return Exercise(f"Solve for {name}: {left}={right}.", expression)


KINDS: Mapping[str, Kind] = {
    "sum": summed,
    "difference": difference,
    "mixed": mixed,
    "product": product,
    "story": story,
    "equation": equation,
}


def add_or_subtract(start: Expression, links: int, draw: Draw) -> Expression:
    """Some links of + and -, never below 1."""
    for _ in range(links):
        op, number = link(value(start), draw, "+-")
        start = Operation(op, start, number)
    return start


def link(total: int, draw: Draw, ops: str) -> tuple[str, int]:
    """An operation that keeps the value positive and small."""
    op = draw.choice([op for op in ops if op != "-" or total > 2])
    if op == "*":
        return op, draw.randint(2, 3)
    return op, draw.randint(2, 9 if op == "+" else min(9, total - 1))


def computed(expression: Expression, draw: Draw) -> Exercise:
    return Exercise(draw.choice(("What is {}?", "Compute {}.")).format(symbols(expression)), expression)


def listed(numbers: Sequence[int | str]) -> str:
    """3 / 3 and 4 / 3, 4 and 5"""
    *first, last = map(str, numbers)
    return f"{', '.join(first)} and {last}" if first else last
