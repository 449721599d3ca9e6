"""Equal forms of what is not the same formula everywhere: floors, parities, absolute values, functions by pieces."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from benchmarks.adversarial.cases import SuiteCase, right
from benchmarks.adversarial.texts import linear, plus, whole

Cases = Iterator[SuiteCase]


def floor(text: str) -> str:
    return f"\\lfloor {text} \\rfloor"


def ceiling(text: str) -> str:
    return f"\\lceil {text} \\rceil"


def floors_and_ceilings(rng: Random) -> Cases:
    """Identities of floor and ceiling for an integer n, as in counts."""
    n, k, c = rng.choice(("n", "m", "k")), rng.randint(2, 9), whole(rng, -6, 9)
    why = f"For every integer {n}, as a ceiling is the floor of a fraction that is enlarged by {k - 1} parts."
    yield right(f"{ceiling(f'{n}/{k}')}{plus(c)}", f"{floor(f'({n}+{k - 1})/{k}')}{plus(c)}", why)
    big = f"\\left\\lceil\\frac{{{n}}}{{{k}}}\\right\\rceil"
    yield right(big, f"\\left\\lfloor\\frac{{{n}+{k - 1}}}{{{k}}}\\right\\rfloor", why)
    yield right(
        f"{floor(f'{n}/2')}+{ceiling(f'{n}/2')}{plus(c)}", f"{n}{plus(c)}", f"The two halves of an integer {n}."
    )
    up = rng.randint(1, 5)
    yield right(f"{floor(f'{n}/{k}')}+{up}", floor(f"({n}+{k * up})/{k}"), "An integer may go into the floor.")
    yield right(ceiling(f"{n}/{k}"), f"-{floor(f'-{n}/{k}')}", "A ceiling is the negative floor of the negative.")
    yield right(f"{n}-{floor(f'{n}/2')}", ceiling(f"{n}/2"), f"The two halves of an integer {n}.")
    yield right(floor(f"({n}-1)/{k}"), f"{ceiling(f'{n}/{k}')}-1", f"For every integer {n}.")


def integer_identities(rng: Random) -> Cases:
    """Identities that hold because n is an integer."""
    n, c, k = rng.choice(("n", "k", "m")), rng.randint(2, 30), rng.randint(1, 9)
    why = f"Equal for every integer {n}."
    yield right(f"{c}(-1)^{n}", f"{c}\\cos(\\pi {n})", why)
    yield right(f"(-1)^{{{n}}}+{c}", f"(-1)^{{{n}+{2 * k}}}+{c}", why)
    yield right(f"{c}(-1)^{n}", f"-{c}(-1)^{{{n}+{2 * k - 1}}}", why)
    yield right(f"{c}(-1)^{n}", f"{c}\\sin\\left(\\frac{{(2{n}+1)\\pi}}{{2}}\\right)", why)
    yield right(f"\\frac{{1+(-1)^{n}}}{{2}}+{c}", f"\\cos^2\\left(\\frac{{\\pi {n}}}{{2}}\\right)+{c}", why)
    yield right(f"\\frac{{1-(-1)^{{{n}}}}}{{2}}+{c}", f"\\sin^2\\left(\\frac{{{n}\\pi}}{{2}}\\right)+{c}", why)
    yield right(f"{c}\\cos(2\\pi {n})+{k}", str(c + k), why)


def absolute_values(rng: Random) -> Cases:
    """Absolute values, maxima, minima and roots of squares of real numbers."""
    x, a, k = rng.choice(("x", "y", "t")), whole(rng, 1, 15), rng.randint(2, 9)
    yield right(f"|{x}-{a}|", f"|{a}-{x}|", "A distance does not depend on the order.")
    yield right(f"|{x}-{a}|", f"\\max({x}-{a},{a}-{x})", "The larger of a number and its negative.")
    yield right(f"|{x}-{a}|", f"\\sqrt{{({x}-{a})^2}}", "The root of a square of a real number.")
    yield right(f"|{k}{x}-{k * a}|", f"{k}|{x}-{a}|", "A positive factor is taken out.")
    yield right(f"\\max({x},{a})", f"\\frac{{{x}+{a}+|{x}-{a}|}}{{2}}", "Half the sum of the sum and the distance.")
    yield right(f"\\min({x},{a})", f"\\frac{{{x}+{a}-|{x}-{a}|}}{{2}}", "Half the difference of sum and distance.")
    yield right(f"\\max({x},{a})", f"\\max({a},{x})", "A maximum does not depend on the order.")
    yield right(f"\\min({x},{a})", f"-\\max(-{x},-{a})", "The least is the negative of the largest negative.")
    yield right(f"\\left|{x}+{a}\\right|", f"\\sqrt{{{x}^2+{2 * a}{x}+{a * a}}}", "The root of a square.")


def by_pieces(rng: Random) -> Cases:
    """Functions given by cases: branches in another order, conditions turned round, one formula for all."""
    a, b, c = whole(rng, 1, 9), whole(rng, -9, 9), rng.randint(1, 9)
    up, down = linear(1, -a), linear(-1, a)
    first, second = linear(2, b), linear(-3, c)

    def cases(*branches: tuple[str, str]) -> str:
        return "\\begin{cases} " + " \\\\ ".join(f"{v} & {when}" for v, when in branches) + " \\end{cases}"

    gold = cases((first, f"x \\ge {a}"), (second, f"x < {a}"))
    yield right(gold, cases((second, f"x < {a}"), (first, f"x \\ge {a}")), "The branches stand in another order.")
    yield right(
        gold, cases((first, f"{a} \\le x"), (second, f"{a} > x")), "The conditions are read from the other side."
    )
    turned = cases((f"{b}+2x", f"x \\geq {a}"), (second, f"x < {a}"))
    yield right(gold, turned, "The terms of a branch stand in another order.")
    written = gold.replace("& x", "& \\text{if } x")
    yield right(gold, written, "The conditions have the word if.")
    yield right(f"|x-{a}|", cases((up, f"x \\ge {a}"), (down, f"x < {a}")), "The definition of the absolute value.")
    yield right(cases((up, f"x > {a}"), ("0", f"x \\le {a}")), f"\\max(x-{a},0)", "The larger of the two.")
