"""Near misses of numbers: each answer differs from the gold by a change that is known not to be nothing."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import comb, factorial, isqrt
from random import Random

from benchmarks.adversarial.cases import SuiteCase, wrong
from benchmarks.adversarial.texts import (
    SQUARE_FREE,
    coprime,
    decimal,
    distinct,
    finite,
    frac,
    grouped,
    in_base,
    proper,
    root,
    rounded,
    slash,
    surd,
    times,
    whole,
)

Cases = Iterator[SuiteCase]


def off_by_one_of_huge(rng: Random) -> Cases:
    """An integer of many digits, and the same plus or minus a small one."""
    base, n, one = rng.choice((2, 3, 5, 7, 11)), rng.randint(160, 2100), rng.choice((-1, 1, 1, 2, -3))
    step = f"+{one}" if one > 0 else str(one)
    why = f"The difference is {one}, for exact integers a difference like any other."
    yield wrong(f"{base}^{{{n}}}", f"{base}^{{{n}}}{step}", why)
    yield wrong(f"{base}^{{{n}}}{step}", f"{base}^{{{n}}}", why)
    f = rng.randint(22, 150)
    yield wrong(f"{f}!", f"{f}!{step}", why)
    yield wrong(f"2^{{{f}}} \\cdot {f + 1}!", f"2^{{{f}}} \\cdot {f + 1}!{step}", why)
    m, k = rng.randint(60, 140), rng.randint(20, 30)
    yield wrong(str(2**m), f"2^{{{m}}}{step}", why)
    yield wrong(f"\\binom{{{m}}}{{{k}}}", str(comb(m, k) + one), why)
    yield wrong(str(factorial(f)), str(factorial(f) + one), why)
    yield wrong(f"\\frac{{{f}!}}{{2^{{{f // 2}}}}}", f"\\frac{{{f}!}}{{2^{{{f // 2}}}}}{step}", why)


def nearly_equal_values(rng: Random) -> Cases:
    """Exact values that agree in tens of digits and are not equal."""
    n, a = rng.randint(70, 400), rng.randint(2, 99)
    why = "The difference is positive, however small."
    yield wrong(f"{a}\\left(1-\\frac{{1}}{{2^{{{n}}}-1}}\\right)", str(a), why)
    yield wrong(f"\\frac{{3^{{{n}}}-1}}{{3^{{{n}}}}}", "1", why)
    yield wrong(str(a), f"{a}+10^{{-{n}}}", why)
    big = 10 ** rng.randint(12, 30)
    yield wrong(f"\\sqrt{{{big * big + 1}}}", str(big), "The square of an integer is no square plus one.")
    yield wrong(f"\\frac{{{big}}}{{{big + 1}}}", f"\\frac{{{big - 1}}}{{{big}}}", "The cross products differ by one.")
    yield wrong(f"\\frac{{{a}}}{{{big + 1}}}", f"\\frac{{{a}}}{{{big}}}", "Two fractions of one numerator.")
    yield wrong(f"2-\\frac{{1}}{{2^{{{n}}}}}", f"2-\\frac{{1}}{{2^{{{n + 1}}}}}", why)
    yield wrong(f"{a}\\cdot 2^{{{n}}}-{a}", f"{a}\\cdot 2^{{{n}}}", f"The difference is {a}.")


def digits_beyond_the_ninth(rng: Random) -> Cases:
    """Decimals and integers that agree in nine digits or more, and are exact."""
    places, low = rng.randint(10, 15), rng.randint(1, 8)
    digits = rng.randint(10 ** (places - 1), 10**places - 12)
    value = Fraction(digits * 10 + low, 10 ** (places + 1))
    other = value + Fraction(1, 10 ** (places + 1))
    why = "Both decimals end, so both are exact, and their last digits differ."
    yield wrong(decimal(value), decimal(other), why)
    lead = rng.randint(1, 99)
    yield wrong(decimal(lead + value), decimal(lead + other), why)
    yield wrong(frac(value), frac(other), "Both fractions are exact, and they differ by one in the last place.")
    n = rng.randint(10**12, 10**18)
    yield wrong(str(n), str(n + whole(rng, -9, 9)), "Two different integers.")
    yield wrong(grouped(n), grouped(n + whole(rng, -9, 9)), "Two different integers.")
    yield wrong(str(n), f"{n - 1}.9", "An integer and a number that is none.")


def signs(rng: Random) -> Cases:
    """The negative of the gold, or one of its terms with the other sign."""
    value, n, a, b = proper(rng), rng.choice(SQUARE_FREE), rng.randint(1, 40), rng.randint(2, 9)
    why = "The sign differs, and the value is not zero."
    yield wrong(frac(value), frac(-value), why)
    yield wrong(str(-a), str(a), why)
    yield wrong(surd(a, b, n), surd(a, -b, n), why)
    yield wrong(surd(-a, b, n), surd(a, -b, n), why)
    yield wrong(f"\\frac{{{a}-{root(n)}}}{{{b}}}", f"\\frac{{{a}+{root(n)}}}{{{b}}}", why)
    yield wrong(f"{a}-{b}\\pi", f"{b}\\pi-{a}", "The negative of an irrational number.")
    yield wrong(decimal(finite(rng)), f"-{decimal(finite(rng))}", why)


def integers_as_decimals(rng: Random) -> Cases:
    """A gold that is an integer, and a decimal beside it that a relative tolerance of 1e-4 would let through."""
    n = rng.randint(20000, 99999999)
    off = Fraction(rng.randint(1, 9), rng.choice((10, 100, 1000)))
    why = "The gold is an integer, and the answer is none: a tolerance is for decimals alone."
    yield wrong(str(n), decimal(n + off), why, tolerance=1e-4)
    yield wrong(str(n), decimal(n - off), why, tolerance=1e-4)
    yield wrong(grouped(n), decimal(n + off), why, tolerance=1e-4)
    yield wrong(f"{n}", decimal(n + off), "The gold is an integer, and the answer is none.")
    base, power, f = rng.randint(2, 9), rng.randint(7, 13), rng.randint(8, 14)
    yield wrong(f"{base}^{{{power}}}", decimal(base**power + Fraction(1, 1000)), why, tolerance=1e-4)
    yield wrong(f"{f}!", decimal(factorial(f) - off), why, tolerance=1e-4)
    yield wrong(f"\\${n}", f"\\${decimal(n + off)}", why, tolerance=1e-4)
    small = rng.randint(2, 99)
    yield wrong(
        str(small), f"{small}.{'0' * rng.randint(1, 4)}{rng.randint(1, 9)}", "An integer, and a number that is none."
    )
    yield wrong(
        str(small), f"{small - 1}.{'9' * rng.randint(3, 6)}", "All nines that are written are not all there are."
    )


def rounded_golds(rng: Random) -> Cases:
    """A few decimals of an exact gold. No tolerance is stated, so the value is asked for."""
    n, places, k = rng.choice(SQUARE_FREE), rng.randint(1, 4), rng.randint(1, 40)
    why = "A decimal that ends is no irrational number, and no tolerance is stated."
    scale = 10**places
    yield wrong(times(k, root(n)), decimal(Fraction(isqrt(k * k * n * scale * scale), scale)), why)
    pi = Fraction(314159265358979, 10**14)
    yield wrong(times(k, "\\pi"), rounded(k * pi, places), why)
    yield wrong(f"\\frac{{\\pi}}{{{k + 2}}}", rounded(pi / (k + 2), places + 1), why)
    value = proper(rng, 40)
    while not any(value.denominator % p == 0 for p in (3, 7, 11, 13)):
        value = proper(rng, 40)
    reason = "A decimal that ends is not this fraction, and no tolerance is stated."
    yield wrong(frac(value), rounded(value, places), reason)
    yield wrong(times(k, "\\pi"), f"\\frac{{{22 * k}}}{{7}}", "Pi is irrational.")
    yield wrong(times(k, "e"), rounded(k * Fraction(2718281828459, 10**12), places), why)


def wrong_fractions(rng: Random) -> Cases:
    """A fraction with one integer off, turned over, or with too much cancelled."""
    p, q = distinct(rng, 2, 2, 60)
    while not coprime(p, q) or p == 1 or q == 1:
        p, q = distinct(rng, 2, 2, 60)
    why = "The cross products differ."
    yield wrong(f"\\frac{{{p}}}{{{q}}}", f"\\frac{{{q}}}{{{p}}}", why)
    yield wrong(f"\\frac{{{p}}}{{{q}}}", f"\\frac{{{p + 1}}}{{{q}}}", why)
    yield wrong(f"\\frac{{{p}}}{{{q}}}", f"{p}/{q + 1}", why)
    yield wrong(f"{p}/{q}", f"{p}{q}", "The line of the fraction is missing.")
    yield wrong(f"\\frac{{{p}}}{{{q}}}", f"{p}.{q}", "A point stands for the line of the fraction.")
    yield wrong(f"\\frac{{{p}}}{{{q}}}", f"\\frac{{{p}}}{{{q}}}+1", "One too much.")


def percent_signs(rng: Random) -> Cases:
    """A percent sign too many or too few for a share, which is a factor of a hundred. (60 for 60 % is not here.)"""
    value = finite(rng) / 100
    while value >= 1:  # no share: it may be meant in percent
        value = finite(rng) / 100
    why = "A percent is a hundredth, so the two differ by a factor of a hundred."
    yield wrong(decimal(value), f"{decimal(value)}\\%", why)
    yield wrong(frac(value), f"{frac(value)}\\%", why)
    yield wrong(f"{decimal(value * 100)}\\%", f"{decimal(value)}\\%", why)
    p = rng.randint(2, 90)
    yield wrong(f"{p}\\%", f"{p + 1}\\%", "Another number of percent.")
    yield wrong(f"{p}\\%", f"-{p}\\%", "The sign differs.")
    yield wrong(f"{p}\\%", f"\\frac{{{p}}}{{1000}}", "Ten times too little.")


def decimal_commas(rng: Random) -> Cases:
    """A gold of two numbers, and an answer that takes its comma for a decimal point."""
    a, b = distinct(rng, 2, 1, 9)
    sign = rng.choice(("", "-"))
    why = "The gold has two numbers, the answer has one."
    yield wrong(f"{sign}{a},{b}", f"{sign}{a}.{b}", why)
    yield wrong(f"{sign}{a},0", f"{sign}{a}", why)
    yield wrong(f"{a}, {b}", f"{a}.{b}", why)
    yield wrong(f"({a},{b})", f"{a}.{b}", why)
    yield wrong(f"\\{{{a},{b}\\}}", f"{a}.{b}", why)
    yield wrong(f"{sign}{a},{b}", frac(Fraction(f"{sign}{a}.{b}")), why)
    yield wrong(f"{a}.{b}", f"({a},{b})", "The gold has one number, the answer has two.")


def other_bases(rng: Random) -> Cases:
    """The same digits in another base, or other digits in the same."""
    base = rng.randint(3, 9)
    value = rng.randint(base**2 + 1, base**4)
    digits = in_base(value, base)
    other = base + 1 if base < 9 else base - 1
    if base == 9:
        while set(digits) & {"8"}:
            value += 1
            digits = in_base(value, base)
    why = "The same digits in another base are another number."
    yield wrong(f"{digits}_{base}", f"{digits}_{other}", why)
    yield wrong(f"{digits}_{{{base}}}", f"({digits})_{{{other}}}", why)
    yield wrong(f"{digits}_{{{base}}}", f"{in_base(value + 1, base)}_{{{base}}}", "One more, in the same base.")
    yield wrong(f"{digits}_{base}", f"{digits}_{{10}}", why)
    yield wrong(
        str(value), f"{value}_{{{rng.choice((11, 12, 16))}}}", "The gold is decimal, the answer says it is not."
    )
    yield wrong(f"{digits}_{base}", f"{digits}_{{\\text{{ten}}}}", why)


def wrong_periods(rng: Random) -> Cases:
    """A repeating decimal with its bar too long, too short or missing."""
    a, b = distinct(rng, 2, 1, 8)
    lead = rng.randint(0, 9)
    third = Fraction(10 * a + b, 99)
    why = "Another repeating decimal is another fraction."
    yield wrong(frac(lead + third), f"{lead}.{a}\\overline{{{b}}}", why)
    yield wrong(frac(lead + third), f"{lead}.{a}{b}", "The decimal ends, the fraction's does not.")
    yield wrong(f"{lead}.\\overline{{{a}}}", f"{lead}.{a}", "One repeats, the other ends.")
    yield wrong(f"{lead}.{a}", f"{lead}.\\overline{{{a}}}", "One repeats, the other ends.")
    yield wrong(f"{lead}.\\overline{{{a}{b}}}", f"{lead}.\\overline{{{b}{a}}}", why)
    yield wrong(frac(lead + Fraction(a, 9)), f"{lead}.{str(a) * rng.randint(3, 6)}", "All digits written are not all.")


def wrong_mixed_numbers(rng: Random) -> Cases:
    """A mixed number with its sign on a part, with another part, or with a part missing."""
    lead, part = rng.randint(2, 20), proper(rng, 12)
    part = part - int(part)
    why = "A mixed number is a sum."
    yield wrong(frac(lead + part), f"{lead}{frac(part * Fraction(1, 2))}", f"{why} Half of the fraction is missing.")
    yield wrong(frac(lead + part), f"{lead + 1}{frac(part)}", f"{why} One too much.")
    yield wrong(f"-{lead}{frac(part)}", frac(-lead + part), "The sign of a mixed number belongs to all of it.")
    yield wrong(frac(lead + part), f"-{lead}{frac(part)}", "The sign differs.")
    yield wrong(frac(lead + part), f"{lead} {slash(part + 1)}", f"{why} One too much.")
    yield wrong(f"{lead}{frac(part)}", str(lead), "The fraction is missing.")
    yield wrong(frac(lead + part), frac(part), "The integer is missing.")


def wrong_powers(rng: Random) -> Cases:
    """Exponents exchanged, off by one, of the other sign, or with brackets elsewhere."""
    a, b = distinct(rng, 2, 2, 9)
    while a**b == b**a:
        a, b = distinct(rng, 2, 2, 9)
    m, p = rng.randint(3, 9), rng.randint(3, 9)
    yield wrong(f"{a}^{b}", f"{b}^{a}", "Base and exponent are exchanged.")
    yield wrong(f"{a}^{{{b}}}", str(a * b), "A product is no power.")
    yield wrong(str((-a) ** 4), f"-{a}^4", "The minus sign stands outside the power.")
    digits = decimal(finite(rng))
    yield wrong(f"{digits}\\times 10^{{{p}}}", f"{digits}\\times 10^{{{p + 1}}}", "Ten times as much.")
    yield wrong(f"{digits}\\times 10^{{-{p}}}", f"{digits}\\times 10^{{{p}}}", "The exponent has the other sign.")
    yield wrong(f"{a}^{{{m}^{{3}}}}", f"({a}^{{{m}}})^3", "A tower of powers is evaluated from its top.")
    yield wrong(f"{m + 10}!", f"{m + 11}!", "The next factorial.")
    below = p - 1 if 2 * p != m + 10 else p - 2  # the row of the triangle is symmetric
    yield wrong(f"\\binom{{{m + 9}}}{{{p}}}", f"\\binom{{{m + 9}}}{{{below}}}", "Another coefficient of the row.")
