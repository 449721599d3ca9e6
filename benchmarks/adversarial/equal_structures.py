"""Equal forms of sets, intervals, tuples, matrices and equations. Each pair is one object, written in two ways."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from benchmarks.adversarial.cases import SuiteCase, right
from benchmarks.adversarial.texts import (
    SQUARE_FREE,
    decimal,
    distinct,
    finite,
    frac,
    linear,
    plus,
    polynomial,
    product,
    proper,
    root,
    shuffled,
    slash,
    times,
    whole,
)

Cases = Iterator[SuiteCase]


def braces(items: list[str]) -> str:
    return f"\\{{{', '.join(items)}\\}}"


def sets(rng: Random) -> Cases:
    """A finite set with its elements in another order or another form."""
    items = [str(value) for value in distinct(rng, rng.randint(3, 5), -20, 40)]
    why = "A set has no order."
    yield right(braces(items), braces(shuffled(rng, items)), why)
    value, short = proper(rng), finite(rng)
    mixed = [frac(value), root(rng.choice(SQUARE_FREE)), str(rng.randint(2, 90))]
    yield right(braces(mixed), braces(shuffled(rng, mixed)), why)
    yield right(braces([items[0], frac(value)]), braces([slash(value), items[0]]), f"{why} The fraction is the same.")
    yield right(braces([decimal(short), items[1]]), braces([items[1], frac(short)]), f"{why} The decimal is exact.")
    yield right(braces(items), f"\\left\\{{{','.join(shuffled(rng, items))}\\right\\}}", f"{why} The braces only grow.")
    names = [f"({a},{b})" for a, b in zip(distinct(rng, 3, -9, 9), distinct(rng, 3, -9, 9), strict=True)]
    yield right(braces(names), braces(shuffled(rng, names)), f"{why} The pairs in it are the same.")


def lists_with_words(rng: Random) -> Cases:
    """The same solutions with words between them, with the unknown's name, or with braces. Their order is kept."""
    items = [str(value) for value in distinct(rng, rng.randint(2, 4), -20, 60)]
    bare = ", ".join(items)
    why = "The same solutions."
    yield right(bare, f"{', '.join(items[:-1])} \\text{{ and }} {items[-1]}", why)
    yield right(bare, f"{', '.join(items[:-1])} \\text{{ or }} {items[-1]}", why)
    yield right(bare, " \\text{ or } ".join(f"x = {item}" for item in items), why)
    yield right(f"x = {bare}", f"x \\in {braces(items)}", why)
    yield right(braces(items), f"x \\in {braces(items)}", why)
    yield right(f"{', '.join(items[:-1])} \\text{{ and }} {items[-1]}", bare, why)
    yield right(" \\text{ or } ".join(f"x = {item}" for item in items), f"x = {bare}", why)


def intervals(rng: Random) -> Cases:
    """An interval and the inequality that says the same."""
    low, high = sorted(distinct(rng, 2, -30, 30))
    x = rng.choice(("x", "a", "m", "k", "t"))
    why = f"Both hold for the same real {x}."
    yield right(f"[{low},{high})", f"{low} \\le {x} < {high}", why)
    yield right(f"{low} < {x} \\leq {high}", f"({low}, {high}]", why)
    yield right(f"({low},\\infty)", f"{x} > {low}", why)
    yield right(f"{x} \\le {high}", f"(-\\infty, {high}]", why)
    yield right(f"[{low},{high}]", f"{x} \\in [{low}, {high}]", why)
    yield right(f"{x} \\geq {low}", f"{low} \\leq {x}", "The inequality is read from the other side.")
    yield right(f"({low},{high}]", f"\\{{{x} : {low} < {x} \\le {high}\\}}", why)
    yield right(f"[{low},\\infty)", f"\\{{{x} \\mid {x} \\ge {low}\\}}", why)
    yield right(f"({low},\\infty)", f"\\left({low}, +\\infty\\right)", "Infinity is positive without a sign.")
    value = proper(rng)
    yield right(f"[{frac(-value)},{frac(value)}]", f"-{frac(value)} \\le {x} \\le {frac(value)}", why)


