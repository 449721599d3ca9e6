"""What two expressions share, term by term and factor by factor: the rest is small, so that its sign can be told.

Nothing is expanded, and no power is evaluated: 2^(10^9) + u against 2^(10^9) is u against 0.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import sympy

from benchmarks.marking.values.letters import KINKS, is_step, preorder

MOST_LAYERS = 12
_ONE_TO_ONE = frozenset({"log", "atan", "sinh", "tanh", "asinh", "asin", "acos", "atanh", "acosh"})
"""functions of real numbers; a log is one among complex numbers too, the others are left alone there"""


class Rest(NamedTuple):
    """Two expressions that are equal where, and only where, the two whole ones are (if those have a value)."""

    answer: Any
    gold: Any
    shortened: bool


def rest(answer: Any, gold: Any, *, real: bool = True) -> Rest:
    """Without what both share."""
    a, g = answer, gold
    for _ in range(MOST_LAYERS):
        before = a, g
        if a == g:
            a = g = sympy.S.Zero
            break
        a, g = _without_factors(*_without_terms(a, g))
        a, g = _inside(a, g, real)
        if (a, g) == before:
            break
    return Rest(a, g, (a, g) != (answer, gold))


_Terms = dict[Any, tuple[Any, tuple[Any, ...]]]


def _terms(node: Any, times: Any, found: _Terms) -> None:
    """Adds up coefficients of equal products."""
    name = type(node).__name__
    if name == "Add":
        for one in node.args:
            _terms(one, times, found)
        return
    factors = node.args if name == "Mul" else (node,)
    numbers = [one for one in factors if one.is_Rational]
    others = tuple(one for one in factors if not one.is_Rational)
    for number in numbers:
        times = times * number
    if len(others) == 1 and type(others[0]).__name__ == "Add":
        _terms(others[0], times, found)
        return
    key = frozenset(Counter(others).items())
    known = found.get(key)
    found[key] = (times + known[0] if known else times, others)


def _without_terms(a: Any, g: Any) -> tuple[Any, Any]:
    if "Add" not in (type(a).__name__, type(g).__name__):
        return a, g
    left: _Terms = {}
    right: _Terms = {}
    _terms(a, sympy.S.One, left)
    _terms(g, sympy.S.One, right)
    if not left.keys() & right.keys():
        return a, g
    for key in left.keys() & right.keys():
        difference = left[key][0] - right[key][0]
        left[key] = (difference, left[key][1])
        del right[key]
    return _sum(left), _sum(right)


def combined(a: Any, g: Any, sign: int) -> Any | None:
    """a + g, or a - g, if some terms of both vanish in it; else None."""
    left: _Terms = {}
    right: _Terms = {}
    _terms(a, sympy.S.One, left)
    _terms(g, sympy.Integer(sign), right)
    if not any(left[key][0] + right[key][0] == 0 for key in left.keys() & right.keys()):
        return None
    _terms(g, sympy.Integer(sign), left)
    return _sum(left)


def _sum(terms: _Terms) -> Any:
    parts = [_product([times, *others]) for times, others in terms.values() if times != 0]
    return sympy.Add(*parts, evaluate=False) if len(parts) > 1 else parts[0] if parts else sympy.S.Zero


def _product(factors: list[Any]) -> Any:
    factors = [one for one in factors if one != 1]
    return sympy.Mul(*factors, evaluate=False) if len(factors) > 1 else factors[0] if factors else sympy.S.One


def _without_factors(a: Any, g: Any) -> tuple[Any, Any]:
    """A factor that both have is left out, unless it may be zero on a whole piece."""
    if a == 0 or g == 0:
        return a, g
    left, right = (Counter(one.args if type(one).__name__ == "Mul" else (one,)) for one in (a, g))
    common = Counter({one: n for one, n in (left & right).items() if one != 0 and _is_smooth(one)})
    if not common:
        return a, g
    return _product(list((left - common).elements())), _product(list((right - common).elements()))


def _is_smooth(node: Any) -> bool:
    """Whether it has no pieces, one of which may be zero all over."""
    if node.is_Rational or node.is_Symbol or type(node).__name__ in ("Pi", "Exp1"):
        return True
    if type(node).__name__ == "Pow" and node.args[0].is_Rational and node.args[1].is_Rational:
        return bool(node.args[0] != 0)
    return bool(node.free_symbols) and not any(
        is_step(one) or type(one).__name__ in KINKS or _is_power_of_zero(one) for one in preorder(node)
    )


def _is_power_of_zero(node: Any) -> bool:
    return type(node).__name__ == "Pow" and bool(node.args[1].free_symbols) and not node.args[0].free_symbols


def _inside(a: Any, g: Any, real: bool) -> tuple[Any, Any]:
    """The arguments of a function that takes no value twice."""
    name = type(a).__name__
    if name != type(g).__name__ or a == g:
        return a, g
    if name == "Pow" and a.args[1] == g.args[1]:
        exponent: Any = a.args[1]
        inverse = exponent.is_Rational and exponent.p in (1, -1)
        return (a.args[0], g.args[0]) if inverse and (real or exponent == -1) else (a, g)
    if name == "Pow" and a.args[0] == g.args[0]:
        base = a.args[0]
        grows = type(base).__name__ == "Exp1" or (base.is_Rational and base > 0 and base != 1)
        return (a.args[1], g.args[1]) if real and grows else (a, g)
    if name == "exp" or name in _ONE_TO_ONE:
        return (a.args[0], g.args[0]) if real and len(a.args) == len(g.args) == 1 else (a, g)
    return a, g
