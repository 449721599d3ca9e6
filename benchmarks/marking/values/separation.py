"""How close to zero an algebraic number can be without being zero.

The bound of Burnikel, Funke, Mehlhorn, Schirra and Schmitt (2009, "A separation bound for real algebraic
expressions"): a number E = U/L, where no conjugate of the algebraic integers U and L is larger than u and l, and whose
degree is at most D, is zero or at least 1 / (l u^(D-1)). Roots of unity, and so sines and cosines of rational multiples
of pi, are such integers too.
"""

from __future__ import annotations

from math import lcm, log2
from typing import Any, NamedTuple

MOST_ORDER = 2000
"""of a root of unity"""


class _NotAlgebraic(Exception):
    """Or nothing that this bound is known for."""


class _Size(NamedTuple):
    above: float
    """log2 of u"""
    below: float
    """log2 of l"""

    @property
    def inverse(self) -> _Size:
        return _Size(self.below, self.above)

    def times(self, other: _Size) -> _Size:
        return _Size(self.above + other.above, self.below + other.below)

    def plus(self, other: _Size) -> _Size:
        above = 1 + max(self.above + other.below, self.below + other.above)
        return _Size(above, self.below + other.below)

    def power(self, n: int) -> _Size:
        return _Size(self.above * n, self.below * n) if n >= 0 else self.inverse.power(-n)

    def root(self, k: int) -> _Size:
        if self.above >= self.below:
            return _Size((self.above + (k - 1) * self.below) / k, self.below)
        return _Size(self.above, ((k - 1) * self.above + self.below) / k)


class _Field:
    """What is adjoined to the rationals."""

    def __init__(self) -> None:
        self.order = 1
        """of the roots of unity"""
        self.roots: dict[Any, int] = {}
        """(radicand, degree) -> degree"""

    @property
    def degree(self) -> int:
        found = _totient(self.order)
        for degree in self.roots.values():
            found *= degree
        return found

    def size(self, node: Any) -> _Size:
        """Bounds of an algebraic number. Raises: _NotAlgebraic."""
        if node.is_Rational:
            return _Size(log2(max(abs(int(node.p)), 1)), log2(int(node.q)))
        name = type(node).__name__
        if name == "Add":
            parts = [self.size(one) for one in node.args]
            total = parts[0]
            for part in parts[1:]:
                total = total.plus(part)
            return total
        if name == "Mul":
            total = _Size(0, 0)
            for one in node.args:
                total = total.times(self.size(one))
            return total
        if name == "Pow":
            return self._power(*node.args)
        if name == "ImaginaryUnit":
            self._unity(4)
            return _Size(0, 0)
        if name in ("sin", "cos", "tan", "cot", "sec", "csc"):
            return self._angle(name, node.args[0])
        raise _NotAlgebraic(name)

    def _power(self, base: Any, exponent: Any) -> _Size:
        if not exponent.is_Rational or type(base).__name__ == "Exp1":
            raise _NotAlgebraic("a power")
        size, k = self.size(base), int(exponent.q)
        if k > 1:
            self.roots[base, k] = k
            size = size.root(k)
        return size.power(int(exponent.p))

    def _angle(self, name: str, angle: Any) -> _Size:
        """(z + 1/z)/2 and so on, z a root of unity."""
        from sympy import Rational, pi

        turns = angle / (2 * pi)
        if not isinstance(turns, Rational):
            raise _NotAlgebraic("an angle")
        self._unity(lcm(int(turns.q), 4))
        return {"sin": _Size(1, 1), "cos": _Size(1, 1)}.get(name, _Size(2, 2))

    def _unity(self, order: int) -> None:
        self.order = lcm(self.order, order)
        if self.order > MOST_ORDER:
            raise _NotAlgebraic("a root of unity")


def _totient(n: int) -> int:
    found, rest, p = n, n, 2
    while p * p <= rest:
        if rest % p == 0:
            found -= found // p
            while rest % p == 0:
                rest //= p
        p += 1
    return found - found // rest if rest > 1 else found


def bits(answer: Any, gold: Any, most: int) -> int | None:
    """b such that answer - gold is zero or larger than 2^-b; None if none is known, or it is more than `most`."""
    field = _Field()
    try:
        size = field.size(answer).plus(field.size(gold).power(1))
    except (_NotAlgebraic, OverflowError):
        return None
    found = size.below + (field.degree - 1) * max(size.above, 0) + 1
    return int(found) + 1 if found <= most else None
