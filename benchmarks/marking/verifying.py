"""Math-Verify alone, its own way: for the second marker. No score of ours comes from it, and it is imported only where
it is asked for. Runs in the workers alone."""

from __future__ import annotations

from typing import Any

from math_verify import parse, verify

_UNTIMED: dict[str, Any] = {"parsing_timeout": None}
"""the deadline is the worker's"""


def math_verify(text: str, gold: str) -> bool:
    """Whether it finds the gold in a whole response, with its defaults."""
    wanted, given = (parse(one, **_UNTIMED) for one in (f"\\boxed{{{gold}}}", text))
    return bool(verify(wanted, given, timeout_seconds=None))