def unions(rng: Random) -> Cases:
    """Unions of intervals, inequalities with or, and all real numbers except some."""
    low, high = sorted(distinct(rng, 2, -20, 20))
    a = rng.randint(1, 20)
    union = f"(-\\infty,{low}) \\cup ({high},\\infty)"
    why = "Both hold for the same real numbers."
    yield right(union, f"x < {low} \\text{{ or }} x > {high}", why)
    yield right(union, f"({high},\\infty) \\cup (-\\infty,{low})", "A union has no order.")
    yield right(f"x \\le {low} \\text{{ or }} x \\ge {high}", f"(-\\infty,{low}] \\cup [{high},\\infty)", why)
    yield right(f"(-\\infty,-{a}) \\cup ({a},\\infty)", f"|x| > {a}", why)
    yield right(f"[-{a},{a}]", f"|x| \\le {a}", why)
    yield right(f"(-\\infty,{low}) \\cup ({low},\\infty)", f"\\mathbb{{R}} \\setminus \\{{{low}\\}}", why)
    yield right(f"(-\\infty,{low}) \\cup ({low},\\infty)", f"x \\ne {low}", why)
    yield right(f"\\mathbb{{R}} \\setminus \\{{{low}\\}}", f"\\text{{all real numbers except }} {low}", why)


def plus_minus(rng: Random) -> Cases:
    """A value with plus-minus and its two values."""
    n, a, b = rng.choice(SQUARE_FREE), whole(rng, -12, 12), rng.randint(2, 9)
    pair = f"{a} \\pm {root(n)}"
    why = "Plus-minus stands for the two values."
    yield right(pair, f"{a}+{root(n)}, {a}-{root(n)}", why)
    yield right(f"{a}+{root(n)}, {a}-{root(n)}", pair, why)
    yield right(
        f"\\frac{{{a} \\pm {root(n)}}}{{{b}}}", f"\\frac{{{a}+{root(n)}}}{{{b}}}, \\frac{{{a}-{root(n)}}}{{{b}}}", why
    )
    m = rng.randint(2, 99)
    yield right(f"\\pm {m}", braces([str(m), str(-m)]), why)
    yield right(f"\\pm {root(n * b)}", f"x = \\pm {root(n * b)}", "The same two values, with the unknown's name.")
    yield right(f"x = \\pm {m}", f"x = {m} \\text{{ or }} x = -{m}", why)
    yield right(braces([f"{a}-{root(n)}", f"{a}+{root(n)}"]), pair, why)


def matrices(rng: Random) -> Cases:
    """A matrix in other brackets, with entries in other forms, with a factor before it."""
    a, b, c, d = (whole(rng, -9, 9) for _ in range(4))
    k, value = rng.randint(2, 6), proper(rng)

    def matrix(rows: list[list[str]], kind: str = "pmatrix") -> str:
        return f"\\begin{{{kind}}} " + " \\\\ ".join(" & ".join(row) for row in rows) + f" \\end{{{kind}}}"

    plain = [[str(a), str(b)], [str(c), str(d)]]
    yield right(matrix(plain), matrix(plain, "bmatrix"), "Round or square brackets, the same entries.")
    yield right(
        matrix([[frac(value), str(b)], plain[1]]), matrix([[slash(value), str(b)], plain[1]]), "The same entries."
    )
    scaled = [[str(k * a), str(k * b)], [str(k * c), str(k * d)]]
    yield right(matrix(scaled), f"{k}{matrix(plain)}", "The factor multiplies every entry.")
    wide = [[str(a), str(b), str(c)], [str(d), str(k), "0"]]
    yield right(matrix(wide, "bmatrix"), matrix(wide).replace(" ", ""), "Spaces do not matter.")
    root_row = [[root(k * k * 3), "0"], ["0", str(a)]]
    yield right(matrix([[times(k, root(3)), "0"], ["0", str(a)]]), matrix(root_row), "The root is simplified.")
    array = matrix(plain, "array").replace("{array} ", "{array}{cc} ", 1)
    yield right(matrix(plain), f"\\left({array}\\right)", "An array in brackets is a matrix.")


