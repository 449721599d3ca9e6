"""Near misses of expressions: where they are constants, for other integers, for other signs, in other letters."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from benchmarks.adversarial.cases import SuiteCase, wrong
from benchmarks.adversarial.equal_cases import ceiling, floor
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
    times,
    whole,
)

Cases = Iterator[SuiteCase]


def constants_for_floors(rng: Random) -> Cases:
    """A gold with a floor, ceiling or remainder, and what it is on a small range."""
    n, k, c = rng.choice(("n", "m", "k", "N")), rng.randint(2, 9), rng.randint(1, 20)
    why = f"The gold grows with {n}, the answer does not grow like it."
    yield wrong(f"{floor(f'{n}/{k}')}+{c}", str(c), why)
    yield wrong(f"\\left\\lfloor\\sqrt{{{n}+{c}}}\\right\\rfloor", str(rng.randint(0, 3)), why)
    yield wrong(f"{ceiling(f'{n}/{k}')}+{c}", str(c + 1), why)
    yield wrong(f"{c}{n}-{floor(f'{n}/{k}')}", f"{c}{n}" if c > 1 else n, why)
    yield wrong(f"\\left\\lfloor\\frac{{{k}{n}-1}}{{{k + 3}}}\\right\\rfloor", "0", why)
    yield wrong(f"ab-{floor(f'a/{k}')}", "ab", f"They differ at a = {k}.")
    yield wrong(f"{floor(f'{n}^2/{k}')}", "0", why)
    yield wrong(f"f({n})={floor(f'{k}{n}/{k + 1}')}+{c}", str(c), why)


def wrong_floors(rng: Random) -> Cases:
    """Floor for ceiling, or a shift inside that changes the value for some integers."""
    n, k, c = rng.choice(("n", "m")), rng.randint(2, 9), rng.randint(1, 20)
    yield wrong(floor(f"{n}/{k}"), ceiling(f"{n}/{k}"), f"They differ at {n} = 1.")
    yield wrong(ceiling(f"{n}/{k}"), f"{floor(f'{n}/{k}')}+1", f"They differ at {n} = {k}.")
    yield wrong(floor(f"{n}/{k}"), floor(f"({n}+1)/{k}"), f"They differ at {n} = {k - 1}.")
    yield wrong(floor(f"{n}/{k}"), f"\\frac{{{n}}}{{{k}}}", f"They differ at {n} = 1.")
    yield wrong(f"{floor(f'{n}/{k}')}+{c}", f"{floor(f'{n}/{k + 1}')}+{c}", f"They differ at {n} = {k}.")
    yield wrong(f"{n}-{floor(f'{n}/{k}')}", f"{n}-{ceiling(f'{n}/{k}')}", f"They differ at {n} = 1.")
    yield wrong(f"{c}(-1)^{n}", str(c), f"They differ at {n} = 1.")
    yield wrong(f"{c}(-1)^{n}", f"{c}(-1)^{{{n}+1}}", f"They differ at {n} = 1.")
    yield wrong(f"\\frac{{1+(-1)^{n}}}{{2}}+{c}", str(c), f"They differ at {n} = 2.")


def absolute_values_without_bars(rng: Random) -> Cases:
    """An absolute value, maximum or root of a square, and what it is on one side only."""
    x, a, k = rng.choice(("x", "y", "t")), rng.randint(1, 30), rng.randint(2, 9)
    right_of, left_of = f"They differ at {x} = {a + 1}.", f"They differ at {x} = {a - 1}."
    yield wrong(f"|{x}-{a}|", f"{a}-{x}", right_of)
    yield wrong(f"|{x}-{a}|", f"{x}-{a}", left_of)
    yield wrong(f"\\max({x},{a})", str(a), right_of)
    yield wrong(f"\\max({x},{a})", x, left_of)
    yield wrong(f"\\min({x},{a})", x, right_of)
    yield wrong(f"\\sqrt{{({x}-{a})^2}}", f"{x}-{a}", left_of)
    yield wrong(f"\\sqrt{{{x}^2}}+{k}", f"{x}+{k}", f"They differ at {x} = -1.")
    yield wrong(f"{k}|{x}|", f"{k}{x}", f"They differ at {x} = -1.")
    yield wrong(f"|{x}|+|{x}-{a}|", f"2{x}-{a}", f"They differ at {x} = 0.")


def wrong_pieces(rng: Random) -> Cases:
    """Functions given by cases: branches exchanged, another border, one branch for all."""
    a, b, c = whole(rng, 1, 9), rng.randint(1, 9), rng.randint(1, 9)
    first, second = linear(2, b), linear(-3, c)

    def cases(up: str, down: str, at: int) -> str:
        return f"\\begin{{cases}} {up} & x \\ge {at} \\\\ {down} & x < {at} \\end{{cases}}"

    gold = cases(first, second, a)
    far = a + 20
    yield wrong(gold, cases(second, first, a), f"They differ at x = {far}.")
    yield wrong(gold, first, f"They differ at x = {-far}.")
    yield wrong(gold, second, f"They differ at x = {far}.")
    yield wrong(gold, cases(first, second, a + 5), f"They differ at x = {a + 1}.")
    yield wrong(gold, cases(first, linear(-3, c + 1), a), f"They differ at x = {-far}.")
    yield wrong(f"|x-{a}|", cases(linear(1, -a), linear(1, a), a), f"They differ at x = {-far}.")


def wrong_polynomials(rng: Random) -> Cases:
    """One coefficient, exponent or root off."""
    letter = rng.choice(("x", "y", "t", "n"))
    a, b = whole(rng, -9, 9), whole(rng, -9, 9)
    k = rng.randint(2, 9)
    two = product([1, -a], [1, -b])
    why = "One coefficient differs, so the polynomials do."
    yield wrong(polynomial(two, letter), polynomial([1, two[1] + 1, two[2]], letter), why)
    yield wrong(polynomial(two, letter), polynomial([1, two[1], two[2] - 1], letter), why)
    yield wrong(f"{k}{factor(a, letter)}", f"{k}{letter}{plus(-a)}", "The factor multiplies both terms.")
    yield wrong(f"({letter}{plus(a)})^2", f"{letter}^2{plus(a * a)}", "The middle term is missing.")
    yield wrong(f"{k}{letter}^3{plus(b)}", f"{k}{letter}^2{plus(b)}", "Another power.")
    yield wrong(
        f"{factor(a, letter)}{factor(a + 1, letter)}", f"{factor(a, letter)}{factor(a + 2, letter)}", "Another root."
    )
    yield wrong(f"{k}{letter}^2", f"({k}{letter})^2", "The power stands for the letter alone.")


def swapped_letters(rng: Random) -> Cases:
    """Two letters exchanged where they play different parts."""
    p, q = rng.choice((("a", "b"), ("m", "n"), ("x", "y"), ("r", "h"), ("p", "q")))
    k, m = rng.randint(2, 12), rng.randint(2, 9)
    why = f"They differ at {p} = 2, {q} = 5."
    yield wrong(f"\\frac{{{p}}}{{{q}}}+{k}", f"\\frac{{{q}}}{{{p}}}+{k}", why)
    yield wrong(f"{k}{p}-{q}", f"{k}{q}-{p}", why)
    yield wrong(f"{p}^2{q}+{k}", f"{p}{q}^2+{k}", why)
    yield wrong(f"\\pi {p}^2 {q}", f"\\pi {q}^2 {p}", why)
    yield wrong(f"{p}^{q}" if k % 2 else f"{k}{p}-{k}{q}", f"{q}^{p}" if k % 2 else f"{k}{q}-{k}{p}", why)
    yield wrong(f"\\sqrt{{{p}^2+{k}{q}}}", f"\\sqrt{{{q}^2+{k}{p}}}", f"They differ at {p} = 0, {q} = {k + 1}.")
    yield wrong(f"\\frac{{{m}{p}}}{{{p}+{q}}}", f"\\frac{{{m}{q}}}{{{p}+{q}}}", why)


def wrong_logarithms(rng: Random) -> Cases:
    """Laws of logarithms that do not exist."""
    a, b = rng.sample((3, 5, 7, 10, 11, 13), 2)
    k = rng.randint(2, 9)
    yield wrong(f"\\ln {a}+\\ln {b}", f"\\ln {a + b}", "The sum of logarithms is that of the product.")
    yield wrong(f"\\log_{{{a}}} {b}", f"\\log_{{{b}}} {a}", "The reciprocal, which is not 1.")
    yield wrong(f"{k}\\ln {a}", f"\\ln {k * a}", "A factor becomes a power, not a factor.")
    yield wrong(f"\\ln {a}", f"\\log_{{10}} {a}", "Another base.")
    yield wrong(
        f"\\frac{{\\ln {a}}}{{\\ln {b}}}", f"\\ln\\frac{{{a}}}{{{b}}}", "It is not the logarithm of the quotient."
    )
    yield wrong(f"e^{{{k}}}", f"{k}e", "A power is no product.")
    yield wrong(f"\\ln {a}-{k}", f"\\ln {a}+{k}", "The sign of a term differs.")


def wrong_trigonometry(rng: Random) -> Cases:
    """Another function, argument or factor."""
    k, m = rng.randint(2, 12), rng.randint(2, 9)
    d = rng.choice((3, 4, 6, 5))
    yield wrong(f"\\sin({k}x)", f"{k}\\sin(x)", f"The sine is at most 1, the answer is {k} at x = pi/2.")
    yield wrong(f"{k}\\sin(x)", f"{k}\\cos(x)", "They differ at x = 0.")
    yield wrong(f"\\frac{{{k}\\pi}}{{{d}}}", f"\\frac{{{k}\\pi}}{{{d + 1}}}", "Another fraction of pi.")
    yield wrong(f"{k}\\sin\\frac{{\\pi}}{{5}}", f"{k}\\cos\\frac{{\\pi}}{{5}}", "Equal only at a quarter of pi.")
    yield wrong(f"\\sin^2({m}x)", f"\\sin({m}x^2)", f"They differ at x = pi/{2 * m}.")
    yield wrong(f"\\arctan {k}", f"\\frac{{1}}{{\\tan {k}}}", "The inverse function is not the reciprocal.")
    yield wrong(f"{k}\\tan {10 * d}^\\circ", f"{k}\\tan {10 * d + 5}^\\circ", "The tangent grows below 90 degrees.")


def wrong_complex_numbers(rng: Random) -> Cases:
    """The conjugate, the exchanged parts, the modulus, another root of unity."""
    a, b = whole(rng, 2, 20), whole(rng, 21, 40)
    r = rng.randint(2, 30)
    yield wrong(f"{a}+{b}i", f"{a}-{b}i", "The conjugate.")
    yield wrong(f"{a}+{b}i", f"{b}+{a}i", "Real and imaginary part are exchanged.")
    yield wrong(f"{a}+{b}i", root(a * a + b * b), "The modulus.")
    yield wrong(f"{r}e^{{i\\pi/3}}", f"{r}e^{{i\\pi/6}}", "Another angle.")
    yield wrong(f"{r}e^{{2\\pi i/5}}", str(r), "The modulus.")
    yield wrong(f"{a}+{b}i", str(a), "The imaginary part is missing.")
    yield wrong(f"{r}i", f"-{r}i", "The conjugate.")


def wrong_roots(rng: Random) -> Cases:
    """Roots split over sums, of another degree, with a factor left outside."""
    p, q = rng.sample(SQUARE_FREE, 2)
    k, value = rng.randint(2, 12), proper(rng)
    yield wrong(f"\\sqrt{{{p}}}+\\sqrt{{{q}}}", root(p + q), "The root of a sum is less than the sum of the roots.")
    yield wrong(times(k, root(p)), root(k * p), "The factor enters the root squared.")
    yield wrong(times(k, root(p)), times(k, root(p, 3)), "Another degree.")
    yield wrong(times(k, root(p)), times(p, root(k if k != p else k + 1)), "The factor and the radicand are exchanged.")
    yield wrong(
        f"\\frac{{{root(p)}}}{{{k}}}", f"\\sqrt{{\\frac{{{p}}}{{{k}}}}}", "The divisor enters the root squared."
    )
    yield wrong(root(p), f"\\frac{{{p}}}{{2}}", "Half of a number is not its root.")
    yield wrong(f"{frac(value)}{root(p)}", frac(value), "The root is missing.")
    yield wrong(f"{k}+{root(p)}", f"{k}{root(p)}", f"Squared they differ: {k * k + p} and a root, against {k * k * p}.")
