"""Where an expression in letters changes its form: kinks of |u|, max and min, roots, and steps of floors.

On a line through a point, along one letter, the kinks lie at the zeros of polynomials, so that every piece of the line
can be visited. A floor of a polynomial with rational coefficients in integers is a polynomial on each class of integers
modulo a period: as many points as that polynomial has coefficients prove an identity there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import combinations, pairwise, product
from math import lcm
from random import Random
from typing import Any, NamedTuple

from flint import fmpq, fmpq_poly
from sympy import Poly

from benchmarks.marking.values.letters import KINKS, LetterKind, fraction, is_step, names, preorder

SMOOTH_DEGREE = 6
"""that a function which is no polynomial is given, for the number of points"""
MOST_BRANCHES = 16
MOST_SQUARE = 12
"""degree of what stands under a root"""
MOST_DEGREE = 60


class NotPolynomial(Exception):
    """An argument has no polynomial form."""


def turning(*expressions: Any) -> list[Any]:
    """What changes sign where |u|, sign, max or min have a kink."""
    found: dict[Any, None] = {}
    for node in (node for one in expressions for node in preorder(one)):
        name = type(node).__name__
        found |= dict.fromkeys(_hidden(node))
        if name not in KINKS:
            continue
        if name in ("Max", "Min"):
            found |= dict.fromkeys(a - b for a, b in combinations(node.args, 2))
        elif name == "Piecewise":
            conditions = (condition for _, condition in node.args)
            found |= dict.fromkeys(
                one.args[0] - one.args[1]
                for condition in conditions
                for one in preorder(condition)
                if one.is_Relational
            )
        else:
            found[node.args[0]] = None
    return [one for one in found if one.free_symbols]


def _hidden(node: Any) -> list[Any]:
    """u of sqrt(u^2), which is |u|, if it has several letters: lines may miss where it changes sign."""
    if type(node).__name__ != "Pow" or not node.args[1].is_Rational or node.args[1].q % 2:
        return []
    base = node.args[0]
    if type(base).__name__ == "Symbol" or len(base.free_symbols) < 2 or not base.is_polynomial():
        return []
    if _degree(base) > MOST_SQUARE:
        raise NotPolynomial("a degree")
    form = Poly(base, *sorted(base.free_symbols, key=str))
    return [u.as_expr() for u, n in form.sqf_list()[1] if n % 2 == 0 and len(u.free_symbols) > 1]


@lru_cache(maxsize=4096)
def hides_kink(node: Any) -> bool:
    """Whether it is the root of a square, or may be."""
    try:
        return bool(_hidden(node))
    except NotPolynomial:
        return True


def _degree(node: Any) -> int:
    """Of a polynomial, at most; nothing is expanded."""
    name = type(node).__name__
    if name in ("Add", "Mul"):
        degrees = [_degree(one) for one in node.args]
        return max(degrees) if name == "Add" else sum(degrees)
    return _degree(node.args[0]) * int(node.args[1]) if name == "Pow" and node.free_symbols else int(node.is_Symbol)


def borders(*expressions: Any, real: bool) -> list[Any]:
    """What is zero where an expression without those may still change its form: what stands under a root, and divisors,
    such as that of arctan(1/x); the logarithm of a negative number too, where that has a value."""
    nodes = (node for one in expressions for node in preorder(one))
    jumping = {"acot"} if real else {"acot", "log"}
    found = {node.args[0]: None for node in nodes if type(node).__name__ in jumping or _divides(node)}
    return [one for one in found if one.free_symbols]


def _divides(node: Any) -> bool:
    """A negative or broken power."""
    if type(node).__name__ != "Pow" or not node.args[1].is_Rational:
        return False
    return node.args[1] < 0 or not node.args[1].is_Integer


def cuts(arguments: list[Any], letter: str, others: Mapping[str, fmpq]) -> list[fmpq]:
    """Where the arguments may change sign along a letter, in order. Raises: NotPolynomial."""
    found: set[fmpq] = set()
    for argument in arguments:
        if letter not in names(argument):
            continue
        for above, below in _forms(argument, letter, others):
            for form in (above, below):
                if form.degree() > MOST_DEGREE:
                    raise NotPolynomial("a degree")
                if form.degree() > 0:
                    found |= _real_roots(form)
    return sorted(found)


def _real_roots(form: fmpq_poly) -> set[fmpq]:
    """Exactly of a linear form, else as rationals close by."""
    if form.degree() == 1:
        return {-form[0] / form[1]}
    roots: list[tuple[Any, int]] = form.numer().complex_roots()  # pyright: ignore[reportAssignmentType]
    return {_close(root.real) for root, _ in roots if root.imag.is_zero()}


def _close(root: Any) -> fmpq:
    mantissa, exponent = root.mid().man_exp()
    return fmpq(mantissa) * fmpq(2) ** int(exponent)


_Form = tuple[fmpq_poly, fmpq_poly]


def _forms(node: Any, letter: str, others: Mapping[str, fmpq]) -> list[_Form]:
    """The quotients of polynomials that a node is one of: |u| is u or -u."""
    # Every branch of every absolute value is followed: where two of them meet, their difference has a root.
    one = fmpq_poly([1])
    name = type(node).__name__
    if node.is_Rational:
        return [(fmpq_poly([fmpq(int(node.p), int(node.q))]), one)]
    if name == "Symbol":
        if node.name == letter:
            return [(fmpq_poly([0, 1]), one)]
        if isinstance(others.get(node.name), fmpq):
            return [(fmpq_poly([others[node.name]]), one)]
        raise NotPolynomial(node.name)
    if name == "Abs":
        inner = _forms(node.args[0], letter, others)
        return [*inner, *((-above, below) for above, below in inner)]
    if name in ("Max", "Min"):
        return [form for argument in node.args for form in _forms(argument, letter, others)]
    if name == "Pow" and node.args[1].is_Integer and abs(int(node.args[1])) <= MOST_DEGREE:
        n = int(node.args[1])
        inner = _forms(node.args[0], letter, others)
        return [(a**n, b**n) if n >= 0 else (b**-n, a**-n) for a, b in inner]
    if name not in ("Add", "Mul"):
        raise NotPolynomial(name)
    found = [(fmpq_poly([0 if name == "Add" else 1]), one)]
    for argument in node.args:
        inner = _forms(argument, letter, others)
        if len(found) * len(inner) > MOST_BRANCHES:
            raise NotPolynomial("many branches")
        pairs = product(found, inner)
        found = [(a * d + c * b, b * d) if name == "Add" else (a * c, b * d) for (a, b), (c, d) in pairs]
    return found


def visited(places: list[fmpq], source: Random, *, whole: bool = False) -> Iterator[list[fmpq]]:
    """Some numbers on each piece of a line that is cut at these places."""
    if not places:
        yield _within(-5 * fraction(source), 5 * fraction(source), source, whole)
        return
    for step in (1, 40):
        yield _within(places[0] - 2 - step * fraction(source), places[0], source, whole)
        yield _within(places[-1], places[-1] + 2 + step * fraction(source), source, whole)
    for a, b in pairwise(places):
        yield _within(a, b, source, whole)


def _within(a: fmpq, b: fmpq, source: Random, whole: bool) -> list[fmpq]:
    if not whole:
        return [a + (b - a) * fraction(source) * part for part in (fmpq(1, 2), fmpq(99, 100))]
    low, high = int(a.ceil()), int(b.floor())
    if low > high:
        return []
    return [fmpq(n) for n in sorted({low, min(low + 1, high), max(high - 1, low), high, source.randint(low, high)})]


class Shape(NamedTuple):
    """Of a function of integers: on each class modulo its periods it is a polynomial."""

    periods: dict[str, int]
    degree: int
    below: int | None
    """the common denominator of its values; None of values that are not rational"""
    polynomial: bool = True
    """whether it is one indeed; else it is smooth"""

    def within(self, other: Shape, below: int | None, degree: int) -> Shape:
        """Of a combination of both: it repeats when both do."""
        letters = {*self.periods, *other.periods}
        periods = {letter: lcm(self.periods.get(letter, 1), other.periods.get(letter, 1)) for letter in letters}
        return Shape(periods, degree, below, self.polynomial and other.polynomial)


def shape(node: Any, kinds: Mapping[str, LetterKind]) -> Shape:
    """Raises: NotPolynomial of a step whose argument is not rational with a bounded denominator."""
    name = type(node).__name__
    if node.is_Rational:
        return Shape({}, 0, int(node.q))
    if name == "Symbol":
        return Shape({}, 1, 1 if kinds.get(node.name) is LetterKind.WHOLE else None)
    if name in ("Add", "Mul"):
        return _combined(name, [shape(one, kinds) for one in node.args])
    if name == "Pow" and node.args[1].is_Integer and 0 <= int(node.args[1]) <= MOST_DEGREE:
        inner, n = shape(node.args[0], kinds), int(node.args[1])
        return inner._replace(degree=inner.degree * n, below=None if inner.below is None else inner.below**n)
    if is_step(node):
        return _common(node, kinds) if name in ("GCD", "LCM") else _step(node, kinds)
    inner = [shape(one, kinds) for one in node.args]
    total = _combined("Add", inner) if inner else Shape({}, 0, None)
    if name == "Pow" and node.args[0] == -1 and inner[1].below is not None:
        return Shape(_repeated(node.args[1], inner[1], 2 * inner[1].below), 0, 1 if inner[1].below == 1 else None)
    if name in ("sin", "cos") and node.free_symbols:
        turns = node.args[0] / _pi()
        if not turns.has(_pi()):
            whole = shape(turns, kinds)
            if whole.below is not None and whole.polynomial:
                return Shape(_repeated(turns, whole, 2 * whole.below), 0, None)
    if not node.free_symbols:
        return Shape({}, 0, None)
    return Shape(total.periods, SMOOTH_DEGREE, None, polynomial=False)


def _pi() -> Any:
    from sympy import pi

    return pi


def _combined(name: str, parts: list[Shape]) -> Shape:
    total = parts[0]
    for part in parts[1:]:
        add = name == "Add"
        below = None
        if total.below is not None and part.below is not None:
            below = lcm(total.below, part.below) if add else total.below * part.below
        total = total.within(part, below, max(total.degree, part.degree) if add else total.degree + part.degree)
    return total


def _repeated(node: Any, inner: Shape, times: int) -> dict[str, int]:
    """The periods of what depends on a polynomial's value modulo a number."""
    return {letter: inner.periods.get(letter, 1) * times for letter in names(node)}


