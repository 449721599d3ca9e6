"""Whether two numbers are equal, by their difference: exactly, or with bounds that are narrowed until they tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from flint import arb, fmpq

from benchmarks.marking.values import residues, separation
from benchmarks.marking.values.arithmetic import PRECISE
from benchmarks.marking.values.enclosure import BallOverflow, Number, Undefined, Unknown, Unsure, Values, real_ball

DIGITS = 100
"""of the difference, beside 1 or the smaller of the numbers: if zero is still possible, the numbers count as equal"""
DIGITS_BITS = 333
"""as many digits in bits"""
FIRST_BITS = 64
MOST_BITS = 1 << 17
MOST_SEPARATION = 1 << 16
MOST_FACTORED = 10**12
_WIDTH = arb(10) ** -DIGITS


class Difference(NamedTuple):
    """What is known about two numbers."""

    equal: bool | None
    """None: nothing"""
    proved: bool = True
    """an equality that is only one to a hundred digits is not"""
    size: arb | None = None
    """of the difference, if it is not zero"""
    exact: bool = False
    """both are rational, and known exactly"""
    values: tuple[Number, Number] | None = None
    why: str = ""
    """there is nothing known"""
    how: str = f"to {DIGITS} digits"
    """an equality is known that is not proved"""


def between(
    answer: Any,
    gold: Any,
    letters: Mapping[str, Number] | None = None,
    *,
    real: bool = True,
    opaque: Any = None,
    base: Mapping[str, Number] | None = None,
) -> Difference:
    """Two expressions at a point.

    Args:
        base: a second point: answer(letters) gold(base) is compared with gold(letters) answer(base), which are equal
            everywhere if one is a multiple of the other.

    Raises: Undefined if one has no value there; Unknown.
    """
    # Few digits tell most differences; more are asked for only while the bounds of both overlap.
    precision, bound = FIRST_BITS, None
    while precision <= MOST_BITS:
        values = Values(precision, letters, real=real, opaque=opaque)
        try:
            a, g = values.of(answer), values.of(gold)
            if base is not None:
                there = Values(precision, base, real=real)
                a, g = a * there.of(gold), g * there.of(answer)
        except Unsure as error:
            if precision >= 2 * PRECISE:
                return Difference(None, why=str(error))
            precision = 2 * PRECISE
            continue
        except BallOverflow:
            return _too_large(answer, gold, letters, real)
        found = _told(a, g)
        if found is not None:
            return found
        difference = a - g
        if not difference.is_finite():
            return _too_large(answer, gold, letters, real)
        if bound is None:
            bound = 0 if letters else separation.bits(answer, gold, MOST_SEPARATION) or 0
        width = abs(difference)
        if bound and width < arb(2) ** -bound:
            return Difference(True)
        narrow = precision >= DIGITS_BITS and width < _WIDTH * arb(1).min(_least(a, g))
        needed = _needed(a, bound)
        if not bound and narrow:
            spread = values.spread(answer, gold)
            if precision >= spread:
                return Difference(True, proved=False)
            if spread > MOST_BITS:
                return Difference(None, why="a part is too small beside the others")
            needed = max(needed, spread + DIGITS_BITS)
        precision = max(2 * precision, needed)
    return _too_large(answer, gold, letters, real)


def _told(a: Number, g: Number) -> Difference | None:
    if isinstance(a, fmpq) and isinstance(g, fmpq):
        return Difference(a == g, size=None if a == g else abs(arb(a - g)), exact=True, values=(a, g))
    difference = a - g
    if difference.is_finite() and not difference.contains(0):
        return Difference(False, size=abs(difference), values=(a, g))
    return None


def _least(a: Number, g: Number) -> arb:
    """The smaller absolute value; 1 if it may be zero."""
    least = abs(arb(a) if isinstance(a, fmpq) else a).min(abs(arb(g) if isinstance(g, fmpq) else g))
    return arb(1) if least.contains(0) else least


def _needed(a: Number, bound: int) -> int:
    """Bits at which the difference is narrow enough."""
    size = abs(arb(a) if isinstance(a, fmpq) else a)
    mantissa, exponent = size.mid().man_exp()
    large = abs(int(exponent) + int(mantissa).bit_length()) if mantissa else 0
    return 64 + large + (bound or DIGITS_BITS + 1)


def _too_large(answer: Any, gold: Any, letters: Mapping[str, Number] | None, real: bool) -> Difference:
    """Of numbers that cannot be written out."""
    if not letters:
        powers = [factors(one) for one in (answer, gold)]
        if powers[0] is not None and powers[1] is not None:
            return Difference(powers[0] == powers[1])
        alike = residues.same(answer, gold)
        if alike is not None:
            return Difference(alike, proved=not alike, how="modulo large primes")
    return _by_logarithms(answer, gold, letters, real)


def _by_logarithms(answer: Any, gold: Any, letters: Mapping[str, Number] | None, real: bool) -> Difference:
    """Of positive numbers that are too large for a ball, or alike in all the digits that one can have."""
    values = Values(FIRST_BITS, letters, real=real)
    for depth in (1, 2):
        try:
            a, g = (_logarithm(one, values, depth) for one in (answer, gold))
        except (Unsure, BallOverflow, Undefined, Unknown):
            continue
        if a is not None and g is not None and (a - g).is_finite() and not (a - g).contains(0):
            return Difference(False)
    return Difference(None, why="the numbers are too large")


def _logarithm(node: Any, values: Values, depth: int) -> arb | None:
    """The iterated logarithm, of a power without its value."""
    if type(node).__name__ == "Pow":
        base = real_ball(values.of(node.args[0]))
        if base is None or not base > 1:
            return None
        if depth == 1:
            exponent = real_ball(values.of(node.args[1]))
            return None if exponent is None else exponent * base.log()
        inner = _logarithm(node.args[1], values, depth - 1)
        return None if inner is None else inner + base.log().log()
    value = real_ball(values.of(node))
    if value is None or not value > (0 if depth == 1 else 1):
        return None
    for _ in range(depth):
        value = value.log()
    return value


def factors(node: Any) -> dict[int, Any] | None:
    """Prime -> rational exponent, of a product of powers of small positive numbers; None of anything else."""
    from sympy import factorint

    found: dict[int, Any] = {}
    for part in node.args if type(node).__name__ == "Mul" else (node,):
        base, exponent = part.args if type(part).__name__ == "Pow" else (part, 1)
        if not (base.is_Rational and 0 < base.p < MOST_FACTORED and base.q < MOST_FACTORED):
            return None
        if exponent != 1 and not exponent.is_Rational:
            return None
        for number, sign in ((base.p, 1), (base.q, -1)):
            for prime, times in factorint(int(number)).items():
                found[prime] = found.get(prime, 0) + sign * times * exponent
    return {prime: times for prime, times in found.items() if times}
