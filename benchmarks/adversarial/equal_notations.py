"""The same answer in another notation: TeX dialects, Unicode, program notation, words and units around it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from random import Random

from benchmarks.adversarial.cases import SuiteCase, right
from benchmarks.adversarial.texts import (
    SQUARE_FREE,
    decimal,
    finite,
    frac,
    grouped,
    linear,
    proper,
    root,
    surd,
    times,
    whole,
)

Cases = Iterator[SuiteCase]
SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
FULL_WIDTH = str.maketrans("0123456789,.+-()/%", "０１２３４５６７８９，．＋－（）／％")
VULGAR = {"½": Fraction(1, 2), "⅓": Fraction(1, 3), "¼": Fraction(1, 4), "¾": Fraction(3, 4), "⅔": Fraction(2, 3)}


def tex_dialects(rng: Random) -> Cases:
    """The same formula with other commands: over, dfrac, short arguments, sizes, spaces, dollar signs."""
    value, n, k = proper(rng, 60), rng.choice(SQUARE_FREE), rng.randint(2, 60)
    p, q = value.numerator, value.denominator
    why = "Only commands of layout differ."
    yield right(frac(value), f"{{{p} \\over {q}}}", "An older way to write a fraction.")
    yield right(frac(value), frac(value, rng.choice(("\\dfrac", "\\tfrac", "\\cfrac"))), why)
    short = Fraction(rng.randint(1, 9), rng.choice((2, 3, 5, 7)))
    if short.denominator > 1:
        text = f"\\frac{short.numerator}{short.denominator}"
        yield right(f"{k}+{frac(short)}", f"{k}+{text}", "Arguments of one digit need no braces.")
    yield right(f"({k},{frac(value)})", f"\\left( {k}, {frac(value)} \\right)", why)
    yield right(surd(k, 2, n), f"\\displaystyle {k} + 2 \\, \\sqrt {{{n}}}", why)
    yield right(surd(k, 1, n), f"${surd(k, 1, n)}$", "A formula inside a formula's box keeps its dollar signs.")
    yield right(times(k, root(n)), f"{k} \\times {root(n)}", "A product with its sign.")
    yield right(f"x^2+{k}x", f"x^{{2}} + {k}\\, x", why)
    yield right(f"\\frac{{x+{k}}}{{{q}}}", f"{{x+{k} \\over {q}}}", "An older way to write a fraction.")
    yield right(times(k, root(n)), f"\\mathbf{{{times(k, root(n))}}}", "Bold face does not change a value.")


def unicode_signs(rng: Random) -> Cases:
    """Signs as Unicode has them in place of TeX's commands."""
    n, k, e = rng.choice(SQUARE_FREE), rng.randint(2, 60), rng.randint(2, 9)
    low, high = k - rng.randint(30, 90), k
    why = "The sign means what the command means."
    yield right(times(k, root(n)), f"{k}√{n}", why)
    yield right(f"{k}\\pi", f"{k}π", why)
    yield right(f"x^{e}+{k}", f"x{str(e).translate(SUPERSCRIPTS)}+{k}", why)
    yield right(f"{e} \\times 10^{{{-k}}}", f"{e} × 10{str(-k).translate(SUPERSCRIPTS)}", why)
    yield right(str(-k * e), f"−{k * e}", "The minus sign of Unicode.")
    vulgar = rng.choice(list(VULGAR))
    yield right(frac(k + VULGAR[vulgar]), f"{k}{vulgar}", "A mixed number.")
    yield right(f"{low} \\le x < {high}", f"{low} ≤ x < {high}", why)
    yield right(f"(-\\infty,{low}) \\cup ({high},\\infty)", f"(−∞, {low}) ∪ ({high}, ∞)", why)
    yield right(f"{low} \\pm {root(n)}", f"{low} ± √{n}", why)
    yield right(f"{k}x", f"{k}·x", why)


