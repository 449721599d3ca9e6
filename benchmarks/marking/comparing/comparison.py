"""Whether an answer equals its gold: two trees are walked side by side, and a leaf decides on two expressions.

The same walk runs twice: in this process with `plain_leaf`, in microseconds and without any package, and, if that does
not decide, in a worker with a leaf that computes. A second reading is tried of the answer alone, never of the gold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from benchmarks.marking.answers import measures, numbers, structure
from benchmarks.marking.answers.canonical import MOST_CHARACTERS, canonical, canonical_gold, squeezed
from benchmarks.marking.answers.nodes import (
    Based,
    Binding,
    Bindings,
    Choice,
    Complement,
    Equation,
    Expression,
    Given,
    Interval,
    Items,
    Matrix,
    Node,
    Number,
    Quantity,
    Relation,
    Union,
    Words,
)
from benchmarks.marking.answers.numbers import plain
from benchmarks.marking.answers.phrases import spoken
from benchmarks.marking.answers.ranges import infinite
from benchmarks.marking.comparing import containers, quantities
from benchmarks.marking.verdicts import EQUAL, Verdict, all_of, any_of
from benchmarks.marks import Rule

Leaf = Callable[[str, str, float], Verdict]
"""answer, gold, relative tolerance beside a written decimal"""


def compare(answer: str, gold: str, rule: Rule, leaf: Leaf) -> Verdict:
    """Whether an answer equals its gold, and why not.

    Args:
        leaf: decides on two expressions; `Verdict(None, ...)` is left undecided unless the rule has no symbols.

    Raises: nothing, whatever the texts hold, if the leaf does not.
    """
    answer, gold = answer.strip(), gold.strip()
    if answer == gold:
        return EQUAL
    if not answer:
        return Verdict(False, "nothing was answered")
    if max(len(answer), len(gold)) > MOST_CHARACTERS:
        same = canonical(answer) == canonical_gold(gold)
        return Verdict(same, "equal texts" if same else "too long to be looked into, and another text")
    if (
        answer.isdigit()
        and gold.isdigit()
        and answer.isascii()
        and gold.isascii()
        and len(answer) < len(gold) + 40 < 80
    ):
        return EQUAL if int(answer) == int(gold) else Verdict(False, f"{answer} is not {gold}")
    # The likeliest reading comes first; a later one can only turn a no into a yes.
    wanted = structure.read_gold(gold)
    walk = _Walk(leaf, rule.tolerance)
    readings = structure.readings(answer, unit_wanted=isinstance(wanted, Quantity), natural=r"\ln" in gold)
    verdict = any_of(walk(given, wanted) for given in readings)
    if verdict.equal is None and not rule.symbolic:
        return Verdict(False, "an expression, where the number itself is wanted")
    return verdict


def plain_leaf(answer: str, gold: str, tolerance: float) -> Verdict:
    """Equal texts are equal; two plain numbers are decided both ways; all else is not decided."""
    if answer == gold or squeezed(answer) == squeezed(gold):
        return EQUAL
    left, right = plain(answer), plain(gold)
    if left is None or right is None:
        return Verdict(None, "two expressions")
    if numbers.equal(left, right, tolerance):
        return EQUAL
    return Verdict(False, f"{_short(answer)} is not {_short(gold)}")


_DECIMAL = re.compile(r"[0-9]\.[0-9]|(?<![0-9])\.[0-9]|[0-9]\.(?![0-9])")


class _Walk:
    """Compares two nodes, the answer's first."""

    def __init__(self, leaf: Leaf, tolerance: float) -> None:
        self.leaf = leaf
        self.tolerance = tolerance

    def __call__(self, answer: Node, gold: Node) -> Verdict:
        """The first of the kinds below that one of the nodes belongs to says how they are compared."""
        if answer.latex == gold.latex:
            return EQUAL
        for kinds, compared in _KINDS:
            if isinstance(answer, kinds) or isinstance(gold, kinds):
                return compared(self, answer, gold)
        return self.values(answer, gold)

    def values(self, answer: Node, gold: Node) -> Verdict:
        """Two numbers or expressions."""
        if isinstance(answer, Number) and isinstance(gold, Number):
            same = numbers.equal(answer.plain, gold.plain, self.tolerance)
            return EQUAL if same else differ(answer, gold)
        if infinite(answer) or infinite(gold):
            return EQUAL if answer == gold else differ(answer, gold)
        return self.texts(answer.latex, gold.latex, self._tolerance(answer, gold))

    def texts(self, answer: str, gold: str, tolerance: float = 0.0) -> Verdict:
        """Two texts of expressions: plainly, and then by the leaf."""
        verdict = plain_leaf(answer, gold, tolerance)
        return self.leaf(answer, gold, tolerance) if verdict.equal is None else verdict

    def _tolerance(self, answer: Node, gold: Node) -> float:
        """The rule's, beside a written decimal, where the gold is no integer."""
        if isinstance(gold, Number) and gold.plain.whole:
            return 0.0
        written = any(
            _DECIMAL.search(one.latex) or (isinstance(one, Number) and one.plain.rounded) for one in (answer, gold)
        )
        return self.tolerance if written else 0.0

    def given(self, answer: Node, gold: Node) -> Verdict:
        """Two domains of a letter must agree; one alone is left out."""
        if isinstance(answer, Given) and isinstance(gold, Given) and answer.domain != gold.domain != "":
            return Verdict(False, f"the domains differ: {answer.domain} and {gold.domain}")
        return self(*(one.value if isinstance(one, Given) else one for one in (answer, gold)))

    def named(self, answer: Node, gold: Node) -> Verdict:
        """Where both have a name, it must be the same; a name alone is left out."""
        if isinstance(answer, Bindings) or isinstance(gold, Bindings):
            return containers.records(self, answer, gold)
        if isinstance(answer, Binding) and isinstance(gold, Binding) and answer.name and gold.name:
            return self._both_named(answer, gold)
        if isinstance(answer, Binding) and isinstance(gold, Equation | Relation) and answer.name:
            return self.texts(answer.latex, gold.latex)
        if isinstance(gold, Binding) and isinstance(answer, Equation | Relation):
            verdict = self.relations(answer, gold.value) if isinstance(answer, Equation) else None
            return verdict if verdict and verdict.equal else self.texts(answer.latex, gold.latex)
        values = (one.value if isinstance(one, Binding) else one for one in (answer, gold))
        verdict = self(*values)
        if verdict.equal or not (isinstance(answer, Binding) and isinstance(gold, Binding)):
            return verdict
        return any_of((verdict, self.texts(answer.latex, gold.latex)))  # n - k = 4 and n = k + 4

    def _both_named(self, answer: Binding, gold: Binding) -> Verdict:
        if answer.name == gold.name:
            return self(answer.value, gold.value)
        if (answer.name, squeezed(answer.value.latex)) == (squeezed(gold.value.latex), gold.name):
            return EQUAL  # a = b is b = a
        if gold.name.startswith(f"{answer.name}(") or (answer.name == "y" and _CALL.fullmatch(gold.name)):
            return self(answer.value, gold.value)  # N for N(n), y for f(x)
        sets = isinstance(answer.value, Interval) and isinstance(gold.value, Interval)
        if sets:
            return self.differences(answer, gold)
        renamed = _renamed(answer, gold)
        if renamed:
            return self(renamed, gold.value)
        if all(isinstance(one.value, Expression) for one in (answer, gold)):  # y = 2x and x = y/2
            return self.texts(answer.latex, gold.latex)
        return Verdict(False, f"the names differ: {answer.name} and {gold.name}")

    def differences(self, answer: Binding, gold: Binding) -> Verdict:
        """Two conditions on unlike things, each with one end: `a - 1 > 0` and `a > 1`."""
        sides = [_above_zero(one) for one in (answer, gold)]
        if not sides[0] or not sides[1] or sides[0][1] != sides[1][1]:
            return Verdict(False, f"conditions on other things: {answer.name} and {gold.name}")
        return self.texts(sides[0][0], sides[1][0])

    def relations(self, answer: Node, gold: Node) -> Verdict:
        """Equations and inequalities. A chain of equal sides answers with its last, if all are equal to that."""
        if isinstance(answer, Relation) and isinstance(gold, Relation):
            if answer.signs != gold.signs:
                return Verdict(False, "the signs of the inequalities differ")
            return all_of(self(one, other) for one, other in zip(answer.sides, gold.sides, strict=True))
        if isinstance(answer, Equation) and isinstance(gold, Equation):
            return self.texts(answer.latex, gold.latex)
        if isinstance(answer, Equation) and not isinstance(gold, Relation):
            *before, last = answer.sides
            verdict = self(last, gold)
            if verdict.equal is False:
                return verdict
            checked = all_of((verdict, *(self(side, last) for side in before)))
            return checked if checked.equal is not False else Verdict(False, f"its sides differ: {answer.latex}")
        return Verdict(False, "an equation or inequality, and a value")

    def choice(self, answer: Node, gold: Node) -> Verdict:
        """The letters; an option's text answers where no letter is wanted."""
        if isinstance(answer, Choice) and isinstance(gold, Choice):
            same = answer.letter == gold.letter
            return EQUAL if same else Verdict(False, f"{answer.letter} is not {gold.letter}")
        if isinstance(answer, Choice) and answer.option is not None:
            return self(answer.option, gold)
        if isinstance(gold, Choice):
            letter = answer.latex.strip()
            same = len(letter) == 1 and letter in "abcde" and letter.upper() == gold.letter
            return EQUAL if same else differ(answer, gold)
        return self.texts(answer.latex, gold.latex) if isinstance(gold, Expression) else differ(answer, gold)

    def words(self, answer: Node, gold: Node) -> Verdict:
        """Words are compared as texts."""
        if isinstance(answer, Words) and isinstance(gold, Words):
            same = answer.words.casefold() == gold.words.casefold()
            return EQUAL if same else differ(answer, gold)
        texts = [one.words if isinstance(one, Words) else spoken(one.latex) for one in (answer, gold)]
        return EQUAL if texts[0] == texts[1] else differ(answer, gold)

    def based(self, answer: Node, gold: Node) -> Verdict:
        """Bases must agree. Digits alone answer a gold that has a base; a gold that has none wants the value."""
        if isinstance(answer, Based) and isinstance(gold, Based):
            if answer.base != gold.base:
                return Verdict(False, f"the bases differ: {answer.base} and {gold.base}")
            return EQUAL if answer.digits == gold.digits else differ(answer, gold)
        if isinstance(gold, Based):
            digits = squeezed(answer.latex).lstrip("0") or "0"
            return EQUAL if digits == gold.digits else differ(answer, gold)
        if isinstance(answer, Based):
            return self(measures.integer(int(answer.digits, answer.base)), gold)
        return differ(answer, gold)


