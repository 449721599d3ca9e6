"""Kinds of problem that are never taught and never trained on: the words and signs of the taught kinds, put together
in ways not met before."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.miniature.expressions import Expression, Operation, chain, symbols, value
from benchmarks.miniature.kinds import NAMES, THINGS, VARIABLES, Draw, Exercise, Kind, add_or_subtract, computed, listed


def nested(level: int, draw: Draw) -> Exercise:
    """A product inside a sum."""
    factors = draw.randint(2, 9), draw.randint(2, 5)
    terms = [draw.randint(2, 9) for _ in range(max(1, level - 1))]
    expression = chain(factors[0], ("*", factors[1]), *(("+", term) for term in terms))
    wording = draw.choice(("Add {}.", "Find the sum of {}.", "What is the sum of {}?"))
    return Exercise(wording.format(listed([symbols(Operation("*", *factors)), *terms])), expression)


def inverted(level: int, draw: Draw) -> Exercise:
    """A product taken away."""
    factors = Operation("*", draw.randint(2, 9), draw.randint(2, 5))
    expression = Operation("-", value(factors) + draw.randint(1, 9), factors)
    return computed(add_or_subtract(expression, level - 2, draw), draw)


def doubled(level: int, draw: Draw) -> Exercise:
    """Stories whose events come in pairs."""
    name, things, start = draw.choice(NAMES), draw.choice(THINGS), draw.randint(2, 20)
    expression: Expression = start
    events = []
    for _ in range(max(1, level - 1)):
        numbers = draw.randint(2, 9), draw.randint(2, 9)
        op = draw.choice("+-") if value(expression) > sum(numbers) else "+"
        events.append(draw.choice(PAIRED_EVENTS[op]).format(*numbers))
        expression = chain(expression, *((op, number) for number in numbers))
    return Exercise(f"{name} has {start} {things}, {', '.join(events)}. How many {things} now?", expression)


PAIRED_EVENTS: Mapping[str, tuple[str, ...]] = {
    "+": ("buys {} and {} more", "finds {} and {} more"),
    "-": ("sells {} and {}", "loses {} and {}"),
}


def rearranged(level: int, draw: Draw) -> Exercise:
    """Equations of other shapes: the unknown taken away or divided, on the right, on both sides."""
    name, solution, factor, term = draw.choice(VARIABLES), draw.randint(2, 9), draw.randint(2, 5), draw.randint(2, 9)
    total = factor * solution
    if level == 1:
        sides, expression = {
            "+": (f"{name}-{term}={solution}", Operation("+", solution, term)),
            "-": (f"{solution + term}-{name}={term}", Operation("-", solution + term, term)),
            "*": (f"{name}/{factor}={solution}", Operation("*", solution, factor)),
        }[draw.choice("+-*")]
    elif level == 2:
        sides = f"{total + term}={factor}{name}+{term}"
        expression = chain(total + term, ("-", term), ("/", factor))
    else:
        sides = f"{factor + term}{name}={term}{name}+{total}"
        expression = Operation("/", total, Operation("-", factor + term, term))
    return Exercise(f"Solve for {name}: {sides}.", expression)


UNSEEN: Mapping[str, Kind] = {"nested": nested, "inverted": inverted, "doubled": doubled, "rearranged": rearranged}
