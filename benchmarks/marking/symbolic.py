"""Whether two expressions are equal, by Math-Verify and by their values. Runs in the workers of `pool.py` alone: it may
take any time, or any memory.

Math-Verify reads an expression into sympy and compares. Around it stand values at points that are drawn from the names
of the symbols: two expressions that differ there differ, which is told in microseconds where sympy's `simplify` would
take tens of milliseconds; two that agree there to many digits are equal (Schwartz 1980, Zippel 1979), also where
`simplify` does not see it.

We find answers by ourselves, so we call the parser of Math-Verify, latex2sympy2_extended, on the whole answer and not
on what its `parse` makes of it: that reads `\\frac{1}{m} t` as `\\frac{1}{m}` (t is a ton), and V as v.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import mpmath
import sympy
from latex2sympy2_extended import NormalizationConfig, latex2sympy, normalize_latex
from latex2sympy2_extended.latex2sympy2 import ConversionConfig
from math_verify import parse, verify
from math_verify.grader import should_treat_as_complex
from sympy.core.function import AppliedUndef

POINTS, DIGITS = 3, 20
SAME, DIFFERENT = 1e-9, 1e-3
"""relative differences of values: at most, to be equal; at least, to be different whatever Math-Verify rounds"""
_NORMAL = NormalizationConfig(
    basic_latex=True, units=False, malformed_operators=True, nits=True, boxed="none", equations=False
)
_READ = ConversionConfig(lowercase_symbols=False)
_RANGES = (sympy.Interval, sympy.Union, sympy.Intersection)
_PAIR = (2,)
"""a set of two: (1,3) is read as an interval, and Math-Verify takes it for {1,3} too"""
_UNTIMED: dict[str, Any] = {"parsing_timeout": None}
"""the deadline is the worker's"""


Points = tuple[Any, ...]
"""a value at each point, as an `mpmath.mpc`"""


@dataclass(frozen=True)
class Expression:
    """What a text was read as."""

    value: Any
    """sympy's object"""
    points: tuple[Points, ...] | None
    """the values of a number, of each element of a finite set, or of each entry of a matrix; None of anything else,
    such as an equation"""
    shape: tuple[int, ...]
    """() of a number, (elements,) of a set, (rows, columns) of a matrix"""
    rounded: bool
    """holds a decimal"""
    percent: bool = False
    """stood before a percent sign"""


def same(answer: str, gold: str, tolerance: float) -> bool:
    """Whether two tidy texts are equal expressions."""
    left, right = read(answer), read(gold)
    return left is not None and right is not None and equal(left, right, tolerance)


def same_in_texts(answer: str, text: str, wanted: str, gold: str, tolerance: float) -> bool:
    """The same of whole texts: what Math-Verify finds in one stands for its tidy answer where that is empty."""
    left, right = read(answer) if answer else searched(text), read(wanted) if wanted else searched(gold)
    return left is not None and right is not None and equal(left, right, tolerance)


def math_verify(text: str, gold: str) -> bool:
    """Math-Verify alone, its own way with its defaults, on a whole response."""
    wanted, given = parse(f"\\boxed{{{gold}}}", **_UNTIMED), parse(text, **_UNTIMED)
    return bool(verify(wanted, given, timeout_seconds=None))


def equal(answer: Expression, gold: Expression, tolerance: float) -> bool:
    """Whether they are equal, or would be if the percent sign of one of them were taken at its word."""
    if _equal(answer, gold, tolerance):
        return True
    return answer.percent != gold.percent and _equal(_hundredth(answer), _hundredth(gold), tolerance)


def _equal(answer: Expression, gold: Expression, tolerance: float) -> bool:
    verdict = _by_values(answer, gold, tolerance)
    if verdict is not None:
        return verdict
    return bool(verify(gold.value, answer.value, strict=True, allow_set_relation_comp=True, timeout_seconds=None))


def _by_values(answer: Expression, gold: Expression, tolerance: float) -> bool | None:
    """None where the values do not tell."""
    if isinstance(answer.value, sympy.Eq) or isinstance(gold.value, sympy.Eq):
        return _equations(answer, gold)
    if not answer.points or not gold.points:
        known, other = (answer, gold) if answer.points else (gold, answer)
        apart = known.points and isinstance(other.value, _RANGES) and known.shape != _PAIR
        return False if apart else None
    if answer.shape != gold.shape:
        return None if len(answer.shape) == len(gold.shape) == 2 else False
    if len(gold.shape) == 1:  # in a set any element may be the one
        apart = max(min(_apart(a, g) for g in gold.points) for a in answer.points)
        return False if apart >= DIFFERENT else None
    apart = max(_apart(a, g) for a, g in zip(answer.points, gold.points, strict=True))
    if apart <= SAME or (apart <= tolerance and (answer.rounded or gold.rounded)):
        return True
    return False if apart >= DIFFERENT else None