def full_width(rng: Random) -> Cases:
    """Digits, brackets and signs of full width, as input methods of East Asia type them."""
    n, a, b = rng.randint(2, 99999), whole(rng, -40, 40), whole(rng, -40, 40)
    short, value = finite(rng), proper(rng)
    why = "The same characters, wider."
    for text in (str(n), f"({a}, {b})", decimal(short), f"{a}+{n}", f"{n}\\%"):
        yield right(text, text.replace("\\", "").replace(" ", "").translate(FULL_WIDTH), why)
    yield right(frac(value), f"{value.numerator}/{value.denominator}".translate(FULL_WIDTH), why)
    bold = "".join(chr(0x1D7CE + int(digit)) for digit in str(n))
    yield right(str(n), bold, "The same digits in bold, of Unicode's mathematical alphabets.")


def program_notation(rng: Random) -> Cases:
    """Formulas as programs write them, on either side."""
    k, m, n, a = rng.randint(2, 30), rng.randint(2, 12), rng.choice(SQUARE_FREE), rng.randint(2, 9)
    why = "The same formula in program notation."
    yield right(times(k, root(n)), f"{k}*sqrt({n})", why)
    yield right(f"{k}\\pi r^2", f"{k}*pi*r**2", why)
    yield right(f"{k}*cos(sqrt({a * a * n})*t)", f"{k}\\cos({a}{root(n)}t)", why + " The root is simplified.")
    yield right(f"\\frac{{x^2}}{{x+{k}}}", f"x^2/(x+{k})", why)
    yield right(f"{k}*exp(-{m}*t)", f"{k}e^{{-{m}t}}", why)
    yield right(f"({k}+{root(n)})/{m}", f"({k}+sqrt({n}))/{m}", why)
    yield right(f"{k}x^{a}-{m}", f"{k}*x**{a} - {m}", why)
    yield right(f"{k}*sin(pi*x/{m})", f"{k}\\sin\\left(\\frac{{\\pi x}}{{{m}}}\\right)", why)


def words_before(rng: Random) -> Cases:
    """Words that announce the value, inside the box."""
    n, value, k = rng.randint(2, 99999), proper(rng, 60), rng.randint(2, 40)
    why = "The words announce the value and change nothing."
    golds = (str(n), frac(value), times(k, root(3)), f"({k}, {n})")
    words = (
        "\\text{{The answer is }} {}",
        "\\text{{Answer: }} {}",
        "\\text{{The final answer is }} {}",
        "\\text{{Therefore, the answer is }} {}",
        "\\text{{The value is }} {}",
        "\\text{{Total: }} {}",
        "\\text{{Area}} = {}",
        "\\text{{The answer is ${}$}}",
        "\\textbf{{Answer:}} {}",
        "\\text{{Sum}} = {}",
    )
    for pattern in rng.sample(words, 4):
        gold = rng.choice(golds[:3] if "=" in pattern or "Total" in pattern else golds)  # no area is a pair
        yield right(gold, pattern.format(gold), why)


UNITS = (
    ("cm", "centimeters", "mm", 10),
    ("m", "meters", "cm", 100),
    ("km", "kilometers", "m", 1000),
    ("kg", "kilograms", "g", 1000),
    ("hours", "h", "minutes", 60),
    ("minutes", "min", "seconds", 60),
    ("m", "metres", "mm", 1000),
)
"""unit, its other name, a smaller unit, how many of those it is"""


def units(rng: Random) -> Cases:
    """A quantity with its unit in another font, by its other name, or in another unit."""
    unit, name, small, ratio = rng.choice(UNITS)
    n, short = rng.randint(2, 400), finite(rng)
    why = "The same quantity."
    gold = f"{n} \\text{{ {unit}}}"
    yield right(gold, f"{n}\\,\\mathrm{{{unit}}}", f"{why} The unit stands in another font.")
    yield right(gold, f"{n} \\text{{ {name}}}", f"{why} The unit has two names.")
    yield right(gold, f"{n * ratio} \\text{{ {small}}}", f"{why} {ratio} {small} are one of the gold's unit.")
    yield right(f"{n} \\text{{ {small}}}", f"{frac(Fraction(n, ratio))} \\text{{ {unit}}}", f"{why} Converted exactly.")
    yield right(
        f"{decimal(short)} \\text{{ {unit}}}", f"{decimal(short * ratio)} \\text{{ {small}}}", f"{why} Converted."
    )
    yield right(f"{n} \\text{{ cm}}^2", f"{n}\\,\\mathrm{{cm^2}}", f"{why} The unit stands in another font.")
    yield right(f"{18 * n} \\text{{ km/h}}", f"{5 * n} \\text{{ m/s}}", f"{why} 18 km/h are 5 m/s.")


