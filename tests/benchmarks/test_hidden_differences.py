"""Differences where nobody looks by chance: at points that could be foreseen, at one point alone, far away, or tiny.

Each beside the nearest identity that is true.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
import sympy

from benchmarks.marking.values import terms
from benchmarks.marking.values.letters import draw, generator, kinds
from benchmarks.marking.values.symbolic import same

# gold, equal answers, unequal answers
FORESEEN = [
    ("x^3", [], [r"x^3+\sin(101\pi x)", r"x^3+\sin(2^{40}\pi x)\sin(101!\pi x)"]),
    (r"\sin(202\pi x)", [r"2\sin(101\pi x)\cos(101\pi x)"], [r"\sin(101\pi x)"]),
    (r"\sin x", [], [r"\sin x+\tan(1010\pi x)"]),
    (r"\ln x", [], [r"\ln x+\sin(1010\pi x)\sin(2020\pi x)"]),
    (r"\frac{ab}{2}", [], [r"\frac{ab}{2}\cdot\cos^2(10100\pi a)"]),
    ("x", [], [r"x+(101x-920)(101x+20)\sin(101\pi x)"]),
    (r"|z|^2", [r"z\bar{z}"], [r"|z|^2+\sin(1024\pi\operatorname{Re}(z))"]),
    ("x", [], [r"x+\max(0,x-10^6)(x-10^6-\frac57)(x-10^6-\frac{97}{3})"]),
]
POWERS_OF_ZERO = [
    ("x", [], [r"x+0^{|x-17|}"]),
    ("x+1", [], ["x+1+0^{x^2}"]),
    ("0^{x^2}+1", ["1+0^{x^2}"], ["1", "0^{x^2}+2"]),
    ("n!", [], ["n!+0^{n^2}", r"n!+(\sin^2 1+\cos^2 1-1)^{n^2}"]),
]
FAR_AWAY = [
    ("2^{k}", ["4^{k/2}"], [r"2^{k}+\max(0,k-10^{6})", r"4^{k/2}+\max(0,k-10^{6})"]),
    (r"2^{k}+\max(0,k-10^6)", [r"2^{k}+\frac{k-10^6+|k-10^6|}{2}"], ["2^{k}", r"2^{k}+k-10^6"]),
    ("n!", [], [r"n!+\max(0,n-10^6)", r"n(n-1)!+\max(0,n-10^{6})", r"n!+\max(0,\frac1{100}-(n-10^5)^2)"]),
    (r"n!+\max(0,n-10^6)", [r"\max(n,10^6)-10^6+n!"], ["n!"]),
    ("n^{n}", [], [r"n^{n}+\sqrt{(n-10^{4})^2}+n-10^{4}"]),
    ("n!", [], [r"n!+\lfloor n/10^{7}\rfloor^2-\lfloor n/10^7\rfloor", r"n!+\binom{n}{10^4}"]),
    (r"\frac{e^{t}}{3}", [], [r"e^{t}/3+\max(0,t-10^{6})"]),
    (
        r"\lfloor 2x\rfloor+|x|",
        [r"\lfloor x\rfloor+\lfloor x+\frac12\rfloor+\max(x,-x)"],
        [r"\lfloor x\rfloor+\lfloor x+\frac12\rfloor+x", r"\lfloor 2x\rfloor+|x|+\max(0,x-10^6)"],
    ),
    (
        "x+y",
        [],
        [
            r"x+y+\max(0,1-(x-10^3)^2-(y-10^3)^2)",
            r"y+1+\sqrt{(1-(x-10^3)^2-(y-10^3)^2)^2}-(x-10^3)^2-(y-10^3)^2+x",
        ],
    ),
    ("x^2+xy+y^2", ["|x^2+xy+y^2|"], ["|x^2+3xy+y^2|"]),
    (r"\sqrt{(a+b)^2c}", [r"|a+b|\sqrt{c}"], [r"(a+b)\sqrt{c}"]),
    ("x", [], [r"x+\arg(x+10^7)", r"10^{7}\arcsin(\sin(x/10^{7}))", r"10^{9}\arctan(\tan(x/10^{9}))"]),
    (r"\ln x+x", [r"\ln x+|x|"], [r"\ln|x|+|x|"]),
    (r"N\ln(2\cosh\frac{b}{kT})", [r"N\ln(e^{b/(kT)}+e^{-b/(kT)})"], [r"N\ln(2\sinh\frac{b}{kT})"]),
]
TINY = [
    ("x^2+1", [], ["x^2+1+e^{-x^2-1000}"]),
    ("(x+1)^2", [], ["x^2+2x+1+e^{-x^2-1000}"]),
    ("x^2+1+e^{-x^2-1000}", ["1+x^2+e^{-x^2}e^{-1000}"], ["x^2+1+e^{-x^2-1001}"]),
    ("x", [], ["xe^{e^{-x^2-1000}}", r"x\cos(e^{-x^2-1000})", r"\frac{1}{1/x+e^{-x^2-1000}}"]),
    (r"\sqrt{x}", [], [r"\sqrt{x+e^{-x^2-1000}}"]),
    (r"\ln x", [], [r"\ln(x+e^{-1000})"]),
    ("3^{2025}+e^{-5000}", [r"e^{-5000}+9^{1012}\cdot 3"], ["3^{2025}", "3^{2025}+e^{-5001}"]),
    (r"\sqrt{2}", ["2^{1/2}"], [r"\sqrt2+10^{-200}", r"\sqrt2+e^{-1000}", r"\sqrt2(1+10^{-300})"]),
    (r"\sqrt{2}+\sqrt{3}", [r"\sqrt{5+2\sqrt{6}}"], [r"\sqrt{5+2\sqrt{6}}+10^{-400}"]),
    ("y=x^2", ["2y=2x^2"], ["y=x^2+e^{-x^2-1000}", r"y=x^2+\max(0,x-10^6)"]),
    ("x<2^x", ["2^x>x"], ["x<2^x+e^{-x^2-1000}"]),
    (r"\tanh x", [r"\frac{1-e^{-2x}}{1+e^{-2x}}"], [r"\tanh x+\frac{1}{e^{1000+x^2}}"]),
    (r"\frac{2h\nu^3}{c^2(e^{h\nu/(kT)}-1)}", [r"\frac{2h\nu^3e^{-h\nu/(kT)}}{c^2(1-e^{-h\nu/(kT)})}"], []),
]
# gold, answers that would be equal if the gold's letter were an integer, or had few digits
ONE_WAY = [
    ("x", r"x+(-1)^{2x}-1"),
    ("t", r"t\cdot(-1)^{2t}"),
    (r"\frac{kx^2}{2}", r"\frac{kx^2}{2}+\sin(\pi k)"),
    ("mv", r"mv\cos(2\pi m)"),
    ("x", r"x\tanh(e^{x^2+1000})"),
    ("x", r"x\tanh(10^9(x+10^9))"),
    ("x", r"x+e^{-e^{x^2+1000}}"),
    ("x", r"x(1+\frac{1}{e^{e^{1000}}})"),
    ("x", r"\frac{2x}{\pi}\arctan(e^{x^2+1000})"),
    ("3", r"3+e^{-e^{1000}}"),
    ("1", r"\tanh(1000)"),
    ("1", r"\tanh(e^{1000})"),
]


def _cases() -> list[tuple[str, str, bool]]:
    return [
        (answer, gold, equal)
        for gold, equals, others in (*FORESEEN, *POWERS_OF_ZERO, *FAR_AWAY, *TINY)
        for equal, answers in ((True, [gold, *equals]), (False, others))
        for answer in answers
    ]


@pytest.mark.parametrize("answer, gold, equal", _cases())
def test_a_hidden_difference_is_found(answer: str, gold: str, equal: bool) -> None:
    for one, other in ((answer, gold), (gold, answer)):
        found = same(one, other, 0.0)
        assert (found.equal is True) is equal, (one, other, found.reason)


@pytest.mark.parametrize("gold, answer", ONE_WAY)
def test_an_answer_cannot_say_what_the_letters_are_nor_hide_in_the_digits(gold: str, answer: str) -> None:
    assert same(answer, gold, 0.0).equal is not True


@pytest.mark.parametrize("answer", [r"(-1)^{n+2}", r"\cos(\pi n)", r"\cos(\pi n)(-1)^{2n}"])
def test_a_gold_says_that_its_letters_are_integers(answer: str) -> None:
    assert same(answer, "(-1)^n", 0.0).equal is True


@pytest.mark.parametrize(
    "answer, gold, reason",
    [
        ("0^{x^2}+1", "1+0^{x^2}", "the same expression"),
        (r"4^{k/2}+\max(0,k-10^{6})", "2^{k}", "a piece could not be visited"),
        (r"x+y+\max(0,1-(x-10^3)^2-(y-10^3)^2)", "x+y", "not proved"),
        (r"n!+\max(0,n-10^6)", "n!", "they differ at n = "),
        (r"\sqrt2+10^{-200}", r"\sqrt2", "the difference is about 1e-200"),
    ],
)
def test_reasons(answer: str, gold: str, reason: str) -> None:
    assert reason in same(answer, gold, 0.0).reason


def test_points_depend_on_both_expressions_not_on_their_order_nor_on_the_process() -> None:
    x = sympy.Symbol("x")
    first = draw(kinds(x), 0, generator(x**2, x + 1))["x"]
    assert first == draw(kinds(x), 0, generator(x + 1, x**2))["x"]
    assert first != draw(kinds(x), 0, generator(x + 2, x**2))["x"]
    code = (
        "import sympy; from benchmarks.marking.values.letters import draw, generator, kinds; x = sympy.Symbol('x');"
        "print(draw(kinds(x), 0, generator(x**2, x + 1))['x'])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == f"{first}\n"
    )


def test_denominators_are_large_primes_of_their_own() -> None:
    letters = kinds(*sympy.symbols("a b"))
    source = generator(*sympy.symbols("a b"))
    below = [int(value.q) for number in range(3) for value in draw(letters, number, source).values()]
    assert len(set(below)) == 6 and min(below) >= 1 << 31
    assert all(sympy.isprime(one) for one in below)


@pytest.mark.parametrize(
    "answer, gold, rest",
    [
        ("x**2 + y + 3", "y + x**2", ("3", "0")),
        ("2*x*y + exp(x)", "x*y", ("x*y + exp(x)", "0")),
        ("x*(y + z)", "x*(y + 2*z)", ("-z", "0")),
        ("sqrt(x + y)", "sqrt(x + z)", ("y", "z")),
        ("Abs(x)*y", "Abs(x)*z", ("y*Abs(x)", "z*Abs(x)")),
        ("sin(x)", "sin(x + y)", ("sin(x)", "sin(x + y)")),
    ],
)
def test_what_two_expressions_share_is_left_out(answer: str, gold: str, rest: tuple[str, str]) -> None:
    found = terms.rest(sympy.sympify(answer), sympy.sympify(gold))
    left, right = (sympy.sympify(one) for one in rest)
    assert (sympy.expand(found.answer - left), sympy.expand(found.gold - right)) == (0, 0)
