"""What is said before an announcement that makes it none: it is supposed, asked, doubted or denied."""

from __future__ import annotations

import re

_SUPPOSED = re.compile(
    r"\b(?:if|whether|suppose|supposing|assume|assuming|unless|could|can|is)[ \t]+(?:[a-z]+[ \t]+){0,3}\Z",
    re.IGNORECASE,
)
_DOUBTED = re.compile(
    r"(?:\b(?:doubt|deny|denies|disagree|wrong|incorrect|false|not|never|unlikely|impossible|nobody|cannot)\b|n['’]t\b)"
    r"[^.!?:;\n]{0,40}\Z",
    re.IGNORECASE,
)
_BEFORE = 60


def is_supposed(text: str, start: int) -> bool:
    """Whether the announcement that starts there is supposed, or asked for: `if the answer is 5`."""
    return bool(_SUPPOSED.search(text[max(0, start - _BEFORE) : start]))


def is_doubted(text: str, start: int) -> bool:
    """Whether it is doubted or denied: `I do not think that the answer is 5`."""
    return bool(_DOUBTED.search(text[max(0, start - _BEFORE) : start]))
