"""Values of expressions with certain bounds: rationals exactly, everything else as balls (Arb, Johansson 2017).

`Values` walks over one of sympy's trees and never rebuilds it, as sympy's own evaluation would: a tower of powers or a
large factorial is a ball with a large exponent, in microseconds. A number is an `fmpq` if it is exact, an `arb` if it
is real, else an `acb`. Runs in the workers alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from flint import acb, arb, ctx, fmpq, fmpz

from benchmarks.marking.values import arithmetic, functions
from benchmarks.marking.values.arithmetic import (
    MOST_EXACT_BITS,
    BallOverflow,
    ComplexRational,
    Number,
    Undefined,
    Unknown,
    Unsure,
)
from benchmarks.marking.values.letters import preorder

MOST_TERMS = 10_000
"""of a written sum or product"""

__all__ = ["BallOverflow", "Number", "Undefined", "Unknown", "Unsure", "Values", "real_ball"]


class Values:
    """The values of expressions at one point, at one precision."""

    def __init__(
        self,
        precision: int,
        letters: Mapping[str, Number] | None = None,
        *,
        real: bool = True,
        opaque: Callable[[Any], Number | None] | None = None,
    ) -> None:
        """Args:
        precision: bits of a ball.
        letters: name of a symbol -> its value.
        real: whether roots and logarithms are those of the reals: an odd root of a negative number is negative, an
            even one has no value. Else they are the principal values.
        opaque: gives some nodes a value of their own, None to the others.
        """
        ctx.prec = precision
        self.precision = precision
        self.real = real
        self.letters = dict(letters or {})
        self._opaque = opaque
        self._known: dict[Any, Number] = {}

    def of(self, node: Any) -> Number:
        """Raises: Undefined, Unsure (a higher precision may tell), BallOverflow, Unknown."""
        if node.is_Rational:
            return fmpq(int(node.p), int(node.q))
        known = self._known.get(node)
        if known is None:
            known = self._opaque(node) if self._opaque else None
            if known is None:
                known = self._of(node)
            self._known[node] = known
        return known

    def _of(self, node: Any) -> Number:
        name = type(node).__name__
        special = _NODES.get(name)
        if special:
            return special(self, node)
        if not node.is_Function:
            raise Unknown(name)
        if not functions.known(name):
            return self._undefined(node)
        return functions.apply(name, [self.of(one) for one in node.args], self)

    def _undefined(self, node: Any) -> Number:
        """A function without a meaning of its own is a letter."""
        value = self.letters.get(str(node))
        if value is None:
            raise Unknown(type(node).__name__)
        return value

    def spread(self, *expressions: Any) -> int:
        """Bits between the largest and the smallest of terms that are added, and of an argument that is close to zero:
        with fewer bits than that, e^(-1000) beside 1 would be lost."""
        most = 0
        for node in (node for one in expressions for node in preorder(one)):
            name = type(node).__name__
            if name == "Add":
                sizes = [size for one in node.args if (size := self._bits(one)) is not None]
                most = max(most, max(sizes) - min(sizes)) if sizes else most
            elif name == "Pow" or node.is_Function:
                most = max([most, self._lost(name, node)])
                most = max([most, *(2 * abs(size) for one in node.args if (size := self._bits(one)) is not None)])
        return most

    def _lost(self, name: str, node: Any) -> int:
        """Bits without which tanh(1000) would be 1; very many of e^u that is too close to zero for a ball."""
        value = self._known.get(node)
        if (
            name in _NEVER_ZERO
            and isinstance(value, arb)
            and value.contains(0)
            and self._bits(node.args[0]) is not None
        ):
            return _VERY_MANY
        size = self._bits(node.args[0])
        if name not in _LEVEL or size is None or size <= 0:
            return 0
        return min(8 << min(size * _LEVEL[name], 64), _VERY_MANY)

    def _bits(self, node: Any) -> int | None:
        """n such that its size is about 2^n; None of zero, and of what is not known here."""
        value = fmpq(int(node.p), int(node.q)) if node.is_Rational else self._known.get(node)
        if value is None or value == 0:
            return None
        if isinstance(value, fmpq):
            return int(value.p).bit_length() - int(value.q).bit_length()
        if value.contains(0) or not value.is_finite():
            return None
        mantissa, exponent = abs(value).mid().man_exp()
        return int(mantissa).bit_length() + int(exponent)

    def _sum(self, node: Any) -> Number:
        total: Number = fmpq(0)
        for term in node.args:
            total = self.bounded(total + self.of(term))
        return total

    def _product(self, node: Any) -> Number:
        total: Number = fmpq(1)
        for factor in node.args:
            total = self.bounded(total * self.of(factor))
        return total

    def bounded(self, value: Number) -> Number:
        """A rational that has become too long is a ball from here on."""
        return arb(value) if isinstance(value, fmpq) and value.height_bits() > MOST_EXACT_BITS else value

    def _power(self, node: Any) -> Number:
        exponent = self.of(node.args[1])
        if type(node.args[0]).__name__ == "Exp1":
            return functions.apply("exp", [exponent], self)
        base = self.of(node.args[0])
        if node.args[1].free_symbols and arithmetic.may_be_zero(base, self):
            # 0^(x^2) is 1 at one point alone, which no other point shows.
            raise Undefined("zero, raised to what has letters")
        if node.args[1].free_symbols and self.real and isinstance(base, fmpq) and base < 0:
            arithmetic.integer(exponent, self)  # (-1)^(2x) is 1 at integers alone
        return arithmetic.power(base, exponent, self)

    def _letter(self, node: Any) -> Number:
        value = self.letters.get(node.name)
        if value is None:
            raise Unknown(node.name)
        return acb(arb(value.real), arb(value.imag)) if isinstance(value, ComplexRational) else value

    def _decimal(self, node: Any) -> Number:
        exact = Fraction(str(node))
        return fmpq(exact.numerator, exact.denominator)

    def _terms(self, node: Any) -> Number:
        """A finite sum or product, term by term."""
        if len(node.args) != 2:
            raise Unknown("a sum over several letters")
        letter, *limits = node.args[1].args
        if len(limits) != 2:
            raise Unknown("a sum without limits")
        low, high = (arithmetic.integer(self.of(one), self) for one in limits)
        if high < low - 1:
            raise Undefined("fewer than no terms")
        if high - low >= MOST_TERMS:
            raise BallOverflow("a sum of very many terms")
        add = type(node).__name__ == "Sum"
        total: Number = fmpq(0 if add else 1)
        for n in range(low, high + 1):
            inner = Values(self.precision, {**self.letters, letter.name: fmpq(n)}, real=self.real)
            term = inner.of(node.args[0])
            total = self.bounded(total + term if add else total * term)
        return total

    def _cases(self, node: Any) -> Number:
        for value, condition in node.args:
            if self._holds(condition):
                return self.of(value)
        raise Undefined("no case applies")

    def _holds(self, condition: Any) -> bool:
        name = type(condition).__name__
        if name in ("BooleanTrue", "BooleanFalse"):
            return name == "BooleanTrue"
        if name in ("And", "Or"):
            found = [self._holds(one) for one in condition.args]
            return all(found) if name == "And" else any(found)
        if name not in _SIGNS_OF:
            raise Unknown(name)
        return arithmetic.sign_of(self.of(condition.args[0]) - self.of(condition.args[1]), self) in _SIGNS_OF[name]


_NEVER_ZERO = frozenset({"Pow", "exp", "sech", "csch", "erfc"})
_LEVEL = {"tanh": 1, "coth": 1, "erf": 2, "zeta": 1}
"""functions that come close to one, as fast as e^(-x) or e^(-x^2) to zero"""
_VERY_MANY = 1 << 40
_SIGNS_OF = {
    "StrictGreaterThan": (1,), "GreaterThan": (0, 1), "StrictLessThan": (-1,), "LessThan": (-1, 0),
    "Equality": (0,), "Unequality": (-1, 1),
}  # fmt: skip


def _constant(make: Callable[[], Number]) -> Callable[[Values, Any], Number]:
    return lambda values, node: make()


def _infinite(values: Values, node: Any) -> Number:
    raise Undefined("infinite")


_NODES: dict[str, Callable[[Values, Any], Number]] = {
    "Add": Values._sum,
    "Mul": Values._product,
    "Pow": Values._power,
    "Symbol": Values._letter,
    "Dummy": Values._letter,
    "Float": Values._decimal,
    "Pi": _constant(arb.pi),
    "Exp1": _constant(lambda: arb(1).exp()),
    "ImaginaryUnit": _constant(lambda: acb(0, 1)),
    "EulerGamma": _constant(arb.const_euler),
    "Catalan": _constant(arb.const_catalan),
    "GoldenRatio": _constant(lambda: (1 + arb(5).sqrt()) / 2),
    "Infinity": _infinite,
    "NegativeInfinity": _infinite,
    "ComplexInfinity": _infinite,
    "NaN": _infinite,
    "Sum": Values._terms,
    "Product": Values._terms,
    "Piecewise": Values._cases,
}


def real_ball(value: Number) -> arb | None:
    """As a real ball; None of a number that is not known to be real."""
    if isinstance(value, fmpq | fmpz):
        return arb(value)
    if isinstance(value, arb):
        return value
    return value.real if value.imag.is_zero() else None
