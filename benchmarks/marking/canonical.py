"""One text for the usual ways to write the same answer, and the exact value of plain numbers. Linear in the text."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

_NUMBER = re.compile(
    r"([+-]?)(?:([0-9]{1,40})/([0-9]{1,40})|\\frac\{([+-]?[0-9]{1,40})\}\{([0-9]{1,40})\}"
    r"|((?=\.?[0-9])[0-9]{0,40}(?:\.[0-9]{0,40})?(?:[eE][+-]?[0-9]{1,3})?))"
)
"""a/b, \frac{a}{b} or a decimal; bounded, so that no input costs much: longer numbers are compared as text"""


def plain_number(text: str) -> Fraction | None:
    """The exact value of an integer, a decimal or a fraction of integers; None for anything else."""
    found = _NUMBER.fullmatch(text)
    if not found:
        return None
    sign, numerator, denominator, tex_numerator, tex_denominator, decimal = found.groups()
    if decimal:
        value = Fraction(decimal)
    else:
        below = int(denominator or tex_denominator)
        if below == 0:
            return None
        value = Fraction(int(numerator or tex_numerator), below)
    return -value if sign == "-" else value


_REMOVED = ("\\left", "\\right", "\\$", "$", "\\!", "\\,", "\\;", "\\:", "^\\circ", "^{\\circ}", "°", "\\%", "%")
_REPLACED = (("−", "-"), ("\\ ", " "), ("~", " "), ("\\dfrac", "\\frac"), ("\\tfrac", "\\frac"), ("{,}", ","))
_LOOSE_SPACE = re.compile(r" (?![0-9])|(?<![0-9]) ")
"""all but a space between two digits, which holds two numbers apart"""
_SHORT_FRACTION = re.compile(r"\\frac([0-9])([0-9])")
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_WORDS = re.compile(r"\\(?:text|textbf|mathrm|mbox)\{([^{}]*)\}")
_UNIT = re.compile(r"(?<=[0-9}])\\(?:text|mathrm|mbox)\{[^{}]*\}$")
_VARIABLE = re.compile(r"[A-Za-z]=(?=.)")


def canonical(text: str) -> str:
    """One text for the usual ways to write the same answer: no dollars, spacing, units, percent or degree signs, no
    thousands separators, no `x=` in front, one kind of fraction."""
    text = text.strip()
    if text.isdigit():
        return text
    for old in _REMOVED:
        text = text.replace(old, "")
    for old, new in _REPLACED:
        text = text.replace(old, new)
    text = _LOOSE_SPACE.sub("", " ".join(text.split())).removesuffix(".")
    text = _VARIABLE.sub("", text, count=1) if _VARIABLE.match(text) else text
    text = _SHORT_FRACTION.sub(r"\\frac{\1}{\2}", text)
    words = _WORDS.fullmatch(text)
    text = words.group(1) if words else _UNIT.sub("", text)
    return text.replace(",", "") if _THOUSANDS.fullmatch(text) else text


canonical_gold = lru_cache(maxsize=65536)(canonical)
