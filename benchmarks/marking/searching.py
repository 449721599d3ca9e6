"""What Math-Verify finds in a text that has no box and states no answer. Runs in the workers of `pool.py` alone."""

from __future__ import annotations

from typing import Any

from math_verify import parse
from sympy import latex

_UNTIMED: dict[str, Any] = {"parsing_timeout": None}
"""the deadline is the worker's"""


def searched(text: str) -> str:
    """The text of the answer that Math-Verify extracts; empty if it finds none.

    It tells the text of the last place that it looks at; where it cannot read that and goes on, only what it made of
    another one.
    """
    found = parse(text, extraction_mode="first_match", **_UNTIMED)
    if len(found) > 1:
        return str(found[-1])
    others = parse(text, fallback_mode="no_fallback", **_UNTIMED)
    return latex(others[0]) if others else ""
