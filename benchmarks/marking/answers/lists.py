"""Lists, and the names in them: `1, 2 and 3`; `x = 1 or x = 2`; `x = 2, y = 3`; `p = 5, q = 2; p = 7, q = 2`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmarks.marking.answers import ranges
from benchmarks.marking.answers.canonical import latex, squeezed
from benchmarks.marking.answers.nodes import Binding, Bindings, Complement, Given, Items, Node, Reader
from benchmarks.marking.answers.phrases import plain_words
from benchmarks.marking.answers.splitting import Splitter

_WORDS = r"and|or|ou|und|and also"
_cut = Splitter(
    rf"\s*(?:[,;]\s*)?(?:\\text\{{[\s,;]*(?:{_WORDS})[\s,]*\}}|\{{\s*,?\s*(?:{_WORDS})\s*\}}"
    rf"|(?<![A-Za-z\\])(?:{_WORDS})(?![A-Za-z])|\\(?:lor|vee|land|wedge)(?![A-Za-z]))\s*"
    r"|\s*(?:[,;]|\\text\{\s*[,;]\s*\})\s*"
)


def listed(text: str, read: Reader) -> Node | None:
    """The list that a text is, outside brackets; None if it is none."""
    split = _cut(text)
    if not split:
        return None
    pieces = [piece for piece in split.pieces if piece]
    if len(pieces) < 2:
        return read(pieces[0]) if pieces else None
    return grouped(latex(text), [read(piece) for piece in pieces], split.separators)


def grouped(text: str, values: Sequence[Node], separators: Sequence[str] = ()) -> Node:
    """Values with their names put together: one name for all, or records."""
    if isinstance(values[0], Binding | Bindings) and not any(isinstance(one, Binding | Bindings) for one in values[1:]):
        first = values[0]
        if isinstance(first, Bindings):  # (x, y) = (5, 8) and (8, 5)
            values = [Items(first.latex, first.values, "()"), *values[1:]]
            return Items(text, tuple(values), "")
        others = [Complement(one.latex, (one,)) if isinstance(first.value, Complement) else one for one in values[1:]]
        values = [first, *(Binding(one.latex, first.name, one) for one in others)]
    if not all(isinstance(one, Binding) for one in values):
        return Items(text, _flat(values), "")
    named = [one for one in values if isinstance(one, Binding)]
    names = [one.name for one in named]
    distinct = list(dict.fromkeys(names))
    if len(distinct) == 1:
        inner = [one.value for one in named]
        return Binding(text, names[0], ranges.joined(text, inner, separators) or Items(text, _flat(inner), ""))
    if len(distinct) == len(names):
        return Bindings(text, tuple(names), tuple(one.value for one in named))
    if len(names) % len(distinct) == 0 and names == distinct * (len(names) // len(distinct)):
        size = len(distinct)
        parts = [named[start : start + size] for start in range(0, len(named), size)]
        return Items(
            text, tuple(Bindings(text, tuple(distinct), tuple(one.value for one in part)) for part in parts), ""
        )
    return Items(text, _flat(values), "")


def _flat(values: Sequence[Node]) -> tuple[Node, ...]:
    """Bare lists in a bare list, such as the two values of a plus-minus sign, are part of it."""
    return tuple(
        item for one in values for item in (one.items if isinstance(one, Items) and not one.brackets else (one,))
    )


_SYSTEM = re.compile(r"\\begin\{(cases|aligned|gathered|array|align\*?)\}([^&]*?(?:&?=[^&]*?)+)\\end\{\1\}")


def system(text: str, read: Reader) -> Node | None:
    """Equations one below the other."""
    found = _SYSTEM.fullmatch(text.removeprefix(r"\{").strip()) if r"\begin" in text else None
    return read(found[2].replace("&", "").replace(r"\\", "; ")) if found else None


_PLUS_MINUS = re.compile(r"\\(pm|mp)(?![a-z]) ?")


def plus_minus(text: str, read: Reader) -> Node | None:
    """The two values of a text with one plus-minus sign; the upper signs belong together, and the lower ones."""
    if r"\pm" not in text:
        text = text.replace(r"\mp", r"\pm")
    signs = [found[1] for found in _PLUS_MINUS.finditer(text)] if r"\pm" in text else []
    if signs.count("pm") != 1:
        return None
    plus, minus = (
        _PLUS_MINUS.sub(lambda found, up=up: "+" if (found[1] == "pm") == up else "-", text) for up in (True, False)
    )
    return grouped(latex(text), [read(one.strip().removeprefix("+").strip()) for one in (plus, minus)])


_QUALIFIER = re.compile(
    r"(?:\s*[,;]\s*|\s*\\text\{\s*[,;]?\s*|\s+|\s*\()"
    r"(?:(?:where|for|with|for all|for any|for every|for some)\s*(?:\}\s*)?|\\forall ?)?(?:\\text\{)?[a-z]\}?\s*"
    r"(?:\\in ?(?P<set>\\mathbb\{[ZNRQ]\}(?:\^\{?[+*]\}?|_\{?[+*>0-9 ]+\}?)?)"
    r"|(?:\\text\{)?\s*(?:is|be|are|being) (?:an?|any)? ?"
    r"(?P<words>(?:positive |non-?negative )?integers?|real numbers?|real))\s*[.})]*$"
    r"|(?:,? |\\text\{ ?,? ?)for (?:all|every|any)(?: real| positive| integers?)? ?\}? ?[a-z]\}?$"
)
"""what follows a value to say which numbers its letter stands for"""
_MARKS = (r"\in", "eger", "real", "for ")
_DOMAINS = {
    "integer": r"\mathbb{Z}", "positive integer": r"\mathbb{Z}^+", "nonnegative integer": r"\mathbb{Z}_{\ge0}",
    "non-negative integer": r"\mathbb{Z}_{\ge0}", "real number": r"\mathbb{R}", "real": r"\mathbb{R}",
}  # fmt: skip


def qualified(text: str, read: Reader) -> Node | None:
    """A value, and which numbers a letter of it stands for."""
    found = _QUALIFIER.search(text) if any(mark in text for mark in _MARKS) else None
    if not found or not found.start():
        return None
    words = plain_words(found["words"] or "").removesuffix("s")
    domain = squeezed(found["set"]) if found["set"] else _DOMAINS.get(words, "")
    return Given(latex(text), read(text[: found.start()]), domain)
