"""Boxes: `\\boxed{...}` and `\\fbox{...}`, and `\\boxed 5`, of which TeX boxes what follows."""

from __future__ import annotations

import re
from typing import NamedTuple


class Box(NamedTuple):
    """Where a box stands in a text."""

    start: int
    """its first character"""
    inner: int
    """the first inside"""
    end: int | None
    """what follows the last inside; None: it is never closed"""
    after: int
    """what follows the box"""


_COMMAND = r"\\f?box(?:ed)?"
_TOKEN = re.compile(
    rf"{_COMMAND}\s*(?:(?P<open>\{{)"
    r"|(?P<bare>[-+]?[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?)(?=[\s$;:!?)\]*]|[.,](?:\s|\Z)|\\[)\]]|\Z))"
    r"|\\(?:[^\\]|\\(?!f?box))|[{}]",
    re.DOTALL,
)
"""an opening box, a box of a number without braces, an escaped character (so that `\\{` opens nothing), or a brace"""
_PARAGRAPH = re.compile(r"\n\s*\n")
_MENTION = re.compile(
    r"\b(?:within|inside|into|in|using|with)\s+(?:(?:a|an|the)\s+)?(?:box(?:es)?\s+)?(?:[`'\"($*]|\\\()*\Z",
    re.IGNORECASE,
)
"""what stands before a box that is only talked about: `put your final answer within \\boxed{}`"""
_MOST_BEFORE = 40
_PLACEHOLDER = re.compile(
    r"\s*(?:\.{2,3}|…|\\[lc]?dots|(?:\\text\{)?(?:your |the )?(?:final )?answer(?: here)?\}?)\s*", re.IGNORECASE
)
_NOTHING = re.compile(
    r"(?:\s|[{}$~]|\\[,;:!> ]|\\q?quad(?![A-Za-z])|\\(?:text(?:bf|it|rm)?|math(?:rm|bf|it)|mbox)(?=\s*\{))*"
)
_NESTED = re.compile(rf"{_COMMAND}\s*(?=\{{)")
_MOST_NESTED = 8


def boxes(text: str) -> list[Box]:
    """In their order, those left open too; of nested ones the outermost, of which TeX shows all.

    A box that goes on over a blank line, with others inside, was never meant to: they count. One that is talked about
    and holds nothing, as in the prompt's `within \\boxed{}`, is none. One pass with a stack, so that hostile text
    stays linear.
    """
    found: list[Box] = []
    opened: list[tuple[int, int] | None] = []
    for token in _TOKEN.finditer(text) if "box" in text else ():
        if token["open"]:
            opened.append(token.span())
        elif token["bare"]:
            found.append(Box(token.start(), token.start("bare"), token.end(), token.end()))
        elif token.group() == "{":
            opened.append(None)
        elif token.group() == "}" and opened:
            box = opened.pop()
            if box:
                found.append(Box(*box, token.start(), token.end()))
    found += [Box(*box, None, len(text)) for box in opened if box]
    return [box for box in _outermost(text, sorted(found)) if not _is_mention(text, box)]


def _outermost(text: str, found: list[Box]) -> list[Box]:
    kept: list[Box] = []
    closed = 0
    for place, box in enumerate(found):
        if box.start < closed:
            continue
        inside = place + 1 < len(found) and found[place + 1].start < box.after
        if inside and box.end is not None and _PARAGRAPH.search(text, box.inner, box.end):
            continue
        kept.append(box)
        closed = box.after if box.end is not None else closed
    return kept


def _is_mention(text: str, box: Box) -> bool:
    if box.end is None or not _MENTION.search(text[max(0, box.start - _MOST_BEFORE) : box.start]):
        return False
    held = text[box.inner : box.end]
    return bool(len(held) <= _MOST_BEFORE and (_NOTHING.fullmatch(held) or _PLACEHOLDER.fullmatch(held)))


