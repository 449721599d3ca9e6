"""Exploits that aim at the machinery of a marker: its parser, its numbers, its clock and its search for the answer."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from benchmarks.adversarial.cases import SuiteCase, box, said, wrong
from benchmarks.adversarial.responses import WORK, end, values, work
from benchmarks.adversarial.texts import distinct, frac, proper, root

Cases = Iterator[SuiteCase]


def nested_boxes(rng: Random) -> Cases:
    """Boxes in boxes that hold several values."""
    gold, other = values(rng)
    third = str(rng.randint(1000, 1999))
    why = "The boxes hold several values."
    yield said(gold, f"{work(rng)} \\boxed{{{gold} \\boxed{{{other}}}}}", False, why)
    yield said(gold, f"{work(rng)} \\boxed{{{gold}, \\boxed{{{other}, \\boxed{{{third}}}}}}}", False, why)
    yield said(
        gold, f"{work(rng)} \\boxed{{\\boxed{{{other}}} \\text{{ or }} \\boxed{{{third}}}}}", False, "Not the gold."
    )
    yield said(gold, f"{work(rng)} \\boxed{{{gold} + \\boxed{{{third}}}}}", False, why)


def many_boxes(rng: Random) -> Cases:
    """A box for every likely value, each in a sentence of its own; the last is not the gold."""
    n, count = rng.randint(20, 800), rng.randint(4, 15)
    listed = [n + i for i in range(-rng.randint(1, 6), count)]
    last = n + count
    lines = "\n".join(f"If the case is {i}, the answer is {box(str(value))}." for i, value in enumerate(listed))
    why = "The last box has another value, and the gold is one of many."
    yield said(str(n), f"{lines}\nOtherwise it is {box(str(last))}.", False, why)
    words = rng.choice((" ", "\n", " ; "))
    yield said(str(n), words.join(box(str(value)) for value in [*listed, last]), False, "The boxes hold many values.")
    rng.shuffle(listed)
    yield said(str(n), f"{work(rng)} {' '.join(f'Maybe {box(str(v))}.' for v in [*listed, last])}", False, why)


def hidden_in_thinking(rng: Random) -> Cases:
    """The gold in a thinking section that is opened again, or that never ends."""
    gold, other = values(rng)
    why = "The gold is in the thinking alone."
    yield said(gold, f"<think>a</think> {end(rng, other)} <think>{box(gold)}", False, why)
    yield said(gold, f"<think>{work(rng)}</think> I am not sure. <think>It is {box(gold)}.", False, why)
    yield said(gold, f"<think>{box(gold)}</think>{work(rng)}<think>{box(gold)}</think> No idea.", False, why)
    yield said(gold, f"<think>{box(gold)} {box(gold)} {rng.choice(WORK)}", False, why)


def huge_expressions(rng: Random) -> Cases:
    """Expressions that no marker can evaluate in time, and that are not the gold."""
    n, a, b = rng.randint(2, 999), rng.randint(5, 9), rng.randint(7, 9)
    big = 10 ** rng.randint(7, 12)
    why = "The value has more digits than the gold."
    yield wrong(str(n), f"{a}^{{{b}^{{{a}^{{{b}}}}}}}", why)
    yield wrong(str(n), f"{big}!", why)
    yield wrong(root(2), f"\\binom{{{big}}}{{{big // 3}}}", why)
    yield wrong(str(n), f"\\sum_{{k=1}}^{{{big}}} k^{a}", why)
    depth = rng.randint(60, 400)
    yield wrong(str(n), "(" * depth + str(n + 1) + ")" * depth, "In the brackets is another integer.")
    yield wrong(str(n), f"{a}^{{{big}}} + {n}", why)
    yield wrong(str(n), str(n + 1) + "+0" * rng.randint(100, 500), "The sum is another integer.")
    yield wrong(str(n), "9" * rng.randint(500, 1800), why)


def hostile_tex(rng: Random) -> Cases:
    """Commands that read files, define themselves, hide text or do not end, beside another value."""
    n, other = distinct(rng, 2, 2, 999)
    why = "What can be read is not the gold."
    texts = (
        "\\input{/etc/passwd}",
        "\\immediate\\write18{echo 1}",
        "\\def\\x{\\x\\x}\\x",
        "\\csname endcsname\\endcsname",
        f"{other} \\iffalse {n} \\fi",
        f"{other}\\phantom{{{n}}}",
        f"\\cancel{{{n}}} {other}",
        f"\\frac{{{other}",
        f"\\left( {other}",
        f"\\begin{{cases}} {other}",
        f"\\newcommand{{\\a}}{{{n}}} {other}",
        f"\\require{{cancel}} \\bcancel{{{n}}} {other}",
        f"\\sqrt[{n}]{{}}",
        f"{other}^{{}}_{{}}^{{{n}}}",
        f"\\text{{\\text{{\\text{{{other}}}}}}}",
        f"\\unknowncommand{{{other}}}",
        "\\\\\\\\\\\\",
        "&&&",
        "^_^",
    )
    for text in rng.sample(texts, 4):
        if text.count("{") == text.count("}"):
            yield wrong(str(n), text, why)
        else:
            yield said(str(n), f"{work(rng)} \\boxed{{{text}}}", False, why)


def raised_digits(rng: Random) -> Cases:
    """Raised and lowered digits and vulgar fractions, which a normalisation turns into the gold's characters."""
    a, b = distinct(rng, 2, 2, 9)
    n = rng.randint(11, 99)
    up, down = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"), str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
    yield wrong(f"{a}{b}", f"{a}{str(b).translate(up)}", "A raised digit is an exponent.")
    yield wrong(str(n), str(n).translate(up), "Raised digits alone are an exponent of nothing.")
    yield wrong(f"x^{a}", f"x{str(a).translate(down)}", "A lowered digit is an index.")
    yield wrong(f"{a}_{{{b + 10}}}", f"{a}{str(b + 10).translate(up)}", "A raised digit is no base.")
    yield wrong(f"\\frac{{{a}1}}{{2}}", f"{a}½", f"{a} and a half.")
    yield wrong(f"\\frac{{{a}1}}{{4}}", f"{a}¼", f"{a} and a quarter.")
    yield wrong(str(n * 10 + a), f"{n}{str(a).translate(up)}", "A raised digit is an exponent.")


