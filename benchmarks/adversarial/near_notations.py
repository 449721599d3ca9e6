"""Near misses of words, units, letters and separators around a value that is the gold's."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from benchmarks.adversarial.cases import SuiteCase, wrong
from benchmarks.adversarial.equal_notations import NOUNS, OPTIONS
from benchmarks.adversarial.texts import decimal, distinct, finite, frac, grouped, proper, root, times

Cases = Iterator[SuiteCase]
SYNONYMS = ({"yes", "true"}, {"no", "false"}, {"circle", "ellipse"})
"""pairs of words of which the second may be true where the first is"""


def words_after(rng: Random) -> Cases:
    """The gold's number, and words after it that make another number of it, or none."""
    n, value = rng.randint(3, 400), proper(rng)
    multiples = ("million", "billion", "thousand", "hundred", "dozen", "squared", "cubed", "factorial")
    for word in rng.sample(multiples, 2):
        yield wrong(str(n), f"{n} \\text{{ {word}}}", f"`{word}` makes another number of it.")
    function = rng.choice(("choose two", "over three", "times seven", "plus one", "minus two", "to the power of four"))
    yield wrong(str(n), f"{n} {function}", f"`{function}` makes another number of it.")
    doubts = ("is not the answer", "is wrong", "is too large", "would be too small", "is excluded", "is not possible")
    yield wrong(str(n), f"{n}\\text{{ {rng.choice(doubts)}}}", "The words say that it is not the answer.")
    yield wrong(
        frac(value), f"{frac(value)}\\text{{ {rng.choice(doubts)}}}", "The words say that it is not the answer."
    )
    ranges = ("or more", "or less", "at most", "at least", "plus or minus 3", "or so, perhaps twice that")
    yield wrong(str(n), f"{n} \\text{{ {rng.choice(ranges)}}}", "The words make a range of the number.")


def words_before_that_change(rng: Random) -> Cases:
    """Words before the gold's number that make another statement of it."""
    n, value = rng.randint(3, 9999), proper(rng)
    before = (
        ("not", "It says that the gold is not the answer."),
        ("at least", "A bound is no value."),
        ("less than", "A bound is no value."),
        ("more than", "A bound is no value."),
        ("half of", "Half of it is another number."),
        ("twice", "Twice it is another number."),
        ("the square of", "The square is another number."),
        ("anything but", "It says that the gold is not the answer."),
        ("minus", "The negative is another number."),
        ("one more than", "It is another number."),
    )
    for word, why in rng.sample(before, 3):
        yield wrong(str(n), f"\\text{{{word} }} {n}", why)
    word, why = rng.choice(before)
    yield wrong(frac(value), f"\\text{{{word} }} {frac(value)}", why)
    word, why = rng.choice(before)
    yield wrong(times(n, root(3)), f"\\text{{{word} }} {times(n, root(3))}", why)


def wrong_units(rng: Random) -> Cases:
    """The gold's number with a unit of another kind or size."""
    n, short = rng.randint(2, 900), finite(rng)
    kinds = (("cm", "m", "mm", "km"), ("kg", "g", "mg"), ("seconds", "minutes", "hours", "days"), ("m/s", "km/h"))
    first, second = rng.sample(kinds[:3], 2)
    unit, other = rng.choice(first), rng.choice(second)
    yield wrong(f"{n} \\text{{ {unit}}}", f"{n} \\text{{ {other}}}", f"A quantity in {unit} is none in {other}.")
    one, two = rng.sample(rng.choice(kinds), 2)
    why = "The same number of another unit is another quantity."
    yield wrong(f"{n} \\text{{ {one}}}", f"{n} \\text{{ {two}}}", f"{why} Gold: {one}.")
    yield wrong(f"{decimal(short)}\\,\\mathrm{{{one}}}", f"{decimal(short)}\\,\\mathrm{{{two}}}", f"{why} Gold: {one}.")
    yield wrong(f"{n} \\text{{ cm}}^2", f"{n} \\text{{ cm}}^3", "An area is no volume.")
    yield wrong(f"{n} \\text{{ m}}^2", f"{n} \\text{{ m}}", "An area is no length.")
    yield wrong(f"{n} \\text{{ {one}}}", f"{n + 1} \\text{{ {one}}}", "Another number of the same unit.")
    yield wrong(f"\\${n}", f"{n} \\text{{ cents}}", "A dollar is a hundred cents.")
    yield wrong(f"{n} \\text{{ {unit}}}", f"{n}^\\circ", "An angle is measured in degrees, the gold is not an angle.")


def minutes_for_degrees(rng: Random) -> Cases:
    """Minutes or seconds of arc, or radians, where the gold has degrees."""
    n, k, m = rng.randint(2, 179), rng.randint(2, 59), rng.randint(2, 59)
    why = "A degree has 60 minutes of 60 seconds."
    yield wrong(f"{n}^\\circ", f"{n}'", why)
    yield wrong(f"{n}^\\circ", f"{n}''", why)
    yield wrong(f"{n}^\\circ", f"{n}^\\circ {k}'", why)
    yield wrong(f"{n}^\\circ {k}'", f"{n}^\\circ", why)
    yield wrong(f"{n}^\\circ {k}'", f"{n}^\\circ {k}''", why)
    yield wrong(f"{n}^{{\\circ}}", f"{n}^{{\\prime}}", why)
    yield wrong(f"{n}^\\circ", f"{n} \\text{{ radians}}", "A radian is more than 57 degrees.")
    yield wrong(f"{n}^\\circ {k}'", f"{n}^\\circ {m if m != k else m - 1}'", "Other minutes.")
    yield wrong(f"{n}^\\circ", f"{n + 1}^\\circ", "Another degree.")


