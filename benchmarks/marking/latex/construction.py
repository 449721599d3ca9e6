"""sympy's objects for what a text says, built so that no text costs much: a number of more than `MOST_BITS` bits is
never computed.

Where one would be, the exception `TooLarge` says so, and the text is read again with `lazy`: all of its tree is then
built with `evaluate=False`, and 3^{300000000} is the power that was written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import sympy
from sympy import Integer, Rational, S

from benchmarks.marking.latex.tokens import Unreadable

MOST_BITS = 10_000
MOST_FACTORIAL = 1000


class TooLarge(Exception):
    """Evaluated, a number would have more than `MOST_BITS` bits."""


class GCD(sympy.Function):
    """The greatest common divisor of integers; unevaluated while one of them is a letter."""

    @classmethod
    def eval(cls, *args: Any) -> Any:
        return sympy.igcd(*args) if all(arg.is_Integer for arg in args) else _in_order(cls, args)


class LCM(sympy.Function):
    """The least common multiple of integers; unevaluated while one of them is a letter."""

    @classmethod
    def eval(cls, *args: Any) -> Any:
        return sympy.ilcm(*args) if all(arg.is_Integer for arg in args) else _in_order(cls, args)


def _in_order(function: Any, args: Sequence[Any]) -> Any:
    """None where the arguments stand in sympy's order."""
    ordered = tuple(sympy.ordered(args))
    return None if ordered == tuple(args) else function(*ordered)


@lru_cache(maxsize=4096)
def symbol(name: str) -> sympy.Symbol:
    """The symbol of a name, in every text the same: complex if it is a z, else real."""
    return sympy.Symbol(name) if name == "z" or name.startswith("z_") else sympy.Symbol(name, real=True)


@lru_cache(maxsize=1024)
def undefined(name: str) -> Any:
    """A function of which nothing is known but its name."""
    return sympy.Function(name)


def decimal(text: str, lazy: bool) -> Any:
    """The exact number that digits say, such as 12.50 or 1e-3.

    Raises: TooLarge.
    """
    digits, _, exponent = text.lower().partition("e")
    whole, _, part = digits.partition(".")
    power_of_ten = int(exponent or 0) - len(part)
    number = Integer(int((whole + part) or "0"))
    if abs(power_of_ten) * 4 > MOST_BITS:
        return product((number, power(Integer(10), Integer(power_of_ten), lazy)), lazy)
    return number * 10**power_of_ten if power_of_ten >= 0 else Rational(number, 10**-power_of_ten)


def repeating(whole: str, start: str, period: str) -> Any:
    """The fraction of whole.start(period): 0.1(6) is 1/6."""
    scale = 10 ** len(start)
    return Rational(int(whole + start or "0"), scale) + Rational(int(period), scale * (10 ** len(period) - 1))


def total(terms: Sequence[Any], lazy: bool) -> Any:
    """Of scalars, of matrices, or of sets, where a minus takes away."""
    if len(terms) == 1:
        return terms[0]
    if any(isinstance(term, sympy.MatrixBase) for term in terms):
        return _by_operators(terms, lambda a, b: a + b)
    _scalars(terms)
    return sympy.Add(*terms, evaluate=not lazy)


def product(factors: Sequence[Any], lazy: bool) -> Any:
    """Of numbers, or of matrices. Raises: Unreadable of anything else."""
    if len(factors) == 1:
        return factors[0]
    if any(isinstance(factor, sympy.MatrixBase) for factor in factors):
        return _by_operators(factors, lambda a, b: a * b)
    _scalars(factors)
    return sympy.Mul(*factors, evaluate=not lazy)


def negative(value: Any, lazy: bool) -> Any:
    return -value if getattr(value, "is_Rational", False) else product((S.NegativeOne, value), lazy)


def quotient(above: Any, below: Any, lazy: bool) -> Any:
    """Raises: Unreadable: nothing is divided by zero."""
    if below is S.Zero:
        raise Unreadable
    if getattr(above, "is_Integer", False) and getattr(below, "is_Integer", False):
        return Rational(above.p, below.p)
    return product((above, power(below, S.NegativeOne, lazy)), lazy)


def power(base: Any, exponent: Any, lazy: bool) -> Any:
    """An odd root of a negative number is real. Raises: Unreadable; TooLarge if it cannot be written out."""
    if isinstance(base, sympy.MatrixBase):
        if not (exponent.is_Integer and abs(exponent) <= 10 and base.rows == base.cols <= 4):
            raise Unreadable
        return base**exponent
    _scalars((base, exponent))
    if lazy:
        return sympy.Pow(base, exponent, evaluate=False)
    if exponent.is_Rational:
        if base is S.Zero and exponent <= 0:
            raise Unreadable
        if exponent.q % 2 and exponent.q > 1 and base.is_number and base.is_negative:  # a real root
            root = sympy.Pow(negative(base, False), exponent)
            return root if exponent.p % 2 == 0 else negative(root, False)
        if base.is_Symbol:
            return sympy.Pow(base, exponent)
        size = bits(base)
        if size * (abs(exponent) if exponent.q == 1 else max(abs(exponent.p), exponent.q, 20)) > MOST_BITS:
            raise TooLarge  # of a root sympy looks for factors, and raises them to numerator and denominator
    elif not exponent.is_Atom and _steep(exponent):
        raise TooLarge
    return sympy.Pow(base, exponent)


def bits(value: Any) -> Any:
    """An upper limit, roughly, of the size of the integers that a power of the value would raise."""
    if value.is_Rational:
        return max(abs(value.p).bit_length(), value.q.bit_length()) - (abs(value.p) == value.q)
    if value.is_Mul or value.is_Add:
        return sum((bits(arg) for arg in value.args), 0)
    if value.is_Pow and value.exp.is_Rational:
        return bits(value.base) * abs(value.exp)
    return 0


