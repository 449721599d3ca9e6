"""Near misses of sets, intervals, tuples, matrices and equations: one element, end, place or sign is another."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from benchmarks.adversarial.cases import SuiteCase, wrong
from benchmarks.adversarial.equal_structures import braces
from benchmarks.adversarial.texts import SQUARE_FREE, distinct, frac, linear, proper, root, times, whole

Cases = Iterator[SuiteCase]


def other_elements(rng: Random) -> Cases:
    """A set or a list of solutions with an element missing, too many, or another."""
    items = [str(value) for value in distinct(rng, rng.randint(3, 5), -30, 60)]
    bare, fewer = ", ".join(items), ", ".join(items[:-1])
    extra = str(rng.randint(61, 99))
    yield wrong(braces(items), braces(items[:-1]), "An element is missing.")
    yield wrong(braces(items), braces([*items, extra]), f"{extra} is not in the gold.")
    yield wrong(bare, fewer, "A solution is missing.")
    yield wrong(bare, f"{bare}, {extra}", f"{extra} is no solution.")
    yield wrong(bare, f"{fewer} \\text{{ and }} {extra}", f"{extra} is no solution.")
    yield wrong(items[0], bare, "The gold is one value, the answer has more.")
    yield wrong(f"x = {items[0]} \\text{{ or }} x = {items[1]}", f"x = {items[0]}", "A solution is missing.")
    yield wrong(braces(items), braces([*items[:-1], extra]), "One element is another.")


def order_in_tuples(rng: Random) -> Cases:
    """The entries of a tuple in another order."""
    a, b, c = distinct(rng, 3, -30, 40)
    value, n = proper(rng), rng.choice(SQUARE_FREE)
    why = "A tuple has an order, and its entries differ."
    yield wrong(f"({a},{b})", f"({b},{a})", why)
    yield wrong(f"({a}, {b}, {c})", f"({c}, {b}, {a})", why)
    yield wrong(f"\\left({a}, {frac(value)}\\right)", f"\\left({frac(value)}, {a}\\right)", why)
    yield wrong(f"({a},{root(n)})", f"({root(n)},{a})", why)
    yield wrong(f"({a}, {b}, {c})", f"({a}, {c}, {b})", why)
    yield wrong(f"({a},{b})", f"({a},{b},{c})", "A pair is no triple.")
    yield wrong(f"({a},{b})", f"({a},{b + 1})", "One entry is another.")


def swapped_names(rng: Random) -> Cases:
    """Named values whose names are exchanged."""
    a, b, c = distinct(rng, 3, -30, 40)
    p, q = rng.choice((("x", "y"), ("a", "b"), ("m", "n"), ("p", "q")))
    why = "The names say which value is whose, and they are exchanged."
    yield wrong(f"{p}={a},{q}={b}", f"{p}={b},{q}={a}", why)
    yield wrong(f"{p}={a}, {q}={b}", f"{q}={a}, {p}={b}", why)
    yield wrong(f"({p},{q})=({a},{b})", f"({q},{p})=({a},{b})", why)
    yield wrong(f"({p},{q})=({a},{b})", f"{p}={b}, {q}={a}", why)
    yield wrong(f"{p}={a} \\text{{ and }} {q}={b}", f"{p}={b} \\text{{ and }} {q}={a}", why)
    yield wrong(f"x={a}, y={b}, z={c}", f"x={a}, y={c}, z={b}", why)
    yield wrong(f"x={a}, y={b}, z={c}", f"y={a}, z={b}, x={c}", why)


def interval_ends(rng: Random) -> Cases:
    """An end open for closed, closed for open, or elsewhere."""
    low, high = sorted(distinct(rng, 2, -40, 40))
    x = rng.choice(("x", "a", "m", "t"))
    ends = "The ends differ: one belongs to one of the two only."
    yield wrong(f"[{low},{high})", f"[{low},{high}]", ends)
    yield wrong(f"[{low},{high}]", f"[{low},{high})", ends)
    yield wrong(f"[{low},{high})", f"({low},{high}]", ends)
    yield wrong(f"{low} \\le {x} < {high}", f"{low} < {x} < {high}", ends)
    yield wrong(f"({low},\\infty)", f"[{low},\\infty)", ends)
    yield wrong(f"{x} > {low}", f"{x} \\ge {low}", ends)
    yield wrong(f"(-\\infty,{high}]", f"{x} < {high}", ends)
    yield wrong(f"[{low},{high}]", f"[{low},{high + 1}]", "Another end.")
    yield wrong(f"[{low},{high}]", f"\\{{{low},{high}\\}}", "An interval is more than its two ends.")


def closed_infinities(rng: Random) -> Cases:
    """An infinite end that is closed, which no interval of real numbers has."""
    a, value, n = whole(rng, -60, 60, ()), proper(rng), rng.choice(SQUARE_FREE)
    why = "Infinity is no real number, so no interval of them is closed there."
    yield wrong(f"({a},\\infty)", f"({a},\\infty]", why)
    yield wrong(f"[{a},\\infty)", f"[{a},\\infty]", why)
    yield wrong(f"(-\\infty,{a})", f"[-\\infty,{a})", why)
    yield wrong(f"(-\\infty,{frac(value)}]", f"\\left[-\\infty,{frac(value)}\\right]", why)
    yield wrong(f"({root(n)},\\infty)", f"({root(n)},+\\infty]", why)
    yield wrong(f"x > {a}", f"({a},\\infty]", why)
    yield wrong(f"(-\\infty,{a}) \\cup ({a + 1},\\infty)", f"(-\\infty,{a}) \\cup ({a + 1},\\infty]", why)


def wrong_inequalities(rng: Random) -> Cases:
    """The other direction, the border for the range, the complement, and for or."""
    low, high = sorted(distinct(rng, 2, -40, 40))
    k = rng.randint(2, 9)
    union = f"(-\\infty,{low}) \\cup ({high},\\infty)"
    yield wrong(f"x > {low}", f"x < {low}", "The other direction.")
    yield wrong(f"ab \\ge {k}e^2", f"ab \\le {k}e^2", "The other direction.")
    yield wrong(f"m \\ge {root(k * k + 1)}", root(k * k + 1), "A number is no range.")
    yield wrong(f"x \\ge {high}", f"x = {high}", "The border is no range.")
    yield wrong(union, f"({low},{high})", "The part between, which is what is missing.")
    yield wrong(union, f"x < {low}", "Half of the union.")
    yield wrong(f"x < {low} \\text{{ or }} x > {high}", f"[{low},{high}]", "The complement.")
    yield wrong(union, f"(-\\infty,{low}) \\cap ({high},\\infty)", "The intersection is empty.")
    yield wrong(f"({low},{high}]", f"x > {low}", "The upper end is missing.")


def wrong_exceptions(rng: Random) -> Cases:
    """All real numbers except some: another one, none, or the exception itself."""
    a, b = distinct(rng, 2, -40, 40)
    low, high = min(a, b), max(a, b)
    hole = f"\\mathbb{{R}} \\setminus \\{{{a}\\}}"
    yield wrong(hole, f"\\mathbb{{R}} \\setminus \\{{{b}\\}}", "Another number is left out.")
    yield wrong(hole, "\\mathbb{R}", f"The answer has {a}, which the gold leaves out.")
    yield wrong(hole, f"x = {a}", "The exception for the rule.")
    yield wrong(f"x \\ne {a}", f"x = {a}", "The exception for the rule.")
    yield wrong(f"\\text{{all real numbers except }} {a}", f"\\text{{all real numbers except }} {b}", "Another number.")
    yield wrong(
        f"(-\\infty,{a}) \\cup ({a},\\infty)", "(-\\infty,\\infty)", f"The answer has {a}, which the gold leaves out."
    )
    both = f"\\mathbb{{R}} \\setminus \\{{{low},{high}\\}}"
    yield wrong(both, f"\\mathbb{{R}} \\setminus ({low},{high})", "A whole interval is left out.")
    yield wrong(both, hole, f"The answer has {b}, which the gold leaves out.")


def one_of_plus_minus(rng: Random) -> Cases:
    """One value of two, or two other values."""
    n, a, b = rng.choice(SQUARE_FREE), whole(rng, -12, 12), rng.randint(2, 9)
    pair = f"{a} \\pm {root(n)}"
    yield wrong(pair, f"{a}+{root(n)}", "One of the two values is missing.")
    yield wrong(f"{a}+{root(n)}", pair, "The answer has a second value.")
    yield wrong(f"\\pm {a + 20}", str(a + 20), "One of the two values is missing.")
    yield wrong(str(a + 20), f"\\pm {a + 20}", "The answer has a second value.")
    yield wrong(pair, f"{a} \\pm {root(n + 1 if n + 1 not in (4, 9, 16) else n + 2)}", "Two other values.")
    yield wrong(f"\\frac{{{a} \\pm {root(n)}}}{{{b}}}", f"\\frac{{{a}+{root(n)}}}{{{b}}}", "One value is missing.")
    yield wrong(f"\\frac{{{a} \\pm {root(n)}}}{{{b}}}", f"{a} \\pm \\frac{{{root(n)}}}{{{b}}}", "Two other values.")
    yield wrong(pair, f"{-a} \\pm {root(n)}", "The mean of the two values differs.")


def other_matrices(rng: Random) -> Cases:
    """The transpose, exchanged rows, another entry, another sign."""
    a, b, c, d = distinct(rng, 4, 1, 15)

    def two(*entries: int, kind: str = "pmatrix") -> str:
        e, f, g, h = entries
        return f"\\begin{{{kind}}} {e} & {f} \\\\ {g} & {h} \\end{{{kind}}}"

    gold = two(a, b, c, d)
    yield wrong(gold, two(a, c, b, d), "The transpose, and the matrix is not symmetric.")
    yield wrong(gold, two(c, d, a, b), "The rows are exchanged.")
    yield wrong(gold, two(a, b, c, -d), "An entry has another sign.")
    yield wrong(gold, two(a, b, c, d + 1), "One entry is another.")
    yield wrong(gold, two(a, b, c, d, kind="vmatrix"), "A determinant is a number.")
    yield wrong(gold, f"({a},{b},{c},{d})", "A tuple of four is no matrix of two rows.")
    yield wrong(gold, f"2{gold}", "Twice the matrix.")


def other_vectors(rng: Random) -> Cases:
    """Components exchanged, of another sign, missing, or multiplied."""
    a, b, c = distinct(rng, 3, 2, 30)
    column = f"\\begin{{pmatrix}} {a} \\\\ {b} \\\\ {c} \\end{{pmatrix}}"
    yield wrong(column, f"({a},{c},{b})", "Two components are exchanged.")
    yield wrong(column, f"({a},{b},{-c})", "A component has another sign.")
    yield wrong(column, f"({a},{b},{c + 1})", "One component is another.")
    yield wrong(f"\\langle {a},{b},{c} \\rangle", f"\\langle {2 * a},{2 * b},{2 * c} \\rangle", "Twice the vector.")
    yield wrong(f"({a},{b},{c})", f"({a},{b})", "A component is missing.")
    yield wrong(column, root(a * a + b * b + c * c), "The length of the vector.")
    yield wrong(column, f"\\{{{a},{b},{c}\\}}", "A set has no order, a vector has one.")


def other_equations(rng: Random) -> Cases:
    """A line, circle or ellipse with a coefficient, a sign or a radius that is another."""
    m, b = whole(rng, -9, 9, (0, 1, -1)), whole(rng, -12, 12)
    p, q, r = rng.randint(1, 9), rng.randint(1, 9), rng.randint(2, 12)
    why = "Other points: "
    yield wrong(f"y={linear(m, b)}", f"y={linear(-m, b)}", f"{why}the slope has another sign.")
    yield wrong(f"y={linear(m, b)}", f"y={linear(m, b + 1)}", f"{why}the line is shifted.")
    yield wrong(f"y={linear(m, b)}", f"x={linear(m, b, 'y')}", f"{why}the variables are exchanged.")
    yield wrong(f"(x-{p})^2+(y-{q})^2={r * r}", f"(x-{p})^2+(y-{q})^2={r}", f"{why}the radius is not squared.")
    yield wrong(f"(x-{p})^2+(y-{q})^2={r * r}", f"(x+{p})^2+(y+{q})^2={r * r}", f"{why}the centre is another.")
    yield wrong(
        f"\\frac{{x^2}}{{{p}}}+\\frac{{y^2}}{{{p + q}}}=1",
        f"\\frac{{x^2}}{{{p + q}}}+\\frac{{y^2}}{{{p}}}=1",
        f"{why}turned.",
    )
    yield wrong(
        f"\\frac{{x^2}}{{{p}}}+\\frac{{y^2}}{{{p + q}}}=1",
        f"\\frac{{x^2}}{{{4 * p}}}+\\frac{{y^2}}{{{4 * (p + q)}}}=1",
        f"{why}twice as large.",
    )
    yield wrong(f"y={linear(m, b)}", linear(m, -b) + "=y", f"{why}a term has another sign.")
    yield wrong(f"{times(p, 'x')}+{r}y={q}", f"{times(p, 'x')}+{r}y=0", f"{why}the line goes through the origin.")


def false_chains(rng: Random) -> Cases:
    """A chain of equations that is false, whatever it ends in."""
    n, a, b = rng.randint(10, 999), rng.randint(3, 30), rng.randint(3, 30)
    c = rng.randint(1, 9)
    why = "An equation of the chain is false, so the answer says nothing."
    yield wrong(str(n), f"{n + c} = {n}", why)
    yield wrong(str(n), f"{n} = {n + c}", why)
    yield wrong(str(a * b), f"{a} \\cdot {b + 1} = {a * b}", why)
    yield wrong(str(a + b), f"{a} + {b} = {a + b + c}", "The chain is false, and it ends in another value.")
    yield wrong(times(a, root(3)), f"{root(3)} = {times(a, root(3))}", why)
    yield wrong(str(n), f"{n - 1} = {n} = {n + 1}", why)
    yield wrong(str(n), f"0 = {n}", why)
    yield wrong(frac(proper(rng)), f"1 = {n} = 2", why)