def permuted_letters(rng: Random) -> Cases:
    """The letters of a polygon, a path or a code in an order that is neither a rotation nor a reflection."""
    letters = rng.sample("ABCDEFGHKLMNPQRSTUVW", rng.randint(4, 6))
    gold = "".join(letters)
    cyclic = {gold[i:] + gold[:i] for i in range(len(gold))}
    same = cyclic | {name[::-1] for name in cyclic}
    others: list[str] = []
    while len(others) < 3:
        made = "".join(rng.sample(letters, len(letters)))
        if made not in same and made not in others:
            others.append(made)
    why = "Another order of the letters, and not the same polygon from another corner or the other way round."
    yield wrong(gold, others[0], why)
    yield wrong(gold, f"\\text{{{others[1]}}}", why)
    yield wrong(f"\\text{{{gold}}}", others[2], why)
    yield wrong(gold, gold[:-1], "A letter is missing.")
    yield wrong(f"{' > '.join(letters)}", f"{' > '.join(others[0])}", "Another order.")


def other_options(rng: Random) -> Cases:
    """Another option's letter, several, or all."""
    letter, other, third = rng.sample("ABCDEF", 3)
    text = rng.choice(OPTIONS)
    yield wrong(letter, other, "Another option.", "choice")
    yield wrong(letter, f"\\text{{({other}) {text}}}", "Another option.", "choice")
    yield wrong(letter, f"{other}: \\text{{{text}}}", "Another option.", "choice")
    yield wrong(letter, f"{letter}, {other}", "Two options where one is right.", "choice")
    yield wrong(letter, f"\\text{{{letter} or {other}}}", "Two options where one is right.", "choice")
    yield wrong(letter, f"\\text{{not {letter}}}", "It says that the right option is not the answer.", "choice")
    yield wrong(letter, "".join(sorted((letter, other, third))), "Three options where one is right.", "choice")
    yield wrong(letter, f"\\textbf{{({other})}}", "Another option.", "choice")


def other_words(rng: Random) -> Cases:
    """Another word, or the negative of the gold's."""
    word, other = rng.sample(NOUNS, 2)
    while {word, other} in SYNONYMS:
        word, other = rng.sample(NOUNS, 2)
    yield wrong(word, f"\\text{{{other}}}", "Another word.")
    yield wrong(f"\\text{{{word}}}", f"\\text{{not {word}}}", "It says the opposite.")
    yield wrong(f"\\text{{{word}}}", f"\\text{{{word} or {other}}}", "Two answers where one is asked for.")
    yield wrong(
        f"\\text{{{word}}}", f"\\text{{neither {word} nor {other}}}", "It says that the gold is not the answer."
    )
    yield wrong(word, f"\\text{{{word[::-1]}}}", "The letters are reversed.")
    yield wrong(word, f"\\text{{{word}, {other}}}", "Two answers where one is asked for.")


def wrong_separators(rng: Random) -> Cases:
    """Digits lost or added with a separator of thousands, two numbers joined, one number split."""
    n = rng.randint(1001, 999999)
    while n % 10 == 0:
        n += 1
    a, b = distinct(rng, 2, 2, 99)
    yield wrong(str(n), grouped(n + rng.randint(1, 9)), "Another number.")
    yield wrong(f"{n}", f"{grouped(n)},000", "A thousand times the gold.")
    yield wrong(str(n), grouped(n).partition(",")[0], "The last three digits are missing.")
    yield wrong(f"{a}, {b}", f"{a}{b}", "The gold has two numbers, the answer has one.")
    yield wrong(f"{a}{b}", f"{a}, {b}", "The gold has one number, the answer has two.")
    yield wrong(str(n), f"{n}" + str(n)[-1], "A digit too many.")


def gold_as_part(rng: Random) -> Cases:
    """An answer that has the gold's characters in it and another value."""
    n, k, value = rng.randint(11, 99), rng.randint(2, 9), proper(rng)
    why = "The gold's characters are part of another value."
    yield wrong(str(n), f"{k}{n}", why)
    yield wrong(str(n), f"{n}{k}", why)
    yield wrong(str(n), f"{n}.{k}", why)
    yield wrong(str(n), f"\\frac{{{n}}}{{{k}}}", why)
    yield wrong(str(n), f"{n}x", why)
    yield wrong(str(n), root(n), why)
    yield wrong(frac(value), f"{frac(value)}\\pi", why)
    yield wrong(frac(value), f"x+{frac(value)}", why)
    yield wrong(f"{k}x+{n}", str(n), "The gold has a term with a letter.")
    yield wrong(str(n), f"{n}^{k}", why)
