"""Signs, floors, powers and analytic functions of numbers with bounds: rationals exactly where the value is one."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from flint import acb, arb, fmpq, fmpz

PRECISE = 400
"""bits from which on a ball of a hundred digits' width around an integer or zero is taken for it"""
_WIDTH = arb(10) ** -100
MOST_EXACT_ROOT = 64
MOST_EXACT_BITS = 1 << 22
"""of a rational that stays exact; a longer one is a ball"""
MOST_EXPONENT_BITS = 4096

Number = Any
"""fmpq, arb or acb"""


class ComplexRational(NamedTuple):
    """What a letter may stand for: a ball at any precision."""

    real: fmpq
    imag: fmpq


class Undefined(Exception):
    """There is no value."""


class Unsure(Exception):
    """The bounds do not tell; narrower ones may."""


class BallOverflow(Exception):
    """Too large even for a ball's exponent."""


class Unknown(Exception):
    """Nothing is known about a function or an object."""


class Context(Protocol):
    precision: int
    real: bool


def sign_of(value: Number, context: Context) -> int:
    """-1, 0 or 1. Raises: Unsure; Undefined of a number that is not real."""
    if isinstance(value, acb):
        if not value.imag.contains(0):
            raise Undefined("no order among complex numbers")
        value = value.real
    if value > 0:
        return 1
    if value < 0:
        return -1
    if value == 0 or _negligible(value, context):
        return 0
    raise Unsure("the sign")


def _negligible(value: Number, context: Context) -> bool:
    """Whether a ball around zero is so small, at a high precision, that it is taken for zero."""
    return context.precision >= PRECISE and bool(abs(value) < _WIDTH)


def may_be_zero(value: Number, context: Context) -> bool:
    """Of a ball at a high precision, whether it holds zero. Raises: Unsure."""
    if value == 0:
        return True
    if isinstance(value, fmpq) or not value.contains(0):
        return False
    if context.precision < PRECISE:
        raise Unsure("a base")
    return True


def integer(value: Number, context: Context) -> int:
    """Raises: Unsure; Undefined if it is no integer."""
    low = floor(value, context)
    if isinstance(value, fmpq):
        if value.q != 1:
            raise Undefined("not an integer")
    elif not (value - low).contains(0):
        raise Undefined("not an integer")
    return int(low.p)


def floor(value: Number, context: Context) -> fmpq:
    """Raises: Unsure, Undefined."""
    if isinstance(value, fmpq):
        return fmpq(value.floor())
    if isinstance(value, acb):
        if not value.imag.contains(0):
            raise Undefined("the floor of a complex number")
        value = value.real
    if not value.is_finite():
        raise BallOverflow("the floor")
    found = value.floor().unique_fmpz()
    if found is not None:
        return fmpq(found)
    near = (value + arb(0.5)).floor().unique_fmpz()
    if near is not None and _negligible(value - near, context):
        return fmpq(near)
    raise Unsure("the floor")


def power(base: Number, exponent: Number, context: Context) -> Number:
    """Raises: Undefined, Unsure."""
    if isinstance(exponent, fmpq) and exponent.q == 1:
        return whole_power(base, int(exponent.p))
    if base == 0:
        if sign_of(exponent, context) > 0:
            return fmpq(0)
        raise Undefined("a power of zero")
    if isinstance(base, acb) or isinstance(exponent, acb):
        return acb(base) ** acb(exponent)
    if isinstance(base, fmpq) and isinstance(exponent, fmpq):
        exact = _exact_root(base, exponent, context)
        if exact is not None:
            return exact
    sign = sign_of(base, context)
    if sign > 0:
        return arb(base) ** arb(exponent)
    if sign == 0:
        if sign_of(exponent, context) > 0:
            return fmpq(0)
        raise Undefined("a power of zero")
    if not context.real:
        return acb(base) ** acb(exponent)
    if not isinstance(exponent, fmpq) or exponent.q % 2 == 0:
        raise Undefined("an even root of a negative number")
    size = arb(-base) ** arb(exponent)
    return -size if exponent.p % 2 else size


def whole_power(base: Number, n: int) -> Number:
    """Raises: Undefined, Unsure, BallOverflow."""
    if base == 0:
        if n < 0:
            raise Undefined("division by zero")
        return fmpq(1 if n == 0 else 0)
    if isinstance(base, fmpq):
        if base in (1, -1):
            return base if n % 2 else fmpq(1)
        if abs(n) * base.height_bits() <= MOST_EXACT_BITS:
            return base**n
        base = arb(base)
    if n == -1:
        _divisor(base)
        return 1 / base
    if n < 0:
        _divisor(base)
    if n.bit_length() > MOST_EXPONENT_BITS:
        raise BallOverflow("an exponent")
    return base ** fmpz(n)


def _divisor(value: Number) -> None:
    if value.contains(0):
        raise Unsure("a divisor")


def _exact_root(base: fmpq, exponent: fmpq, context: Context) -> fmpq | None:
    """A power of a perfect power."""
    n = int(exponent.q)
    if n > MOST_EXACT_ROOT or (base < 0 and not (context.real and n % 2)):
        return None
    if base < 0:
        found = _exact_root(-base, exponent, context)
        return -found if found is not None and exponent.p % 2 else found
    above, below = base.p.root(n), base.q.root(n)
    if above**n != base.p or below**n != base.q:
        return None
    found = whole_power(fmpq(above, below), int(exponent.p))
    return found if isinstance(found, fmpq) else None


def analytic(method: str, value: Number, context: Context) -> Number:
    """By the name of the method of `arb` and `acb`. Raises: Undefined, Unsure, BallOverflow, Unknown."""
    if not isinstance(value, acb):
        found = getattr(arb(value), method)()
        if found.is_finite():
            return found
        if context.real or method not in _BRANCHED:
            _no_value(arb(value), context)
    elif method not in _OF_COMPLEX:
        raise Unknown(method)
    found = getattr(acb(value), method)()
    if not found.is_finite():
        _no_value(value, context)
    return found


def _no_value(value: Number, context: Context) -> None:
    """Raises: always; the bounds are too wide, or there is none."""
    if not value.is_finite() or abs(value) > arb(2) ** 60:
        raise BallOverflow("an argument")
    if context.precision < PRECISE:
        raise Unsure("a value")
    raise Undefined("no value")


_BRANCHED = {"asin", "acos", "acosh", "atanh", "log", "lambertw", "lgamma"}
_OF_COMPLEX = set(dir(acb))
