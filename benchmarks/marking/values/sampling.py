"""Whether two expressions in letters are equal: at points, of both signs and many sizes.

One point with a certain difference makes them unequal. Points alone make them equal only where no floor, absolute value
or the like can hide a difference between the points (Schwartz 1980, Zippel 1979); where one can, every piece is visited
(`proving.py`), or they count as unequal. A point where one side has no value does not count. The points follow from
the texts of both expressions, and what both share is left out first (`terms.py`), so that a small rest is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.marking.values import pieces
from benchmarks.marking.values.difference import DIGITS
from benchmarks.marking.values.enclosure import Number
from benchmarks.marking.values.pair import Differs, ExpressionPair, Identity, at
from benchmarks.marking.values.pieces import NotPolynomial
from benchmarks.marking.values.proving import Unvisited, prove, visit

ENOUGH, FEW = 12, 5
"""points with a value on both sides: as many are tried, fewer are too few"""


def identity(answer: Any, gold: Any, base: Mapping[str, Number] | None = None) -> Identity:
    """Whether they are equal; with a point `base`, whether one is a multiple of the other (`difference.between`).

    Raises: Unknown of what has no values.
    """
    pair = ExpressionPair(answer, gold, base)
    try:
        return _identity(pair)
    except Differs as found:
        return Identity(False, f"they differ{at(found.point)}")


def _identity(pair: ExpressionPair) -> Identity:
    """By points, and where floors or absolute values stand by a proof. Raises: Differs."""
    real = not pair.imaginary
    if pair.shortened and pair.answer == pair.gold:
        return Identity(True, "the same terms")
    met = pair.count(pair.drawn(), real=real, enough=ENOUGH)
    if met < FEW and real:
        real = False
        pair.shorten(real=False)
        met = pair.count(pair.drawn(), real=False, enough=ENOUGH)
    if met < FEW:
        return Identity(False, "there are too few points where both have a value")
    if not (pair.steps or pair.kinks):
        try:
            _visit_borders(pair, real)
        except Unvisited as what:
            return Identity(False, f"equal at {met} points, but not proved: {what}")
        return _same(pair, met)
    try:
        return prove(pair, real)
    except Unvisited as what:
        return Identity(False, f"equal at {met} points, but not proved: {what}")
    except NotPolynomial as what:
        return Identity(False, f"equal at {met} points, but not proved: {what} inside a floor or an absolute value")


def _same(pair: ExpressionPair, met: int) -> Identity:
    if pair.exact:
        return Identity(True, f"the difference is 0 at {met} points, exactly")
    return Identity(True, f"equal to {DIGITS} digits at {met} points, not proved")


def _visit_borders(pair: ExpressionPair, real: bool) -> None:
    """A root of a square has a kink too, and arctan(1/x) a jump. Raises: Differs."""
    arguments = pieces.borders(pair.answer, pair.gold, real=real)
    if not arguments:
        return
    visit(pair, arguments, real, strict=False)