def _steep(exponent: Any) -> bool:
    """e^{1000000000 \\log 3} is an integer in disguise."""
    return exponent.has(sympy.log) and any(abs(one) > MOST_BITS // 4 for one in exponent.atoms(Integer))


def root(value: Any, degree: Any, lazy: bool) -> Any:
    """Raises: Unreadable: the degree is no number from 2 on and no letter."""
    if not degree.is_Symbol and not (degree.is_Integer and degree >= 2):
        raise Unreadable
    return power(value, S.Half if degree == 2 else quotient(S.One, degree, False), lazy)


def factorial(value: Any, lazy: bool, step: int = 1) -> Any:
    """n!, with step 2 n!!.

    Raises: Unreadable: of a number that is no natural one; TooLarge.
    """
    _scalars((value,))
    if value.is_Rational and not (value.is_Integer and value >= 0):
        raise Unreadable
    if not lazy and value.is_Integer and value > step * MOST_FACTORIAL:
        raise TooLarge
    return (sympy.factorial, sympy.factorial2)[step - 1](value, evaluate=not lazy)


def gamma(value: Any, lazy: bool) -> Any:
    """(n-1)! of a natural number n."""
    if value.is_Integer:
        return factorial(value - 1, lazy)
    return sympy.gamma(scalar(value), evaluate=not lazy and abs(value) < 100 if value.is_Rational else False)


def binomial(n: Any, k: Any, lazy: bool) -> Any:
    """Raises: Unreadable; TooLarge."""
    _scalars((n, k))
    if not lazy and n.is_Integer and k.is_Integer:
        if min(abs(k), abs(n - k)) * abs(n).p.bit_length() > MOST_BITS:
            raise TooLarge
        return sympy.binomial(n, k)
    return sympy.binomial(n, k, evaluate=False)


def log(value: Any, base: Any, lazy: bool) -> Any:
    """To base 10 unless one is given, as in the answers of school books."""
    if value is S.Zero or base in (S.Zero, S.One):
        raise Unreadable
    return sympy.log(value, evaluate=not lazy) if base is S.Exp1 else _quotient_of_logs(value, base, lazy)


def _quotient_of_logs(value: Any, base: Any, lazy: bool) -> Any:
    if not lazy and value.is_Rational and base.is_Rational:
        return sympy.log(value, base)
    return quotient(sympy.log(value, evaluate=not lazy), sympy.log(base, evaluate=not lazy), lazy)


def whole(function: Callable[..., Any]) -> Callable[..., Any]:
    """Floor or ceiling: computed of a fraction; of anything else it stays, for it may need any number of digits."""
    return lambda value, evaluate=True: function(value, evaluate=evaluate and value.is_Rational)


def extreme(function: Callable[..., Any]) -> Callable[..., Any]:
    """Max or Min: the same, since sympy compares all pairs of arguments."""
    return lambda *values, evaluate=True: function(*values, evaluate=evaluate and all(v.is_Rational for v in values))


def remainder(value: Any, modulus: Any) -> Any:
    """Computed of integers alone: of polynomials sympy looks for common factors."""
    _scalars((value, modulus))
    return sympy.Mod(value, modulus, evaluate=value.is_Integer and modulus.is_Integer)


def scalar(value: Any) -> Any:
    """The value itself. Raises: Unreadable if it is a set, a matrix or a relation."""
    _scalars((value,))
    return value


def _scalars(values: Sequence[Any]) -> None:
    if not all(isinstance(value, sympy.Expr) and not isinstance(value, sympy.MatrixBase) for value in values):
        raise Unreadable


def _by_operators(values: Sequence[Any], operator: Callable[[Any, Any], Any]) -> Any:
    result = values[0]
    for value in values[1:]:
        result = operator(result, value)
    if not isinstance(result, sympy.MatrixBase):
        raise Unreadable
    return sympy.ImmutableMatrix(result)


_TRIGONOMETRIC = ("sin", "cos", "tan", "cot", "sec", "csc")
_HYPERBOLIC = ("sinh", "cosh", "tanh", "coth", "sech", "csch")


def _functions() -> dict[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = {
        "exp": lambda value, evaluate=True: power(S.Exp1, value, not evaluate),
        "cis": lambda value, evaluate=True: power(S.Exp1, product((S.ImaginaryUnit, value), False), not evaluate),
        **{"abs": sympy.Abs, "sgn": sympy.sign, "sign": sympy.sign, "Re": sympy.re, "Im": sympy.im, "arg": sympy.arg},
        **{"floor": whole(sympy.floor), "ceil": whole(sympy.ceiling), "ceiling": whole(sympy.ceiling)},
        **{"max": extreme(sympy.Max), "min": extreme(sympy.Min), "gcd": GCD, "lcm": LCM},
        **{"tg": sympy.tan, "ctg": sympy.cot, "cosec": sympy.csc, "arctg": sympy.atan},
    }
    for name in (*_TRIGONOMETRIC, *_HYPERBOLIC):
        found[name] = getattr(sympy, name)
        for prefix in ("a", "arc", "ar"):
            found[prefix + name] = getattr(sympy, f"a{name}")
    return found


FUNCTIONS = _functions()
"""by their names in LaTeX and in programs; log, sqrt and those of two meanings are read by the grammar"""
OF_ANGLES = frozenset((*_TRIGONOMETRIC, "tg", "ctg", "cosec", "cis"))
OF_MANY = frozenset({"max", "min", "gcd", "lcm"})
INVERTIBLE = frozenset((*_TRIGONOMETRIC, *_HYPERBOLIC))
"""f^{-1} means the inverse"""
