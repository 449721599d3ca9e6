"""Two expressions in letters, at points and on lines of points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from flint import acb, fmpq

from benchmarks.marking.values import letters as letters_
from benchmarks.marking.values import pieces
from benchmarks.marking.values.difference import Difference, between
from benchmarks.marking.values.enclosure import Number, Undefined
from benchmarks.marking.values.letters import KINKS, LetterKind
from benchmarks.marking.values.pieces import NotPolynomial

MOST_TRIED = 60
"""points that are drawn"""
LINES = 3
"""along each letter"""


class Identity(NamedTuple):
    """Whether it is one."""

    equal: bool | None
    reason: str


class Differs(Exception):
    """There is a point with a difference."""

    def __init__(self, point: Mapping[str, Number], difference: Difference) -> None:
        self.point = point
        self.difference = difference


class ExpressionPair:
    """Two expressions with their letters."""

    def __init__(self, answer: Any, gold: Any, base: Mapping[str, Number] | None = None) -> None:
        self.answer, self.gold, self.base = answer, gold, base
        self.kinds = letters_.kinds(answer, gold)
        self.source = letters_.generator(self.kinds)
        every = [node for one in (answer, gold) for node in letters_.preorder(one)]
        nodes = {type(node).__name__ for node in every}
        self.steps, self.kinks = any(map(letters_.is_step, every)), bool(nodes & KINKS)
        self.cases = "Piecewise" in nodes
        self.imaginary = "ImaginaryUnit" in nodes or LetterKind.COMPLEX in self.kinds.values()
        self.exact = True
        """so far every difference was exactly zero"""

    def equal_at(self, point: Mapping[str, Number], *, real: bool, opaque: Any = None) -> bool | None:
        """None: one side has no value there, or nothing can be told. Raises: Differs; Unknown."""
        try:
            found = between(self.answer, self.gold, point, real=real, opaque=opaque, base=self.base)
        except Undefined:
            return None
        if found.equal is False:
            raise Differs(point, found)
        self.exact = self.exact and found.exact
        return found.equal

    def count(self, points: Iterable[Mapping[str, Number]], *, real: bool, enough: int, opaque: Any = None) -> int:
        """At how many points they were found equal. Raises: Differs, Unknown."""
        total = 0
        for point in points:
            total += bool(self.equal_at(point, real=real, opaque=opaque))
            if total == enough:
                break
        return total

    def drawn(self, most: int = MOST_TRIED) -> Iterator[dict[str, Number]]:
        return (letters_.draw(self.kinds, number, self.source) for number in range(most))


def on_lines(pair: ExpressionPair, arguments: list[Any], *, strict: bool) -> Iterator[dict[str, Number]]:
    """Points on every piece of lines along each letter.

    Raises: NotPolynomial, if `strict`; else such a line is left out.
    """
    for letter in pair.kinds:
        if pair.kinds[letter] is LetterKind.COMPLEX:
            continue
        for number in range(LINES):
            base = letters_.draw(pair.kinds, 3 * number, pair.source)
            try:
                places = pieces.cuts(arguments, letter, base)
            except NotPolynomial:
                if strict:
                    raise
                continue
            for value in pieces.visited(places, ends=pair.cases):
                whole = pair.kinds[letter] is LetterKind.WHOLE
                yield {**base, letter: fmpq(value.floor()) if whole else value}


def at(point: Mapping[str, Number]) -> str:
    """In words."""
    if any(isinstance(value, acb) for value in point.values()):
        return " at a complex point"
    return " at " + ", ".join(f"{name} = {value}" for name, value in list(point.items())[:3])