def _common(node: Any, kinds: Mapping[str, LetterKind]) -> Shape:
    """gcd(u, 12) depends on u modulo 12; lcm(u, 12) is 12 u over that."""
    constants = [int(one.p) for one in node.args if one.is_Integer]
    (other, *more) = [one for one in node.args if not one.is_Integer]
    inner = shape(other, kinds)
    if more or 0 in constants or inner.below != 1 or not inner.polynomial:
        raise NotPolynomial("a common divisor")
    modulus = lcm(*constants)
    least = type(node).__name__ == "LCM"
    return Shape(_repeated(other, inner, modulus), inner.degree if least else 0, 1)


def _step(node: Any, kinds: Mapping[str, LetterKind]) -> Shape:
    argument = node.args[0]
    name = type(node).__name__
    modulus = node.args[1] if name == "Mod" else None
    if modulus is not None:
        if not modulus.is_Rational or modulus == 0:
            raise NotPolynomial("a modulus")
        argument = argument / modulus
    inner = shape(argument, kinds)
    if inner.below is None or not inner.polynomial:
        raise NotPolynomial("a step")
    periods = _repeated(argument, inner, inner.below)
    if name in ("floor", "ceiling"):
        return Shape(periods, inner.degree, 1)
    below = inner.below * (int(modulus.q) if modulus is not None else 1)
    return Shape(periods, inner.degree, below)
