"""What sympy's functions give of numbers with bounds (see `enclosure.py`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flint import acb, arb, fmpq

from benchmarks.marking.values import counting
from benchmarks.marking.values.arithmetic import (
    Context,
    Number,
    Undefined,
    Unknown,
    analytic,
    floor,
    sign_of,
    whole_power,
)


def known(name: str) -> bool:
    """Whether one of sympy's functions has values here."""
    return name in _SPECIAL or name in _METHODS


def apply(name: str, arguments: Sequence[Number], context: Context) -> Number:
    """The value of one of sympy's functions. Raises: Undefined, Unsure, BallOverflow, Unknown."""
    special = _SPECIAL.get(name)
    if special:
        return special(context, *arguments)
    method = _METHODS.get(name)
    if method is None or len(arguments) != 1:
        raise Unknown(name)
    return analytic(method, arguments[0], context)


_METHODS = {
    **{name: name for name in ("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth", "sech")},
    **{name: name for name in ("csch", "asin", "acos", "atan", "asinh", "acosh", "atanh", "exp", "log", "gamma")},
    **{name: name for name in ("erf", "erfc", "erfi", "zeta", "digamma", "lambertw")},
    "LambertW": "lambertw",
    "ExpBase": "exp",
    "loggamma": "lgamma",
}


def _inverse_of_reciprocal(method: str, at_zero: Callable[[], Number] | None = None) -> Callable[..., Number]:
    """acot, asec and so on: the inverse function of 1/x."""

    def found(context: Context, value: Number) -> Number:
        if value == 0:
            if at_zero is None:
                raise Undefined(method)
            return at_zero()
        return analytic(method, whole_power(value, -1), context)

    return found


def _absolute(context: Context, value: Number) -> Number:
    return abs(value)


def _sign(context: Context, value: Number) -> Number:
    if isinstance(value, acb) and not value.imag.contains(0):
        return value / abs(value)
    return fmpq(sign_of(value, context))


def _largest(context: Context, *values: Number) -> Number:
    return _extreme(values, 1, context)


def _smallest(context: Context, *values: Number) -> Number:
    return _extreme(values, -1, context)


def _extreme(values: Sequence[Number], sign: int, context: Context) -> Number:
    if any(isinstance(value, acb) for value in values):
        raise Undefined("no order among complex numbers")
    if all(isinstance(value, fmpq) for value in values):
        return max(values) if sign > 0 else min(values)
    found = arb(values[0])
    for value in values[1:]:
        found = found.max(arb(value)) if sign > 0 else found.min(arb(value))
    return found


def _log(context: Context, value: Number, *base: Number) -> Number:
    if value == 0 or (context.real and not isinstance(value, acb) and value < 0):
        raise Undefined("the logarithm of zero, or of a negative number")
    found = fmpq(0) if value == 1 else analytic("log", value, context)
    return found * whole_power(_log(context, base[0]), -1) if base else found


def _exp(context: Context, value: Number) -> Number:
    if value == 0:
        return fmpq(1)
    return analytic("exp", value, context)


def _argument(context: Context, value: Number) -> Number:
    if isinstance(value, acb):
        return value.arg()
    return arb.pi() if sign_of(value, context) < 0 else fmpq(0)


_SPECIAL: dict[str, Callable[..., Number]] = {
    **counting.FUNCTIONS,
    "Abs": _absolute,
    "sign": _sign,
    "floor": lambda context, value: floor(value, context),
    "ceiling": lambda context, value: -floor(-value, context),
    "frac": lambda context, value: value - floor(value, context),
    "Max": _largest,
    "Min": _smallest,
    "log": _log,
    "exp": _exp,
    "re": lambda context, value: value.real if isinstance(value, acb) else value,
    "im": lambda context, value: value.imag if isinstance(value, acb) else fmpq(0),
    "conjugate": lambda context, value: value.conjugate() if isinstance(value, acb) else value,
    "arg": _argument,
    "acot": _inverse_of_reciprocal("atan", lambda: arb.pi() / 2),
    "asec": _inverse_of_reciprocal("acos"),
    "acsc": _inverse_of_reciprocal("asin"),
    "acoth": _inverse_of_reciprocal("atanh"),
    "asech": _inverse_of_reciprocal("acosh"),
    "acsch": _inverse_of_reciprocal("asinh"),
}
