"""Rows of what a response gets, and text made to break a marker."""

from __future__ import annotations

from fractions import Fraction

import pytest

from benchmarks.marking import mark
from benchmarks.marking.answers.canonical import canonical
from benchmarks.marking.answers.numbers import plain
from benchmarks.marking.responses.boxes import boxes, last_box, together
from benchmarks.marks import NUMBERS, Form, Mark, Rule
from harness import records

C, W, N, T = Mark.CORRECT, Mark.WRONG, Mark.NO_ANSWER, Mark.TRUNCATED


def test_the_five_words_are_those_of_the_records() -> None:
    assert [(word.name, word.value) for word in Mark] == [(word.name, word.value) for word in records.Mark]


# gold, response, truncated, mark
WHERE_THE_ANSWER_IS = [
    ("12", r"7+5=12. \boxed{12}", False, C),
    ("12", r"7+5=12. \boxed{12", False, N),
    ("12", r"7+5=12. \boxed{12", True, T),
    ("12", "7+5=12.", False, N),
    ("12", "7+5=12.", True, T),
    ("12", "", False, N),
    ("12", "", True, T),
    ("12", r"\boxed{12} and then on and on", True, C),
    ("12", r"\boxed{13} and then on and on", True, W),
    ("12", r"\boxed{13}, no, \boxed{12}", False, C),
    ("12", r"\boxed{12}, no, \boxed{13}", False, W),
    ("12", r"\boxed{12}, no, \boxed{13", False, N),
    ("12", r"\boxed{12}, no, \boxed{13", True, T),
    ("12", r"\boxed{12}, so \boxed{}", False, N),
    ("12", r"\boxed{\boxed{12}}", False, C),
    ("12", r"\boxed {12}", False, C),
    ("12", r"\boxed{}", False, N),
    ("12", r"\boxed{  }", True, T),
    ("12", r"}}{ \boxed{12}", False, C),
    ("12", r"boxed{12}", False, N),
    (r"\frac{1}{2}", r"\boxed{\frac{1}{2}}", False, C),
    (r"\{1,2\}", r"\boxed{\{1,2\}}", False, C),
    (r"\{1", r"\boxed{\{1}", False, C),
    ("8", r"<think>is it \boxed{7}?</think> \boxed{8}", False, C),
    ("7", r"<think>it is \boxed{7}</think> The answer is 8", False, N),
    ("7", r"it is \boxed{7}</think> The answer is 8", False, N),
    ("7", r"<think>it is \boxed{7}", True, T),
    ("7", r"\boxed{7} <think>or is it", True, C),
]

SAME_OR_NOT = [
    ("12", r"\boxed{ 12 }", False, C),
    ("12", r"\boxed{012}", False, C),
    ("073", r"\boxed{73}", False, C),
    ("12", r"\boxed{+12}", False, C),
    ("12", r"\boxed{-12}", False, W),
    ("-12", r"\boxed{−12}", False, C),
    ("12", r"\boxed{12.}", False, C),
    ("12", r"\boxed{12.0}", False, C),
    ("27.0", r"\boxed{27}", False, C),
    ("12", r"\boxed{12.0000000000000000000001}", False, W),
    ("0.5", r"\boxed{\frac{1}{2}}", False, C),
    ("0.5", r"\boxed{\frac12}", False, C),
    (r"\frac{1}{2}", r"\boxed{.5}", False, C),
    (r"\frac{2}{4}", r"\boxed{1/2}", False, C),
    (r"-\frac{1}{2}", r"\boxed{\dfrac{-1}{2}}", False, C),
    ("1/3", r"\boxed{0.333333}", False, W),
    ("1.6", r"\boxed{1.61}", False, W),
    ("1e-17", r"\boxed{2e-17}", False, W),
    ("3.83e35", r"\boxed{383e33}", False, C),
    ("1/0", r"\boxed{1/0}", False, C),
    ("1/0", r"\boxed{2/0}", False, W),
    ("10000", r"\boxed{10,000}", False, C),
    ("10000", r"\boxed{10{,}000}", False, C),
    ("10000", r"\boxed{10\,000}", False, C),
    ("1,2", r"\boxed{12}", False, W),
    ("12", r"\boxed{1 2}", False, W),
    ("12", r"\boxed{12\%}", False, C),
    ("0.12", r"\boxed{12\%}", False, C),
    ("0.12", r"\boxed{1.2\%}", False, W),
    ("12", r"\boxed{\$12}", False, C),
    ("12", r"\boxed{$12$}", False, C),
    ("90", r"\boxed{90^\circ}", False, C),
    ("5", r"\boxed{5\text{ cm}}", False, C),
    ("5", r"\boxed{x=5}", False, C),
    ("5", r"\boxed{x = 5}", False, C),
    ("5", r"\boxed{41 or 5}", False, W),
    (r"\text{yes}", r"\boxed{yes}", False, C),
    ("(3,4)", r"\boxed{\left( 3, 4 \right)}", False, C),
    ("(3,4)", r"\boxed{(4,3)}", False, W),
    ("x^2+1", r"\boxed{x^2 + 1}", False, C),
    ("2", r"\boxed{²}", False, W),
    ("2", r"\boxed{２}", False, C),
    ("5", r"\boxed{five}", False, W),
]


@pytest.mark.parametrize("gold, response, truncated, expected", WHERE_THE_ANSWER_IS + SAME_OR_NOT)
def test_mark(gold: str, response: str, truncated: bool, expected: Mark) -> None:
    assert mark(response, gold, NUMBERS, truncated).mark is expected


