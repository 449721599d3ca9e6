"""Functions that count: factorials, binomial coefficients, common divisors. Rationals exactly unless they are long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flint import fmpq, fmpz

from benchmarks.marking.values.arithmetic import (
    BallOverflow,
    Context,
    Number,
    Undefined,
    Unknown,
    analytic,
    floor,
    integer,
    sign_of,
    whole_power,
)

_FIBONACCI: Any = fmpz.fib_ui  # whose types the package gives wrongly
_FACTORIAL: Any = fmpz.fac_ui
MOST_EXACT_FACTORIAL, MOST_EXACT_BINOMIAL, MOST_FIBONACCI = 100_000, 5_000, 1_000_000
MOST_DOUBLE_FACTORIAL = 10_000


def _factorial(context: Context, value: Number) -> Number:
    if isinstance(value, fmpq) and value.q == 1:
        if value < 0:
            raise Undefined("the factorial of a negative number")
        if value <= MOST_EXACT_FACTORIAL:
            return fmpq(_FACTORIAL(int(value.p)))
    return analytic("gamma", value + 1, context)


def _double_factorial(context: Context, value: Number) -> Number:
    n = integer(value, context)
    if n < -1:
        raise Undefined("the double factorial of a negative number")
    if n > MOST_DOUBLE_FACTORIAL:
        raise BallOverflow("a double factorial")
    found = fmpz(1)
    for factor in range(n, 1, -2):
        found *= factor
    return fmpq(found)


def _binomial(context: Context, n: Number, k: Number) -> Number:
    if isinstance(k, fmpq) and k.q == 1:
        if isinstance(n, fmpq) and n.q == 1 and n < 0:
            raise Undefined("a binomial coefficient of a negative number")
        if k < 0:
            return fmpq(0)
        if isinstance(n, fmpq) and n.q == 1 and n - k < k:
            k = n - k
            if k < 0:
                return fmpq(0)
        if k <= MOST_EXACT_BINOMIAL:
            return _falling(n, int(k.p)) / fmpq(_FACTORIAL(int(k.p)))
    above = analytic("gamma", n + 1, context)
    return above / (analytic("gamma", k + 1, context) * analytic("gamma", n - k + 1, context))


def _falling(n: Number, k: int) -> Number:
    found: Number = fmpq(1)
    for step in range(k):
        found *= n - step
    return found


def _falling_factorial(context: Context, n: Number, k: Number) -> Number:
    count = integer(k, context)
    if not 0 <= count <= MOST_EXACT_BINOMIAL:
        raise Unknown("a falling factorial")
    return _falling(n, count)


def _rising_factorial(context: Context, n: Number, k: Number) -> Number:
    count = integer(k, context)
    return _falling_factorial(context, n + count - 1, k)


def _modulo(context: Context, value: Number, modulus: Number) -> Number:
    if sign_of(modulus, context) == 0:
        raise Undefined("modulo zero")
    return value - modulus * floor(value * whole_power(modulus, -1), context)


def _common(method: str) -> Callable[..., Number]:
    def found(context: Context, *values: Number) -> Number:
        whole = [fmpz(integer(value, context)) for value in values]
        if any(one < 0 for one in whole):
            raise Undefined(f"the {method} of a negative number")
        total = whole[0]
        for one in whole[1:]:
            total = getattr(total, method)(one)
        return fmpq(abs(total))

    return found


def _gamma(context: Context, value: Number) -> Number:
    if isinstance(value, fmpq) and value.q == 1:
        if value <= 0:
            raise Undefined("the gamma function of a negative integer")
        return _factorial(context, value - 1)
    return analytic("gamma", value, context)


def _fibonacci(context: Context, value: Number) -> Number:
    n = integer(value, context)
    if abs(n) > MOST_FIBONACCI:
        raise BallOverflow("a Fibonacci number")
    return fmpq(_FIBONACCI(abs(n)) * (-1 if n < 0 and n % 2 == 0 else 1))


FUNCTIONS: dict[str, Callable[..., Number]] = {
    "Mod": _modulo,
    "gcd": _common("gcd"),
    "GCD": _common("gcd"),
    "lcm": _common("lcm"),
    "LCM": _common("lcm"),
    "factorial": _factorial,
    "factorial2": _double_factorial,
    "binomial": _binomial,
    "FallingFactorial": _falling_factorial,
    "RisingFactorial": _rising_factorial,
    "fibonacci": _fibonacci,
    "gamma": _gamma,
}
"""by the names of sympy's classes, and of the parser's"""
