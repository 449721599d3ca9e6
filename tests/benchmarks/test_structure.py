"""What answers are read as: the kinds of nodes, and what each keeps of its text."""

from __future__ import annotations

from fractions import Fraction

import pytest

from benchmarks.marking.answers import units
from benchmarks.marking.answers.canonical import canonical, tidy
from benchmarks.marking.answers.nodes import (
    Based,
    Binding,
    Bindings,
    Choice,
    Complement,
    Equation,
    Expression,
    Given,
    Interval,
    Items,
    Matrix,
    Node,
    Number,
    Quantity,
    Relation,
    Union,
    Words,
)
from benchmarks.marking.answers.phrases import without_lead
from benchmarks.marking.answers.structure import read, readings, size

KINDS: list[tuple[type[Node], list[str]]] = [
    (Number, ["12", "1,000", "1 000", "-2.5", r"\frac{1}{2}", "1 1/4", "３", r"0.\overline{3}", "1.5e3", "5 million"]),
    (Expression, ["x+1", r"\sqrt{2}", "5x", "2(3)", r"\sin 30^\circ", "5m", "abc", r"\frac{a}{b}", "f(x,y)", "12!"]),
    (Quantity, ["5 cm", r"5\text{ cm}", r"\$5", "60%", r"30^\circ", "30'", "5 apples", "5 ft 6 in", r"2\pi\text{ m}"]),
    (Words, ["5 choose two", "east", r"\text{not } 5", "ABCD", "no", r"5\text{ is wrong}", "five thousand men"]),
    (Choice, ["B", "(B)", "B.", "B: text", r"\textbf{(B)}", "(b)", "Option C"]),
    (Based, ["52_8", "(1010)_2", r"1010_{\text{two}}", "1A_{16}"]),
    (Items, ["1,2", "(1,2)", "[1,2]", r"\{1,2\}", "1 and 2", r"\pm 3", r"\langle 1,2\rangle", r"\emptyset", "3:4"]),
    (Interval, ["(1,2]", r"(2,\infty)", "]1,2]", r"\mathbb{R}", r"[2,3)"]),
    (Union, [r"(1,2)\cup(3,4)", r"\{1\}\cup[2,3]", r"[0,9]\setminus\{3\}"]),
    (Complement, [r"\mathbb{R}\setminus\{1\}", "all reals except 1", r"(-\infty,1)\cup(1,\infty)"]),
    (Matrix, [r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{bmatrix}1\\2\end{bmatrix}"]),
    (Binding, ["x=5", "f(x)=x+1", "a_{n}=2n", r"x\in[1,2]", "x<3", "1<x<3", r"x\ne1", "x=1 or x=2", "5=x", "|AB|=5"]),
    (Bindings, ["x=2,y=3", "(x,y)=(2,3)", "x=y=3", r"\begin{cases}x=2\\y=3\end{cases}"]),
    (Equation, ["2+2=4", "x^2+y^2=1", "37=36"]),
    (Relation, ["ab>cd", "f(2)<f(1)", "2<3"]),
    (Given, [r"2k, k\in\mathbb{Z}", r"n^2\text{ for all }n"]),
]  # fmt: skip


@pytest.mark.parametrize("kind, text", [(kind, text) for kind, texts in KINDS for text in texts])
def test_kinds_of_nodes(kind: type[Node], text: str) -> None:
    assert type(read(text)) is kind


@pytest.mark.parametrize("text", [text for _, texts in KINDS for text in texts])
def test_tidying_again_changes_nothing(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)
    assert canonical(canonical(text)) == canonical(text)


def test_a_second_reading_comes_after_the_first() -> None:
    assert [one.latex for one in readings("2,5")] == ["2,5", "2.5"]
    assert [type(one) for one in readings("5,120")] == [Number, Items]
    assert [one.latex for one in readings("1.000,99")][-1] == "1000.99"
    assert [type(one) for one in readings("5 m")] == [Expression, Quantity]
    assert [type(one) for one in readings("5m")] == [Expression]
    assert [type(one) for one in readings("5m", unit_wanted=True)] == [Expression, Quantity]
    assert [type(one) for one in readings("12")] == [Number]


def test_size() -> None:
    texts = ["5", "1,2", "x=1 or x=2", "x=2,y=3", r"\{1,2,3\}", "(1,2)", r"\pm 3", "(1,2),(3,4)", "1,000"]
    assert [size(read(text)) for text in texts] == [1, 2, 2, 2, 3, 1, 2, 2, 1]


def test_a_gold_is_trusted_with_a_noun_of_its_own() -> None:
    assert type(read(r"16\text{ daps}")) is Words
    daps = read(r"16\text{ daps}", gold=True)
    assert isinstance(daps, Quantity) and daps.unit.dimensions == (("dap", 1),)
    assert type(read(r"16\text{ is not it}", gold=True)) is Words


@pytest.mark.parametrize(
    "text, factor, dimensions",
    [
        (r"\text{ cm}^2", Fraction(1, 10**4), {"m": 2}),
        ("square feet", Fraction("0.3048") ** 2, {"m": 2}),
        ("km/h", Fraction(5, 18), {"m": 1, "s": -1}),
        ("miles per hour", Fraction("0.44704"), {"m": 1, "s": -1}),
        ("m s^{-2}", Fraction(1), {"m": 1, "s": -2}),
        ("cubic inches", Fraction("0.0254") ** 3, {"m": 3}),
        ("kWh", None, {}),
        ("ordered pairs", Fraction(1), {"pair": 1}),
        ("''", Fraction(1, 3600), {"degree": 1}),
        ("cents", Fraction(1, 100), {"dollar": 1}),
        ("dollars an hour", Fraction(1, 3600), {"dollar": 1, "s": -1}),
        ("choose two", None, {}),
        ("per", None, {}),
        ("squared", None, {}),
        ("", None, {}),
    ],
)
def test_units(text: str, factor: Fraction | None, dimensions: dict[str, int]) -> None:
    unit = units.parse(text)
    assert (unit.factor if unit else None) == factor
    assert dict(unit.dimensions if unit else ()) == dimensions


@pytest.mark.parametrize(
    "text, rest",
    [
        ("The answer is 36", "36"),
        (r"\text{The answer is } 36", "36"),
        ("Therefore, the answer is approximately 36", "36"),
        ("x equals 36", "x=36"),
        ("The value of x is 36", "x=36"),
        ("The answer is not 36", "The answer is not 36"),
        (r"\text{The answer is not } 36", r"\text{The answer is not } 36"),
        ("at least 36", "at least 36"),
        ("I think 36", "I think 36"),
        ("is", "is"),
    ],
)
def test_words_before_a_value(text: str, rest: str) -> None:
    assert without_lead(text) == rest
