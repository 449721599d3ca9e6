"""Equal forms of integers, fractions and decimals. Each pair is one exact value, written in two ways."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import comb, factorial
from random import Random

from benchmarks.adversarial.cases import SuiteCase, right
from benchmarks.adversarial.texts import decimal, finite, frac, grouped, in_base, proper, slash, whole

Cases = Iterator[SuiteCase]


def fractions(rng: Random) -> Cases:
    """A fraction as a slash, unreduced, as a quotient, with its sign elsewhere, or over a fraction."""
    value, k = proper(rng), rng.randint(2, 9)
    while value.numerator == 1:
        value = proper(rng)
    p, q = value.numerator, value.denominator
    yield right(frac(value), slash(value), "The same numerator and denominator.")
    yield right(frac(value), f"\\frac{{{p * k}}}{{{q * k}}}", f"Numerator and denominator are both multiplied by {k}.")
    yield right(slash(value), f"{p} \\div {q}", "A fraction is the quotient of its numerator and its denominator.")
    yield right(frac(-value), f"\\frac{{-{p}}}{{{q}}}", "The sign of a fraction may stand in its numerator.")
    yield right(f"\\frac{{{-p}}}{{{q}}}", f"\\frac{{{p}}}{{-{q}}}", "The sign of a fraction may stand below its line.")
    yield right(frac(value), f"\\frac{{1}}{{{slash(1 / value)}}}", "The reciprocal of the reciprocal.")
    short = finite(rng)
    yield right(frac(short), decimal(short), "The decimal has finitely many digits, and they are all there.")
    yield right(decimal(short), frac(short), "The decimal is exactly this fraction.")


def repeating_decimals(rng: Random) -> Cases:
    """A fraction and its repeating decimal, with a bar, brackets or a dot."""
    before, period = rng.choice(("", "", "1", "4", "05", "27")), rng.choice((1, 2, 3, 6))
    repeated = str(rng.randint(1, 10**period - 2)).rjust(period, "0")
    lead = whole(rng, 0, 6, ())
    shift = 10 ** len(before)
    value = lead + Fraction(int(before or "0"), shift) + Fraction(int(repeated), (10**period - 1) * shift)
    start = f"{lead}.{before}"
    why = "A repeating decimal is the sum of a geometric series, which is this fraction."
    yield right(frac(value), f"{start}\\overline{{{repeated}}}", why)
    yield right(frac(-value), f"-{start}\\overline{{{repeated}}}", why)
    if start == "0.":  # 2.5(3) may be a product
        yield right(slash(value), f"{start}({repeated})", why + " The period stands in brackets.")
    if period == 1:
        yield right(frac(value), f"{start}\\dot{{{repeated}}}", why + " The period has a dot.")
        yield right(f"{start}\\overline{{{repeated}}}", frac(value), why)
        yield right(f"{start}\\overline{{{repeated}}}", f"{start}{repeated}\\overline{{{repeated}}}", why)


def mixed_numbers(rng: Random) -> Cases:
    """An improper fraction and its mixed number."""
    part, lead = proper(rng, 16), rng.randint(1, 25)
    part = part - int(part)
    value = lead + part
    yield right(frac(value), f"{lead}\\frac{{{part.numerator}}}{{{part.denominator}}}", "An integer and a proper part.")
    yield right(f"{lead} {frac(part)}", frac(value), "A mixed number is the sum of its integer and its fraction.")
    yield right(slash(value), f"{lead} {slash(part)}", "An integer, a space and a proper fraction: a mixed number.")
    yield right(frac(-value), f"-{lead}{frac(part)}", "The sign of a mixed number belongs to all of it.")
    yield right(frac(value), f"{lead} + {frac(part)}", "The sum of the integer and the fraction.")
    half = lead + Fraction(whole(rng, 1, 3), 4)
    yield right(
        decimal(half), f"{lead}\\tfrac{{{(half - lead).numerator}}}{{{(half - lead).denominator}}}", "One value."
    )


def scientific_notation(rng: Random) -> Cases:
    """A number and its scientific notation."""
    digits, power = whole(rng, 101, 999), rng.randint(3, 9)
    while digits % 10 == 0:
        digits += 1
    mantissa = Fraction(digits, 100)
    big, small = mantissa * 10**power, mantissa / 10**power
    m = decimal(mantissa)
    yield right(decimal(big), f"{m} \\times 10^{{{power}}}", f"The point moves by {power} places.")
    yield right(f"{m} \\times 10^{{{power}}}", decimal(big), f"The point moves by {power} places.")
    yield right(decimal(small), f"{m}\\cdot 10^{{-{power}}}", f"The point moves by {power} places.")
    yield right(
        f"{m} \\times 10^{{-{power}}}", f"{digits} \\times 10^{{{-power - 2}}}", "The point and the power move."
    )
    yield right(f"{m}\\times10^{power}", f"{m}e{power}", "The same in program notation.")
    yield right(f"{m} \\times 10^{{{power}}}", f"{decimal(mantissa * 10)}\\times 10^{{{power - 1}}}", "One value.")


def percentages(rng: Random) -> Cases:
    """A percentage and the number that it is. (60 for 60 % is a matter of taste, and not here.)"""
    hundredths = Fraction(whole(rng, 1, 399), rng.choice((1, 2, 4, 5)))
    value = hundredths / 100
    p = decimal(hundredths)
    yield right(frac(value), f"{p}\\%", "A percent is a hundredth.")
    yield right(decimal(value), f"{p}\\%", "A percent is a hundredth.")
    yield right(f"{p}\\%", decimal(value), "A percent is a hundredth.")
    yield right(f"{p}\\%", f"{p}\\text{{ percent}}", "The sign and the word say the same.")
    yield right(f"{p}\\%", f"{p}%", "The same sign, without TeX's backslash.")
    if hundredths.denominator > 1:
        yield right(f"{p}\\%", f"{frac(hundredths)}\\%", "The same number of percent.")


def thousands_separators(rng: Random) -> Cases:
    """A whole number with its digits in groups of three."""
    value = rng.randint(10**6, 10 ** rng.randint(7, 13))
    why = "Separators between groups of three digits do not change a number."
    yield right(str(value), grouped(value), why)
    yield right(grouped(value), str(value), why)
    yield right(str(value), grouped(value, "{,}"), why)
    yield right(grouped(value), grouped(value, ",\\!"), why)
    yield right(str(value), grouped(value, "\\,"), why)
    yield right(f"-{value}", f"-{grouped(value)}", why)
    yield right(str(value), f"{grouped(value)}.00", why + " Zeros after the point change nothing either.")


def powers_and_factorials(rng: Random) -> Cases:
    """An integer and a power, a factorial, a binomial coefficient or a product that has its value."""
    base, exponent, n = rng.randint(2, 9), rng.randint(3, 12), rng.randint(5, 12)
    k, m = rng.randint(2, n - 2), rng.randint(2, 30)
    yield right(str(base**exponent), f"{base}^{{{exponent}}}", "The power is this integer.")
    yield right(f"{m} \\cdot {base}^{{{exponent}}}", str(m * base**exponent), "The product is this integer.")
    yield right(str(factorial(n)), f"{n}!", "The factorial is this integer.")
    yield right(f"\\binom{{{n}}}{{{k}}}", str(comb(n, k)), "The binomial coefficient is this integer.")
    yield right(
        f"\\binom{{{n}}}{{{k}}}", f"\\frac{{{n}!}}{{{k}!\\,{n - k}!}}", "The binomial coefficient's definition."
    )
    yield right(f"\\frac{{1}}{{{base**exponent}}}", f"{base}^{{-{exponent}}}", "A negative power is a reciprocal.")
    yield right(f"{n}! - {m}", str(factorial(n) - m), "The difference is this integer.")


def huge_integers(rng: Random) -> Cases:
    """Integers of hundreds of digits, in two forms that an identity of integers makes equal."""
    base, n, k = rng.choice((2, 3, 5, 6, 7, 10)), rng.randint(150, 2100), rng.randint(1, 6)
    yield right(f"{base}^{{{n}}}", f"{base**k} \\cdot {base}^{{{n - k}}}", "Exponents of a product are added.")
    yield right(f"{base**2}^{{{n}}}", f"{base}^{{{2 * n}}}", "Exponents of a power are multiplied.")
    yield right(f"2^{{{n}}}", f"2^{{{n + 1}}} - 2^{{{n}}}", "Twice a number less the number.")
    yield right(f"{base}^{{{2 * n}}}-1", f"({base}^{{{n}}}-1)({base}^{{{n}}}+1)", "A difference of two squares.")
    f = rng.randint(25, 180)
    yield right(f"{f + 1}!", f"{f + 1} \\cdot {f}!", "The definition of the factorial.")
    yield right(f"{f + 1}! - {f}!", f"{f} \\cdot {f}!", "Of f + 1 times a number, f times it are left.")
    m = rng.randint(60, 120)
    yield right(str(2**m + k), f"2^{{{m}}}+{k}", "The integer is written out in full.")
    yield right(f"\\frac{{2^{{{m}}}-1}}{{2^{{{m}}}}}", f"1-\\frac{{1}}{{2^{{{m}}}}}", "The fraction is split in two.")


def number_bases(rng: Random) -> Cases:
    """The digits and the base of a number, written in other ways."""
    names = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine"}
    base = rng.choice(list(names))
    digits = in_base(rng.randint(base**2, base**5), base)
    why = "The same digits in the same base."
    yield right(f"{digits}_{base}", f"({digits})_{base}", why)
    yield right(f"{digits}_{{{base}}}", f"{digits}_{base}", why)
    yield right(f"{digits}_{base}", f"{digits}_{{({base})}}", why)
    yield right(f"{digits}_{base}", f"{digits}_{{\\text{{{names[base]}}}}}", why)
    yield right(f"{digits}_{{{base}}}", f"{digits} \\text{{ (base {base})}}", why)
    yield right(f"({digits})_{{{base}}}", f"{{{digits}}}_{{{base}}}", why)


def decimals(rng: Random) -> Cases:
    """A decimal with zeros at its ends, without its leading zero, as an integer's multiple."""
    text = decimal(finite(rng))
    yield right(text, f"{text}{'0' * rng.randint(1, 4)}", "Zeros at the end change nothing.")
    low = Fraction(rng.randint(1, 999), 1000)
    yield right(decimal(low), decimal(low).removeprefix("0"), "A zero before the point may be left out.")
    n = rng.randint(2, 9999)
    yield right(str(n), f"{n}.{'0' * rng.randint(1, 3)}", "An integer with zeros after the point.")
    yield right(f"{n}.0", str(n), "An integer with a zero after the point.")
    yield right(decimal(-low), f"-{frac(low)}", "The decimal is exactly this fraction.")
    yield right(decimal(low), f"+{decimal(low)}", "A plus sign before a number changes nothing.")
