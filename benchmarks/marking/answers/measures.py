"""Values with a unit, and how many of another unit they are."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

from benchmarks.marking.answers import units
from benchmarks.marking.answers.canonical import latex
from benchmarks.marking.answers.nodes import Choice, Expression, Interval, Items, Node, Number, Quantity, Reader, Words
from benchmarks.marking.answers.numbers import Plain
from benchmarks.marking.answers.unit_table import DEGREE

_UNIT_START = re.compile(
    r"\s*(?:\\text ?\{|\^\\circ|\\%|''?|\"|\\cdot ?\\text|(?<![\\A-Za-z])(?:[A-Za-z]{2,}|[ap]\.m)|¢)"
)
_MONEY = re.compile(
    r"([+-]?) ?\\(dollar|euro|pound|yen|rupee) +(?=\S)([+-]?)|(?<=\S) ?\\(dollar|euro|pound|yen|rupee)$"
)
_TRIGONOMETRIC = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc|cis)(?![a-z])")
_DIGITS_BEHIND = re.compile(r"\^\\circ\s*[0-9]")
_MOST_OF_UNIT = 70
_AMOUNT = re.compile(r"[+-]?[0-9][0-9.]* *")
_MIXED_UNITS = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([^0-9]*?)(?:,? and |, )?\s*(?=[0-9]|$)")
_MOST_OF_MIXED = 80
_TEXT = re.compile(r"\\text\{([^{}]*)\}")
_UNLISTED = re.compile(r"\s*\\text\{\s*([a-z]+(?: [a-z]+){0,2})[ .]*\}")
_NO_NOUNS = re.compile(r"\b(?:per|each|is|not|no|and|or|of|to|in|at|if|by|the|an|as|it|be|we|so|but)\b")


def read(text: str, reader: Reader) -> Node | None:
    """A value and a unit behind it, or a sign of money on either side."""
    if r"\dollar" in text or _MONEY.search(text):
        return _money(text, reader)
    if r"^\circ" in text and _TRIGONOMETRIC.search(text):
        return None  # degrees of a function's argument
    for start in _UNIT_START.finditer(text, max(1, len(text) - _MOST_OF_UNIT)):
        head, tail = text[: start.start()], text[start.start() :]
        if head.count("{") != head.count("}") or (tail.strip()[0] in "'\"" and not head.rstrip()[-1:].isdigit()):
            continue
        unit = units.parse(tail.strip()) or (_unlisted(tail) if reader.gold else None)
        if unit:
            return _measured(text, head, unit, reader)
    if r"^\circ" in text and not _DIGITS_BEHIND.search(text):  # 180^\circ - 2\alpha
        return Quantity(latex(text), reader(text.replace(r"^\circ", " ")), DEGREE)
    return None


def _money(text: str, reader: Reader) -> Node | None:
    """A sign of money on either side; `$5 million`, `$5 per hour`, `$5 USD` have more behind it."""
    found = _MONEY.search(text)
    if not found:
        return None
    currency = found[2] or found[4]
    rest = text[: found.start()] + (found[1] or "") + (found[3] or "") + text[found.end() :]
    if _MONEY.search(rest):
        return None
    value = reader(rest)
    unit = units.parse(currency)
    amount = _AMOUNT.match(rest)
    if isinstance(value, Quantity) and unit and value.unit.dimensions == unit.dimensions:
        return value
    if isinstance(value, Words) and amount:
        unit = units.parse(f"{currency} {rest[amount.end() :]}")
        value = reader(amount.group())
    plainly = not isinstance(value, Words | Quantity | Choice)
    return Quantity(latex(text), value, unit) if unit and plainly else None


def _measured(text: str, head: str, unit: units.Unit, reader: Reader) -> Node | None:
    if len(head) > 1 and head.isalpha():
        return None
    value = reader(head)
    if isinstance(value, Words | Choice):
        return None
    value = scaled(value, unit.multiple)
    return Quantity(latex(text), value, unit) if unit.dimensions else value


def _unlisted(tail: str) -> units.Unit | None:
    """A gold's noun that no list has."""
    found = _UNLISTED.fullmatch(tail)
    return units.named(found[1]) if found and not _NO_NOUNS.search(found[1]) else None


def mixed(text: str, reader: Reader) -> Node | None:
    """`5 ft 6 in`, `2 hours and 30 minutes`, `5^\\circ 30'`."""
    if not text[0].isdigit() or text[-1].isdigit() or len(text) > _MOST_OF_MIXED:
        return None
    parts = _MIXED_UNITS.findall(_TEXT.sub(r"\1", text))
    if not 2 <= len(parts) <= 3 or not all(unit for _, unit in parts):
        return None
    parsed = [units.parse(unit.strip()) for _, unit in parts]
    first = parsed[0]
    if first is None or any(one is None or one.dimensions != first.dimensions for one in parsed):
        return None
    total, last = Fraction(0), None
    for (count, _), unit in zip(parts, parsed, strict=True):
        if unit is None or (last is not None and unit.factor >= last):
            return None
        total, last = total + Fraction(count) * unit.factor, unit.factor
    return Quantity(latex(text), _fraction(total / first.factor), first)


def _fraction(value: Fraction) -> Number:
    written = str(value.numerator) if value.denominator == 1 else rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
    return Number(written, Plain(value, False))


def scaled(node: Node, factor: Fraction) -> Node:
    """A value so many times."""
    if factor == 1:
        return node
    if isinstance(node, Number):
        made = _fraction(node.plain.value * factor)
        return replace(made, plain=Plain(made.plain.value, node.plain.rounded))
    if isinstance(node, Expression):
        return Expression(rf"\frac{{{factor.numerator}}}{{{factor.denominator}}}({node.latex})")
    if isinstance(node, Items) and node.brackets != ":":
        return replace(node, items=tuple(scaled(one, factor) for one in node.items))
    if isinstance(node, Interval):
        return replace(node, low=scaled(node.low, factor), high=scaled(node.high, factor))
    text = f"{factor} times {node.latex}"  # of anything else there are not so many
    return Words(text, text)


def integer(value: int) -> Number:
    """A node of an integer."""
    return _fraction(Fraction(value))
