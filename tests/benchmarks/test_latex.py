"""Our parser: each construct with the object of sympy that it is, and what is no expression."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
import sympy
from sympy import (
    Abs,
    Add,
    And,
    Eq,
    FiniteSet,
    Function,
    Integer,
    Interval,
    Mul,
    Or,
    Pow,
    Rational,
    S,
    Tuple,
    Union,
    acos,
    acosh,
    asin,
    atan,
    binomial,
    ceiling,
    conjugate,
    cos,
    exp,
    factorial,
    factorial2,
    floor,
    log,
    oo,
    pi,
    sin,
    sqrt,
)

from benchmarks.marking.latex.construction import GCD, LCM, symbol
from benchmarks.marking.latex.parser import read

a, b, c, d, k, m, n, r, t, x, y, z = map(symbol, "abcdkmnrtxyz")
f, P = Function("f"), Function("P")
HALF = Rational(1, 2)

NUMBERS: dict[str, Any] = {
    "12": 12,
    r"\$12": 12,
    "-7": -7,
    "+3": 3,
    "--3": 3,
    "2.50": Rational(5, 2),
    ".5": HALF,
    "1e-3": Rational(1, 1000),
    "4.5e6": 4500000,
    "1,234": 1234,
    "1,234,567.5": Rational(2469135, 2),
    "1{,}234": 1234,
    r"10\,000": 10000,
    "10 000": 10000,
    r"0.\overline{3}": Rational(1, 3),
    r"0.1\overline{6}": Rational(1, 6),
    r"0.\dot{1}4285\dot{7}": Rational(1, 7),
    "0.(3)": Rational(1, 3),
    "0.1(6)": Rational(1, 6),
    "１２": 12,
    "−5": -5,
    r"2\frac{1}{2}": Rational(5, 2),
    r"-2\frac12": Rational(-5, 2),
    "1 1/4": Rational(5, 4),
    "1/2": HALF,
    r"\frac{1}{2}": HALF,
    r"\dfrac12": HALF,
    r"\tfrac{3}4": Rational(3, 4),
    r"\frac1{72}": Rational(1, 72),
    r"{9 \over 25}": Rational(9, 25),
    "½": HALF,
    r"-\frac{3}{4}": Rational(-3, 4),
    "3:4": Rational(3, 4),
    r"2\frac{a}{2b}": a / b,
    r"2^{10}": 1024,
    "2**10": 1024,
    "2^-1": HALF,
    "2^3^2": 512,
    "5!": 120,
    "5!!": 15,
    r"\binom{5}{2}": 10,
    r"\dbinom52": 10,
    r"{5 \choose 2}": 10,
    r"\infty": oo,
    r"-\infty": -oo,
    "2^{25}": 2**25,
    r"17 \bmod 5": 2,
    r"\gcd(12,18)": 6,
    "lcm(4,6)": 12,
    r"\max(2,3)": 3,
    r"\min\{2,3\}": 2,
    "x2": None,
    r"\frac{1}{29,322,216}": Rational(1, 29322216),
    "-1./3": Rational(-1, 3),
}
PRODUCTS: dict[str, Any] = {
    "2x": 2 * x,
    "xy": x * y,
    "x y": x * y,
    "abc": a * b * c,
    r"2\sqrt3": 2 * sqrt(3),
    "(a+b)(c+d)": (a + b) * (c + d),
    r"\pi r^2": pi * r**2,
    r"2\cdot x": 2 * x,
    r"x \times y": x * y,
    "x*y": x * y,
    "2*-3": -6,
    "x/2y": x / (2 * y),
    "1/2x": x / 2,
    "a/b/c": a / (b * c),
    r"a \div b": a / b,
    r"\frac{1}{m} t": t / m,
    "n!": factorial(n),
    "2^n!": factorial(2**n),
    "(2n)!": factorial(2 * n),
    "n!!": factorial2(n),
    "x^{2}y^{-3}": x**2 / y**3,
    r"2^{25}\cdot 26!": 2**25 * factorial(26),
    "x^10": x**10,
    "x^2y": x**2 * y,
    "-x^2": -(x**2),
    r"x^\frac12": sqrt(x),
    "x(y+1)": x * (y + 1),
    "n(n+1)/2": n * (n + 1) / 2,
    "P(1+r)": symbol("P") * (1 + r),
    "2pi": 2 * pi,
    "2pir": 2 * pi * r,
    "ABC": symbol("A") * symbol("B") * symbol("C"),
    "x - -y": x + y,
    r"\left(x+1\right)^2": (x + 1) ** 2,
    "[x+1]^2": (x + 1) ** 2,
    "{x+1}": x + 1,
    r"x\,y": x * y,
    r"\binom{n}{k}": binomial(n, k, evaluate=False),
    r"50(1 - \frac{1}{2^{101} - 1})": 50 - Rational(50, 2**101 - 1),
}
ROOTS: dict[str, Any] = {
    r"\sqrt{20}": 2 * sqrt(5),
    r"\sqrt[3]{x}": x ** Rational(1, 3),
    "sqrt(x)": sqrt(x),
    "2√5": 2 * sqrt(5),
    "√15": sqrt(15),
    r"\sqrt15": sqrt(15),
    "cbrt(8)": 2,
    r"\sqrt[3]{-8}": -2,
    "(-8)^{1/3}": -2,
    "(-8)^{2/3}": 4,
    r"\sqrt{-4}": 2 * S.ImaginaryUnit,
    r"\sqrt[5]{-32x}": (-32 * x) ** Rational(1, 5),
    r"\sqrt[n]{x}": x ** (1 / n),
    "x**(1/2)": sqrt(x),
    r"\sqrt[3]{2-\sqrt5}": -((sqrt(5) - 2) ** Rational(1, 3)),
    r"\sqrt{x}^2": x,
}
BARS: dict[str, Any] = {
    "|x|": Abs(x),
    "|-3|": 3,
    r"\lvert x\rvert": Abs(x),
    r"\left|\frac{x}{2}\right|": Abs(x) / 2,
    "|x||y|": Abs(x) * Abs(y),
    "|x|y|z|": Abs(x) * y * Abs(z),
    "||x|-1|": Abs(Abs(x) - 1),
    r"|x(|y|+1)|": Abs(x) * (Abs(y) + 1),
    "abs(x)": Abs(x),
    r"\lfloor n/2\rfloor": floor(n / 2, evaluate=False),
    r"\lceil \frac72\rceil": 4,
    "floor(7/2)": 3,
    "2|x|": 2 * Abs(x),
    r"\left\lceil x\right\rceil": ceiling(x, evaluate=False),
    "ceil(x)": ceiling(x, evaluate=False),
    r"\ln|x|": log(Abs(x)),
    r"\lfloor\sqrt{n-1}\rfloor": floor(sqrt(n - 1), evaluate=False),
    "⌊7/2⌋": 3,
}
FUNCTIONS: dict[str, Any] = {
    r"\sin x": sin(x),
    r"\sin{x}": sin(x),
    r"\sin(x)": sin(x),
    r"\sin 2x": sin(2 * x),
    r"\sin^2 x": sin(x) ** 2,
    r"\sin^{-1} x": asin(x),
    r"\cos^{-1}(x)": acos(x),
    r"\arctan 2": atan(2),
    "atan(x)": atan(x),
    "arccos(x)": acos(x),
    r"\sin x\cos y": sin(x) * cos(y),
    r"\sin x (y+1)": sin(x) * (y + 1),
    r"\sin(x)^2": sin(x) ** 2,
    "sinx": sin(x),
    r"\sin\pi/6": HALF,
    r"\cos x/2": cos(x) / 2,
    r"\sin(30^\circ)": HALF,
    r"\tan 45^{\circ}": 1,
    r"\sin x e^x": sin(x) * exp(x),
    r"\cos(90°+30°)": -HALF,
    r"30^\circ": 30,
    r"\sinx": sin(x),
    r"2\cdotx": 2 * x,
    r"\Deltax": symbol("Delta") * x,
    r"\operatorname{arcosh} x": acosh(x),
    r"\cosh^{-1} x": acosh(x),
    r"\tan\frac{\pi}{4}": 1,
    r"\sin -x": -sin(x),
    r"\ln x": log(x),
    r"\log 100": log(100, 10),
    r"\log_2 8": 3,
    r"\log_{2}{x}": log(x) / log(2),
    r"\lg 1000": 3,
    r"\log_28": 3,
    r"\ln^2 x": log(x) ** 2,
    "log(8,2)": 3,
    r"\ln 2x": log(2 * x),
    "exp(-t)": exp(-t),
    "e^x": exp(x),
    r"\mathrm{e}^{2}": exp(2),
    r"e^{i\pi}": -1,
    "3*cos(sqrt(980/7)*t)": 3 * cos(2 * sqrt(35) * t),
    "pow(x,3)": x**3,
    r"\max(x,3)": sympy.Max(x, 3, evaluate=False),
    r"\gcd(m,n)": GCD(m, n),
    r"\operatorname{lcm}(n,m)": LCM(m, n),
    "f(x)": f(x),
    "f(x,y)": f(x, y),
    "f(x+1)": f(x + 1),
    "P(x)": P(x),
    "f'(x)": Function("f'")(x),
    "f^{-1}(x)": Function("f^-1")(x),
    "a_n(x)": Function("a_n")(x),
    "N(n)": Function("N")(n),
    "np.sin(x)": sin(x),
    "factorial(n)": factorial(n),
    r"\Gamma(5)": 24,
    r"\operatorname{Re}(3+2i)": 3,
    r"\Im(3+2i)": 2,
    r"\Gamma(\frac12)": sqrt(pi),
    r"\Gamma": symbol("Gamma"),
    r"\ddot{\theta}": symbol("ddot(theta)"),
    r"\ddot\theta(t)": Function("ddot(theta)")(t),
    "2*pi*r": 2 * pi * r,
}
NAMES: dict[str, Any] = {
    "E": symbol("E"),
    "I": symbol("I"),
    "S": symbol("S"),
    "N": symbol("N"),
    "Q": symbol("Q"),
    r"\lambda": symbol("lambda"),
    "i": S.ImaginaryUnit,
    "e": S.Exp1,
    "E_{1}": symbol("E_1"),
    "E_1": symbol("E_1"),
    "e_1": symbol("e_1"),
    r"x_{\max}": symbol("x_max"),
    r"x_{\mathrm{max}}": symbol("x_max"),
    r"v_{\text{initial}}": symbol("v_initial"),
    "v_{1,2}": symbol("v_1,2"),
    "f'": symbol("f'"),
    r"x^{\prime}": symbol("x'"),
    r"x^{*}": symbol("x*"),
    r"\mathrm{area}": symbol("area"),
    r"\theta_0": symbol("theta_0"),
    r"\varphi": symbol("phi"),
    "v_0^2": symbol("v_0") ** 2,
    "v^2_0": symbol("v_0") ** 2,
    "a_i+i": symbol("a_i") + symbol("i"),
    r"\mathbf{i}": symbol("i"),
    r"\vec{a}": symbol("vec(a)"),
    r"\bar{x}": symbol("bar(x)"),
    r"\bar{z}": conjugate(z),
    r"\overline{2+3i}": 2 - 3 * S.ImaginaryUnit,
    r"\overline{AB}": symbol("bar(AB)"),
    "3+4i": 3 + 4 * S.ImaginaryUnit,
    r"\frac{1}{3} E_{1}+\frac{2}{3} E_{2}": symbol("E_1") / 3 + 2 * symbol("E_2") / 3,
    "θ": symbol("theta"),
    "x₁": symbol("x_1"),
    "x²": x**2,
}
SETS: dict[str, Any] = {
    "1,2,3": FiniteSet(1, 2, 3),
    r"\{1,2\}": FiniteSet(1, 2),
    r"\{\}": S.EmptySet,
    r"\emptyset": S.EmptySet,
    "27,54,108": FiniteSet(27, 54, 108),
    r"\{1,234\}": FiniteSet(1, 234),
    "(1,234)": Tuple(1, 234),
    "(1,2)": Tuple(1, 2),
    "(1,2,x)": Tuple(1, 2, x),
    r"\langle 1,2\rangle": Tuple(1, 2),
    "[1,2)": Interval.Ropen(1, 2),
    "[1,2]": Interval(1, 2),
    r"(2,\infty)": Interval.open(2, oo),
    r"(-\infty,-1]": Interval(-oo, -1),
    r"(0,1)\cup(2,3]": Union(Interval.open(0, 1), Interval.Lopen(2, 3), evaluate=False),
    r"\mathbb{R}": S.Reals,
    r"\mathbb R\setminus\{0\}": sympy.Complement(S.Reals, FiniteSet(0), evaluate=False),
    r"[0,2]\cap[1,3]": sympy.Intersection(Interval(0, 2), Interval(1, 3), evaluate=False),
    r"x\in(1,2)": sympy.Contains(x, Interval.open(1, 2), evaluate=False),
    r"\pm 3": FiniteSet(3, -3),
    r"\pm x": FiniteSet(x, -x),
    r"x<\pm y": Or(sympy.Lt(x, y, evaluate=False), sympy.Lt(x, -y, evaluate=False), evaluate=False),
    r"\frac{-3\pm\sqrt{5}}{2}": FiniteSet((sqrt(5) - 3) / 2, (-3 - sqrt(5)) / 2),
    r"1\pm x\mp y": FiniteSet(1 + x - y, 1 - x + y),
    r"x=\pm 3": Eq(x, FiniteSet(3, -3), evaluate=False),
    "n=1, 2": Eq(n, FiniteSet(1, 2), evaluate=False),
    "(1,2),(3,4)": FiniteSet(Tuple(1, 2), Tuple(3, 4)),
    r"\begin{pmatrix} 1 & x \\ 3 & 4 \end{pmatrix}": sympy.ImmutableMatrix([[1, x], [3, 4]]),
    r"\begin{array}{cc} 1 & 2 \\ 3 & 4 \\ \end{array}": sympy.ImmutableMatrix([[1, 2], [3, 4]]),
    r"\frac12\begin{bmatrix} 2 \\ 4 \end{bmatrix}": sympy.ImmutableMatrix([1, 2]),
}
RELATIONS: dict[str, Any] = {
    "a=b": Eq(a, b, evaluate=False),
    "2=3": Eq(2, 3, evaluate=False),
    "x<1": sympy.Lt(x, 1, evaluate=False),
    r"x\le 1": sympy.Le(x, 1, evaluate=False),
    "x>=1": sympy.Ge(x, 1, evaluate=False),
    r"x\neq 1": sympy.Ne(x, 1, evaluate=False),
    r"1<x\le 2": And(sympy.Lt(1, x, evaluate=False), sympy.Le(x, 2, evaluate=False), evaluate=False),
    r"x \equiv 10 \pmod 7": Eq(sympy.Mod(x, 7, evaluate=False), 3, evaluate=False),
    r"x \equiv 3 (\bmod 7)": Eq(sympy.Mod(x, 7, evaluate=False), 3, evaluate=False),
    r"\frac{2}{3}\approx 0.67": Rational(2, 3),
    r"x\approx 11": Eq(x, 11, evaluate=False),
}
ALL = {**NUMBERS, **PRODUCTS, **ROOTS, **BARS, **FUNCTIONS, **NAMES, **SETS, **RELATIONS}


@pytest.mark.parametrize("text", ALL)
def test_reads(text: str) -> None:
    found, expected = read(text), ALL[text]
    if expected is None:
        assert found is None
    else:
        assert found is not None and found.value == sympy.sympify(expected)


MALFORMED = (
    "",
    "(",
    "(x",
    "x)",
    "x+",
    "2*",
    "*2",
    "=5",
    "x=",
    "5 choose two",
    "five",
    "the answer is 5",
    r"\frac{1}",
    r"\sqrt",
    "2 3",
    "x^",
    "x_",
    "|x",
    r"\{1,2",
    "[1,2",
    r"\ldots",
    r"1,2,\ldots",
    "1,,2",
    "()",
    "3 + ? ",
    "5 & 6",
    r"\frac{1}{0}",
    "1/0",
    r"(2,\infty]",
    r"[-\infty,2)",
    "[3,1]",
    "(-1)!",
    "(1/2)!",
    "5%",
    r"\text{none of these}",
    "x \\text{ or } y",
    "52_8",
    r"\begin{pmatrix} 1 & 2 \\ 3 \end{pmatrix}",
    r"\begin{pmatrix} 1",
    r"\pm 1 \pm x",
    r"\sin",
    r"\log_1 3",
    "3#4",
    "Yes",
    "even",
    r"\lfloor x",
    "x!!!",
    "(1,2)+3",
    "1:2:3",
    r"3 \pmod 7",
    "x < 1 \\pmod 7",
    "None",
    "true",
    "30 degrees",
    "@",
    r"\fra{1}{2}",
    r"\sum_{k=1}^n k words",
    r"\angle ABC",
    r"\{x \mid x>1\}",
)


@pytest.mark.parametrize("text", MALFORMED)
def test_what_is_no_expression(text: str) -> None:
    assert read(text) is None


LARGE = (
    "9^{9^{9^9}}",
    "3^{300000000}",
    "10^9!",
    r"\binom{10^9}{10^8}",
    "factorial(10**9)",
    "pow(3,10**9)",
    r"(2\sqrt3)^{10^9}",
    r"e^{10^9\ln 3}",
    r"\exp(10^9\ln 3+x)",
    r"10^{10^9\log 3}",
    "(3x)^{10^9}",
    "1e999999999",
    "2^{2^{2^{2^{2^2}}}}",
    r"\lfloor e^{10^9}\rfloor",
    "(10^{2000})^{1000}",
    r"9^{9^{9^9}}+x=3",
    r"\max(9^{9^{9^9}},2)",
    r"\sqrt{" + "9" * 1900 + "}",
    "9" * 900 + "^" + "9" * 900,
    r"\gcd(9^{9^{9^9}},2)",
    r"|9^{9^{9^9}}-1|",
    r"\sin 9^{9^{9^9}}",
    r"\frac{1}{9^{9^{9^9}}}",
    r"12^{1/0.13333333333333337}",
    r"\sqrt[100000007]{12}",
)


@pytest.mark.parametrize("text", LARGE)
def test_what_is_too_large_to_write_out_is_read_at_once(text: str) -> None:
    start = time.process_time()
    found = read(text)
    assert found is not None and isinstance(found.value, sympy.Basic)
    assert time.process_time() - start < 1


def test_powers_that_are_too_large_stay_as_written() -> None:
    found = read("3^{300000000}-1")
    assert found is not None
    power = Pow(Integer(3), Integer(300000000), evaluate=False)
    assert found.value == Add(power, Integer(-1), evaluate=False)
    assert read("3^{2025}-1") == (Integer(3**2025 - 1), False)


DEEP = (
    "(" * 1000,
    "(" * 900 + "1" + ")" * 900,
    "-" * 1900 + "1",
    "|" * 1000,
    r"\sqrt" * 300,
    r"\sin" * 400,
    "x^" * 900 + "x",
    "{" * 1000 + "}" * 1000,
    "x!" * 900,
    "1/" * 900 + "2",
    "1," * 900 + "1",
    r"\frac{1}{1+" * 150 + "x" + "}" * 150,
    "x_{" * 600 + "}" * 600,
    "+".join(f"x^{k}" for k in range(300)),
    "x" * 3000,
)


@pytest.mark.parametrize("text", DEEP)
def test_long_and_deep_texts_neither_raise_nor_take_long(text: str) -> None:
    start = time.process_time()
    read(text)
    assert time.process_time() - start < 1


def test_decimals_are_exact_and_said_to_be_rounded() -> None:
    assert read("0.33x") == (Mul(Rational(33, 100), x), True)
    assert read(r"\frac{1}{3}") == (Rational(1, 3), False)
    assert read(r"0.\overline{3}") == (Rational(1, 3), False)
    assert read(r"3\approx 3.0") == (Integer(3), False)
    assert read(r"x\approx 3") == (Eq(x, 3, evaluate=False), True)


def test_one_letter_is_one_symbol_in_all_texts() -> None:
    for text in ("x", "x+i", r"\{x\}", "|x|"):
        found = read(text)
        assert found is not None and found.value.free_symbols == {x}
    assert x.is_real and z.is_real is None


@pytest.mark.parametrize(
    "text", (r"\int_0^1 x^2 dx", r"\sum_{k=1}^{n} k", r"\lim_{x\to 0} \frac{\sin x}{x}", r"\frac{dy}{dx}")
)
def test_the_rest_is_left_to_latex2sympy(text: str) -> None:
    found = read(text)
    assert found is not None and isinstance(found.value, sympy.Integral | sympy.Sum | sympy.Limit | sympy.Derivative)


PIECES = (
    r"x 1 2.5 10^9 ( ) [ ] { } | ^ _ , ; : = < + - * / ! ' & \\ \frac \sqrt \pm \cup \in \left \right \{ \} \sin "
    r"\log i e \text{a} \infty \pi z f \binom \over \choose \begin{pmatrix} \end{pmatrix} \pmod \circ \lfloor \rfloor "
    r"\overline \ldots ° √ ²"
)


def test_no_text_raises() -> None:
    pieces, draw = PIECES.split(), random.Random(20261129)
    for _ in range(3000):
        read(" ".join(draw.choices(pieces, k=draw.randrange(1, 14))))
