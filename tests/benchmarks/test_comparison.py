"""Which answers are equal, kind by kind: what a rule accepts, and the nearest thing that it must refuse.

`equal_answers.txt` has what texts, plain numbers and the structure of an answer tell, `equal_expressions.txt` what is
left to the leaf that computes. Nothing here asks a worker.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.marking.comparing.comparison import compare, plain_leaf
from benchmarks.marking.values import symbolic
from benchmarks.marking.verdicts import Verdict
from benchmarks.marks import MATHS, NUMBERS, Rule

ANSWERS, EXPRESSIONS = (Path(__file__).with_name(f"equal_{name}.txt") for name in ("answers", "expressions"))


def _cases(file: Path = ANSWERS) -> Iterator[Any]:
    kind = gold = ""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            kind = line[3:]
        elif line.startswith(("  = ", "  ! ")):
            for answer in line[4:].split(" ¦ "):
                yield pytest.param(gold, answer, line[2] == "=", id=f"{kind}: {gold} {line[2]} {answer}"[:100])
        elif line and not line.startswith("#"):
            gold = line


@pytest.mark.parametrize("gold, answer, expected", list(_cases()))
def test_kinds(gold: str, answer: str, expected: bool) -> None:
    """What is right is decided here; what is wrong is refused, or left to a leaf that computes."""
    verdict = compare(answer, gold, MATHS, plain_leaf)
    assert (verdict.equal is True) == expected, verdict
    assert verdict.reason


@pytest.mark.parametrize("gold, answer, expected", list(_cases(EXPRESSIONS)))
def test_kinds_that_are_computed(gold: str, answer: str, expected: bool) -> None:
    verdict = compare(answer, gold, MATHS, symbolic.same)
    assert (verdict.equal is True) == expected, verdict
    assert verdict.reason


def test_every_gold_equals_itself() -> None:
    for case in _cases():
        gold = case.values[0]
        assert compare(f" {gold} ", gold, MATHS, plain_leaf).equal, gold


@pytest.mark.parametrize(
    "answer, gold, tolerance, expected",
    [
        ("28800.5", "28800", 1e-4, False),
        ("28800.0", "28800", 1e-4, True),
        ("0.3333", r"\frac{1}{3}", 1e-3, True),
        ("0.3333", r"\frac{1}{3}", 0.0, False),
        ("3.001", "3.0", 1e-3, True),
        ("3.001", "3.0", 1e-4, False),
        ("(0.6,2.6667]", r"(\frac{3}{5},\frac{8}{3}]", 1e-2, True),
        ("(0.6,2.6667]", r"(\frac{3}{5},\frac{8}{3}]", 0.0, False),
        ("2.6667", r"\frac{8}{3}\text{ cm}", 1e-2, True),
        ("-1.6", "1.6", 0.5, False),
        ("1.61e3", "1600", 0.5, False),
    ],
)
def test_tolerance(answer: str, gold: str, tolerance: float, expected: bool) -> None:
    assert compare(answer, gold, Rule(tolerance=tolerance), plain_leaf).equal is expected


@pytest.mark.parametrize(
    "answer, gold, tolerance, asked",
    [
        (r"2\pi", "6.28", 1e-2, [(r"2\pi", "6.28", 1e-2)]),
        ("4.123", r"\sqrt{17}", 1e-3, [("4.123", r"\sqrt{17}", 1e-3)]),
        ("4", r"\sqrt{17}", 1e-3, [("4", r"\sqrt{17}", 0.0)]),
        (r"\sqrt{17}", "4", 1e-3, [(r"\sqrt{17}", "4", 0.0)]),
        ("(1,x+1)", "(1,1+x)", 0.0, [("x+1", "1+x", 0.0)]),
        (r"x=2y", "y", 0.0, [("2y", "y", 0.0)]),
        (r"50x\%", r"\frac{x}{2}", 0.0, [(r"\frac{1}{100}(50x)", r"\frac{x}{2}", 0.0)]),
        (r"2\pi\text{ m}", r"200\pi\text{ cm}", 0.0, [(r"\frac{100}{1}(2\pi)", r"200\pi", 0.0)]),
        ("2y>x", "x<y+y", 0.0, [("y+y", "2y", 0.0)]),
    ],
)
def test_what_the_leaf_is_asked(answer: str, gold: str, tolerance: float, asked: list[tuple[str, str, float]]) -> None:
    """Two expressions at a time, with a tolerance only beside a written decimal where the gold is no integer."""
    questions: list[tuple[str, str, float]] = []

    def leaf(*question: Any) -> Verdict:
        questions.append(question)
        return Verdict(True, "asked")

    assert compare(answer, gold, Rule(tolerance=tolerance), leaf).equal
    assert [tuple(sorted(one[:2])) + one[2:] for one in questions] == [
        tuple(sorted(one[:2])) + one[2:] for one in asked
    ]


def test_a_decimal_of_many_digits_has_the_tolerance_of_its_last() -> None:
    tolerances: list[float] = []

    def leaf(answer: str, gold: str, tolerance: float) -> Verdict:
        tolerances.append(tolerance)
        return Verdict(False, "asked")

    for answer in ("4.123105625617661", "4.12310562", "41231056256.0"):
        compare(answer, r"\sqrt{17}", MATHS, leaf)
    assert tolerances == [pytest.approx(0.5e-15 / 4.123105625617661), 0.0, 0.0]


def test_without_symbols_an_expression_is_no_number() -> None:
    assert compare("5+7", "12", NUMBERS, plain_leaf) == (False, "an expression, where the number itself is wanted")
    assert compare("12.0", "12", NUMBERS, plain_leaf).equal


@pytest.mark.parametrize(
    "answer, gold, reason",
    [
        ("5 kg", r"5\text{ cm}", "the units differ: kg and cm"),
        ("y=5", "x=5", "the names differ: y and x"),
        ("52_9", "52_8", "the bases differ: 9 and 8"),
        ("[1,2]", "(1,2)", "the brackets differ: [1,2] and (1,2)"),
        ("1,2,3", "1,2", "3 values, and 2 are wanted"),
        ("37=36", "36", "its sides differ: 37=36"),
        ("", "36", "nothing was answered"),
    ],
)
def test_reasons(answer: str, gold: str, reason: str) -> None:
    assert compare(answer, gold, MATHS, plain_leaf) == (False, reason)


_MANY = 2000
HOSTILE = [
    "(" * _MANY, ")" * _MANY, "{" * 900 + "}" * 900, "\\frac{" * 300, "1," * 900, "1," * 60 + "1", "x=" * 900,
    "x<" * 900, "\\pm" * 600, "\\text{" * 300, "\\text{a}" * 250, "\\$" * 900, "$" * _MANY, "√" * _MANY,
    "\\cup" * 400, "5 cm " * 390, "\\%" * 900, "'" * _MANY, "1(6" * 600, "9" * _MANY, "0." + "3" * 1900, "a_" * 900,
    ":" * _MANY, "and " * 490, "\\over" * 400, "{\\over}" * 240, "\\begin{pmatrix}" * 120, "&\\\\" * 600,
    "|" * _MANY, "5" + " " * 1900 + "x", "the answer is " * 140, "\\overline{3}" * 150, "x \\in " * 280, "\0",
    "\ud800", "1,000" * 390, "-" * _MANY, "\\{" * 600, "A" * _MANY, "(A) " * 490,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:12].encode("unicode_escape").decode())
def test_hostile_texts_neither_raise_nor_take_long(text: str) -> None:
    text = text[: _MANY - 1]
    started = time.process_time()
    assert compare(text, "5", MATHS, plain_leaf).equal is not True
    assert compare("5", text, MATHS, plain_leaf).equal is not True
    assert compare(text + " ", text, MATHS, plain_leaf).equal
    assert time.process_time() - started < 0.5
