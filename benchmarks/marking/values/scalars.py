"""Two values: numbers by their difference, expressions in letters as an identity; decimals as their digits allow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import sympy
from flint import acb, arb, fmpq

from benchmarks.marking.values import letters as letters_
from benchmarks.marking.values import terms
from benchmarks.marking.values.arithmetic import PRECISE, sign_of
from benchmarks.marking.values.difference import Difference, between
from benchmarks.marking.values.enclosure import BallOverflow, Number, Undefined, Unknown, Unsure, Values
from benchmarks.marking.values.letters import names, preorder
from benchmarks.marking.values.pair import MOST_TRIED
from benchmarks.marking.values.sampling import ENOUGH, FEW, identity
from benchmarks.marking.verdicts import Verdict

PRINTED_DIGITS = 15
"""a decimal of so many significant digits is what a program prints of an exact value"""
DOUBLE = arb(2) ** -52
"""relative error of a printed double"""
_DECIMAL = re.compile(r"[+-]?([0-9]+\.[0-9]+|\.[0-9]+)")
_MOST_NODES, _MOST_EXPONENT, _MOST_EXPANDED = 200, 1000, 12
"""nodes, and exponents in them, of a difference that sympy cancels, and expands"""


class Scalar(NamedTuple):
    """A value, and how it was written."""

    value: Any
    rounded: bool
    """holds a decimal"""
    digits: int = 0
    """significant ones, of a text that is one decimal; else 0"""


def digits(text: str) -> int:
    """The significant digits of a text that is one decimal; 0 of any other."""
    found = _DECIMAL.fullmatch(text.replace(" ", ""))
    return len(found[1].replace(".", "").lstrip("0")) if found else 0


def compare(answer: Scalar, gold: Scalar, tolerance: float) -> Verdict:
    """Two values."""
    a, g = answer.value, gold.value
    if a == g:
        return Verdict(True, "the same expression")
    if a in _INFINITE or g in _INFINITE:
        return Verdict(False, "one of them is infinite, or has no value")
    if not (answer.rounded or gold.rounded):
        tolerance = 0.0
    try:
        if names(a, g):
            return _in_letters(a, g, tolerance)
        return _numbers(answer, gold, tolerance)
    except Unknown as what:
        return Verdict(None, f"not decided: nothing is known about {what}")


_INFINITE = (sympy.oo, -sympy.oo, sympy.zoo, sympy.nan)


def _in_letters(a: Any, g: Any, tolerance: float) -> Verdict:
    found = identity(a, g)
    if found.equal:
        exact = _cancelled(a, g)
        return Verdict(not exact, f"the difference is {exact}" if exact else found.reason)
    if tolerance and _close_everywhere(a, g, tolerance):
        return Verdict(True, f"within the tolerance of {tolerance:g}")
    extra = sorted(names(a) - names(g))
    if found.equal is False and extra:
        return Verdict(False, f"the gold has no {extra[0]}")
    return Verdict(found.equal, found.reason)


def _close_everywhere(a: Any, g: Any, tolerance: float) -> bool:
    kinds = letters_.kinds(a, g)
    source = letters_.generator(a, g)
    met = 0
    for number in range(MOST_TRIED):
        try:
            found = between(a, g, letters_.draw(kinds, number, source))
        except Undefined:
            continue
        if found.equal is False and not _within(found, tolerance):
            return False
        met += found.equal is not None
        if met == ENOUGH:
            return True
    return met >= FEW


def _within(found: Difference, tolerance: float) -> bool:
    """Whether a difference is small beside the larger value."""
    if found.size is None or found.values is None:
        return False
    exact = Fraction(repr(tolerance))
    share = fmpq(exact.numerator, exact.denominator)
    a, g = found.values
    if isinstance(a, fmpq) and isinstance(g, fmpq):
        return abs(a - g) <= share * max(abs(a), abs(g))
    return bool(found.size <= share * _size(a).max(_size(g)))


def _size(value: Number) -> arb:
    return abs(arb(value)) if isinstance(value, fmpq) else abs(value)


def _numbers(answer: Scalar, gold: Scalar, tolerance: float) -> Verdict:
    a, g = answer.value, gold.value
    found = _difference(a, g)
    if found is None:
        return Verdict(False, "one of them has no value")
    if found.equal is None:
        return Verdict(None, f"not decided: {found.why}")
    if found.equal:
        if found.proved:
            return Verdict(True, "the difference is 0")
        exact = _cancelled(a, g, expand=True)
        if exact is not None:
            return Verdict(exact == 0, f"the difference is {exact}")
        return Verdict(True, f"equal {found.how}, not proved")
    if not _is_integer(gold, found) and tolerance and _within(found, tolerance):
        return Verdict(True, f"within the tolerance of {tolerance:g}")
    if found.values and (_printed(answer, gold, *found.values) or _printed(gold, answer, *reversed(found.values))):
        return Verdict(True, "a printed decimal of the exact value")
    return Verdict(False, _told(found))


def _difference(a: Any, g: Any) -> Difference | None:
    """In the reals, and if one has no value there as complex numbers; None if it has none there either."""
    imaginary = any(type(node).__name__ == "ImaginaryUnit" for one in (a, g) for node in preorder(one))
    for real in (False,) if imaginary else (True, False):
        try:
            found = between(a, g, real=real)
            rest = terms.rest(a, g, real=real)
            if found.equal is False or not rest.shortened:
                return found
            return _of_rest(found, between(rest.answer, rest.gold, real=real))
        except Undefined:
            continue
    return None


def _of_rest(found: Difference, rest: Difference) -> Difference:
    """What is left where both lose what they share tells more: that of pi + 10^{-200} and pi."""
    if rest.equal is None:
        return found
    return rest._replace(exact=False, values=found.values)


def _told(found: Difference) -> str:
    if found.size is None:
        return "they are large, and differ"
    if found.exact and found.values and (difference := abs(found.values[0] - found.values[1])).height_bits() < 40:
        return f"the difference is {difference}"
    return f"the difference is about {float(found.size):.2g}" if found.size < arb(10) ** 300 else "they differ by far"


def _is_integer(gold: Scalar, found: Difference) -> bool:
    """An integer that was not written as a decimal."""
    value = found.values[1] if found.values else None
    return not gold.rounded and isinstance(value, fmpq) and value.q == 1


def _printed(decimal: Scalar, exact: Scalar, value: Number, other: Number) -> bool:
    """Whether one is the decimal that a program prints of the other, which is no integer."""
    if decimal.digits < PRINTED_DIGITS or exact.rounded or (isinstance(other, fmpq) and other.q == 1):
        return False
    unit = arb(10) ** (1 - decimal.digits + _magnitude(decimal.value))
    return bool(abs(arb(value) - other) <= (unit / 2).max(DOUBLE * _size(value)))


def _magnitude(value: Any) -> int:
    """n such that 10^n is at most its size, and 10^(n+1) is not."""
    above, below = abs(int(value.p)), int(value.q)
    n = len(str(above)) - len(str(below))
    return n if above * 10 ** max(-n, 0) >= below * 10 ** max(n, 0) else n - 1


def _cancelled(a: Any, g: Any, *, expand: bool = False) -> Any | None:
    """The difference as an exact rational, where sympy's rules show one: that of pi + 10^{-120} and pi is too small for
    a hundred digits."""
    nodes = [node for one in (a, g) for node in preorder(one)]
    largest = _MOST_EXPANDED if expand else _MOST_EXPONENT
    if len(nodes) > _MOST_NODES or any(_is_large(node, largest) for node in nodes):
        return None
    found = sympy.expand(a - g) if expand else a - g
    return found if found.is_Rational else None


def _is_large(node: Any, largest: int) -> bool:
    name = type(node).__name__
    if name == "Pow":
        return not node.args[1].is_Rational or abs(node.args[1]) > largest
    return name in ("factorial", "binomial", "Sum", "Product", "Piecewise", "floor", "ceiling")


def multiples(a: Any, g: Any, *, any_sign: bool = True) -> bool:
    """Whether a = c g for a constant c that is not zero; it must be positive unless it may have any sign.

    Raises: Unknown.
    """
    kinds = letters_.kinds(a, g)
    if names(a) != names(g) or not kinds:
        return False
    source = letters_.generator(a, g)
    other = _other_multiple(a, g)
    for number in range(MOST_TRIED):
        base = letters_.draw(kinds, number, source)
        try:
            signs = [_sign(one, base) for one in (a, g)]
        except Undefined:
            continue
        if 0 in signs:
            continue
        if not any_sign and signs[0] != signs[1]:
            return False
        return other == 0 or identity(other, g, base).equal is True
    return False


def _other_multiple(a: Any, g: Any) -> Any:
    """What is a multiple of g if a is one: a - g, or a + g, where they share terms, else a."""
    for sign in (-1, 1):
        found = terms.combined(a, g, sign)
        if found is not None:
            return found
    return a


def _sign(value: Any, point: Mapping[str, Number]) -> int | complex:
    """Of a real number; of a complex one any that is not zero. Raises: Undefined, Unknown."""
    for real in (True, False):
        values = Values(2 * PRECISE, point, real=real)
        try:
            found = values.of(value)
            return 1j if isinstance(found, acb) and not found.contains(0) else sign_of(found, values)
        except Undefined:
            if not real:
                raise
        except (Unsure, BallOverflow):
            return 0
    return 0


def numerator(difference: Any) -> Any | None:
    """Of a quotient of polynomials without common zeros along a curve: where it is zero, the quotient is; None of
    anything else."""
    if any(_is_large(node, _MOST_EXPANDED) for node in preorder(difference)):
        return None
    above, below = sympy.fraction(sympy.together(difference))
    if below.is_number or not (above.is_polynomial() and below.is_polynomial()):
        return None
    return above if sympy.gcd(above, below).is_number else None
