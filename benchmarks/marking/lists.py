"""Lists, and the names in them: `1, 2 and 3`; `x = 1 or x = 2`; `x = 2, y = 3`; `p = 5, q = 2; p = 7, q = 2`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.marking import ranges
from benchmarks.marking.canonical import latex
from benchmarks.marking.nodes import Complement, Items, Named, Node, Record
from benchmarks.marking.splitting import Splitter

_WORDS = r"and|or|ou|und|and also"
_cut = Splitter(
    rf"\s*(?:[,;]\s*)?(?:\\text\{{[\s,;]*(?:{_WORDS})[\s,]*\}}|\{{\s*,?\s*(?:{_WORDS})\s*\}}"
    rf"|(?<![A-Za-z\\])(?:{_WORDS})(?![A-Za-z])|\\(?:lor|vee|land|wedge)(?![A-Za-z]))\s*"
    r"|\s*(?:[,;]|\\text\{\s*[,;]\s*\})\s*"
)


def listed(text: str, read: Callable[[str], Node]) -> Node | None:
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
    if isinstance(values[0], Named | Record) and not any(isinstance(one, Named | Record) for one in values[1:]):
        first = values[0]
        if isinstance(first, Record):  # (x, y) = (5, 8) and (8, 5)
            values = [Items(first.latex, first.values, "()"), *values[1:]]
            return Items(text, tuple(values), "")
        others = [Complement(one.latex, (one,)) if isinstance(first.value, Complement) else one for one in values[1:]]
        values = [first, *(Named(one.latex, first.name, one) for one in others)]
    if not all(isinstance(one, Named) for one in values):
        return Items(text, _flat(values), "")
    named = [one for one in values if isinstance(one, Named)]
    names = [one.name for one in named]
    distinct = list(dict.fromkeys(names))
    if len(distinct) == 1:
        inner = [one.value for one in named]
        return Named(text, names[0], ranges.joined(text, inner, separators) or Items(text, _flat(inner), ""))
    if len(distinct) == len(names):
        return Record(text, tuple(names), tuple(one.value for one in named))
    if len(names) % len(distinct) == 0 and names == distinct * (len(names) // len(distinct)):
        size = len(distinct)
        parts = [named[start : start + size] for start in range(0, len(named), size)]
        return Items(text, tuple(Record(text, tuple(distinct), tuple(one.value for one in part)) for part in parts), "")
    return Items(text, _flat(values), "")


def _flat(values: Sequence[Node]) -> tuple[Node, ...]:
    """Bare lists in a bare list, such as the two values of a plus-minus sign, are part of it."""
    return tuple(
        item for one in values for item in (one.items if isinstance(one, Items) and not one.brackets else (one,))
    )