def vectors(rng: Random) -> Cases:
    """A vector as a column, a tuple, in angle brackets, with unit vectors."""
    a, b, c = (whole(rng, -15, 15, (0, 1, -1)) for _ in range(3))
    value = proper(rng)
    column = f"\\begin{{pmatrix}} {a} \\\\ {b} \\\\ {c} \\end{{pmatrix}}"
    why = "The same three components in the same order."
    yield right(column, f"({a}, {b}, {c})", why)
    yield right(column, f"\\langle {a}, {b}, {c} \\rangle", why)
    yield right(f"({a},{b},{c})", column, why)
    yield right(f"\\langle {a},{b},{c} \\rangle", f"\\left({a},{b},{c}\\right)", why)
    yield right(column, column.replace("pmatrix", "bmatrix"), why)
    yield right(
        f"\\begin{{pmatrix}} {a} \\\\ {frac(value)} \\end{{pmatrix}}", f"\\left({a}, {slash(value)}\\right)", why
    )


def tuples(rng: Random) -> Cases:
    """A tuple with its entries in other forms, or with the names that its entries have."""
    a, b = distinct(rng, 2, -30, 30)
    value, short, n = proper(rng), finite(rng), rng.choice(SQUARE_FREE)
    k = rng.randint(2, 9)
    yield right(f"({a}, {frac(value)})", f"\\left({a}, {slash(value)}\\right)", "The same entries in the same order.")
    yield right(f"({decimal(short)}, {b})", f"({frac(short)}, {b})", "The decimal is exact.")
    yield right(f"({times(k, root(n))}, {a})", f"({root(k * k * n)}, {a})", "The root is simplified.")
    yield right(f"x={a}, y={b}", f"y={b}, x={a}", "The names say which value is whose.")
    yield right(f"({a},{b})", f"(x,y)=({a},{b})", "The names stand in the order of the tuple.")
    yield right(f"(x,y)=({a},{b})", f"x={a}, y={b}", "The names say which value is whose.")
    yield right(f"({a},{b})", f"({a}.0, {b})", "A zero after the point changes nothing.")


def equations(rng: Random) -> Cases:
    """A line, a circle or a parabola by another multiple or with its sides exchanged."""
    m, b, k = whole(rng, -9, 9, (0, 1, -1)), whole(rng, -12, 12), rng.randint(2, 6)
    p, q, r = (whole(rng, -9, 9) for _ in range(3))
    why = "The same points."
    yield right(f"y={linear(m, b)}", f"{linear(m, b)}=y", "The sides are exchanged.")
    yield right(f"y={linear(m, b)}", f"{times(m, 'x')}-y{plus(b)}=0", f"{why} All is brought to one side.")
    yield right(f"y={linear(m, b)}", f"y{plus(-b)}={times(m, 'x')}", f"{why} A term is brought to the other side.")
    yield right(f"{times(p, 'x')}{plus(q)}y={r}", f"{times(k * p, 'x')}{plus(k * q)}y={k * r}", f"{why} Times {k}.")
    circle = f"x^2+y^2{plus(-2 * p)}x{plus(-2 * q)}y{plus(p * p + q * q - k * k) if p * p + q * q != k * k else ''}=0"
    yield right(f"(x{plus(-p)})^2+(y{plus(-q)})^2={k * k}", circle, f"{why} The squares are multiplied out.")
    curve = polynomial(product([1, -p], [1, -r]))
    yield right(f"y=(x{plus(-p)})(x{plus(-r)})", f"y={curve}", f"{why} The factors are multiplied out.")


def named_values(rng: Random) -> Cases:
    """A value with the name of the unknown or of the function before it."""
    n, value, k = rng.randint(2, 9999), proper(rng), rng.randint(2, 9)
    name = rng.choice(("x", "n", "S", "A", "k", "r"))
    why = "The name of what was asked for, and the same value."
    yield right(str(n), f"{name} = {n}", why)
    yield right(frac(value), f"{name} = {slash(value)}", why)
    yield right(f"f(x)={linear(k, n)}", linear(k, n), why)
    yield right(linear(k, -n), f"f(x) = {linear(k, -n)}", why)
    yield right(f"f(x)={k}x^2+{n}", f"f(x)={n}+{k}x^2", "The same function.")
    yield right(f"{name}={n}", str(n), why)
    yield right(times(k, root(3)), f"{name} = {root(3 * k * k)}", why)
