"""Where the final answer is.

A response's is what the last balanced `\\boxed{...}` outside the thinking section holds: `final_answer`. Text that was
not asked for a box, such as other people's outputs, may state it otherwise: `stated_answer`.
"""

from __future__ import annotations

import re
from typing import NamedTuple


def final_answer(response: str) -> str | None:
    """What the last balanced `\\boxed{...}` holds; None if there is none or it is empty."""
    box = last_box(without_thinking(response))
    return (box.strip() or None) if box is not None else None


def adjacent_answers(response: str) -> str | None:
    """The contents of the boxes that stand together at the end, joined by commas; None if the last stands alone.

    `\\boxed{1}, \\boxed{2} and \\boxed{3}` may be one answer in three boxes; `\\boxed{1}. No, it is \\boxed{2}` is not.
    """
    text = without_thinking(response)
    together: list[str] = []
    start = len(text)
    for box in reversed(boxes(text)):
        between = text[box.end : start]
        if together and (box.end > start or len(between) > _MOST_BETWEEN or not _BETWEEN.fullmatch(between)):
            break
        together.append(text[box.inner : box.end - 1].strip())
        start = box.start
    distinct = list(dict.fromkeys(reversed(together)))
    return ",".join(distinct) if len(distinct) > 1 else None


def without_thinking(response: str) -> str:
    """What follows the last `</think>`; nothing that follows a `<think>` left open."""
    return response.rpartition("</think>")[2].partition("<think>")[0]


class Box(NamedTuple):
    """Where a balanced box stands: its first character, the first inside, and what follows its last."""

    start: int
    inner: int
    end: int


_BRACE = re.compile(r"\\f?box(?:ed)?\s*(?P<open>\{)|\\(?:[^\\]|\\(?!f?box))|[{}]", re.DOTALL)
"""an opening box, an escaped character (so that `\\{` opens nothing), or a brace"""
_BETWEEN = re.compile(r"[\W_]*|[^.!?]*(?:\b(?:and|or)\b|[,;])[^.!?]*")
"""what may stand between two boxes of one answer: no words, or a word or sign that joins, and no end of a sentence"""
_MOST_BETWEEN = 60


def boxes(text: str) -> list[Box]:
    """The balanced boxes in the order in which they open; of nested ones the inner comes later. One pass with a stack,
    so that hostile text stays linear."""
    found: list[Box] = []
    opened: list[tuple[int, int] | None] = []
    for token in _BRACE.finditer(text) if "box" in text else ():
        if token["open"]:
            opened.append(token.span())
        elif token.group() == "{":
            opened.append(None)
        elif token.group() == "}" and opened:
            box = opened.pop()
            if box:
                found.append(Box(*box, token.end()))
    return sorted(found)


def last_box(text: str) -> str | None:
    """The content of the balanced box that opens last."""
    found = boxes(text)
    return text[found[-1].inner : found[-1].end - 1] if found else None


_ANNOUNCED = re.compile(
    r"(?:####|\banswer\s*(?:is|:|=)|^A:)[\s:*$]*(-?\$?[0-9][0-9,]*(?:\.[0-9]+)?(?:/[0-9]+)?)[\s.*$]*(?:$|\n)",
    re.IGNORECASE,
)
"""a number that a line announces as the answer and ends with"""
_CONCLUDED = re.compile(
    r"\bfinal answer is:?\s*(.{1,300}?)\s*\.?\s*(?:I hope it is correct|$)", re.IGNORECASE | re.DOTALL
)
"""how answers end that follow Minerva's prompt"""
_FORMULA = re.compile(r"(?:\$\$?[^$]*\$\$?|\\\(.*?\\\)|\\\[.*?\\\])(?:\s*(?:\\?%|percent|pct))?", re.DOTALL)
_COMMAND = re.compile(
    r"\\(?:begin|end)\{[a-z]+\*?\}|\\(?:text|mathrm|mbox|textbf|operatorname)\{[^{}]*\}|\\[A-Za-z]+|[{}]"
)
_LONG_WORD = re.compile(r"[A-Za-z]{3,}")
_MOST_BARE = 300


def stated_answer(text: str) -> str | None:
    """The answer of a text that need not have a box: its last box, a number announced as the answer, or the whole of a
    text that is nothing but an expression. None if it has to be searched."""
    text = without_thinking(text).strip()
    end = max(text.rfind("\\boxed"), text.rfind("\\fbox"))
    ending = max(end, text.lower().rfind("final answer is"), 0)
    concluded = _CONCLUDED.search(" ".join(text[ending : ending + 2 * _MOST_BARE].split()))
    if concluded:
        return concluded[1] if is_bare(concluded[1]) else None
    if end >= 0:
        return final_answer(text)
    announced = [found[1] for line in text.splitlines() if (found := _ANNOUNCED.search(line))]
    if announced:
        return announced[-1].replace("$", "")
    return text if is_bare(text) else None


def is_bare(text: str) -> bool:
    """Whether a text is one expression, perhaps with a unit, and no sentence."""
    if not text or len(text) > _MOST_BARE:
        return False
    if _FORMULA.fullmatch(text.rstrip(".")):
        return True
    if "$" in text.replace("\\$", "").strip("$") or "\\(" in text or "\\[" in text:
        return False
    return len(_LONG_WORD.findall(_COMMAND.sub(" ", text))) <= 1
