"""Definitions by cases, as sympy's Piecewise."""

from __future__ import annotations

import re
from typing import Any

import sympy
from sympy.core.relational import Relational

from benchmarks.marking.latex import parser

MOST_CASES = 12
_CASES = re.compile(r"\\begin\{cases\}(.*)\\end\{cases\}", re.DOTALL)
_ROW = re.compile(r"\\\\(?:\[[^\]]*\])?|\\(?=[-+0-9.\s]|$)")
"""the end of a row, also one that lost a backslash"""
_WORDS = re.compile(
    r"\\(?:text|mbox|mathrm)\{\s*(?:,?\s*(?:if|for|when|where)\b)?\s*([^{}]*)\}|(?<![a-z\\])(?:if|for|when)\b"
)
_ELSE = re.compile(r"otherwise|else")


def read(text: str) -> parser.Parsed | None:
    r"""`\begin{cases} value & condition \\ ... \end{cases}`; None of anything else, or if a part cannot be read."""
    found = _CASES.fullmatch(text.strip())
    if found is None:
        return None
    rows = [row for row in _ROW.split(found[1]) if row.strip()]
    if not 1 <= len(rows) <= MOST_CASES:
        return None
    cases = [_case(row) for row in rows]
    known = [case for case in cases if case is not None]
    if len(known) < len(cases):
        return None
    pairs = [(value.value, condition) for value, condition in known]
    return parser.Parsed(sympy.Piecewise(*pairs, evaluate=False), any(value.rounded for value, _ in known))


def _case(row: str) -> tuple[parser.Parsed, Any] | None:
    value, mark, condition = row.partition("&")
    if not mark:
        return None
    read = parser.read(value.strip().rstrip(",;").strip())
    holds = _condition(condition)
    return None if read is None or holds is None or not isinstance(read.value, sympy.Expr) else (read, holds)


def _condition(text: str) -> Any | None:
    text = _WORDS.sub(r" \1 ", text.replace("&", " ")).strip().rstrip(",;.").strip()
    if _ELSE.fullmatch(text):
        return sympy.true
    found = parser.read(text)
    if found is None:
        return None
    value = found.value
    parts = value.args if isinstance(value, sympy.And) else (value,)
    return value if all(isinstance(part, Relational) for part in parts) else None
