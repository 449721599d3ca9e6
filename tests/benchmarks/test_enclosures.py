"""Bounds hold: enclosures against sympy, separation bounds against numbers that are close, residues, kinks, periods."""

from __future__ import annotations

import math
import random

import pytest
import sympy
from flint import acb, arb, fmpq

from benchmarks.marking.values import residues, separation
from benchmarks.marking.values.arithmetic import Undefined
from benchmarks.marking.values.difference import between, factors
from benchmarks.marking.values.enclosure import Unsure, Values
from benchmarks.marking.values.letters import LetterKind, draw, generator, kinds
from benchmarks.marking.values.pair import Differs, ExpressionPair
from benchmarks.marking.values.pieces import NotPolynomial, cuts, shape

x, n, m = sympy.symbols("x n m")
FUNCTIONS = (
    *("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth", "sech", "csch", "asin", "acos"),
    *("atan", "acot", "asec", "acsc", "asinh", "acosh", "atanh", "acoth", "asech", "acsch", "exp", "log", "gamma"),
    *("erf", "erfc", "erfi", "zeta", "LambertW", "floor", "ceiling", "frac", "sign", "Abs", "re", "im", "conjugate"),
    *("arg", "factorial", "loggamma"),
)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_enclose_what_sympy_computes(name: str) -> None:
    function = getattr(sympy, name)
    met = 0
    for value in ("1/3", "-1/3", "5/2", "-7/4", "12", "3/97"):
        number = sympy.Rational(value)
        expected = sympy.N(function(number), 40)
        if not expected.is_number or expected.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo, function):
            continue
        real, imaginary = (fmpq(int(one.p), int(one.q)) for one in map(sympy.Rational, expected.as_real_imag()))
        for precision in (64, 200):
            found = acb(Values(precision, real=False).of(function(number, evaluate=False)))
            near = arb(10) ** -30 * (1 + abs(arb(real)))
            assert abs(found.real - real) < near + arb(2) ** (8 - precision) * (1 + abs(arb(real))), value
            assert abs(found.imag - imaginary) < near + arb(2) ** (8 - precision) * (1 + abs(arb(imaginary))), value
            met += 1
    assert met >= 4


def test_rationals_are_exact_until_they_are_long() -> None:
    values = Values(64)
    assert values.of(sympy.factorial(30, evaluate=False) / 7) == fmpq(math.factorial(30), 7)
    assert values.of(sympy.Pow(4, sympy.Rational(3, 2), evaluate=False)) == 8
    assert values.of(sympy.Pow(-8, sympy.Rational(1, 3), evaluate=False)) == -2
    assert isinstance(values.of(sympy.Pow(3, 10**8, evaluate=False)), arb)


def test_what_has_no_value_and_what_is_not_sure() -> None:
    values = Values(64, {"x": fmpq(-4)})
    for text in (sympy.sqrt(x), sympy.log(x), 1 / (x + 4), sympy.factorial(x), sympy.log(x + 4)):
        with pytest.raises(Undefined):
            values.of(text)
    with pytest.raises(Unsure):  # 1/0, but that takes a proof
        values.of(1 / (sympy.sin(1) ** 2 + sympy.cos(1) ** 2 - 1))
    assert isinstance(Values(64, {"x": fmpq(-4)}, real=False).of(sympy.sqrt(x)), acb)


def test_no_algebraic_number_lies_within_its_separation_bound() -> None:
    draw_ = random.Random(5)
    for _ in range(200):
        a, b, c, d = (draw_.randint(2, 60) for _ in range(4))
        left = sympy.sqrt(a) + sympy.root(b, 3) - sympy.Rational(c, d)
        right = sympy.Rational(str(sympy.N(left, 25)))  # close by, and not equal
        bits = separation.bits(left, right, 10**6)
        assert bits is not None
        assert abs(sympy.N(left - right, 60)) >= sympy.Rational(1, 2) ** bits


def test_separation_proves_and_refutes() -> None:
    nested = sympy.sqrt(5 + 2 * sympy.sqrt(6))
    assert between(sympy.sqrt(2) + sympy.sqrt(3), nested).proved
    assert between(sympy.sqrt(2) + sympy.sqrt(3), nested + sympy.Rational(1, 10**300)).equal is False
    assert separation.bits(sympy.pi, sympy.S(3), 10**6) is None


def test_large_numbers_by_factors_and_residues() -> None:
    power = sympy.Pow(12, 10**9, evaluate=False)
    assert factors(power) == {2: 2 * 10**9, 3: 10**9}
    for a, b in ((7**50, 7**50), (7**50, 7**50 + 1), (2**127 - 1, 0)):
        assert residues.same(sympy.Integer(a), sympy.Integer(b)) is (a == b)
    plus = sympy.Add(power, 1, evaluate=False)
    assert residues.same(plus, sympy.Add(power, 2, evaluate=False)) is False
    assert residues.same(sympy.pi, sympy.S(3)) is None


def test_letters_are_what_their_places_say() -> None:
    assert kinds((-1) ** n, x)["n"] is LetterKind.WHOLE
    assert kinds(sympy.floor(n / 2), sympy.floor(x))["x"] is LetterKind.REAL
    assert kinds(n + 1, n)["n"] is LetterKind.REAL
    assert kinds(sympy.sqrt(x / m), m) == {"m": LetterKind.POSITIVE, "x": LetterKind.POSITIVE}
    assert kinds(sympy.sqrt(x**2), x)["x"] is LetterKind.REAL
    z = sympy.Symbol("z")
    assert kinds(z * sympy.conjugate(z), z)["z"] is LetterKind.COMPLEX
    assert kinds(x**2 + z**2, z)["z"] is LetterKind.REAL


def test_points_have_both_signs_many_sizes_and_are_the_same_each_time() -> None:
    letters = kinds(x, x)
    points = [draw(letters, number, source)["x"] for source in [generator(x, x)] for number in range(60)]
    again = [draw(letters, number, source)["x"] for source in [generator(x, x)] for number in range(60)]
    assert points == again
    assert min(points) < -50 and max(points) > 50
    assert min(map(abs, points)) < fmpq(1, 20)


def test_kinks_lie_where_arguments_change_sign() -> None:
    assert cuts([x - 2, 3 * x + 1], "x", {}) == [fmpq(-1, 3), 2]
    assert cuts([x**2 + 1], "x", {}) == []
    assert cuts([sympy.Abs(x) - 5], "x", {}) == [-5, 5]
    assert cuts([x - m], "x", {"m": fmpq(7)}) == [7]
    with pytest.raises(NotPolynomial):
        cuts([sympy.sin(x)], "x", {})


def test_periods_of_floors() -> None:
    whole = {"n": LetterKind.WHOLE, "m": LetterKind.WHOLE}
    assert shape(sympy.floor(n / 6), whole).periods == {"n": 6}
    assert shape(sympy.floor(sympy.floor(n / 2) / 3), whole).periods == {"n": 6}
    assert shape((-1) ** n * sympy.floor(m * n / 4), whole).periods == {"n": 4, "m": 4}
    assert shape(sympy.cos(sympy.pi * n / 3), whole).periods == {"n": 6}
    with pytest.raises(NotPolynomial):
        shape(sympy.floor(sympy.sqrt(n)), whole)


def test_a_difference_at_one_point_is_enough() -> None:
    pair = ExpressionPair(sympy.sqrt(x**2), x)
    assert pair.equal_at({"x": fmpq(2)}, real=True) is True
    with pytest.raises(Differs):
        pair.equal_at({"x": fmpq(-2)}, real=True)
