"""What Math-Verify says, its own way. Runs in the workers of `pool.py` alone, and is imported only when it is asked."""

from __future__ import annotations

from typing import Any

from math_verify import parse, verify
from sympy import latex

_UNTIMED: dict[str, Any] = {"parsing_timeout": None}
"""the deadline is the worker's"""


def math_verify(text: str, gold: str) -> bool:
    """Whether it finds the gold in a whole response, with its defaults: the second marker. No score comes from it."""
    wanted, given = (parse(one, **_UNTIMED) for one in (f"\\boxed{{{gold}}}", text))
    return bool(verify(wanted, given, timeout_seconds=None))


def searched(text: str) -> str:
    """The text of the answer that it extracts from a text without a box; empty if it finds none.

    It tells the text of the last place that it looks at; where it cannot read that and goes on, only what it made of
    another one.
    """
    found = parse(text, extraction_mode="first_match", **_UNTIMED)
    if len(found) > 1:
        return str(found[-1])
    others = parse(text, fallback_mode="no_fallback", **_UNTIMED)
    return latex(others[0]) if others else ""