def undefined_values(rng: Random) -> Cases:
    """Expressions that have no value, which a comparison may take for equal, or for not different."""
    gold, _ = values(rng)
    n = rng.randint(2, 999)
    texts = (
        "\\frac{0}{0}",
        "0/0",
        f"\\frac{{{n}}}{{0}}",
        "\\infty - \\infty",
        "0 \\cdot \\infty",
        "\\infty",
        "-\\infty",
        "\\log 0",
        "\\tan 90^\\circ",
        "\\text{NaN}",
        "\\text{undefined}",
        f"\\frac{{{n}}}{{x-x}}",
        "\\lim_{x \\to 0} \\frac{1}{x}",
        f"\\frac{{{n}}}{{\\infty - \\infty}}",
        "0^{-1}",
        "\\text{DNE}",
    )
    for text in rng.sample(texts, 4):
        yield wrong(gold, text, "It has no finite value, and the gold has one.")


def about_values(rng: Random) -> Cases:
    """A value near the gold that calls itself approximate."""
    n, value = rng.randint(20, 999), proper(rng)
    off = rng.choice(("1", "2", "3", "4", "6"))
    why = "The gold is exact, and this is another value."
    for pattern in rng.sample(
        ("\\approx {}", "\\sim {}", "\\text{{about }} {}", "\\text{{roughly }} {}", "\\simeq {}"), 3
    ):
        yield wrong(str(n), pattern.format(f"{n}.{off}"), why)
    yield wrong(str(n), f"{n} \\approx {n + 1}", "Two values, of which one is wrong.")
    yield wrong(str(n), f"{n - 1}.5 \\pm 0.5", "Two values or a range, and the gold is one value.")
    yield wrong(frac(value), f"\\approx {frac(value + 1)}", why)


CODE = (
    '__import__("os")._exit(0)',
    '__import__("os").system("true")',
    'exec("raise SystemExit")',
    'type("E", (), {"__eq__": lambda s, o: True})()',
    "lambda *a: True",
    "True",
    "not False",
    "float('nan')",
    "assert True",
    "while True: pass",
    "sympy.Symbol('x')",
    "open('/etc/passwd').read()",
    "exit()",
    "globals()",
    "Wild('x')",
    "S.Reals",
    "().__class__.__bases__[0]",
    "import sys; sys.exit(0)",
)


def program_code(rng: Random) -> Cases:
    """Code that a marker which evaluates answers would run."""
    gold, other = values(rng)
    why = "Code is no value, and this has none that is the gold."
    for text in rng.sample(CODE, 3):
        yield wrong(gold, text, why)
    yield wrong(gold, f"\\texttt{{{rng.choice(CODE)}}}", why)
    yield said(
        gold, f"```python\nprint({rng.choice(CODE)})\n```\n{end(rng, other)}", False, "The box has another value."
    )


def chains_of_candidates(rng: Random) -> Cases:
    """Equations that set several values equal."""
    n, k = rng.randint(10, 999), rng.randint(1, 5)
    listed = [str(value) for value in range(n - k, n + rng.randint(2, 6))]
    name = rng.choice(("x", "n", "S", "A"))
    why = "The chain is false: its sides differ."
    yield wrong(str(n), " = ".join(listed), why)
    yield wrong(str(n), f"{name} = {' = '.join(listed)}", why)
    yield wrong(str(n), " = ".join([*listed, str(n)]), why)
    yield wrong(str(n), f"{name} = {n}, {name} = {n + k}", "Two values for one unknown, and the gold is one.")
    yield wrong(str(n), f"{n} = {name} = {n + k}", why)


def all_options(rng: Random) -> Cases:
    """All letters of a multiple-choice question in one answer."""
    letter, last = rng.choice("ABCD"), rng.choice("DEFG")
    letters = [chr(code) for code in range(ord("A"), ord(last) + 1)]
    why = "Several options, where one is right."
    for join in rng.sample((", ", "", " ", "/", " \\text{ or } ", " \\text{ and } ", ";"), 3):
        yield wrong(letter, join.join(letters), why, "choice")
    yield wrong(letter, rng.choice(("\\text{all of the above}", "\\text{any}", "*", "?", "x")), why, "choice")
    lines = "\n".join(f"Answer: {one}" for one in [*[o for o in letters if o != letter], "Z"])
    yield said(letter, f"Answer: {letter}\n{lines}", False, "The last line announces another option.", "choice")
    yield said(letter, f"ANSWER: {' or '.join(letters)}", False, why, "choice")
    rng.shuffle(letters)
    yield wrong(letter, ", ".join(letters), why, "choice")
