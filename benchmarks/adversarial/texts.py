"""Numbers and expressions as TeX, and draws that kinds share. All exact: integers and fractions, never floats."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd
from random import Random

SQUARE_FREE = (2, 3, 5, 6, 7, 10, 11, 13, 14, 15, 17, 19, 21, 22, 23)
LETTERS = ("x", "y", "t", "a", "b", "n", "r", "z")


def whole(rng: Random, least: int, most: int, without: Sequence[int] = (0,)) -> int:
    """An integer of the range that is none of `without`."""
    while (drawn := rng.randint(least, most)) in without:
        pass
    return drawn


def distinct(rng: Random, count: int, least: int, most: int) -> list[int]:
    """Different integers of the range, in a drawn order."""
    return rng.sample(range(least, most + 1), count)


def proper(rng: Random, most: int = 30) -> Fraction:
    """A positive fraction in lowest terms that is no integer."""
    while (drawn := Fraction(rng.randint(1, most), rng.randint(2, most))).denominator == 1:
        pass
    return drawn


def finite(rng: Random) -> Fraction:
    """A positive fraction with finitely many decimals that is no integer."""
    while (drawn := Fraction(rng.randint(1, 999), rng.choice((2, 4, 8, 10, 16, 20, 25, 40, 50, 125)))).denominator == 1:
        pass
    return drawn


def frac(value: Fraction | int, command: str = "\\frac") -> str:
    """`-\\frac{3}{4}`, or the integer."""
    value = Fraction(value)
    if value.denominator == 1:
        return str(value.numerator)
    sign = "-" if value < 0 else ""
    return f"{sign}{command}{{{abs(value.numerator)}}}{{{value.denominator}}}"


def slash(value: Fraction | int) -> str:
    """`-3/4`, or the integer."""
    return str(Fraction(value))


def decimal(value: Fraction | int) -> str:
    """All digits of a value that has finitely many.

    Raises: ValueError if it has not.
    """
    value, places = Fraction(value), 0
    while (value * 10**places).denominator != 1:
        places += 1
        if places > 60:
            raise ValueError(f"{value} has no finite decimal.")
    digits = str(abs(value.numerator * 10**places // value.denominator)).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)


def rounded(value: Fraction, places: int) -> str:
    """To so many decimals."""
    return decimal(Fraction(round(value * 10**places), 10**places))


def plus(value: Fraction | int) -> str:
    """`+3` or `-3`, to follow something."""
    return f"+{frac(value)}" if value > 0 else frac(value)


def times(coefficient: Fraction | int, what: str) -> str:
    """`3x`, `x`, `-x`."""
    return {1: what, -1: f"-{what}"}.get(coefficient, f"{frac(coefficient)}{what}")  # type: ignore[call-overload]


def root(radicand: int, degree: int = 2) -> str:
    """`\\sqrt{5}`, `\\sqrt[3]{5}`."""
    index = "" if degree == 2 else f"[{degree}]"
    return f"\\sqrt{index}{{{radicand}}}"


def surd(rational: int, factor: int, radicand: int) -> str:
    """`2-3\\sqrt{5}`; the rational part is left out where it is 0."""
    part = times(factor, root(radicand))
    if rational == 0:
        return part
    return f"{rational}{part if part.startswith('-') else '+' + part}"


def linear(slope: int, constant: int, letter: str = "x") -> str:
    """`3x-2`."""
    return times(slope, letter) + (plus(constant) if constant else "")


def polynomial(coefficients: Sequence[int], letter: str = "x") -> str:
    """The highest power first."""
    parts: list[str] = []
    for power, coefficient in zip(range(len(coefficients) - 1, -1, -1), coefficients, strict=True):
        if coefficient == 0:
            continue
        name = (
            ""
            if power == 0
            else letter
            if power == 1
            else f"{letter}^{{{power}}}"
            if power > 9
            else f"{letter}^{power}"
        )
        part = times(coefficient, name) if name else str(coefficient)
        parts.append(part if part.startswith("-") or not parts else f"+{part}")
    return "".join(parts) or "0"


def product(first: Sequence[int], second: Sequence[int]) -> list[int]:
    """Of two polynomials, as coefficients."""
    made = [0] * (len(first) + len(second) - 1)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            made[i + j] += a * b
    return made


def factor(at: int, letter: str = "x") -> str:
    """`(x-3)` for the root 3, `x` for 0."""
    return f"({linear(1, -at, letter)})" if at else letter


def coprime(a: int, b: int) -> bool:
    return gcd(a, b) == 1


def in_base(value: int, base: int) -> str:
    """Its digits; bases to 10."""
    digits = ""
    while value:
        value, digit = divmod(value, base)
        digits = str(digit) + digits
    return digits or "0"


def grouped(value: int, by: str = ",") -> str:
    """`1,234,567`."""
    return f"{value:,}".replace(",", by)


def shuffled(rng: Random, items: Sequence[str]) -> list[str]:
    """The items in another order.

    Raises: ValueError if there are not two different ones.
    """
    if len(set(items)) < 2:
        raise ValueError("one order only")
    made = list(items)
    while made == list(items):
        rng.shuffle(made)
    return made
