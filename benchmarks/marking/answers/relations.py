"""Equations and inequalities: names with their values, chains, conditions on one name as sets of its values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from benchmarks.marking.answers.canonical import latex, squeezed
from benchmarks.marking.answers.nodes import (
    Binding,
    Bindings,
    Equation,
    Expression,
    Interval,
    Items,
    Node,
    Number,
    Reader,
    Relation,
    Union,
)
from benchmarks.marking.answers.numbers import Plain, plain
from benchmarks.marking.answers.phrases import is_words, negated
from benchmarks.marking.answers.ranges import INFINITY, MINUS_INFINITY, REAL_LINE, as_set, outside
from benchmarks.marking.answers.splitting import Splitter

_cut = Splitter(r"=+|<|>|\\(?:le|ge|ne|notin|in|approx|subset|equiv|sim)(?![a-z])")
_ASCENDING = {"<": "<", r"\le": "<=", ">": "<", r"\ge": "<="}

_INDEX = r"(?:_(?:\{[^{}]*\}|[A-Za-z0-9])|\^\{?\*\}?)?"
_LETTER = rf"(?:[A-Za-z]|\\(?!sqrt|frac|pi(?![a-z])|infty|log|ln|pm)[A-Za-z]+ ?){_INDEX}'*{_INDEX}"
_ARGUMENT = r"\((?:[A-Za-z0-9,.+\-\\ ]|_\{?[0-9a-z]\}?)*\)"
_MARKED = r"\\(?:overline|overrightarrow|vec|bar|hat|dot|ddot|widehat) ?\{?[A-Za-z]+\}?"
_FIGURE = rf"(?:m ?)?(?:\\(?:angle|triangle|square|odot) ?)?(?:[A-Z]{{2,}}|[A-Z]){_INDEX}"
_ONE = rf"(?:{_MARKED}|{_LETTER}(?:{_ARGUMENT})?|{_FIGURE}|\|{_FIGURE}\||\[[A-Z]{{3,}}\]|\\(?:max|min|deg) ?{_LETTER})"
_NAME = re.compile(
    rf"{_ONE}(?: ?[:/] ?{_ONE})*|\\frac\{{(?:d\^?2? ?)?{_ONE}\}}\{{(?:d ?)?{_ONE}(?:\^2)?\}}"
    rf"|\({_LETTER}(?:,{_LETTER})+\)|\\angle(?: ?[A-Z]_?[0-9]?)+"
)
_TUPLE_NAME = re.compile(rf"\(({_LETTER}(?:,{_LETTER})+)\)")
_WORD_NAME = re.compile(r"(?=.*[A-Za-z]{3})(?:\\text\{[^{}]*\}|[A-Za-z]+(?:[ -][A-Za-z]+)*)(?: of .{1,20})?")
_SUM = re.compile(r"[a-zA-Z](?:(?:[+-]|\\cdot ?)?[a-zA-Z]){1,4}")
_MOST_OF_NAME = 60


def _name(side: str) -> str | None:
    """The name that a side of an equation is: empty for words, which name nothing that others must name so too."""
    short = squeezed(side)
    if len(short) > _MOST_OF_NAME:
        return None
    if _NAME.fullmatch(short):
        return short.replace("{", "").replace("}", "").replace(" ", "")
    return "" if _WORD_NAME.fullmatch(side.strip()) and not negated(side) else None


def related(text: str, read: Reader) -> Node | None:
    """None if the text has no sign of a relation outside brackets, or one that we do not know."""
    split = _cut(text)
    if not split or not all(split.pieces):
        return None
    pieces, signs = split.pieces, ["=" if one == "==" else one for one in split.separators]
    if set(signs) <= {"=", r"\approx"}:
        return _chain(text, pieces, signs, read)
    if set(signs) <= _ASCENDING.keys():
        return _inequality(text, pieces, signs, read)
    if len(signs) > 1:
        return None
    name = _name(pieces[0])
    if signs == [r"\in"] and name is not None:
        return Binding(latex(text), name, as_set(read(pieces[1])))
    if signs[0] in (r"\ne", r"\notin") and name is not None:
        rest = outside(latex(text), REAL_LINE, read(pieces[1]))
        return Binding(latex(text), name, rest) if rest else None
    return None


def _chain(text: str, pieces: list[str], signs: list[str], read: Reader) -> Node | None:
    """A name and its value; equal sides. What is only near a value, behind it, is no part of it."""
    if r"\approx" in signs:
        near = signs.index(r"\approx") + 1
        if not _near(pieces[near - 1], pieces[near]):
            return Equation(latex(text), tuple(read(piece) for piece in pieces))
        if near > 1 or _name(pieces[0]) is None:
            pieces = pieces[:near]
        if len(pieces) == 1:
            return read(pieces[0])
    names = [_name(piece) for piece in pieces]
    first, last = names[0], names[-1]
    if first is None and last and len(pieces) == 2:
        return _named(text, last, read(pieces[0]))
    if (
        first is None
        and not read.gold
        and len(pieces) == 2
        and _SUM.fullmatch(squeezed(pieces[0]))
        and not is_words(pieces[0])
        and _letterless(pieces[1])
    ):
        return Binding(latex(text), "", read(pieces[1]))
    heads = [name for name in names[:-1] if name]
    if len(heads) == len(pieces) - 1 > 1 and all(len(one) == 1 for one in heads):  # x = y = 3
        value = read(pieces[-1])
        return Bindings(latex(text), tuple(heads), (value,) * len(heads))
    if first is not None:
        return _named(text, first, read(pieces[-1]) if read.gold else _last(text, pieces[1:], read))
    if read.gold and any(names):
        return read(pieces[-1])
    return Equation(latex(text), tuple(read(piece) for piece in pieces))


def _last(text: str, sides: Sequence[str], read: Reader) -> Node:
    """The last of equal sides; with all that are numbers, which must be equal to it."""
    numbers = [side for side in sides[:-1] if constant(side)]
    if not numbers:
        return read(sides[-1])
    return Equation(latex(text), tuple(read(side) for side in (*numbers, sides[-1])))


def _near(exact: str, rounded: str) -> bool:
    """Whether one can be a rounding of the other. An integer is none of another integer; all else is believed."""
    value, near = plain(exact.strip()), plain(rounded.strip())
    return not (value and near and value.whole and near.whole) or value == near


def _letterless(text: str) -> bool:
    """Whether it is a constant, and not the zero or one of an equation in its normal form."""
    return constant(text) and squeezed(text) not in ("0", "1")


def _named(text: str, name: str, value: Node) -> Node:
    """A name with its value; a tuple of names with a tuple, each name with its own."""
    together = _TUPLE_NAME.fullmatch(name)
    if together and isinstance(value, Items) and value.brackets == "()":
        names = together[1].split(",")
        if len(names) == len(value.items):
            return Bindings(latex(text), tuple(names), value.items)
    return Binding(latex(text), name, value)


_KNOWN = re.compile(
    r"\\(?:sqrt|frac|pi|infty|log|ln|cdot|times|sin|cos|tan|cot|sec|csc|arc[a-z]+|circ|binom|exp|dollar|text\{[^{}]*\})"
    r"(?![a-z])|\\%|(?<![A-Za-z])e(?![A-Za-z])"
)
_LETTERS = re.compile(r"[A-Za-z]")


def constant(text: str) -> bool:
    """Whether nothing in it can vary."""
    return not _LETTERS.search(_KNOWN.sub(" ", text))


def _inequality(text: str, pieces: list[str], signs: list[str], read: Reader) -> Node | None:
    """Conditions on one name as the set of its values; other inequalities in ascending order."""
    down = {sign in (">", r"\ge") for sign in signs}
    if len(down) > 1:
        return None
    strict = [_ASCENDING[sign] for sign in signs]
    if True in down:
        pieces, strict = pieces[::-1], strict[::-1]
    whole = latex(text)
    place = _subject(pieces)
    if place is None:
        return Relation(whole, tuple(read(piece) for piece in pieces), tuple(strict))
    low, high = MINUS_INFINITY, INFINITY
    brackets = ["(", ")"]
    if place > 0:
        low, brackets[0] = read(pieces[0]), "(" if strict[0] == "<" else "["
    if place < len(pieces) - 1:
        high, brackets[1] = read(pieces[-1]), ")" if strict[-1] == "<" else "]"
    return _conditioned(whole, squeezed(pieces[place]), Interval(whole, low, high, "".join(brackets)))


def _subject(pieces: Sequence[str]) -> int | None:
    """Which of two or three sides the others bound."""
    if len(pieces) == 3:
        middle = not constant(pieces[1]) and (
            _name(pieces[1]) is not None or (constant(pieces[0]) and constant(pieces[2]))
        )
        return 1 if middle else None
    if len(pieces) != 2:
        return None
    varying = [place for place in (0, 1) if not constant(pieces[place])]
    if len(varying) == 1:
        return varying[0]
    named = [place for place in varying if _name(pieces[place])]
    return named[0] if len(named) == 1 else None


_MULTIPLE = re.compile(r"([+-]?)([0-9]*|\\frac\{[0-9]+\}\{[0-9]+\})([a-z])")
_ABSOLUTE = re.compile(r"\|([a-z])\|")


def _conditioned(text: str, subject: str, interval: Interval) -> Node:
    """A condition on the letter alone: `-x > -1` is one on x, and so is `|x| < 2`."""
    multiple = _MULTIPLE.fullmatch(subject)
    if multiple:
        number = plain(multiple[2]) if multiple[2] else Plain(Fraction(1), False)
        if number and number.value:
            factor = number.value * (-1 if multiple[1] == "-" else 1)
            low, high = _over(interval.low, factor), _over(interval.high, factor)
            if low and high and factor > 0:
                return Binding(text, multiple[3], Interval(text, low, high, interval.brackets))
            if low and high:
                brackets = {"(": ")", ")": "(", "[": "]", "]": "["}
                ends = brackets[interval.brackets[1]] + brackets[interval.brackets[0]]
                return Binding(text, multiple[3], Interval(text, high, low, ends))
    absolute = _ABSOLUTE.fullmatch(subject)
    both = _of_absolute(text, interval) if absolute else None
    if absolute and both:
        return Binding(text, absolute[1], both)
    return Binding(text, subject.replace("{", "").replace("}", ""), interval)


def _over(end: Node, factor: Fraction) -> Node | None:
    """An end of an interval, divided."""
    if factor == 1:
        return end
    if end in (INFINITY, MINUS_INFINITY):
        return end if factor > 0 else (INFINITY if end == MINUS_INFINITY else MINUS_INFINITY)
    if isinstance(end, Number):
        value = end.plain.value / factor
        return replace(end, latex=rf"\frac{{{value.numerator}}}{{{value.denominator}}}", plain=Plain(value, False))
    return Expression(rf"\frac{{{factor.denominator}}}{{{factor.numerator}}}({end.latex})")


def _of_absolute(text: str, interval: Interval) -> Node | None:
    """The values whose absolute value lies in an interval with ends that are no less than zero."""
    low, high = interval.low, interval.high
    if (low != MINUS_INFINITY and not _may_be_positive(low)) or not _may_be_positive(high):
        return None
    mirrored = {"(": ")", ")": "(", "[": "]", "]": "["}
    below = _over(high, Fraction(-1))
    if below is None:
        return None
    if low == MINUS_INFINITY:
        return Interval(text, below, high, mirrored[interval.brackets[1]] + interval.brackets[1])
    above = _over(low, Fraction(-1))
    if above is None:
        return None
    left = Interval(text, below, above, mirrored[interval.brackets[1]] + mirrored[interval.brackets[0]])
    return Union(text, (left, interval))


def _may_be_positive(end: Node) -> bool:
    return end.plain.value >= 0 if isinstance(end, Number) else "-" not in end.latex
