"""Kinds of problem that are never taught and never trained on: the same arithmetic, asked in ways not met before."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.miniature.expressions import Operation, chain, value
from benchmarks.miniature.kinds import NAMES, THINGS, VARIABLES, Draw, Exercise, Kind, add_or_subtract, computed, link


def brackets(level: int, draw: Draw) -> Exercise:
    """A bracket first, then a factor or a term; a second bracket at level 3."""
    first = add_or_subtract(draw.randint(1, 9), 1, draw)
    second = add_or_subtract(draw.randint(2, 9), 1, draw) if level > 2 else draw.randint(2, 4)
    if value(first) * value(second) <= 50:
        return computed(Operation("*", first, second), draw)
    return computed(Operation("-", value(first) + draw.randint(2, 20), first), draw)


def instructions(level: int, draw: Draw) -> Exercise:
    start = total = draw.randint(2, 20)
    links, told = [], []
    for _ in range(level):
        op, number = link(total, draw, "+-")
        links.append((op, number))
        told.append(f"Add {number}." if op == "+" else f"Subtract {number}.")
        total += number if op == "+" else -number
    return Exercise(f"Start with {start}. {' '.join(told)} What is the result?", chain(start, *links))


def together(level: int, draw: Draw) -> Exercise:
    """The things of several people, added up."""
    first = draw.randint(0, len(NAMES) - 1)
    names = [NAMES[(first + place) % len(NAMES)] for place in range(level + 1)]
    counts = [draw.randint(2, 20), *(draw.randint(2, 9) for _ in range(level))]
    owned = ", ".join(f"{name} has {count}" for name, count in zip(names, counts, strict=True))
    expression = chain(counts[0], *(("+", count) for count in counts[1:]))
    return Exercise(f"{owned} {draw.choice(THINGS)}. How many together?", expression)


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


UNSEEN: Mapping[str, Kind] = {
    "brackets": brackets,
    "instructions": instructions,
    "together": together,
    "rearranged": rearranged,
}
