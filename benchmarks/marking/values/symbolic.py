"""Whether two single expressions are equal, for the workers of `pool.py`: it may take any time, or any memory.

    latex, cases (text -> sympy)  >  symbolic (values, equations, sets ...)  >  scalars (two values)
        >  difference (numbers)    separation (how close is zero?)    enclosure, functions (certain bounds)
        >  sampling (identities)   pieces (kinks and steps)           letters (what they stand for)
           proving (every piece)   terms (what both share)

Math-Verify is not asked: it compares by rounded numbers and by rules of its own, so that its yes is no proof, and what
it could add to a no is nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import sympy
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational

from benchmarks.marking.latex import cases, construction, parser
from benchmarks.marking.values import scalars
from benchmarks.marking.values.enclosure import Unknown
from benchmarks.marking.values.letters import names
from benchmarks.marking.values.scalars import Scalar
from benchmarks.marking.verdicts import Verdict

EQUAL = Verdict(True, "the same expression")
MOST_MEMBERS = 60


def same(answer: str, gold: str, tolerance: float) -> Verdict:
    """Compare two tidy texts.

    Args:
        tolerance: relative difference that a value may have where one side is written as a decimal and the gold is no
            exact integer.
    """
    left, right = read(answer), read(gold)
    if right is None:
        return Verdict(False, "the gold cannot be read as an expression")
    if left is None:
        return Verdict(False, "the answer cannot be read as an expression")
    return _Comparison(left, right, tolerance).of(*_products(left.value, right.value))


def _products(a: Any, g: Any) -> tuple[Any, Any]:
    """With g(m - n) as a product where the other one has a letter g."""
    letters = [{str(one) for one in value.free_symbols} for value in (a, g)]
    return _as_product(a, letters[1]), _as_product(g, letters[0])


def _as_product(value: Any, letters: set[str]) -> Any:
    called = [one for one in value.atoms(AppliedUndef) if len(one.args) == 1 and str(one.func) in letters]
    return (
        value.xreplace({one: construction.symbol(str(one.func)) * one.args[0] for one in called}) if called else value
    )


@lru_cache(maxsize=4096)
def read(text: str) -> Scalar | None:
    """A tidy text as one object of sympy's; None if it is none. A percent sign at its end divides by 100."""
    bare = text.removesuffix("%").removesuffix("\\").rstrip()
    found = cases.read(bare) or parser.read(bare)
    if found is None or found.value in (sympy.true, sympy.false):  # a relation of numbers that sympy has decided
        return None
    value = _whole_terms_out(_done(found.value))
    if text.endswith("%") and isinstance(value, sympy.Expr):
        value = value / 100
    return Scalar(value, found.rounded, scalars.digits(text) if found.rounded else 0)


def _whole_terms_out(value: Any) -> Any:
    """With floors and ceilings of u + 3 as those of u, and 3."""
    changed = {}
    for step in value.atoms(sympy.floor, sympy.ceiling):
        inner = step.args[0]
        whole = [term for term in inner.args if term.is_Integer] if inner.is_Add else []
        if whole:
            rest = sympy.Add(*(term for term in inner.args if term not in whole))
            changed[step] = step.func(rest, evaluate=False) + sum(whole)
    return value.xreplace(changed) if changed else value


def _done(value: Any) -> Any:
    """With integrals, limits and infinite sums carried out; a derivative is a letter, for dM/dt is not 0."""
    endless = value.has(sympy.oo) and value.has(sympy.Sum, sympy.Product)
    if not endless and not value.has(sympy.Integral, sympy.Limit, sympy.Derivative):
        return value
    value = value.xreplace({one: sympy.Symbol(str(one)) for one in value.atoms(sympy.Derivative)})
    try:
        return value.doit()
    except Exception:  # anything: these are texts of a model
        return value