def _equations(answer: Expression, gold: Expression) -> bool | None:
    """Two equations in the same symbols that are multiples of each other are equal, two in different symbols are not.
    An equation answers a number by one of its sides."""
    if isinstance(answer.value, sympy.Eq) and isinstance(gold.value, sympy.Eq):
        if _names(answer.value) != _names(gold.value):
            return False
        left, right = (_points(_difference(one.value)) for one in (answer, gold))
        if not left or not right or any(point == 0 for points in (*left, *right) for point in points):
            return None
        ratios = tuple(a / g for a, g in zip(left[0], right[0], strict=True))
        return True if _apart(ratios, ratios[:1] * POINTS) <= SAME else None
    equation, other = (answer, gold) if isinstance(answer.value, sympy.Eq) else (gold, answer)
    if not other.points or other.shape != ():
        return None
    sides = [_points(side) for side in equation.value.args]
    if any(not side or _apart(side[0], other.points[0]) < DIFFERENT for side in sides):
        return None
    return False


def _difference(equation: Any) -> Any:
    try:
        return equation.lhs - equation.rhs
    except TypeError:  # a side is a set
        return None


def _names(value: Any) -> set[str]:
    """Of symbols and of functions that have no meaning of their own."""
    return {str(symbol) for symbol in value.free_symbols} | {str(one.func) for one in value.atoms(AppliedUndef)}


def _hundredth(expression: Expression) -> Expression:
    if not (expression.percent and isinstance(expression.value, sympy.Expr)):
        return expression
    return _expression(expression.value / 100)


@lru_cache(maxsize=4096)
def read(text: str) -> Expression | None:
    """A tidy text as one expression; None if it is none."""
    latex = normalize_latex(text.removesuffix("%").removesuffix("\\"), _NORMAL)
    value = _parsed(latex)
    if value is None and "=" in latex and "," not in latex:  # an equation, or a chain of them, ends in the answer
        value = _parsed(latex.rpartition("=")[2])
    return None if value is None else replace(_expression(value), percent=text.endswith("%"))


@lru_cache(maxsize=256)
def searched(text: str) -> Expression | None:
    """What Math-Verify extracts from a text."""
    values = parse(text, fallback_mode="no_fallback", **_UNTIMED)
    return _expression(values[0]) if values else None


def _parsed(latex: str) -> Any | None:
    try:
        return latex2sympy(
            latex,
            is_real=not should_treat_as_complex(latex),
            convert_degrees=False,
            normalization_config=None,
            conversion_config=_READ,
        )
    except Exception:  # anything: the parser is fed text of a model
        return None


def _expression(value: Any) -> Expression:
    matrix, finite = isinstance(value, sympy.MatrixBase), isinstance(value, sympy.FiniteSet)
    parts = list(value) if matrix else list(value.args) if finite else [value]
    shape = tuple(value.shape) if matrix else (len(parts),) if finite else ()
    rounded = any(isinstance(part, sympy.Basic) and part.has(sympy.Float) for part in parts)
    points = _points(*parts)
    return Expression(value, None if points and finite and _repeats(points) else points, shape, rounded)


def _points(*parts: Any) -> tuple[Points, ...] | None:
    """The values of all parts, or None if one has none."""
    found = [_values(part) for part in parts]
    points = tuple(points for points in found if points)
    return points if len(points) == len(found) else None


def _repeats(elements: Sequence[Points]) -> bool:
    """Whether a set's element is written twice, in two ways."""
    return len({tuple(mpmath.nstr(number, 9) for number in points) for points in elements}) < len(elements)


def _values(value: Any) -> Points | None:
    if not isinstance(value, sympy.Expr):
        return None
    value = value.xreplace({one: sympy.Symbol(str(one)) for one in value.atoms(AppliedUndef)})
    symbols = sorted(value.free_symbols, key=str)
    drawn = [{symbol: _draw(str(symbol), point) for symbol in symbols} for point in range(POINTS)]
    try:
        return tuple(_number(sympy.N(value, DIGITS, subs=point)) for point in drawn)
    except Exception:  # anything: not every expression has a value
        return None


def _number(value: Any) -> Any:
    """Of any size. What is left of a difference whose digits all cancelled is zero: sympy gives it one bit.

    Raises: an exception of some kind if it is no finite number.
    """
    parts = [0 if getattr(part, "_prec", DIGITS) == 1 else part._to_mpmath(80) for part in value.as_real_imag()]
    number = mpmath.mpc(*parts)
    if not mpmath.isfinite(number):
        raise ValueError(f"{number} is not finite.")
    return number


def _draw(name: str, point: int) -> sympy.Expr:
    """Between 1/2 and 3/2, from the symbol's name alone; i is the imaginary unit, whatever the parser took it for."""
    if name == "i":
        return sympy.I
    digest = hashlib.sha256(f"{name} {point}".encode()).digest()
    return sympy.Rational(1, 2) + sympy.Rational(int.from_bytes(digest[:6], "big"), 2**48)


def _apart(a: Points, b: Points) -> float:
    """The largest relative difference."""
    return max(abs(x - y) / max(abs(x), abs(y)) if x != y else 0.0 for x, y in zip(a, b, strict=True))
