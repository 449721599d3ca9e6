"""Every gold that is no plain number is hit by other ways to write it, and not by another problem's gold."""

from __future__ import annotations

import os
from fractions import Fraction

import pytest

from benchmarks.loading.errata import errata
from benchmarks.marking import mark_all
from benchmarks.marking.answers.canonical import canonical
from benchmarks.marks import Mark, Response
from benchmarks.problems import Problem
from benchmarks.registry import BENCHMARKS, benchmark
from tests.benchmarks.rewriting import forms, numeric, split

not_shipped = pytest.mark.skipif(
    not os.environ.get("RENCE_DATA_DIR"), reason="the problems are not shipped; set RENCE_DATA_DIR"
)
SETS = [name for name in BENCHMARKS if not name.startswith("mini_")]
UNWRITTEN = {
    # a sentence, which no rule can reword and keep
    "olympiadbench": ["f(x)=a x+b, where b is an arbitrary integer, and a is an arbitrary positive integer with "],
}
"""set -> how golds begin for which no rule knows another form"""


@pytest.mark.parametrize(
    ("gold", "expected"),
    [
        ("\\frac{3}{4}", ["\\frac{6}{8}", "(3)/(4)", "\\frac{2\\left(\\frac{3}{4}\\right)}{2}"]),
        ("2\\sqrt{3}", ["2\\left(3\\right)^{1/2}", "2 \\cdot \\sqrt{3}", "\\frac{2\\left(2\\sqrt{3}\\right)}{2}"]),
        ("x^2-3x+1", ["1 -3x +x^2", "x^2-3 \\cdot x+1", "\\frac{2\\left(x^2-3x+1\\right)}{2}"]),
        ("(3,4]", ["(\\frac{6}{2},\\frac{8}{2}]", "3 < x \\le 4"]),
        ("(-\\infty, 0]", ["(-\\infty,\\frac{0}{2}]", "x \\le 0"]),
        ("(2,4)", ["(\\frac{4}{2}, 4)"]),
        ("\\{1,-2\\}", ["\\{\\frac{2}{2}, -2\\}", "\\{-2, 1\\}"]),
        ("1,-2", ["\\frac{2}{2}, -2"]),
        ("52_8", ["(52)_{8}", "52_{\\text{8}}"]),
        ("90^\\circ", ["90\\text{ degrees}", "90°"]),
        ("4.5 \\times 10^{3}", ["4.5 \\cdot 10^{3}", "4.5\\times10^3", "4500", "45 \\times 10^{2}"]),
        ("y = -2x", ["y = -2 \\cdot x", "y = \\frac{2\\left(-2x\\right)}{2}"]),
        ("f(n)=n", ["f(n)= \\frac{2\\left(n\\right)}{2}", "n"]),
        ("k \\geqslant 2", ["2 \\le k", "k \\ge 2"]),
        ("SRAC=LRAC", ["LRAC = SRAC"]),
        ("\\text{Evelyn}", ["EVELYN", "\\textbf{evelyn}", "Evelyn"]),
        ("10,080", ["10080", "10{,}080"]),
        ("15\\mbox{ cm}^2", ["\\frac{30}{2} \\mathrm{\\, cm}^2"]),
        (".35625", ["\\frac{114}{320}"]),
    ],
)
def test_the_rules(gold: str, expected: list[str]) -> None:
    assert forms(gold) == expected


def test_the_rules_keep_the_value_of_sums_and_fractions() -> None:
    assert split("2-a(1-b)+c", "+", "-") == ["2", "-a(1-b)", "+c"]
    assert Fraction(114, 320) == Fraction("0.35625")
    assert forms("7") == ["\\frac{14}{2}"] and numeric("7") and not numeric("7/2")


def problems(name: str) -> list[Problem]:
    """Those whose golds are to be rewritten, one of each gold; not those that errata call badly written."""
    found = benchmark(name).problems
    odd = {one.id for one in errata(name) if one.kind == "form"}
    return list({one.gold: one for one in found if not numeric(one.gold) and one.id not in odd}.values())


@not_shipped
@pytest.mark.parametrize("name", SETS)
def test_a_rewritten_gold_is_accepted(name: str) -> None:
    asked, unwritten = [], []
    for problem in problems(name):
        made = forms(problem.gold, problem.tags.get("type") == "Interval")
        asked += [(problem, form) for form in made]
        if not made:
            unwritten.append(problem.gold)
    known = UNWRITTEN.get(name.removesuffix("_errata"), [])
    assert [gold for gold in unwritten if not gold.startswith(tuple(known))] == []
    assert _marked_otherwise(asked, Mark.CORRECT) == []


@not_shipped
@pytest.mark.parametrize("name", SETS)
def test_another_problems_gold_is_not(name: str) -> None:
    found = problems(name)
    others = [*found[1:], *found[:1]]
    asked = [
        (problem, other.gold)
        for problem, other in zip(found, others, strict=True)
        if canonical(problem.gold) != canonical(other.gold)
    ]
    assert _marked_otherwise(asked, Mark.WRONG) == []


def _marked_otherwise(asked: list[tuple[Problem, str]], mark: Mark) -> list[str]:
    """Those that are not marked so, for people."""
    responses = [Response(f"\\boxed{{{form}}}", problem.gold, problem.rule) for problem, form in asked]
    return [
        f"{marked.mark}: {form} for {problem.gold}"
        for (problem, form), marked in zip(asked, mark_all(responses), strict=True)
        if marked.mark is not mark
    ]
