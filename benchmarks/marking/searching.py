"""What Math-Verify finds in a text that has no box and states no answer. Runs in the workers of `pool.py` alone."""

from __future__ import annotations

from math_verify import parse


def searched(text: str) -> str:
    """The text of the answer that Math-Verify extracts; empty if it finds none."""
    found = parse(text, fallback_mode="first_match", parsing_timeout=None)
    return next((one for one in reversed(found) if isinstance(one, str)), "")