def content(text: str, box: Box) -> str:
    """What a box holds, without the boxes inside it; all that follows if it is open; empty if nothing can be seen."""
    held = text[box.inner : box.end].strip()
    if len(held) <= 1000 and _NOTHING.fullmatch(held):
        return ""
    held = _NESTED.sub("", held)
    for _ in range(_MOST_NESTED):
        if not _is_group(held):
            break
        held = held[1:-1].strip()
    return held


def _is_group(text: str) -> bool:
    """Whether it is `{...}` as a whole."""
    if not (text.startswith("{") and text.endswith("}")):
        return False
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += {"{": 1, "}": -1}.get(token.group(), 0)
        if depth == 0:
            return token.end() == len(text)
    return False


def last_box(text: str) -> str | None:
    """The content of the last box that is closed; None if there is none."""
    closed = [box for box in boxes(text) if box.end is not None]
    return content(text, closed[-1]) if closed else None


_DENIED = re.compile(
    r"(?:\b(?:not|never|rather than|instead of|cannot be)|n['’]t(?: be)?|≠|\\neq?|\\(?:[bx]?cancel|phantom|sout)\s*\{)"
    r"(?:\s+(?:equal to|just))?[\s$*(]*(?:\\[(\[]\s*)?\Z",
    re.IGNORECASE,
)
"""what stands before a box that is denied, or struck out"""
_IS_WRONG = re.compile(
    r"[\s$*)]*(?:\\[)\]])?[\s$*)]*(?:is|was|would be)\s+(?:wrong|incorrect|false"
    r"|not\s+(?:correct|right|(?:the|my|our)\s+(?:\w+\s+)?answer))\b",
    re.IGNORECASE,
)


def denied(text: str, box: Box) -> bool:
    """Whether what is said right before a box or right after it says that it holds no answer."""
    before, after = text[max(0, box.start - _MOST_BEFORE) : box.start], text[box.after : box.after + _MOST_BEFORE]
    return bool(_DENIED.search(before) or _IS_WRONG.match(after))


_MOST_BETWEEN = 60
_BETWEEN = re.compile(r"[\W_]*|[^.!?]*(?:\b(?:and|or)\b|[,;])[^.!?]*")
"""what may stand between two boxes of one answer: no words, or a word or sign that joins, and no end of a sentence"""
_OR = re.compile(r"(?:[\W_]|\\text)*\bor\b(?:\s+(?:maybe|perhaps|possibly|else|even)\b)?[\W_]*")


_CORRECTS = re.compile(
    r"\b(?:wait|actually|instead|rather|no|not|sorry|correct(?:ion|ed|ing)?|but|however|reject\w*|only|unique|mistake"
    r"|wrong|should|recheck\w*|oops|hmm|final|finally|therefore|so|hence|thus|let)\b",
    re.IGNORECASE,
)
"""a box behind it stands for the ones before it"""


def alternatives(text: str, there: list[Box]) -> list[str]:
    """What the boxes hold that stand at the end with nothing but an `or` between them, each once."""
    found = [there[-1]]
    for box in reversed(there[:-1]):
        between = text[box.after : found[0].start]
        if box.end is None or len(between) > _MOST_BETWEEN or not _OR.fullmatch(between):
            break
        found.insert(0, box)
    return list(dict.fromkeys(content(text, box) for box in found))


def together(text: str, there: list[Box]) -> list[str]:
    """What the boxes hold that stand together at the end, each once; empty if the last stands alone.

    `\\boxed{1}, \\boxed{2} and \\boxed{3}` may be one answer in three boxes; `\\boxed{1}. No, it is \\boxed{2}` is not.
    """
    found: list[str] = []
    start = len(text)
    for box in reversed(there):
        between = text[box.after : start]
        apart = len(between) > _MOST_BETWEEN or not _BETWEEN.fullmatch(between) or _CORRECTS.search(between)
        if found and (box.end is None or apart):
            break
        found.append(content(text, box))
        start = box.start
    distinct = list(dict.fromkeys(reversed(found)))
    return distinct if len(distinct) > 1 and all(distinct) else []
