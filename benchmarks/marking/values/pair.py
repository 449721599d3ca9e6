"""Two expressions in letters, at points and on lines of points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from flint import fmpq

from benchmarks.marking.values import letters as letters_
from benchmarks.marking.values import pieces, terms
from benchmarks.marking.values.arithmetic import PRECISE, ComplexRational
from benchmarks.marking.values.difference import FIRST_BITS, Difference, between
from benchmarks.marking.values.enclosure import BallOverflow, Number, Undefined, Unsure, Values
from benchmarks.marking.values.letters import KINKS, LetterKind

MOST_TRIED = 60
"""points that are drawn"""
LINES, MOST_LINES = 3, 9
"""along each letter, and how many are tried, for on some the values are too large"""


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
        self.whole, self.base = (answer, gold), base
        self.kinds = letters_.kinds(answer, gold)
        self.source = letters_.generator(answer, gold)
        nodes = {type(node).__name__ for one in self.whole for node in letters_.preorder(one)}
        self.imaginary = "ImaginaryUnit" in nodes or LetterKind.COMPLEX in self.kinds.values()
        self.shorten(real=not self.imaginary)

    def shorten(self, *, real: bool) -> None:
        """Leaves what the two do not share: `answer` and `gold`."""
        rest = terms.Rest(*self.whole, False) if self.base is not None else terms.rest(*self.whole, real=real)
        self.answer, self.gold, self.shortened = rest
        every = [node for one in (self.answer, self.gold) for node in letters_.preorder(one)]
        nodes = {type(node).__name__ for node in every}
        self.steps, self.kinks = (
            any(map(letters_.is_step, every)),
            bool(nodes & KINKS) or any(map(pieces.hides_kink, every)),
        )
        self.cases = "Piecewise" in nodes
        self.exact = True
        """so far every difference was exactly zero"""

    def has_value(self, whole: Any, point: Mapping[str, Number], *, real: bool, opaque: Any = None) -> bool:
        """Of one of the two. A value that is too large to be written is one. Raises: Unknown."""
        for precision in (FIRST_BITS, 2 * PRECISE):
            try:
                Values(precision, point, real=real, opaque=opaque).of(whole)
                return True
            except BallOverflow:
                return True
            except Undefined:
                return False
            except Unsure:
                continue
        return False

    def equal_at(self, point: Mapping[str, Number], *, real: bool, opaque: Any = None) -> bool | None:
        """None: one side has no value there; False: nothing can be told. Raises: Differs; Unknown."""
        if self.shortened and not all(self.has_value(one, point, real=real, opaque=opaque) for one in self.whole):
            return None
        try:
            found = between(self.answer, self.gold, point, real=real, opaque=opaque, base=self.base)
        except Undefined:
            return None
        if found.equal is False:
            raise Differs(point, found)
        self.exact = self.exact and found.exact
        return bool(found.equal)

    def count(self, points: Iterable[Mapping[str, Number]], *, real: bool, enough: int, opaque: Any = None) -> int:
        """At how many points they were found equal. Raises: Differs, Unknown."""
        total = 0
        for point in points:
            total += bool(self.equal_at(point, real=real, opaque=opaque))
            if total == enough:
                break
        return total

    def drawn(self, most: int = MOST_TRIED) -> Iterator[dict[str, Number]]:
        """Some of them as large as the constants are."""
        low, high = letters_.scales(*self.whole)
        for number in range(most):
            point = letters_.draw(self.kinds, number, self.source)
            if high and number % 5 == 3:
                times = 1 << self.source.randint(low, high)
                point = {name: times * value if isinstance(value, fmpq) else value for name, value in point.items()}
            yield point


def line(pair: ExpressionPair, arguments: list[Any], letter: str, number: int) -> list[list[dict[str, Number]]]:
    """Some points on every piece of a line along a letter; in cases, an end of two pieces is a piece of its own.

    Raises: NotPolynomial.
    """
    base = letters_.draw(pair.kinds, number, pair.source)
    places = pieces.cuts(arguments, letter, base)
    whole = pair.kinds[letter] is LetterKind.WHOLE
    ends = [[place] for place in places] if pair.cases and not whole else []
    found = [*ends, *pieces.visited(places, pair.source, whole=whole)]
    return [[{**base, letter: value} for value in values] for values in found]


def at(point: Mapping[str, Number]) -> str:
    """In words."""
    if any(isinstance(value, ComplexRational) for value in point.values()):
        return " at a complex point"
    return " at " + ", ".join(f"{name} = {value}" for name, value in list(point.items())[:3])
