"""Lists, records, sets and matrices against each other."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.marking.answers.canonical import squeezed
from benchmarks.marking.answers.nodes import (
    Binding,
    Bindings,
    Complement,
    Expression,
    Interval,
    Items,
    Matrix,
    Node,
    Number,
    Union,
    Walk,
)
from benchmarks.marking.answers.ranges import as_set, united
from benchmarks.marking.verdicts import EQUAL, Verdict, all_of, any_of

_MOST_ITEMS = 40
"""longer lists without an order are not compared: every answer is compared with every gold"""


def records(walk: Walk, answer: Node, gold: Node) -> Verdict:
    """By name where both have names; else in order."""
    if isinstance(answer, Bindings) and isinstance(gold, Bindings):
        if sorted(answer.names) != sorted(gold.names):
            return Verdict(False, f"the names differ: {', '.join(answer.names)} and {', '.join(gold.names)}")
        given = dict(zip(answer.names, answer.values, strict=True))
        return _all(walk, [given[name] for name in gold.names], gold.values)
    if isinstance(gold, Bindings):
        unnamed = answer.value if isinstance(answer, Binding) and not answer.name else answer
        if isinstance(unnamed, Matrix):
            unnamed = _vector(unnamed) or unnamed
        if (
            isinstance(unnamed, Items)
            and unnamed.brackets in ("", "()", "[]")
            and len(unnamed.items) == len(gold.names)
        ):
            return _all(walk, unnamed.items, gold.values)
        return Verdict(False, f"values for {', '.join(gold.names)} are wanted")
    assert isinstance(answer, Bindings)
    if isinstance(gold, Items) and gold.brackets == "()" and all(len(name) == 1 for name in answer.names):
        values = [value for _, value in sorted(zip(answer.names, answer.values, strict=True), key=lambda one: one[0])]
        return walk(Items(answer.latex, tuple(values), "()"), gold)  # x before y, however they were written down
    if isinstance(gold, Items | Matrix):
        return walk(Items(answer.latex, answer.values, gold.brackets if isinstance(gold, Items) else "()"), gold)
    if len(set(answer.values)) == 1:  # x = y = 3
        return walk(answer.values[0], gold)
    return Verdict(False, "several values, and one is wanted")


def _all(walk: Walk, answers: Sequence[Node], golds: Sequence[Node]) -> Verdict:
    return all_of(walk(one, other) for one, other in zip(answers, golds, strict=True))


def contained(walk: Walk, answer: Node, gold: Node) -> Verdict:
    """At least one of the two is a list, a set or a matrix."""
    if isinstance(answer, Matrix) or isinstance(gold, Matrix):
        return _matrices(walk, answer, gold)
    answer, gold = _alone(answer, gold), _alone(gold, answer)
    if isinstance(answer, Items) and isinstance(gold, Items):
        return _lists(walk, answer, gold)
    if isinstance(gold, Items) and gold.brackets == ":" and isinstance(answer, Number):
        return _quotient(walk, answer, gold)
    left, right = _as_sets(answer, gold)
    if isinstance(left, Interval) and isinstance(right, Interval):
        if left.brackets != right.brackets:
            return Verdict(False, f"the brackets differ: {left.latex} and {right.latex}")
        return _all(walk, (left.low, left.high), (right.low, right.high))
    if isinstance(left, Union) and isinstance(right, Union):
        return _matched(walk, left.parts, right.parts)
    if isinstance(left, Complement) and isinstance(right, Complement):
        return _same_set(walk, left.points, right.points)
    if not any(isinstance(one, Items | Interval | Union | Complement | Matrix) for one in (answer, gold)):
        return walk(answer, gold)
    return Verdict(False, f"{answer.latex[:60]} is not {gold.latex[:60]}: one is a set or list of another kind")


def _alone(node: Node, other: Node) -> Node:
    """The only element of a set, where the other is no set."""
    single = isinstance(node, Items) and node.brackets == "{}" and len(node.items) == 1
    is_set = isinstance(other, Items) and other.brackets in ("{}", "")
    return node.items[0] if isinstance(node, Items) and single and not is_set else node


def _quotient(walk: Walk, answer: Number, gold: Items) -> Verdict:
    """The fraction that a ratio of two numbers is."""
    numbers = [one.plain.value for one in gold.items if isinstance(one, Number)]
    if len(gold.items) != 2 or len(numbers) != 2 or not numbers[1] or answer.plain.value != numbers[0] / numbers[1]:
        return Verdict(False, f"{answer.latex} is not {gold.latex}")
    return EQUAL


def _as_sets(answer: Node, gold: Node) -> tuple[Node, Node]:
    """Pairs as intervals, bare lists of intervals as unions, where the other side is such a set."""
    pair = [as_set(answer), as_set(gold)]
    for place, other in ((0, 1), (1, 0)):
        one = pair[place]
        if isinstance(one, Items) and not one.brackets and isinstance(pair[other], Union):
            pair[place] = united(one.latex, [as_set(item) for item in one.items])
    return pair[0], pair[1]


def _lists(walk: Walk, answer: Items, gold: Items) -> Verdict:
    """Sets by their elements; in order where either has brackets that mean an order; bare lists in any order."""
    kinds = {answer.brackets, gold.brackets}
    if "{}" in kinds:
        if kinds - {"{}", ""}:
            return Verdict(False, f"the brackets differ: {answer.latex} and {gold.latex}")
        return _same_set(walk, answer.items, gold.items)
    if len(answer.items) > len(gold.items):
        answer = _once(answer)
    if len(answer.items) != len(gold.items):
        return Verdict(False, f"{len(answer.items)} values, and {len(gold.items)} are wanted")
    if kinds == {""}:
        return _matched(walk, answer.items, gold.items)
    if len(kinds) > 1 and kinds != {"", "()"}:
        return Verdict(False, f"the brackets differ: {answer.latex} and {gold.latex}")
    return _all(walk, answer.items, gold.items)


def _once(answer: Items) -> Items:
    """A bare list of tuples without those that it has twice: points and solutions, where twice says no more."""
    if answer.brackets or not all(isinstance(one, Items | Bindings) for one in answer.items):
        return answer
    return Items(answer.latex, tuple({squeezed(one.latex): one for one in answer.items}.values()), "")


def _same_set(walk: Walk, answers: Sequence[Node], golds: Sequence[Node]) -> Verdict:
    """Whether each element of either is an element of the other."""
    if max(len(answers), len(golds)) > _MOST_ITEMS:
        return Verdict(len(answers) == len(golds) and answers == golds, "too many elements to compare")
    found = [[walk(one, other) for other in golds] for one in answers]
    rows = [*found, *([row[place] for row in found] for place in range(len(golds)))]
    return all_of(any_of(row) if row else Verdict(False, "one of the sets is empty") for row in rows)


def _matched(walk: Walk, answers: Sequence[Node], golds: Sequence[Node]) -> Verdict:
    """Whether every answer has a gold of its own."""
    if len(answers) != len(golds):
        return Verdict(False, f"{len(answers)} values, and {len(golds)} are wanted")
    if len(golds) > _MOST_ITEMS:
        return _all(walk, answers, golds)
    waiting = list(golds)
    undecided: Verdict | None = None
    for answer in answers:
        verdicts = [walk(answer, gold) for gold in waiting]
        equal = [place for place, one in enumerate(verdicts) if one.equal]
        if equal:
            del waiting[equal[0]]
        elif any(one.equal is None for one in verdicts):
            undecided = next(one for one in verdicts if one.equal is None)
        else:
            return Verdict(False, f"{answer.latex[:60]} is not among the values wanted")
    return undecided or EQUAL


def _matrices(walk: Walk, answer: Node, gold: Node) -> Verdict:
    """Entry by entry. A single row or column is the tuple of its entries."""
    if isinstance(answer, Matrix) and isinstance(gold, Matrix):
        shapes = [[len(row) for row in one.rows] for one in (answer, gold)]
        if shapes[0] != shapes[1]:
            row, column = _vector(answer), _vector(gold)
            if row and column and len(row.items) == len(column.items):
                return walk(row, column)
            return Verdict(False, "matrices of different shapes")
        return _all(walk, *([entry for row in one.rows for entry in row] for one in (answer, gold)))
    left, right = (_vector(one) or one if isinstance(one, Matrix) else one for one in (answer, gold))
    tuples = [replaced for one in (left, right) if (replaced := _tuple(one))]
    if len(tuples) == 2:
        return _lists(walk, *tuples)
    if Expression in (type(answer), type(gold)) and "pmatrix" in answer.latex and "pmatrix" in gold.latex:
        return walk(Expression(answer.latex), Expression(gold.latex))  # a sum or a product of matrices
    return Verdict(False, f"{answer.latex[:60]} is not {gold.latex[:60]}: one is a matrix")


def _vector(matrix: Matrix) -> Items | None:
    entries = [entry for row in matrix.rows for entry in row]
    single = len(matrix.rows) == 1 or all(len(row) == 1 for row in matrix.rows)
    return Items(matrix.latex, tuple(entries), "()") if single else None


def _tuple(node: Node) -> Items | None:
    """A tuple or bare list that can be the entries of a vector."""
    if isinstance(node, Interval):
        return Items(node.latex, (node.low, node.high), "()")
    if isinstance(node, Items) and node.brackets in ("", "()", "[]"):
        return Items(node.latex, node.items, "()")
    return None