def money(rng: Random) -> Cases:
    """An amount of dollars in several notations."""
    n, cents = rng.randint(1000, 999999), Fraction(rng.randint(101, 99999), 100)
    amount = f"{int(cents)}.{int(cents * 100) % 100:02d}"
    why = "The same amount."
    yield right(f"\\${n}", f"\\${grouped(n)}", why)
    yield right(f"\\${amount}", f"{amount} \\text{{ dollars}}", why)
    yield right(f"\\${n}", f"\\${grouped(n, '{,}')}.00", why)
    yield right(f"{amount} \\text{{ dollars}}", f"\\$ {amount}", why)
    yield right(f"\\${n}", f"{n} \\text{{ dollars}}", why)
    yield right(f"\\$ {grouped(n)}", f"\\${n}", why)


def angles(rng: Random) -> Cases:
    """An angle in degrees, minutes of arc and radians."""
    n, k = rng.randint(2, 359), rng.randint(2, 11)
    part = rng.choice((12, 15, 20, 30, 45, 6))
    why = "The same angle."
    yield right(f"{n}^\\circ", f"{n}^{{\\circ}}", why)
    yield right(f"{n}^\\circ", f"{n}°", why)
    yield right(f"{n}^\\circ", f"{n} \\text{{ degrees}}", why)
    yield right(f"{15 * k}^\\circ", _of_pi(Fraction(15 * k, 180)), f"{why} 180 degrees are pi radians.")
    yield right(_of_pi(Fraction(k, 12)), f"{15 * k}^\\circ", f"{why} 180 degrees are pi radians.")
    half = f"{decimal(n + Fraction(part, 60))}^\\circ" if part != 20 else f"{frac(n + Fraction(1, 3))}^\\circ"
    yield right(f"{n}^\\circ {part}'", half, f"{why} A degree has 60 minutes.")
    yield right(f"{part}'", f"{frac(Fraction(part, 60))}^\\circ", f"{why} A degree has 60 minutes.")


def _of_pi(value: Fraction) -> str:
    top = {1: "\\pi"}.get(value.numerator, f"{value.numerator}\\pi")
    return top if value.denominator == 1 else f"\\frac{{{top}}}{{{value.denominator}}}"


def degrees_in_functions(rng: Random) -> Cases:
    """Trigonometric functions of degrees."""
    k, c = rng.randint(2, 40), rng.randint(2, 40)
    known = (
        (30, "\\sin", Fraction(1, 2)),
        (60, "\\cos", Fraction(1, 2)),
        (45, "\\tan", Fraction(1)),
        (150, "\\sin", Fraction(1, 2)),
        (120, "\\cos", Fraction(-1, 2)),
        (135, "\\tan", Fraction(-1)),
        (180, "\\cos", Fraction(-1)),
        (270, "\\sin", Fraction(-1)),
    )
    angle, name, value = rng.choice(known)
    why = f"A known value at {angle} degrees."
    yield right(frac(c * value), f"{c}{name} {angle}^\\circ", why)
    yield right(f"{k}{name} {angle}^\\circ", frac(k * value), why)
    yield right(f"{k}{name}({angle}^{{\\circ}})+{c}", frac(k * value + c), why)
    yield right(f"{k}\\sin {c}^\\circ", f"{k}\\cos {90 - c}^\\circ", "The cosine of the complement.")
    yield right(f"{k}{root(3)}", f"{2 * k}\\sin 60^\\circ", "A known value at 60 degrees.")


