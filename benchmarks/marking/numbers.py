"""Plain numbers: an integer, a decimal, a fraction, a mixed number, a power of ten, with a percent sign or without."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_DIGITS = r"[0-9]{1,40}"
_DECIMAL = r"(?=\.?[0-9])[0-9]{0,40}(?:\.[0-9]{0,40})?"
_POWER = r"10\^(?:\{([+-]?[0-9]{1,3})\}|([0-9]))"
_NUMBER = re.compile(
    rf"(?P<sign>[+-]?)(?:"
    rf"(?P<decimal>{_DECIMAL}(?:[eE][+-]?[0-9]{{1,3}})?)(?:\\(?:cdot|times)(?P<power>{_POWER}))?"
    rf"|(?P<alone>{_POWER})"
    rf"|(?P<whole>{_DIGITS})?\\frac\{{(?P<above>[+-]?{_DIGITS})\}}\{{(?P<below>{_DIGITS})\}}"
    rf"|(?:(?P<before>{_DIGITS}) )?(?P<over>{_DIGITS})/(?P<under>{_DIGITS})"
    rf")"
)
"""bounded, so that no input costs much: longer numbers are compared as text"""
_EXPONENT = re.compile(r"10\^\{?([+-]?[0-9]+)\}?")


@dataclass(frozen=True, slots=True)
class Plain:
    """A number as it was written."""

    value: Fraction
    """exact"""
    rounded: bool
    """a decimal or a multiple of a power of ten: somebody may have rounded it"""


def plain(text: str) -> Plain | None:
    """The number that a canonical text is; None for anything else."""
    found = _NUMBER.fullmatch(text)
    if not found:
        return None
    value = _value(found)
    if value is None:
        return None
    decimal = found["decimal"] or ""
    rounded = bool(found["power"]) or (not decimal.isdigit() and bool(decimal))
    return Plain(-value if found["sign"] == "-" else value, rounded)


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


def equal(a: Plain, b: Plain, tolerance: float, scale: Fraction = Fraction(1)) -> bool:
    """Whether a x scale is b: exactly, or to a relative tolerance where at least one of them may be rounded."""
    value = a.value * scale
    if not (a.rounded or b.rounded):
        return value == b.value
    return abs(value - b.value) <= Fraction(tolerance) * max(abs(value), abs(b.value))
