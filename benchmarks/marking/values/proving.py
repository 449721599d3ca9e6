"""Identities with floors, absolute values and the like, where points alone do not tell: every piece is visited."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, product
from math import lcm
from typing import Any

import sympy
from flint import arb, fmpq

from benchmarks.marking.values import letters as letters_
from benchmarks.marking.values import pieces
from benchmarks.marking.values.arithmetic import PRECISE, sign_of
from benchmarks.marking.values.enclosure import BallOverflow, Number, Undefined, Unknown, Unsure, Values
from benchmarks.marking.values.letters import KINKS, LetterKind, is_step, names, preorder
from benchmarks.marking.values.pair import LINES, MOST_LINES, Differs, ExpressionPair, Identity, at, line
from benchmarks.marking.values.pieces import NotPolynomial

OPENED = 12
"""points at which floors and the like are letters"""
WIDE = 10**12
"""absolute value of ordinary numbers, at most"""
MOST_EXPANDED = 12
"""exponent in an argument that sympy expands"""
MOST_GRID = 20_000
"""integer points that prove an identity"""


class Unvisited(Exception):
    """A piece where nothing can be told."""

    def __init__(self, point: Mapping[str, Number]) -> None:
        super().__init__(f"a piece could not be visited{at(point)}")


def prove(pair: ExpressionPair, real: bool) -> Identity:
    """Raises: Differs; Unknown; NotPolynomial of what cannot be proved."""
    if _without_opening(pair, real):
        return Identity(True, "the same, whatever the floors and absolute values are")
    return _steps(pair, real) if pair.steps else _kinks(pair, real)


def _without_opening(pair: ExpressionPair, real: bool) -> bool:
    """Whether they are equal whatever floors, absolute values and the like are: those of equal arguments are one letter
    each."""
    known: dict[str, Number] = {}

    def opaque(node: Any) -> Number | None:
        name = type(node).__name__
        if not (is_step(node) or name in KINKS or pieces.hides_kink(node)) or not node.free_symbols:
            return None
        sign, key = _key(node)
        value = known.setdefault(key, 10 * letters_.fraction(pair.source))
        return sign * value

    try:
        for point in pair.drawn(OPENED):
            known.clear()
            if pair.equal_at(point, real=real, opaque=opaque) is not True:
                return False
    except Differs:
        return False
    return True


def _key(node: Any) -> tuple[int, str]:
    """The same for equal ones: ceil(u) is -floor(-u), and |u| is |-u|."""
    name = type(node).__name__
    if any(one.is_Pow and one.exp.is_number and not _is_small(one.exp) for one in preorder(node)):
        return 1, str(node)
    arguments = [sympy.expand(one) if isinstance(one, sympy.Expr) else one for one in node.args]
    if name == "ceiling":
        return -1, f"floor {sympy.expand(-arguments[0])}"
    if name == "Abs":
        return 1, f"Abs {min(str(arguments[0]), str(sympy.expand(-arguments[0])))}"
    return 1, f"{name} {' '.join(map(str, arguments))}"


def _is_small(exponent: Any) -> bool:
    return bool(exponent.is_Rational and abs(exponent) <= MOST_EXPANDED)


def _kinks(pair: ExpressionPair, real: bool) -> Identity:
    """Every piece of some lines. Raises: Differs, NotPolynomial."""
    turning = pieces.turning(pair.answer, pair.gold)
    seen: dict[Any, set[int]] = {one: set() for one in turning}
    polynomial = [one for one in turning if _has_form(pair, one)]
    borders = pieces.borders(pair.answer, pair.gold, real=real)
    arguments = [*polynomial, *(one for one in borders if _has_form(pair, one))]
    met = 0
    drawn = ((point, pair.equal_at(point, real=real)) for point in pair.drawn())
    for point, equal in chain(_on_pieces(pair, arguments, real, strict=True), drawn):
        met += bool(equal)
        if equal is None and _one_has_a_value(pair, point, real):
            return Identity(False, f"only one of them has a value{at(point)}")
        if equal:
            _note_signs(seen, point, real)
    for one in turning:
        flat = all(pair.kinds.get(letter) is not LetterKind.COMPLEX for letter in names(one))
        whole = one in polynomial and len(names(one)) == 1
        if flat and not whole and len(seen[one] - {0}) < 2 and not _one_sign(one, pair.kinds):
            raise NotPolynomial(str(one))
    if any(kind is LetterKind.COMPLEX for kind in pair.kinds.values()):
        return Identity(True, f"equal at {met} complex points, not proved")
    return Identity(True, f"equal at {met} points, on every piece of {LINES} lines along each letter")


def visit(pair: ExpressionPair, arguments: list[Any], real: bool, *, strict: bool) -> None:
    """Raises: Differs; Unvisited; NotPolynomial if `strict`."""
    for _ in _on_pieces(pair, arguments, real, strict=strict):
        pass


def _on_pieces(
    pair: ExpressionPair, arguments: list[Any], real: bool, *, strict: bool
) -> Iterator[tuple[dict[str, Number], bool | None]]:
    """Points on every piece, and what `equal_at` says there."""
    for letter in pair.kinds:
        if pair.kinds[letter] is LetterKind.COMPLEX:
            continue
        complete, missed = 0, None
        for number in range(MOST_LINES):
            try:
                parts = line(pair, arguments, letter, number % LINES)
            except NotPolynomial:
                if strict:
                    raise
                break
            met = [[pair.equal_at(point, real=real) for point in points] for points in parts]
            for points, found in zip(parts, met, strict=True):
                yield from zip(points, found, strict=True)
            unmet = [
                points[0] for points, found in zip(parts, met, strict=True) if False in found and True not in found
            ]
            complete, missed = (complete, unmet[0]) if unmet else (complete + 1, missed)
            if complete == LINES:
                break
        else:
            raise Unvisited(missed or {})


def _has_form(pair: ExpressionPair, argument: Any) -> bool:
    if any(pair.kinds.get(letter) is LetterKind.COMPLEX for letter in names(argument)):
        return False
    try:
        for letter in names(argument):
            pieces.cuts([argument], letter, letters_.draw(pair.kinds, 0, pair.source))
    except NotPolynomial:
        return False
    return True


def _one_has_a_value(pair: ExpressionPair, point: Mapping[str, Number], real: bool) -> bool:
    answer, gold = (pair.has_value(one, point, real=real) for one in pair.whole)
    return answer != gold


def _note_signs(seen: dict[Any, set[int]], point: Mapping[str, Number], real: bool) -> None:
    values = Values(128, point, real=real)
    for one, signs in seen.items():
        try:
            signs.add(sign_of(values.of(one), values))
        except (Undefined, Unsure, BallOverflow, Unknown):
            continue


def _one_sign(argument: Any, kinds: Mapping[str, LetterKind]) -> bool:
    """Whether it can have no other sign: by its bounds over all numbers of ordinary size, or as sympy knows."""
    everywhere = Values(PRECISE, dict.fromkeys(names(argument), arb(0, WIDE)))
    try:
        if sign_of(everywhere.of(argument), everywhere):
            return True
    except (Undefined, Unsure, BallOverflow, Unknown):
        pass
    symbols = {one: sympy.Symbol(one.name, **_known(kinds.get(one.name))) for one in argument.free_symbols}
    known = argument.xreplace(symbols)
    return bool(known.is_nonnegative or known.is_nonpositive) or _is_definite(known)


def _known(kind: LetterKind | None) -> dict[str, bool]:
    return {"positive": True} if kind is LetterKind.POSITIVE else {"real": True}


def _is_definite(argument: Any) -> bool:
    """Of a polynomial of degree 2 with rational coefficients: whether its matrix is semidefinite."""
    symbols = sorted(argument.free_symbols, key=str)
    if not argument.is_polynomial(*symbols):
        return False
    form = sympy.Poly(argument, *symbols)
    if form.total_degree() != 2 or not all(one.is_Rational for one in form.coeffs()):
        return False
    size = len(symbols) + 1
    matrix = sympy.zeros(size, size)
    for powers, coefficient in form.terms():
        places = [place for place, power in enumerate(powers) for _ in range(power)]
        i, j = [*places, size - 1, size - 1][:2]
        matrix[i, j] += coefficient / 2
        matrix[j, i] += coefficient / 2
    return bool(matrix.is_positive_semidefinite or (-matrix).is_positive_semidefinite)


def _steps(pair: ExpressionPair, real: bool) -> Identity:
    """As many integers as prove it. Raises: Differs, NotPolynomial, Unvisited."""
    changes = [*pieces.turning(pair.answer, pair.gold), *pieces.borders(pair.answer, pair.gold, real=real)]
    if changes:
        visit(pair, changes, real, strict=pair.kinks)
    drawn = [letter for letter, kind in pair.kinds.items() if kind is not LetterKind.WHOLE]
    stepped = {
        letter for one in (pair.answer, pair.gold) for node in preorder(one) if is_step(node) for letter in names(node)
    }
    if stepped & set(drawn):
        return _real_steps(pair, real)
    shapes = [pieces.shape(one, pair.kinds) for one in (pair.answer, pair.gold)]
    total = shapes[0].within(shapes[1], None, max(one.degree for one in shapes))
    return _grid(pair, total, real)


def _grid(pair: ExpressionPair, total: pieces.Shape, real: bool) -> Identity:
    """Integers over a full period of every letter, as often as the degree asks for: a polynomial that is zero there is
    zero. Raises: Differs; NotPolynomial."""
    wholes = [letter for letter, kind in pair.kinds.items() if kind is LetterKind.WHOLE]
    counts = [total.periods.get(letter, 1) * (total.degree + 2) for letter in wholes]
    size = 2 ** len(wholes)
    for count in counts:
        size *= count
    if size > MOST_GRID:
        raise NotPolynomial("a long period")
    others = {letter: kind for letter, kind in pair.kinds.items() if kind is not LetterKind.WHOLE}
    met = 0
    for values in product(*(range(-count, count) for count in counts)):
        point = dict(zip(wholes, map(fmpq, values), strict=True))
        rest = letters_.draw(others, 3, pair.source)
        equal = pair.equal_at({**point, **rest}, real=real)
        if equal is False:
            raise Unvisited({**point, **rest})
        met += bool(equal)
    if met < size // 2 ** (len(wholes) + 1):
        return Identity(False, "there are too few integers where both have a value")
    how = "a proof" if total.polynomial and not pair.kinks else "not proved"
    return Identity(True, f"equal at {met} integer points: {how}")


def _real_steps(pair: ExpressionPair, real: bool) -> Identity:
    """One real letter, x = (n + t)/M: the steps lie where t is 0. Raises: Differs, NotPolynomial."""
    if len(pair.kinds) != 1:
        raise NotPolynomial("several real letters")
    (letter,) = pair.kinds
    fineness = _fineness(pair, sympy.Symbol(letter))
    shapes = [pieces.shape(one, {letter: LetterKind.WHOLE}) for one in (pair.answer, pair.gold)]
    degree = max(one.degree for one in shapes)
    count = fineness * max(one.periods.get(letter, 1) for one in shapes) * (degree + 2)
    offsets = [fmpq(0), *((k + letters_.fraction(pair.source)) / (degree + 2) for k in range(degree + 2))]
    if 2 * count * len(offsets) > MOST_GRID:
        raise NotPolynomial("a long period")
    met = 0
    for n, offset in product(range(-count, count), offsets):
        point = {letter: (n + offset) / fineness}
        equal = pair.equal_at(point, real=real)
        if equal is False:
            raise Unvisited(point)
        met += bool(equal)
    if met < count:
        return Identity(False, "there are too few points where both have a value")
    return Identity(True, f"equal at {met} points, on every step")


def _fineness(pair: ExpressionPair, symbol: Any) -> int:
    """M such that all steps lie at multiples of 1/M. Raises: NotPolynomial."""
    found = 1
    for node in (node for one in (pair.answer, pair.gold) for node in preorder(one)):
        if not is_step(node):
            continue
        argument = node.args[0] / node.args[1] if type(node).__name__ == "Mod" else node.args[0]
        argument = argument.xreplace(dict.fromkeys(argument.free_symbols, symbol))
        line = sympy.Poly(argument, symbol) if argument.is_polynomial(symbol) else None
        if line is None or line.degree() != 1 or not all(one.is_Rational for one in line.all_coeffs()):
            raise NotPolynomial("a step")
        slope, start = line.all_coeffs()
        found = lcm(found, abs(int(slope.p)) * int(start.q), int(slope.q))
    return found