def differ(answer: Node, gold: Node) -> Verdict:
    """Unequal, for no more to say."""
    return Verdict(False, f"{_short(answer.latex)} is not {_short(gold.latex)}")


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


_CALL = re.compile(r"(.+)\(([A-Za-z])\)")


def _renamed(answer: Binding, gold: Binding) -> Node | None:
    """The value of f(x) with the letter of the gold's f(t) in the place of x."""
    left, right = _CALL.fullmatch(answer.name), _CALL.fullmatch(gold.name)
    if not left or not right or left[1] != right[1]:
        return None
    text = re.sub(rf"(?<![\\A-Za-z]){left[2]}(?![A-Za-z])", right[2], answer.value.latex)
    if re.search(rf"(?<![A-Za-z\\]){right[2]}(?![A-Za-z])", answer.value.latex):
        return None
    return structure.read(text)


def _above_zero(one: Binding) -> tuple[str, str] | None:
    """What a condition with one end holds above zero, and whether zero itself counts."""
    interval = one.value
    assert isinstance(interval, Interval)
    low, high = (infinite(end) for end in (interval.low, interval.high))
    if low == high:
        return None
    if high:
        return f"({one.name})-({interval.low.latex})", interval.brackets[0].replace("[", "]")
    return f"({interval.high.latex})-({one.name})", interval.brackets[1].replace(")", "(")


_KINDS: Sequence[tuple[tuple[type, ...], Callable[[_Walk, Node, Node], Verdict]]] = (
    ((Given,), _Walk.given),
    ((Binding, Bindings), _Walk.named),
    ((Equation, Relation), _Walk.relations),
    ((Choice,), _Walk.choice),
    ((Words,), _Walk.words),
    ((Based,), _Walk.based),
    ((Quantity,), quantities.quantities),
    ((Items, Interval, Union, Complement, Matrix), containers.contained),
)
