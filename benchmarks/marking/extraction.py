"""Where the final answer is: what the last balanced `\\boxed{...}` outside the thinking section holds."""

from __future__ import annotations

import re


def final_answer(response: str) -> str | None:
    """What the last balanced `\\boxed{...}` holds; None if there is none or it is empty."""
    box = last_box(without_thinking(response))
    return (box.strip() or None) if box is not None else None


def without_thinking(response: str) -> str:
    """What follows the last `</think>`; nothing that follows a `<think>` left open."""
    return response.rpartition("</think>")[2].partition("<think>")[0]


_BRACE = re.compile(r"\\boxed\s*\{|\\.|[{}]", re.DOTALL)
"""an opening box, an escaped character (so that `\\{` opens nothing), or a brace"""


def last_box(text: str) -> str | None:
    """The content of the balanced box that opens last. One pass with a stack, so that hostile text stays linear."""
    first = text.find("\\boxed")
    if first < 0:
        return None
    last: tuple[int, int] | None = None
    opened: list[int | None] = []
    for found in _BRACE.finditer(text, first):
        token = found.group()
        if token.startswith("\\boxed"):
            opened.append(found.end())
        elif token == "{":
            opened.append(None)
        elif token == "}" and opened:
            start = opened.pop()
            if start is not None and (last is None or start > last[0]):
                last = (start, found.start())
    return text[last[0] : last[1]] if last else None
