"""Plain numbers: an integer, a decimal (also a repeating one), a fraction, a mixed number, a power of ten."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

_DIGITS = r"[0-9]{1,40}"
_DECIMAL = r"(?=\.?[0-9])[0-9]{0,40}(?:\.[0-9]{0,40})?"
_POWER = r"10\^(?:\{([+-]?[0-9]{1,3})\}|(-?[0-9]))"
_NUMBER = re.compile(
    rf"(?P<sign>[+-]?)(?:"
    rf"(?P<decimal>{_DECIMAL}(?:[eE][+-]?[0-9]{{1,3}})?)(?:(?:\\(?:cdot|times) ?|\*)(?P<power>{_POWER}))?"
    rf"|(?P<alone>{_POWER})"
    rf"|(?P<whole>{_DIGITS})? ?\\frac\{{(?P<above>[+-]?{_DIGITS})\}}\{{(?P<below>{_DIGITS})\}}"
    rf"|(?:(?P<before>{_DIGITS}) )?(?P<over>{_DIGITS})/(?P<under>{_DIGITS})"
    rf")"
)
"""bounded, so that no input costs much: longer numbers are compared as text"""
_EXPONENT = re.compile(r"10\^\{?([+-]?[0-9]+)\}?")
_REPEATING = re.compile(
    r"(?P<sign>[+-]?)(?P<whole>[0-9]{0,40})\.(?P<fixed>[0-9]{0,40})"
    r"(?:\\(?:overline|bar) ?\{?(?P<barred>[0-9]{1,40})\}?|\((?P<round>[0-9]{1,40})\)"
    r"|\\dot\{?(?P<first>[0-9])\}?(?:(?P<middle>[0-9]{0,40})\\dot\{?(?P<last>[0-9])\}?)?)"
)
_GOING_ON = re.compile(r"([+-]?[0-9]{0,20}\.[0-9]{0,10}?)([0-9]{1,6}?)\2{2,6} ?\\ldots")

PRINTED = 15
"""significant digits from which a decimal is what a program printed of a fraction, and no rounding by hand"""


class Plain(NamedTuple):
    """A number as it was written."""

    value: Fraction
    """exact"""
    rounded: bool
    """a decimal or a multiple of a power of ten: somebody may have rounded it"""
    half: Fraction | None = None
    """half a unit of the last of at least `PRINTED` digits of a decimal; else None"""

    @property
    def whole(self) -> bool:
        """Written as an integer."""
        return not self.rounded and self.value.denominator == 1


def plain(text: str) -> Plain | None:
    """The number that a tidy text is; None for anything else."""
    if text.isdigit() and text.isascii() and len(text) <= 40:
        return Plain(Fraction(int(text)), False)
    found = _NUMBER.fullmatch(text)
    if not found:
        return _repeating(text)
    value = _value(found)
    if value is None:
        return None
    decimal = found["decimal"] or ""
    rounded = bool(found["power"]) or (not decimal.isdigit() and bool(decimal))
    return Plain(-value if found["sign"] == "-" else value, rounded, _half(decimal, value) if rounded else None)


def _value(found: re.Match[str]) -> Fraction | None:
    if found["decimal"]:
        return Fraction(found["decimal"]) * (_power(found["power"]) if found["power"] else 1)
    if found["alone"]:
        return _power(found["alone"])
    below = int(found["below"] or found["under"])
    if below == 0:
        return None
    return int(found["whole"] or found["before"] or 0) + Fraction(int(found["above"] or found["over"]), below)


def _power(text: str) -> Fraction:
    exponent = _EXPONENT.fullmatch(text)
    assert exponent
    return Fraction(10) ** int(exponent[1])


def _half(decimal: str, value: Fraction) -> Fraction | None:
    digits = decimal.lower().partition("e")[0].replace(".", "").lstrip("0")
    return abs(value) / int(digits) / 2 if len(digits) >= PRINTED else None


def _repeating(text: str) -> Plain | None:
    """`0.1\\overline{6}`, `0.\\dot{1}4\\dot{2}`, `0.1(6)`, `0.1666...`."""
    dots = _GOING_ON.fullmatch(text)
    found = _REPEATING.fullmatch(f"{dots[1]}({dots[2]})" if dots else text)
    if not found:
        return None
    period = found["barred"] or found["round"] or found["first"] + (found["middle"] or "") + (found["last"] or "")
    scale = 10 ** len(found["fixed"])
    value = Fraction(int(found["whole"] + found["fixed"] or 0), scale)
    value += Fraction(int(period), scale * (10 ** len(period) - 1))
    return Plain(-value if found["sign"] == "-" else value, False)


def equal(answer: Plain, gold: Plain, tolerance: float) -> bool:
    """Whether they are equal: exactly where the gold is written as an integer; else to a relative tolerance where one
    of them may be rounded, or as far as a program printed it."""
    if answer.value == gold.value:
        return True
    if gold.whole or not (answer.rounded or gold.rounded):
        return False
    apart = abs(answer.value - gold.value)
    for one, other in ((answer, gold), (gold, answer)):
        if one.half and not other.rounded and other.value.denominator > 1 and apart <= one.half:
            return True
    return apart <= Fraction(tolerance) * max(abs(answer.value), abs(gold.value))
