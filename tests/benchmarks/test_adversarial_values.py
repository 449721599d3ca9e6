"""Verdicts of the adversarial suite, checked by arithmetic that shares nothing with its rules or with a marker: what
is a number on both sides, and can be read in a few steps, is evaluated to 2,600 digits."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from benchmarks import adversarial
from benchmarks.adversarial.suite import SuiteRow

mpmath = pytest.importorskip("mpmath")
DIGITS, SAME = 2600, 2400
"""digits of the values; how many must agree: the closest pair of different integers agrees in about 2,190"""
FUNCTIONS = (
    "sqrt",
    "root",
    "sin",
    "cos",
    "tan",
    "cot",
    "atan",
    "ln",
    "binomial",
    "factorial",
    "pi",
    "degree",
    "e",
    "j",
)
STEPS = (
    (r"\\(?:left|right|displaystyle|,|!|;|text\{\})|\$|\s", ""),
    (r"\\[dtc]frac", r"\\frac"),
    (r"\\(?:cdot|times)", "*"),
    (r"\\div", "/"),
    (r"(?<=\d)(?:\{,\}|,)(?=\d{3}(?!\d))", ""),
    (r"\\pi", "(pi)"),
    (r"\\%|%", "/100"),
    (r"\^\{?\\circ\}?", "*degree"),
)
INNERMOST = (
    (r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))"),
    (r"\\sqrt\[(\d)\]\{([^{}]*)\}", r"(root(\2,\1))"),
    (r"\\sqrt\{([^{}]*)\}", r"(sqrt(\1))"),
    (r"\\binom\{(\d+)\}\{(\d+)\}", r"(binomial(\1,\2))"),
    (r"\^\{([^{}]*)\}", r"**(\1)"),
    (r"\^(\d)", r"**\1"),
)


def number(tex: str) -> object | None:
    """The value of a formula without letters; None where it is not one, or is more than these few steps can read."""
    text = tex
    if re.search(r"\d\s*\\[dt]?frac|\d \d|\\(?:sin|cos|tan|cot|arctan|ln|log)", text):
        return None  # mixed numbers and arguments without brackets
    for pattern, by in STEPS:
        text = re.sub(pattern, by, text)
    before = ""
    while before != text:
        before = text
        for pattern, by in INNERMOST:
            text = re.sub(pattern, by, text)
    text = re.sub(r"(\d+)!", r"(factorial(\1))", text)
    text = re.sub(r"(?<![a-z\d])i(?![a-z])|(?<=\d)i(?![a-z])", "(j)", text)
    text = re.sub(r"(?<=[\d)])(?=\()", "*", text)
    text = re.sub(r"(?<=\))(?=\d)", "*", text)
    names = re.findall(r"[A-Za-z]+", text)
    if "\\" in text or "=" in text or "_" in text or "{" in text or any(name not in FUNCTIONS for name in names):
        return None
    if re.search(r"(?<![a-z(\d]),|,(?!\d+\))|\be\b", text):
        return None
    text = re.sub(
        r"(?<![\w.])(\d+\.?\d*|\.\d+)", r"mpf('\1')", re.sub(r"(root|binomial)\((.*?),(\d+)\)", r"\1(\2,\3)", text)
    )
    values = {name: getattr(mpmath, name, None) for name in FUNCTIONS}
    values |= {"mpf": mpmath.mpf, "j": mpmath.mpc(0, 1), "root": odd_root}
    try:
        return eval(text, {"__builtins__": {}}, values)
    except (SyntaxError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None


def odd_root(radicand: object, degree: object) -> object:
    """The real one of a negative number."""
    if radicand < 0 and int(degree) % 2:  # type: ignore[operator, call-overload]
        return -mpmath.root(-radicand, int(degree))  # type: ignore[operator, call-overload]
    return mpmath.root(radicand, int(degree))  # type: ignore[call-overload]


def pairs() -> list[tuple[SuiteRow, object, object]]:
    found = []
    for row in adversarial.load():
        if row.group in ("equal forms", "near misses") and row.rule == "maths":
            gold, answer = number(row.gold), number(row.pred.removeprefix("\\boxed{").removesuffix("}"))
            if (
                gold is not None
                and answer is not None
                and not isinstance(gold, tuple)
                and not isinstance(answer, tuple)
            ):
                found.append((row, gold, answer))
    return found


def test_values_say_what_the_verdicts_say() -> None:
    mpmath.mp.dps = DIGITS
    try:
        found = pairs()
        wrong = [
            (row.id, row.gold, row.pred)
            for row, gold, answer in found
            if (abs(gold - answer) <= mpmath.mpf(10) ** -SAME * max(abs(gold), abs(answer), 1)) is not row.expected  # type: ignore[operator, arg-type]
        ]
    finally:
        mpmath.mp.dps = 15
    assert wrong == []
    assert len(found) > 1500 and len(Counter(row.kind for row, _, _ in found)) >= 30
