"""Sets: tuples, intervals, unions, the real line without some points."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from benchmarks.marking.answers.canonical import latex, squeezed
from benchmarks.marking.answers.nodes import (
    Binding,
    Complement,
    Expression,
    Interval,
    Items,
    Node,
    Number,
    Reader,
    Union,
    Words,
)
from benchmarks.marking.answers.splitting import Splitter, unwrapped

MINUS_INFINITY, INFINITY = Expression(r"-\infty"), Expression(r"\infty")
REAL_LINE = Interval(r"(-\infty,\infty)", MINUS_INFINITY, INFINITY, "()")

_cut_union = Splitter(r"\\cup(?![a-z])|(?<= )U(?= )|\\text\{\s*(?:U|union)\s*\}")
_cut_minus = Splitter(r"\\setminus(?![a-z])|\\backslash(?![a-z])|-(?=\s*\\\{)|\\text\{\s*(?:except|excluding)\s*\}")
_cut_items = Splitter(r"[,;]")
_BUILDER = re.compile(
    r"\\\{\s*([a-z])\s*(?:\\in\s*(?:\\mathbb\{R\}|R)\s*)?(?:\||:|\\colon)\s*(.+?)\s*\\\}(?:\s*\\text\{.*\})?", re.DOTALL
)
_FRENCH = re.compile(r"([\]\[])([^\[\]]*,[^\[\]]*)([\]\[])")
_COMPLEMENTS = {"(": "]", "[": ")", ")": "[", "]": "("}
"""what an end of an interval is for what lies on its other side"""
_SIDES = {"(": "(", "[": "[", ")": ")", "]": "]"}


def bracketed(text: str, read: Reader) -> Node | None:
    """A tuple, a set, an interval, or what stands in brackets alone."""
    builder = _BUILDER.fullmatch(text)
    if builder:
        return read(builder[2])
    wrapped = unwrapped(text)
    if not wrapped:
        french = _FRENCH.fullmatch(text)
        if not french:
            return None
        wrapped = "[" if french[1] == "[" else "(", french[2].strip(), "]" if french[3] == "]" else ")"
    opening, inside, closing = wrapped
    split = _cut_items(inside)
    if not split:
        return _alone(text, opening, inside, read)
    items = tuple(read(piece) for piece in split.pieces)
    if opening in _SIDES and closing in _SIDES:
        ends = opening + closing
        if len(items) == 2 and (ends in ("(]", "[)") or any(map(infinite, items))):
            return Interval(latex(text), items[0], items[1], ends)
        return None if ends in ("(]", "[)") else Items(latex(text), items, ends)
    if opening == r"\{":
        flat = [
            item for one in items for item in (one.items if isinstance(one, Items) and not one.brackets else (one,))
        ]
        return Items(latex(text), tuple(flat), "{}")
    return Items(latex(text), items, "()") if opening == r"\langle" else None


def _alone(text: str, opening: str, inside: str, read: Reader) -> Node | None:
    if not inside:
        return Items(latex(text), (), "{}") if opening == r"\{" else None
    node = read(inside)
    if opening == r"\{" and not isinstance(node, Binding | Interval | Union):
        return Items(latex(text), node.items if isinstance(node, Items) and not node.brackets else (node,), "{}")
    return node


def infinite(node: Node) -> bool:
    """Whether it is an infinity, of either sign."""
    return node in (INFINITY, MINUS_INFINITY)


def as_set(node: Node) -> Node:
    """An interval where a pair can be one."""
    if isinstance(node, Items) and node.brackets in ("()", "[]") and len(node.items) == 2:
        return Interval(node.latex, *node.items, node.brackets)
    return node


def combined(text: str, read: Reader) -> Node | None:
    """A union or a difference of sets."""
    union = _cut_union(text)
    if union:
        return united(latex(text), [as_set(read(piece)) for piece in union.pieces])
    minus = _cut_minus(text)
    if minus and len(minus.pieces) == 2 and all(minus.pieces):
        return outside(latex(text), as_set(read(minus.pieces[0])), read(minus.pieces[1]))
    return None


def outside(text: str, whole: Node, removed: Node) -> Node | None:
    """A set without another: points, or of the real line an interval."""
    removed = as_set(removed)
    if not isinstance(removed, Interval):
        return without(text, whole, removed.items if isinstance(removed, Items) else (removed,))
    if whole != REAL_LINE:
        return None
    below = Interval("", MINUS_INFINITY, removed.low, "(" + _COMPLEMENTS[removed.brackets[0]])
    above = Interval("", removed.high, INFINITY, _COMPLEMENTS[removed.brackets[1]] + ")")
    return united(text, [one for one in (below, above) if one.low != one.high])


def without(text: str, whole: Node, points: Sequence[Node]) -> Node | None:
    """A set without some points."""
    if whole == REAL_LINE:
        return Complement(text, tuple(points))
    if not isinstance(whole, Interval):
        return None
    ordered = sorted((one for one in points if isinstance(one, Number)), key=lambda one: one.plain.value)
    if len(ordered) != len(points):
        return None
    ends = [whole.low, *ordered, whole.high]
    sides = [whole.brackets[0], *")(" * len(ordered), whole.brackets[1]]
    parts = [
        Interval("", low, high, sides[2 * place] + sides[2 * place + 1])
        for place, (low, high) in enumerate(pairwise(ends))
    ]
    return united(text, parts)


def united(text: str, parts: Sequence[Node]) -> Node:
    """A union: points together; the whole line but some points as such."""
    flat = [one for part in parts for one in (part.parts if isinstance(part, Union) else (part,))]
    if all(isinstance(one, Items) and one.brackets == "{}" for one in flat):
        return Items(text, tuple(item for one in flat if isinstance(one, Items) for item in one.items), "{}")
    flat = [one for one in flat if not (isinstance(one, Items) and one.brackets == "{}" and not one.items)]
    flat = _ordered(flat)
    if len(flat) == 1:
        return flat[0]
    intervals = [one for one in flat if isinstance(one, Interval) and one.brackets == "()"]
    if len(intervals) == len(flat) and intervals[0].low == MINUS_INFINITY and intervals[-1].high == INFINITY:
        gaps = [(a.high, b.low) for a, b in pairwise(intervals)]
        if all(squeezed(a.latex) == squeezed(b.latex) for a, b in gaps):
            return Complement(text, tuple(a for a, _ in gaps))
    return Union(text, tuple(flat))


def _ordered(parts: list[Node]) -> list[Node]:
    """In ascending order, and overlapping ones as one, where plain numbers tell."""
    keyed = [(_end(one.low), _end(one.high), one) for one in parts if isinstance(one, Interval)]
    if len(keyed) != len(parts) or any(low is None or high is None for low, high, _ in keyed):
        return parts
    keyed.sort(key=lambda one: (one[0], one[2].brackets[0] == "("))
    merged: list[Interval] = []
    for low, high, one in keyed:
        last = merged[-1] if merged else None
        end = _end(last.high) if last else None
        if last is None or end is None or low is None or high is None or not _meet(last, end, low, one):
            merged.append(one)
        elif (high, one.brackets[1] == "]") > (end, last.brackets[1] == "]"):
            merged[-1] = Interval(one.latex, last.low, one.high, last.brackets[0] + one.brackets[1])
    return list(merged)


def _meet(last: Interval, end: Fraction | float, low: Fraction | float, one: Interval) -> bool:
    return low < end or (low == end and (last.brackets[1] == "]" or one.brackets[0] == "["))


def _end(node: Node) -> Fraction | float | None:
    if isinstance(node, Number):
        return node.plain.value
    return {r"\infty": float("inf"), r"-\infty": float("-inf")}.get(node.latex)


def joined(text: str, values: Sequence[Node], separators: Sequence[str]) -> Node | None:
    """What several conditions on one name leave of the real line: with `or` either, with `and` both."""
    sets = [as_set(one) if isinstance(one, Interval) else one for one in values]
    if not sets or not all(isinstance(one, Interval | Union | Complement) for one in sets) or not separators:
        return None
    words = {
        "or" if "or" in one or "vee" in one else "and" if "and" in one or "wedge" in one else "," for one in separators
    }
    if "or" in words:
        return united(text, sets)
    if all(isinstance(one, Complement) for one in sets):
        return Complement(text, tuple(point for one in sets if isinstance(one, Complement) for point in one.points))
    both = _intersection(text, sets)
    if "and" in words:
        return both or Words(text, text)  # they leave nothing, or it cannot be told what
    return both or united(text, sets)


def _intersection(text: str, sets: Sequence[Node]) -> Node | None:
    """None where it is empty, or the ends do not tell."""
    rays = [one for one in sets if isinstance(one, Interval)]
    lows = [one for one in rays if one.low != MINUS_INFINITY]
    highs = [one for one in rays if one.high != INFINITY]
    if len(rays) == len(sets) == 2 and len(lows) == len(highs) == 1:
        low, high = _end(lows[0].low), _end(highs[0].high)
        if low is None or high is None or low < high:
            return Interval(text, lows[0].low, highs[0].high, lows[0].brackets[0] + highs[0].brackets[1])
        return None
    line = [one for one in sets if not isinstance(one, Complement)]
    points = [point for one in sets if isinstance(one, Complement) for point in one.points]
    return without(text, line[0], points) if len(line) == 1 and points else None