class _Comparison:
    """Of an answer with its gold."""

    def __init__(self, answer: Scalar, gold: Scalar, tolerance: float) -> None:
        self.answer, self.gold, self.tolerance = answer, gold, tolerance

    def of(self, a: Any, g: Any) -> Verdict:
        """Two objects in them."""
        if a == g and type(a) is type(g):
            return EQUAL
        a, g = _unwrapped(a, g)
        for kind, compare in self._kinds():
            if isinstance(a, kind) and isinstance(g, kind):
                return compare(a, g)
        if isinstance(a, sympy.Eq | sympy.And) and isinstance(g, sympy.Expr):
            return self._value_of(a, g)
        if isinstance(g, sympy.Eq | sympy.And) and isinstance(a, sympy.Expr):
            return self._value_of(g, a)
        return Verdict(False, f"{_named(a)} and {_named(g)}")

    def _kinds(self) -> list[tuple[Any, Callable[[Any, Any], Verdict]]]:
        return [
            (sympy.MatrixBase, self._matrices),
            (sympy.Expr, self._values),
            (sympy.Eq, self._equations),
            (Relational, self._relations),
            (sympy.And, self._members),
            (sympy.Or, self._members),
            (sympy.FiniteSet, self._members),
            (sympy.Tuple, self._in_order),
            (sympy.Interval, self._intervals),
            (sympy.Set, self._sets),
        ]

    def _values(self, a: Any, g: Any) -> Verdict:
        answer = self.answer._replace(value=a)
        return scalars.compare(answer, self.gold._replace(value=g), self.tolerance)

    def _equations(self, a: Any, g: Any) -> Verdict:
        if not all(isinstance(side, sympy.Expr) for side in (*a.args, *g.args)):
            return self._in_order(a, g)
        if _is_name(a.lhs) and _is_name(g.lhs) and a.lhs == g.lhs:
            return self._values(a.rhs, g.rhs)
        return self._multiples(a, g, any_sign=True)

    def _relations(self, a: Any, g: Any) -> Verdict:
        a, g = _less(a), _less(g)
        if type(a) is not type(g):
            return Verdict(False, "the relations differ")
        return self._multiples(a, g, any_sign=isinstance(a, sympy.Ne))

    def _multiples(self, a: Any, g: Any, *, any_sign: bool) -> Verdict:
        """Of relations to zero."""
        a, g = a.lhs - a.rhs, g.lhs - g.rhs
        try:
            equal = scalars.multiples(a, g, any_sign=any_sign)
            if not equal and any_sign:
                left, right = (scalars.numerator(one) for one in (a, g))
                changed = left is not None or right is not None
                equal = changed and scalars.multiples(a if left is None else left, g if right is None else right)
        except Unknown as what:
            return Verdict(None, f"not decided: nothing is known about {what}")
        return Verdict(equal, "one is a multiple of the other" if equal else "they are no multiples of each other")

    def _value_of(self, equation: Any, value: Any) -> Verdict:
        """An equation, or a chain of them, against a value: all its sides must be it, but for names."""
        parts = list(equation.args) if isinstance(equation, sympy.And) else [equation]
        if not all(isinstance(part, sympy.Eq) for part in parts):
            return Verdict(False, "a relation and a value")
        sides = [side for part in parts for side in part.args]
        if not all(isinstance(side, sympy.Expr) for side in sides):
            return Verdict(False, "an equation of sets and a value")
        sides = [side for side in sides if side == value or not _is_name(side)] or sides
        verdicts = [self._values(side, value) for side in sides]
        wrong = [one for one in verdicts if one.equal is not True]
        return wrong[0] if wrong else verdicts[-1]

    def _matrices(self, a: Any, g: Any) -> Verdict:
        if a.shape != g.shape:
            return Verdict(False, "the matrices have different shapes")
        return self._each(list(a), list(g))

    def _in_order(self, a: Any, g: Any) -> Verdict:
        return self._each(a.args, g.args)

    def _each(self, answers: Sequence[Any], golds: Sequence[Any]) -> Verdict:
        if len(answers) != len(golds):
            return Verdict(False, f"{len(answers)} items, not {len(golds)}")
        verdicts = [self.of(a, g) for a, g in zip(answers, golds, strict=True)]
        return next((one for one in verdicts if one.equal is False), None) or next(
            (one for one in verdicts if one.equal is None), Verdict(True, "all items are equal")
        )

    def _members(self, a: Any, g: Any) -> Verdict:
        """Each member of one has its own in the other."""
        answers, waiting = list(a.args), list(g.args)
        if len(answers) != len(waiting):
            return Verdict(False, f"{len(answers)} members, not {len(waiting)}")
        if len(answers) > MOST_MEMBERS:
            return Verdict(False, "they are too many to be compared one by one")
        for answer in answers:
            verdicts = [self.of(answer, gold) for gold in waiting]
            found = next((place for place, one in enumerate(verdicts) if one.equal), None)
            if found is None:
                unsure = next((one for one in verdicts if one.equal is None), None)
                return unsure or Verdict(False, "a member has no equal")
            del waiting[found]
        return Verdict(True, "all members are equal")

    def _intervals(self, a: Any, g: Any) -> Verdict:
        if (bool(a.left_open), bool(a.right_open)) != (bool(g.left_open), bool(g.right_open)):
            return Verdict(False, "an end is open in one of them and closed in the other")
        return self._each(a.args[:2], g.args[:2])

    def _sets(self, a: Any, g: Any) -> Verdict:
        """Unions and the like, piece by piece."""
        a, g = a.doit(), g.doit()
        if a == g:
            return EQUAL
        if type(a) is not type(g) or type(a) not in (sympy.Union, sympy.Intersection, sympy.ProductSet):
            return self.of(a, g) if type(a) is type(g) in _SIMPLE_SETS else Verdict(False, "the sets differ")
        return self._in_order(a, g) if isinstance(a, sympy.ProductSet) else self._members(a, g)


