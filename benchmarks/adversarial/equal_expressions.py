"""Equal forms of roots, functions and letters. Both sides are built from one value, or are the two sides of an identity
that holds wherever both are defined."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from random import Random

from benchmarks.adversarial.cases import SuiteCase, right
from benchmarks.adversarial.texts import (
    SQUARE_FREE,
    factor,
    frac,
    linear,
    plus,
    polynomial,
    product,
    proper,
    root,
    surd,
    times,
    whole,
)

Cases = Iterator[SuiteCase]
PI = "\\pi"


def simplified_roots(rng: Random) -> Cases:
    """A square root and its simplified form; sums and products of roots."""
    n, a, b = rng.choice(SQUARE_FREE), rng.randint(2, 12), rng.randint(2, 12)
    yield right(times(a, root(n)), root(a * a * n), "The square factor goes in or out of the root.")
    yield right(times(a + b, root(n)), f"{root(a * a * n)}+{root(b * b * n)}", "Both roots are multiples of one.")
    yield right(times(a, root(n)), f"{root(n)} \\cdot {a}", "A product in another order.")
    yield right(root(n * a), f"{root(n)} \\cdot {root(a)}", "The root of a product of positive numbers.")
    yield right(f"\\frac{{{root(n)}}}{{{a}}}", f"\\sqrt{{\\frac{{{n}}}{{{a * a}}}}}", "The divisor goes into the root.")
    yield right(times(a, root(n)), f"{a} \\cdot {n}^{{1/2}}", "A square root is the power one half.")
    yield right(surd(a, b, n), f"{root(b * b * n)}+{a}", "The same two terms.")


def rationalised_roots(rng: Random) -> Cases:
    """A quotient with roots below its line, and the same without; nested roots."""
    n, a = rng.choice(SQUARE_FREE), rng.randint(1, 9)
    b = rng.randint(1, 9)
    why = "Multiplied above and below by the conjugate."
    d = n - b * b
    conjugate = f"{root(n)}+{b}"
    if d not in (0, 1, -1):
        top = f"{a}({conjugate})" if a > 1 else conjugate
        sign, below = ("", d) if d > 0 else ("-", -d)
        yield right(f"{sign}\\frac{{{top}}}{{{below}}}", f"\\frac{{{a}}}{{{root(n)}-{b}}}", why)
    yield right(f"\\frac{{{times(a, root(n))}}}{{{n}}}", f"\\frac{{{a}}}{{{root(n)}}}", "Multiplied above and below.")
    p, q = rng.sample(SQUARE_FREE, 2)
    p, q = max(p, q), min(p, q)
    yield right(f"\\frac{{{root(p)}+{root(q)}}}{{{p - q}}}", f"\\frac{{1}}{{{root(p)}-{root(q)}}}", why)
    yield right(f"{root(p)}+{root(q)}", f"\\sqrt{{{p + q}+2{root(p * q)}}}", "The square of the left side is under it.")
    yield right(f"{root(p)}-{root(q)}", f"\\sqrt{{{p + q}-2{root(p * q)}}}", "The square of the left side, positive.")
    yield right(f"{a}+{root(p)}", f"\\sqrt{{{a * a + p}+{times(2 * a, root(p))}}}", "The square of the left side.")


def higher_roots(rng: Random) -> Cases:
    """Cube roots and fifth roots, of negative numbers too, over the real numbers."""
    a, degree, n = rng.randint(2, 9), rng.choice((3, 3, 5)), rng.choice((2, 3, 5, 6, 7, 10))
    why = "An odd root of a negative number is the negative of the root."
    yield right(str(-a), root(-(a**degree), degree), why)
    yield right(f"-{root(n, degree)}", root(-n, degree), why)
    yield right(times(a, root(n, degree)), root(a**degree * n, degree), "The power goes into the root.")
    yield right(times(-a, root(n, degree)), root(-(a**degree) * n, degree), why)
    yield right(root(n, degree), f"{n}^{{1/{degree}}}", "A root of a positive number as a power.")
    yield right(root(n * n, 4), root(n), "The fourth root of a square.")
    yield right(f"\\frac{{1}}{{{root(n, 3)}}}", f"\\frac{{{root(n * n, 3)}}}{{{n}}}", "Multiplied above and below.")


SPECIAL = (
    ("\\frac{1}{2}", ("\\sin\\frac{\\pi}{6}", "\\cos\\frac{\\pi}{3}", "\\cos\\left(\\frac{5\\pi}{3}\\right)")),
    ("\\frac{\\sqrt{3}}{2}", ("\\sin\\frac{\\pi}{3}", "\\cos\\frac{\\pi}{6}", "\\sin\\left(\\frac{2\\pi}{3}\\right)")),
    ("\\frac{\\sqrt{2}}{2}", ("\\sin\\frac{\\pi}{4}", "\\cos\\frac{\\pi}{4}", "\\sin\\left(\\frac{3\\pi}{4}\\right)")),
    ("2-\\sqrt{3}", ("\\tan\\frac{\\pi}{12}", "\\tan\\left(\\frac{\\pi}{12}\\right)", "\\cot\\frac{5\\pi}{12}")),
    ("\\sqrt{2}-1", ("\\tan\\frac{\\pi}{8}", "\\cot\\frac{3\\pi}{8}", "\\tan\\left(\\frac{\\pi}{8}\\right)")),
    ("\\frac{\\sqrt{6}-\\sqrt{2}}{4}", ("\\sin\\frac{\\pi}{12}", "\\cos\\frac{5\\pi}{12}")),
    ("\\frac{\\sqrt{5}-1}{4}", ("\\sin\\frac{\\pi}{10}", "\\cos\\frac{2\\pi}{5}")),
    ("\\frac{\\sqrt{5}+1}{4}", ("\\cos\\frac{\\pi}{5}", "\\sin\\frac{3\\pi}{10}")),
    ("\\sqrt{3}", ("\\tan\\frac{\\pi}{3}", "\\cot\\frac{\\pi}{6}")),
    ("-\\frac{1}{2}", ("\\cos\\frac{2\\pi}{3}", "\\sin\\frac{7\\pi}{6}")),
)
"""known values, and what has them"""


def trigonometric_values(rng: Random) -> Cases:
    """A special value of a trigonometric function, and identities of letters."""
    value, forms = rng.choice(SPECIAL)
    k = rng.randint(2, 20)
    yield right(value, rng.choice(forms), "A known value of the function.")
    value, forms = rng.choice(SPECIAL)
    yield right(f"{k}{rng.choice(forms)}", f"{k}\\left({value}\\right)", f"A known value of the function, {k} times.")
    yield right(f"\\sin({2 * k}x)", f"2\\sin({k}x)\\cos({k}x)", "The sine of the double angle.")
    yield right(f"\\cos^2({k}x)", f"1-\\sin^2({k}x)", "Pythagoras.")
    yield right(f"\\cos({2 * k}t)", f"2\\cos^2({k}t)-1", "The cosine of the double angle.")
    q = rng.choice((("1", "4"), ("\\sqrt{3}", "3"), ("\\frac{\\sqrt{3}}{3}", "6"), ("2-\\sqrt{3}", "12")))
    yield right(f"\\frac{{{k}\\pi}}{{{q[1]}}}", f"{k}\\arctan\\left({q[0]}\\right)", "A known value of the arctangent.")


def logarithms(rng: Random) -> Cases:
    """The laws of logarithms with positive numbers."""
    a, b = rng.sample((2, 3, 5, 6, 7, 10, 11, 13), 2)
    k, m = rng.randint(2, 9), rng.randint(2, 30)
    yield right(f"{k}\\ln {a}", f"\\ln {a**k}", "A factor becomes a power.")
    yield right(f"\\ln {a * b}", f"\\ln {a} + \\ln {b}", "The logarithm of a product.")
    yield right(f"\\ln\\frac{{{a}}}{{{b}}}", f"\\ln {a} - \\ln {b}", "The logarithm of a quotient.")
    yield right(str(k), f"\\log_{{{a}}} {a**k}", "The logarithm of a power of the base.")
    yield right(f"\\log_{{{a}}} {b}", f"\\frac{{\\ln {b}}}{{\\ln {a}}}", "Change of the base.")
    yield right(str(a**k), f"e^{{{k}\\ln {a}}}", "The exponential function undoes the logarithm.")
    yield right(f"{m}-\\ln {b}", f"{m}+\\ln\\frac{{1}}{{{b}}}", "The logarithm of a reciprocal.")


def complex_numbers(rng: Random) -> Cases:
    """A complex number in another order, as a product, a quotient, or in polar form."""
    a, b, c, d = (whole(rng, -9, 9, (0, 1, -1)) for _ in range(4))
    real, imaginary = a * c - b * d, a * d + b * c
    yield right(f"{a}{_imaginary(b)}", f"{times(b, 'i')}{plus(a)}", "The same two terms.")
    if real and imaginary:
        yield right(f"{real}{_imaginary(imaginary)}", f"({a}{_imaginary(b)})({c}{_imaginary(d)})", "The product.")
    norm = a * a + b * b
    yield right(
        f"\\frac{{{a}{_imaginary(-b)}}}{{{norm}}}", f"\\frac{{1}}{{{a}{_imaginary(b)}}}", "Extended by the conjugate."
    )
    yield right(f"{2 * abs(a)}i", f"\\sqrt{{{-4 * a * a}}}", "The principal root of a negative number.")
    r = rng.randint(2, 20)
    yield right(f"{r}+{r}\\sqrt{{3}}i", f"{2 * r}e^{{i\\pi/3}}", "The polar form.")
    yield right(f"{-r}", f"{r}e^{{i\\pi}}", "The polar form.")
    yield right(f"{r}i", f"{r}\\left(\\cos\\frac{{\\pi}}{{2}}+i\\sin\\frac{{\\pi}}{{2}}\\right)", "The polar form.")


def _imaginary(value: int) -> str:
    part = times(value, "i")
    return part if part.startswith("-") else f"+{part}"


def polynomials(rng: Random) -> Cases:
    """A polynomial expanded, in factors, in another order."""
    letter = rng.choice(("x", "y", "t", "n", "z"))
    a, b, c = (whole(rng, -9, 9) for _ in range(3))
    k = rng.randint(2, 6)
    two = product([1, -a], [1, -b])
    three = product(two, [1, -c])
    why = "The factors are multiplied out."
    yield right(polynomial(three, letter), f"{factor(a, letter)}{factor(b, letter)}{factor(c, letter)}", why)
    yield right(f"{k}{factor(a, letter)}{factor(b, letter)}", polynomial([k * v for v in two], letter), why)
    yield right(f"({linear(k, a, letter)})^2", polynomial([k * k, 2 * k * a, a * a], letter), "The square of a sum.")
    yield right(f"({linear(1, a, letter)})^3", polynomial([1, 3 * a, 3 * a * a, a**3], letter), "The cube of a sum.")
    yield right(f"{k}{letter}^2{plus(b)}", f"{b}{plus(k)}{letter}^2", "The same two terms.")
    yield right(f"p^{k}-q^{k}" if k > 2 else "p^2-q^2", f"(p-q)({'+'.join(_terms(k))})", "A difference of powers.")


def _terms(k: int) -> list[str]:
    """Of (p^k - q^k) / (p - q)."""

    def power(letter: str, n: int) -> str:
        return "" if n == 0 else letter if n == 1 else f"{letter}^{n}"

    return [power("p", k - 1 - j) + power("q", j) for j in range(k)]


def rational_functions(rng: Random) -> Cases:
    """Quotients of polynomials with the same poles: common denominators, partial fractions, split sums."""
    a, b = rng.sample(range(1, 12), 2)
    k = whole(rng, 2, 9)
    below = f"(x+{a})(x+{b})"
    yield right(f"\\frac{{{b - a}}}{{{below}}}", f"\\frac{{1}}{{x+{a}}}-\\frac{{1}}{{x+{b}}}", "Partial fractions.")
    yield right(f"\\frac{{{linear(2, a + b)}}}{{{below}}}", f"\\frac{{1}}{{x+{a}}}+\\frac{{1}}{{x+{b}}}", "Added.")
    yield right(f"\\frac{{x+{a}}}{{x+{b}}}", f"1{plus(a - b)[0]}\\frac{{{abs(a - b)}}}{{x+{b}}}", "Long division.")
    yield right(f"\\frac{{x+{a}}}{{{k}}}", f"\\frac{{x}}{{{k}}}+{frac(Fraction(a, k))}", "The sum is split.")
    yield right(f"\\frac{{{k}x}}{{x^2-{a * a}}}", f"\\frac{{{k}x}}{{(x-{a})(x+{a})}}", "A difference of squares below.")
    yield right(f"\\frac{{n(n+{a})}}{{{k}}}", f"\\frac{{n^2+{times(a, 'n')}}}{{{k}}}", "Multiplied out above the line.")
    yield right(f"-\\frac{{{k}}}{{x-{a}}}", f"\\frac{{{k}}}{{{a}-x}}", "The sign goes below the line.")


def exponential_expressions(rng: Random) -> Cases:
    """Powers with a letter in the exponent."""
    b, k, m = rng.choice((2, 3, 5, 7)), rng.randint(1, 5), rng.randint(2, 9)
    n = rng.choice(("n", "x", "t", "k"))
    yield right(f"{b}^{{{n}+{k}}}", f"{b**k}\\cdot {b}^{{{n}}}", "Exponents of a product are added.")
    yield right(f"{b}^{{{m}{n}}}", f"({b}^{{{n}}})^{m}", "Exponents of a power are multiplied.")
    yield right(f"{b}^{{-{n}}}", f"\\left(\\frac{{1}}{{{b}}}\\right)^{{{n}}}", "A negative exponent is a reciprocal.")
    yield right(f"e^{{{m}{n}}}-1", f"(e^{{{n}}})^{{{m}}}-1", "Exponents of a power are multiplied.")
    yield right(f"{b}^{{{n}}}+{b}^{{{n}}}", f"2\\cdot {b}^{{{n}}}", "Twice the same term.")
    yield right(f"{b * m}^{{{n}}}", f"{b}^{{{n}}}\\cdot {m}^{{{n}}}", "The power of a product.")
    yield right(f"{b}^{{{n}+1}}-{b}^{{{n}}}", f"{b - 1}\\cdot {b}^{{{n}}}" if b > 2 else f"2^{{{n}}}", "Taken out.")


def multiples_of_pi(rng: Random) -> Cases:
    """Expressions with pi and e."""
    v, k, m = proper(rng), rng.randint(2, 30), rng.randint(2, 12)
    p, q = v.numerator, v.denominator
    yield right(f"\\frac{{{times(p, PI)}}}{{{q}}}", f"\\frac{{{p}}}{{{q}}}\\pi", "The same factor of pi.")
    yield right(f"{k}\\pi", f"\\pi \\cdot {k}", "A product in another order.")
    yield right(f"{k}\\pi-{m}", f"-{m}+{k}\\pi", "The same two terms.")
    yield right(f"{k * m}\\pi+{k}", f"{k}({m}\\pi+1)", "A factor is taken out.")
    yield right(f"\\frac{{{k}}}{{\\pi}}", f"{k}\\pi^{{-1}}", "A reciprocal as a power.")
    yield right(f"{k}e^{{{m}}}", f"{k}e\\cdot e^{{{m - 1}}}", "Exponents of a product are added.")
    yield right(f"\\frac{{{k}\\pi}}{{{k * m}}}", f"\\frac{{\\pi}}{{{m}}}", f"Reduced by {k}.")