def marked(response: str, gold: str) -> tuple[Mark, str | None]:
    found = mark(response, gold, NUMBERS)
    return found.mark, found.answer


def test_the_answer_is_kept_as_it_was_written() -> None:
    assert marked(r"so \boxed{ 10{,}000 }", "7") == (W, "10{,}000")
    assert marked("so", "7") == (N, None)


LONG = 100_000
HOSTILE = {
    "NUL": "\0\\boxed{\0}",
    "boxes left open": "\\boxed{" * (LONG // 7),
    "boxes in boxes": "\\boxed{" * (LONG // 8) + "}" * (LONG // 8),
    "braces left open": "\\boxed{" + "{" * LONG,
    "braces without a box": "}" * LONG + "{" * LONG,
    "backslashes": "\\" * LONG,
    "backslashes in a box": "\\boxed{" + "\\" * LONG + "}",
    "spaces": "\\boxed" + " " * LONG,
    "spaces between digits": "\\boxed{5" + " " * LONG + "5}",
    "thinking": "<think>" * (LONG // 7),
    "digits": "\\boxed{" + "9" * LONG + "}",
    "decimals": "\\boxed{0." + "9" * LONG + "}",
    "thousands": "\\boxed{1" + ",000" * (LONG // 4) + "}",
    "fractions in fractions": "\\boxed{" + "\\frac{" * (LONG // 8) + "}" * (LONG // 8) + "}",
    "text in text": "\\boxed{5" + "\\text{" * (LONG // 8) + "}" * (LONG // 8) + "}",
    "power tower": "\\boxed{9^9^9^9}",
    "huge exponent": "\\boxed{1e999999999}",
    "lone surrogate": "\\boxed{\ud800}",
    "right to left": "\\boxed{\u202e5}",
}


@pytest.mark.parametrize("response", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("truncated", [False, True])
def test_hostile_text_is_marked_and_never_correct(response: str, truncated: bool) -> None:
    assert mark(response, "5", NUMBERS, truncated).mark in {W, T if truncated else N}


def test_an_answer_as_hostile_as_its_gold_is_equal_as_text() -> None:
    for text in ("9^9^9^9", "1e999999999", "9" * 5000):
        assert mark(f"\\boxed{{{text}}}", text, NUMBERS).mark is C


def test_plain_numbers_are_exact_and_bounded() -> None:
    values = {
        "12": 12,
        "-.5": Fraction(-1, 2),
        "3/4": Fraction(3, 4),
        "1 1/2": Fraction(3, 2),
        r"\frac{-3}{4}": Fraction(-3, 4),
        r"137\frac{1}{2}": Fraction(275, 2),
        "1e999": 10**999,
        r"4.5\cdot10^{-3}": Fraction(45, 10_000),
        "10^{3}": 1000,
        "9" * 40: int("9" * 40),
    }
    for text, value in values.items():
        found = plain(text)
        assert found is not None and found.value == value, text
    none = (".", "", "-", "1/2/3", "1.2.3", "0x1", "1_000", "nan", "inf", "1/0", "1e9999", "9" * 41, "10^{9999}")
    assert [plain(text) for text in none] == [None] * len(none)


@pytest.mark.parametrize(
    "answer, gold, tolerance, expected",
    [
        ("0.3333", r"\frac{1}{3}", 1e-3, C),
        ("0.3333", r"\frac{1}{3}", 0.0, W),
        ("1.61", "1.6", 1e-2, C),
        ("1.61", "1.6", 1e-4, W),
        ("1000001", "1000000", 1e-2, W),  # nobody rounds to a whole number that is not round
        ("1.0e6", "1000001", 1e-2, W),  # a whole number is meant exactly
        ("2e-17", "1e-17", 1e-2, W),
        ("-1.6", "1.6", 0.5, W),
    ],
)
def test_tolerance_is_relative_and_for_decimals_alone(answer: str, gold: str, tolerance: float, expected: Mark) -> None:
    assert mark(f"\\boxed{{{answer}}}", gold, Rule(Form.NUMBERS, tolerance)).mark is expected


@pytest.mark.parametrize(
    "text, answer",
    [
        (r"\boxed{1}, \boxed{2} and \boxed{3}", "1;2;3"),
        (r"$$\boxed{(2, 2)} \quad \text{and} \quad \boxed{(6, 2)}$$", "(2, 2);(6, 2)"),
        (r"\\boxed{1}, \\boxed{2}", "1;2"),
        (r"\boxed{1}. No, wrong. It is \boxed{2}", None),
        (r"\boxed{\boxed{2}}", None),
        (r"\boxed{2}, that is \boxed{2}", None),
    ],
)
def test_boxes_that_stand_together(text: str, answer: str | None) -> None:
    assert together(text, boxes(text)) == (answer.split(";") if answer else [])


def test_several_boxes_answer_a_list_and_nothing_else() -> None:
    both = r"\boxed{5} and \boxed{6}"
    assert marked(both, "5,6") == (C, "5, 6")
    assert marked(both, "6") == (C, "6")
    assert marked(both, "5") == (W, "6")
    assert marked(r"\boxed{7,8}, no, \boxed{5,6}", "5,6") == (C, "5,6")


def test_canonical_is_idempotent_on_every_row() -> None:
    for gold, response, *_ in WHERE_THE_ANSWER_IS + SAME_OR_NOT:
        for text in (gold, last_box(response) or ""):
            assert canonical(canonical(text)) == canonical(text)