_SIMPLE_SETS = (sympy.FiniteSet, sympy.Interval)


def _unwrapped(a: Any, g: Any) -> tuple[Any, Any]:
    """{5} is 5 beside a value; a column or row is a tuple beside a tuple."""
    if isinstance(a, sympy.FiniteSet) and len(a.args) == 1 and not isinstance(g, sympy.Set):
        return a.args[0], g
    if isinstance(g, sympy.FiniteSet) and len(g.args) == 1 and not isinstance(a, sympy.Set):
        return a, g.args[0]
    if isinstance(a, sympy.MatrixBase) and isinstance(g, sympy.Tuple) and 1 in a.shape:
        return sympy.Tuple(*a), g
    if isinstance(g, sympy.MatrixBase) and isinstance(a, sympy.Tuple) and 1 in g.shape:
        return a, sympy.Tuple(*g)
    return a, g


def _is_name(side: Any) -> bool:
    """x, f(x), or a name of several letters, such as AB, which is read as a product."""
    if isinstance(side, sympy.Mul):
        return all(isinstance(one, sympy.Symbol) for one in side.args)
    return isinstance(side, sympy.Symbol) or (side.is_Function and str(side) in names(side))


_TURNED = {sympy.Gt: sympy.Lt, sympy.Ge: sympy.Le}


def _less(relation: Any) -> Any:
    """With < for >."""
    turned = _TURNED.get(type(relation))
    return turned(relation.rhs, relation.lhs, evaluate=False) if turned else relation


_NAMES = (
    (sympy.FiniteSet, "a set"), (sympy.Interval, "an interval"), (sympy.Set, "a set"), (sympy.Tuple, "a tuple"),
    (sympy.MatrixBase, "a matrix"), (sympy.Eq, "an equation"), (Relational, "a relation"), (sympy.Expr, "a value"),
)  # fmt: skip


def _named(value: Any) -> str:
    return next((name for kind, name in _NAMES if isinstance(value, kind)), "something else")
