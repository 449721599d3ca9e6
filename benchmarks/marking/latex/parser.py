r"""From a tidy text in LaTeX or program notation to sympy, in a fraction of a millisecond.

    "\frac{1}{m} t" -> Parsed(t/m, rounded=False)        "0.33 x" -> Parsed(33*x/100, rounded=True)

Values are exact: a decimal is the fraction that its digits say, and `rounded` says that there was one. Every letter is
one and the same symbol in all texts, real unless it is a z; e, i, \pi are the constants, unless they have an index.
Numbers too large to write out stay powers and factorials as written (`construction.py`). What the grammar does not
have, integrals, sums, limits, is left to latex2sympy2_extended.

    tokens  >  expression  >  commands  >  parser (brackets, sets, relations, lists)
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import sympy
from sympy import S

from benchmarks.marking.latex import construction as values
from benchmarks.marking.latex.commands import CommandParser
from benchmarks.marking.latex.fallback import fallback
from benchmarks.marking.latex.tokens import Foreign, Unreadable, tokens

MOST_CHARACTERS = 2000
_RELATIONS: dict[str, Any] = {
    "=": sympy.Eq, "<": sympy.Lt, r"\lt": sympy.Lt, ">": sympy.Gt, r"\gt": sympy.Gt,
    "<=": sympy.Le, r"\le": sympy.Le, r"\leq": sympy.Le, r"\leqslant": sympy.Le,
    ">=": sympy.Ge, r"\ge": sympy.Ge, r"\geq": sympy.Ge, r"\geqslant": sympy.Ge,
    "!=": sympy.Ne, r"\ne": sympy.Ne, r"\neq": sympy.Ne, r"\equiv": sympy.Eq, r"\in": sympy.Contains,
}  # fmt: skip
_SET_SIGNS = {r"\cup": sympy.Union, r"\cap": sympy.Intersection, r"\setminus": sympy.Complement,
              r"\backslash": sympy.Complement, "-": sympy.Complement}  # fmt: skip
_AS_WRITTEN: dict[str, Any] = {"evaluate": False}
_BOTH_SIGNS = (r"\pm", r"\mp")
_CLOSERS = {"(": (")", "]"), "[": ("]", ")"), r"\{": (r"\}",), r"\langle": (r"\rangle",), "{": ("}",)}
_MATRICES = ("matrix", "pmatrix", "bmatrix", "Bmatrix", "smallmatrix", "array")


class Parsed(NamedTuple):
    """What a text was read as."""

    value: sympy.Basic
    """exact"""
    rounded: bool
    """holds a decimal, which somebody may have rounded"""


def read(text: str) -> Parsed | None:
    """An expression, equation, chain of relations, set, tuple, interval, matrix, or a list of these as a FiniteSet;
    None for anything else. A \\pm stands for a FiniteSet of both values.

    Raises: nothing.
    """
    if len(text) > MOST_CHARACTERS:
        return None
    try:
        found = _both_signs(text)
    except Foreign:
        value = None if _has_words(text) else fallback(text)
        found = None if value is None else Parsed(value, bool(value.has(sympy.Float)))
    except Exception:  # Unreadable, or anything: sympy is fed texts of a model
        return None
    return None if found is None or found.value in (S.NaN, S.ComplexInfinity) else found


def _has_words(text: str) -> bool:
    """Outside of indices; latex2sympy2_extended takes every letter of a word for a factor."""
    found = tokens(text)
    before = [token.text for token in found]
    return any(
        token.kind == "word" and before[place - 1] != "_" and before[place - 2 : place] != ["_", "{"]
        for place, token in enumerate(found)
    )


def _both_signs(text: str) -> Parsed:
    found = tokens(text)
    first = _parsed(found, 1)
    pluses, minuses = (sum(token.text == sign for token in found) for sign in _BOTH_SIGNS)
    if not pluses and not minuses:
        return first
    if pluses > 1 or minuses > 1:
        raise Unreadable  # which signs go together is not said
    return Parsed(_either(first.value, _parsed(found, -1).value), first.rounded)


def _parsed(found: Any, sign: int) -> Parsed:
    try:
        return Parser(found, False, sign).all()
    except values.TooLarge:
        if any(token.text in _BOTH_SIGNS for token in found):
            raise Unreadable from None  # sympy sorts a set by size
        return Parser(found, True, sign).all()


def _either(first: Any, second: Any) -> Any:
    if isinstance(first, sympy.Eq) and isinstance(second, sympy.Eq) and first.lhs == second.lhs:
        return sympy.Eq(first.lhs, sympy.FiniteSet(first.rhs, second.rhs), evaluate=False)
    if isinstance(first, sympy.FiniteSet) and isinstance(second, sympy.FiniteSet):
        return sympy.FiniteSet(*first.args, *second.args)
    if isinstance(first, sympy.core.relational.Relational | sympy.And):
        return sympy.Or(first, second, **_AS_WRITTEN)
    return sympy.FiniteSet(first, second)


class Parser(CommandParser):
    """See `ExpressionParser` for what methods do and raise."""

    def all(self) -> Parsed:
        """All tokens, to the end."""
        groups = [self._list()]
        while self.take(";"):
            groups.append(self._list())
        if self.kind != "end":
            raise Unreadable
        items = groups[0] if len(groups) == 1 else [sympy.Tuple(*g) if len(g) > 1 else g[0] for g in groups]
        return Parsed(items[0] if len(items) == 1 else self._set(items), self.rounded)

    def _list(self) -> list[Any]:
        """Statements between commas; n = 1, 2, 3 is one."""
        items = [self._statement()]
        while self.take(","):
            items.append(self._statement())
        first, others = items[0], items[1:]
        named = isinstance(first, sympy.Eq) and (first.lhs.is_Symbol or first.lhs.is_Function)
        if others and named and all(isinstance(item, sympy.Expr) for item in others):
            return [sympy.Eq(first.lhs, self._set([first.rhs, *others]), evaluate=False)]
        return items

    def _statement(self) -> Any:
        """A value, or relations between values."""
        sides, signs = [self._value()], []
        while True:
            if self.take(r"\approx"):
                self._approximation(sides, signs)
            elif self.text in _RELATIONS:
                signs.append(self.text)
                self.at += 1
                sides.append(self._value(of_set=signs[-1] == r"\in"))
            else:
                break
        modulus = self._modulus()
        if modulus is not None:
            if not signs or not set(signs) <= {"=", r"\equiv"}:
                raise Unreadable
            sides = [values.remainder(side, modulus) for side in sides]
        if not signs:
            return sides[0]
        relations = [_relation(sign, *pair) for sign, pair in zip(signs, pairwise(sides), strict=True)]
        if len(relations) > 1 and self.lazy:
            raise Unreadable  # sympy sorts by size
        return relations[0] if len(relations) == 1 else sympy.And(*relations, **_AS_WRITTEN)

    def _approximation(self, sides: list[Any], signs: list[str]) -> None:
        """Beside a number, its digits; beside a letter, its value."""
        rounded = self.rounded
        value = self._value()
        if getattr(sides[-1], "free_symbols", True):
            signs.append("=")
            sides.append(value)
            self.rounded = True
        else:
            self.rounded = rounded

    def _modulus(self) -> Any:
        if self.take(r"\pmod"):
            return values.scalar(self.argument())
        if self.text == "(" and self.after().text in (r"\bmod", r"\mod", "mod"):
            self.at += 2
            modulus = values.scalar(self.sum())
            self.expect(")")
            return modulus
        return None

    def _value(self, of_set: bool = False) -> Any:
        value = self._open(self._over()) if of_set else self._over()
        while self.text in _SET_SIGNS:
            operation = _SET_SIGNS[self.text]
            self.at += 1
            value = operation(_as_set(self._open(value)), _as_set(self._open(self._over())), evaluate=False)
        return value

    def _over(self) -> Any:
        r"""A sum; of two with \over, a colon, or \choose between them the quotient or binomial."""
        value = self.sum()
        if self.take(r"\over") or self.take(":"):
            return values.quotient(value, self.sum(), self.lazy)
        if self.take(r"\choose"):
            return values.binomial(value, self.sum(), self.lazy)
        return value

    def _open(self, value: Any) -> Any:
        """A pair that stands where a set must stand is an open interval."""
        return self._interval("(", ")", list(value)) if isinstance(value, sympy.Tuple) and len(value) == 2 else value

    def bracketed(self) -> Any:
        opening = self.text
        items, closing = self._items()
        if opening == r"\{":
            return self._set(items)
        if opening == "{":
            return items[0] if len(items) == 1 else self._set(items)
        if len(items) == 1 and closing == _CLOSERS[opening][0]:
            return items[0] if opening != r"\langle" else sympy.Tuple(*items)
        if not items:
            raise Unreadable
        mixed = closing != _CLOSERS[opening][0]
        infinite = len(items) == 2 and any(item in (S.Infinity, S.NegativeInfinity) for item in items)
        if mixed or infinite or (opening == "[" and len(items) == 2):
            return self._interval(opening, closing, items)
        return sympy.Tuple(*items)

    def arguments(self) -> list[Any]:
        opening = self.text
        items, closing = self._items()
        if not items or closing != _CLOSERS[opening][0]:
            raise Unreadable
        return items

    def _items(self) -> tuple[list[Any], str]:
        """What stands in brackets, and the closing one."""
        opening = self.text
        self.at += 1
        items = []
        if self.text not in _CLOSERS[opening]:
            items.append(self._item(opening))
            while self.take(",") or self.take(";"):
                items.append(self._item(opening))
        closing = self.text
        if closing not in _CLOSERS[opening]:
            raise Unreadable
        self.at += 1
        return items, closing

    def _item(self, opening: str) -> Any:
        return self._statement() if opening in (r"\{", "{") else self._value()

    def _set(self, items: list[Any]) -> Any:
        if self.lazy:
            raise Unreadable  # sympy sorts by size
        return sympy.FiniteSet(*items)

    def _interval(self, opening: str, closing: str, ends: list[Any]) -> Any:
        """Raises: Unreadable: empty, or with infinity as a member."""
        if len(ends) != 2 or self.lazy:
            raise Unreadable
        left, right = map(values.scalar, ends)
        if (opening == "[" and left is S.NegativeInfinity) or (closing == "]" and right is S.Infinity):
            raise Unreadable
        interval = sympy.Interval(left, right, opening == "(", closing == ")")
        if not isinstance(interval, sympy.Interval):
            raise Unreadable
        return interval

    def matrix(self) -> Any:
        name = self.text[len(r"\begin{") : -1].removesuffix("*")
        self.at += 1
        if name not in _MATRICES:
            raise Unreadable
        if name == "array":
            self.expect("{")
            while not self.take("}"):
                if self.text.strip("lcr|"):
                    raise Unreadable
                self.at += 1
        end = rf"\end{{{name}"
        rows = [[self._value()]]
        while not self.text.startswith(end):
            if self.take("&"):
                rows[-1].append(self._value())
            elif self.take("\\\\"):
                if not self.text.startswith(end):
                    rows.append([self._value()])
            else:
                raise Unreadable
        self.at += 1
        return sympy.ImmutableMatrix([[values.scalar(entry) for entry in row] for row in rows])


def _relation(sign: str, left: Any, right: Any) -> Any:
    if sign == r"\in":
        return sympy.Contains(left, _as_set(right), evaluate=False)
    return _RELATIONS[sign](left, right, evaluate=False)


def _as_set(value: Any) -> Any:
    if not isinstance(value, sympy.Set):
        raise Unreadable
    return value
