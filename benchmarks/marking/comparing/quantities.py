"""Values with units against each other: what is left out, what is converted, and what must agree."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from benchmarks.marking.answers import units
from benchmarks.marking.answers.canonical import squeezed
from benchmarks.marking.answers.measures import scaled
from benchmarks.marking.answers.nodes import Expression, Node, Number, Quantity, Walk
from benchmarks.marking.answers.unit_table import DEGREE, PERCENT, RADIAN
from benchmarks.marking.verdicts import EQUAL, Verdict, any_of


def quantities(walk: Walk, answer: Node, gold: Node) -> Verdict:
    """A unit that one side alone has is left out; two must measure the same, and are converted."""
    if Expression in (type(answer), type(gold)) and squeezed(answer.latex) == squeezed(gold.latex):
        return EQUAL  # `5 m` of a unit or of a factor
    if isinstance(answer, Quantity) and isinstance(gold, Quantity):
        return _converted(walk, answer, gold)
    if isinstance(answer, Quantity):
        return _bare(answer, gold, lambda one: walk(one, gold))
    assert isinstance(gold, Quantity)
    return _bare(gold, answer, lambda one: walk(answer, one))


def _converted(walk: Walk, answer: Quantity, gold: Quantity) -> Verdict:
    ratio = units.ratio(answer.unit, gold.unit)
    if ratio is not None:
        return walk(scaled(answer.value, ratio), gold.value)
    kinds = [one.unit.dimensions for one in (answer, gold)]
    if sorted(kinds) == sorted((DEGREE.dimensions, RADIAN.dimensions)):
        return walk(_degrees(answer), _degrees(gold))
    return Verdict(False, f"the units differ: {answer.unit.text} and {gold.unit.text}")


def _degrees(angle: Quantity) -> Node:
    if angle.unit.dimensions == RADIAN.dimensions:
        return Expression(rf"\frac{{180}}{{\pi}}({angle.value.latex})")
    return scaled(angle.value, angle.unit.factor)


_ALL_IN_DEGREES = re.compile(r"[^+-]*\^ ?\{?\\circ ?\}?|.*\)\^ ?\{?\\circ ?\}?")


def _is_angle(quantity: Quantity) -> bool:
    """Whether its degrees can be left out: they stand behind all of it."""
    text = quantity.latex.strip()
    if isinstance(quantity.value, Number):
        return True
    if text.endswith("'") or quantity.unit.factor != DEGREE.factor:
        return False  # x' is a derivative
    return r"\circ" not in text or bool(_ALL_IN_DEGREES.fullmatch(text.lstrip("+-")))


def _bare(quantity: Quantity, other: Node, against: Callable[[Node], Verdict]) -> Verdict:
    """A quantity and a value without a unit.

    60 % is 0.6; and 60, where a number of at least 1 says that a percentage was asked for. A multiple of pi is an angle
    in radians beside one in degrees.
    """
    if quantity.unit.dimensions == PERCENT:
        small = isinstance(other, Number) and abs(other.plain.value) < 1
        asked = isinstance(quantity.value, Number) and not small
        hundredth = scaled(quantity.value, Fraction(1, 100))
        return any_of(against(one) for one in ((hundredth, quantity.value) if asked else (hundredth,)))
    if quantity.unit.dimensions == DEGREE.dimensions and not _is_angle(quantity):
        return Verdict(False, f"an angle, and a number: {quantity.latex} and {other.latex}")
    if quantity.unit.dimensions == DEGREE.dimensions and r"\pi" in other.latex and isinstance(other, Expression):
        degrees = scaled(quantity.value, quantity.unit.factor)
        return against(Expression(rf"\frac{{\pi}}{{180}}({degrees.latex})"))
    return against(quantity.value)