def letters_with_an_index(rng: Random) -> Cases:
    """Expressions in letters that have an index, are Greek, or have a meaning elsewhere (e, E, i, I, S, N)."""
    letter, k, m = (
        rng.choice(("E", "e", "x", "S", "N", "a", "I", "C", "\\alpha", "\\lambda")),
        rng.randint(2, 9),
        rng.randint(2, 9),
    )
    one, two = (f"{letter}_{{1}}", f"{letter}_{{2}}") if "\\" not in letter else (f"{letter}_1", f"{letter}_2")
    why = "The same combination of the same two letters."
    total = k + m
    yield right(
        f"\\frac{{{k}}}{{{total}}} {one}+\\frac{{{m}}}{{{total}}} {two}", f"\\frac{{{k}{one}+{m}{two}}}{{{total}}}", why
    )
    yield right(f"{k}{one}+{m}{two}", f"{m}{letter}_2+{k}{letter}_1", why)
    yield right(f"{one}{two}+{k}", f"{letter}_2 {letter}_1+{k}", why)
    yield right(f"\\frac{{{one}-{two}}}{{{m}}}", f"-\\frac{{{letter}_2-{letter}_1}}{{{m}}}", why)
    yield right(f"{k}({one}+{two})", f"{k}{letter}_1+{k}{letter}_2", why)


NOUNS = ("ellipse", "parabola", "hyperbola", "circle", "odd", "even", "yes", "no", "true", "false", "Tuesday", "Friday")


def words(rng: Random) -> Cases:
    """Answers that are a word, in another font or with another capital."""
    word = rng.choice(NOUNS)
    why = "The same word."
    yield right(word, f"\\text{{{word}}}", why)
    yield right(f"\\text{{{word}}}", f"\\textbf{{{word}}}", why)
    yield right(f"\\text{{{word}}}", word, why)
    yield right(word, f"\\text{{{word.capitalize()}}}", f"{why} A capital does not change it.")
    yield right(f"\\text{{{word}}}", f"\\mathrm{{{word}}}", why)
    yield right(word, f"\\text{{ {word}. }}", f"{why} A full stop does not change it.")


OPTIONS = (
    "the second law",
    "mitochondria",
    "12 cm",
    "none of these",
    "x > 3",
    "carbon",
    "3/4",
    "a convex set",
    "always",
)


def option_letters(rng: Random) -> Cases:
    """The letter of an option, in brackets, in bold, or with the option's text."""
    letter, text = rng.choice("ABCDEFGHIJ"), rng.choice(OPTIONS)
    why = "The same option."
    patterns = (
        f"({letter})",
        f"\\text{{{letter}}}",
        f"\\textbf{{({letter})}}",
        f"\\text{{({letter}) {text}}}",
        f"{letter}: \\text{{{text}}}",
        f"{letter}: {text}",
        f"\\text{{{letter}. {text}}}",
        f"{letter}) {text}",
        f"\\mathrm{{{letter}}}",
        f"\\text{{Option {letter}}}",
    )
    for pattern in rng.sample(patterns, 4):
        yield right(letter, pattern, why, "choice")


def true_chains(rng: Random) -> Cases:
    """A chain of equations that are true and end in the answer."""
    a, b, c = rng.randint(2, 30), rng.randint(2, 30), rng.randint(2, 30)
    why = "Every equation of the chain is true, and it ends in the answer."
    value = Fraction(a, b)
    yield right(str(a * b), f"{a} \\cdot {b} = {a * b}", why)
    yield right(str(a * b + c), f"x = {a} \\cdot {b} + {c} = {a * b} + {c} = {a * b + c}", why)
    yield right(str(a + b + c), f"{a} + {b} + {c} = {a + b + c}", why)
    yield right(times(a, root(3)), f"{root(3 * a * a)} = {times(a, root(3))}", why)
    yield right(f"x^2+{linear(a, b)}", f"f(x) = x^2+{linear(a, b)}", why)
    if value.denominator not in (1, b):
        yield right(frac(value), f"P = \\frac{{{a}}}{{{b}}} = {frac(value)}", why)
