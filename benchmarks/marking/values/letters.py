"""What the letters of two expressions stand for, and points to try them at."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from enum import Enum
from hashlib import sha256
from typing import Any

from flint import fmpq, fmpz

from benchmarks.marking.values.arithmetic import ComplexRational, Number

STEPS = frozenset({"floor", "ceiling", "frac", "Mod"})
"""functions that jump"""
KINKS = frozenset({"Abs", "sign", "Max", "Min", "Heaviside", "Piecewise", "arg"})
"""functions that are smooth where their arguments, or the differences of them, have one sign"""
_WHOLE_ARGUMENTS = frozenset({"factorial", "factorial2", "binomial", "fibonacci", "GCD", "LCM"})
_ANGLES = frozenset({"sin", "cos", "tan", "cot", "sec", "csc"})
_WHOLE_NAMES = frozenset("nmkjlpqNMK")
"""letters that are integers where an expression has a function that is meant for integers"""
_COMPLEX_NAMES = frozenset("zw")
_COMPLEX_FUNCTIONS = frozenset({"conjugate", "re", "im", "arg"})
_SMALL, MOST_SCALE = 8, 256
"""bits of constants"""
SIZES = (1, 10, -1, 100, 2, -2, 1000, 10**6)
"""of the numbers that are tried: 10 is up to ten, -2 down to a hundredth"""


def is_step(node: Any) -> bool:
    """Whether it jumps, as a floor does; gcd(n, 12) too, but not gcd(m, n)."""
    name = type(node).__name__
    return name in STEPS or (name in ("GCD", "LCM") and any(one.is_Integer for one in node.args))


class LetterKind(Enum):
    """What a letter stands for."""

    REAL = "a real number"
    POSITIVE = "a positive number"
    WHOLE = "an integer"
    COMPLEX = "a complex number"


def names(*expressions: Any) -> set[str]:
    """Of free symbols, and of functions that have no meaning of their own with their arguments."""
    from sympy.core.function import AppliedUndef

    found: set[str] = set()
    for one in expressions:
        found |= {symbol.name for symbol in one.free_symbols}
        if one.has(AppliedUndef):
            found |= {str(function) for function in one.atoms(AppliedUndef)}
    return found


def kinds(*expressions: Any) -> dict[str, LetterKind]:
    """Of all letters.

    A letter that is raised to, as in (-1)^n, or whose factorial is taken, is an integer; n and its like are too beside
    floors and angles such as pi n. A factor of what stands under an even root is positive: sqrt(a/b) is sqrt(ab)/b, as
    for the quantities of physics; a square under it, as in sqrt(x^2), says nothing.
    """
    # What a letter is follows from where it stands, in either of the expressions.
    nodes = [node for one in expressions for node in preorder(one)]
    whole: set[str] = set()
    for node in nodes:
        name = type(node).__name__
        if name in _WHOLE_ARGUMENTS:
            whole |= names(*node.args)
        elif is_step(node):
            whole |= _whole_names(node)
        elif name in ("Sum", "Product"):
            whole |= names(*(limit for limits in node.args[1:] for limit in limits.args[1:]))
    # An answer alone cannot make a letter of the gold an integer so, but n: m cos(2 pi m) is not m.
    gold = expressions[-1]
    whole |= _turned(gold) | (_turned(*expressions) - (names(gold) - {"n"}))
    positive = {letter for node in nodes for letter in _under_root(node)}
    imaginary = any(type(node).__name__ in ("ImaginaryUnit", *_COMPLEX_FUNCTIONS) for node in nodes)
    letters = names(*expressions)
    planar = imaginary or not letters & {"x", "y"}
    return {
        letter: LetterKind.WHOLE
        if letter in whole
        else LetterKind.COMPLEX
        if planar and letter.partition("_")[0] in _COMPLEX_NAMES
        else LetterKind.POSITIVE
        if letter in positive
        else LetterKind.REAL
        for letter in sorted(letters)
    }


def _turned(*expressions: Any) -> set[str]:
    """Letters that are integers because a negative number is raised to them, or they count turns."""
    found: set[str] = set()
    for node in (node for one in expressions for node in preorder(one)):
        name = type(node).__name__
        if name == "Pow" and node.args[0].is_number and _negative(node.args[0]):
            found |= names(node.args[1])
        elif (name in _ANGLES and node.has(_pi())) or _turn(node):
            found |= _whole_names(node)
    return found


def _whole_names(node: Any) -> set[str]:
    return {letter for letter in names(*node.args) if letter.partition("_")[0] in _WHOLE_NAMES}


def _under_root(node: Any) -> Iterator[str]:
    """The letters that are factors of the radicand of an even root, to an odd power."""
    if type(node).__name__ != "Pow" or not node.args[1].is_Rational or node.args[1].q % 2:
        return
    base = node.args[0]
    for factor in base.args if type(base).__name__ == "Mul" else (base,):
        letter, power = factor.args if type(factor).__name__ == "Pow" else (factor, 1)
        if letter.is_Symbol and (power == 1 or (power.is_Integer and power % 2)):
            yield letter.name


def _pi() -> Any:
    from sympy import pi

    return pi


def _turn(node: Any) -> bool:
    """e^{i pi n} and its like."""
    return type(node).__name__ == "exp" and node.has(_pi())


def _negative(number: Any) -> bool:
    return bool(number.is_Rational and number < 0)


def preorder(expression: Any) -> Iterator[Any]:
    """All nodes, each once."""
    waiting, seen = [expression], set()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        yield node
        waiting.extend(node.args)


def generator(*expressions: Any) -> random.Random:
    """The same draws for the same expressions, in any order; who writes one cannot know them before it is written."""
    return random.Random(" ".join(sorted(_identity(one) for one in expressions)))


def _identity(expression: Any) -> str:
    """SHA-256 of its tree; hexadecimal, for Python refuses to print long decimals."""
    found = sha256()
    for node in preorder(expression):
        leaf = f"{int(node.p):x}/{int(node.q):x}" if node.is_Rational else "" if node.args else str(node)
        found.update(f"{type(node).__name__} {len(node.args)} {leaf};".encode())
    return found.hexdigest()


def draw(kinds_: Mapping[str, LetterKind], number: int, source: random.Random) -> dict[str, Number]:
    """The point of that number: small and large, of both signs; the first ones are of moderate size."""
    return {letter: _drawn(kind, number, source) for letter, kind in kinds_.items()}


def _drawn(kind: LetterKind, number: int, source: random.Random) -> Number:
    size = SIZES[source.randrange(len(SIZES))] if number > 2 else 10
    if kind is LetterKind.WHOLE:
        return fmpq(source.randint(*_WHOLE_RANGES[number % len(_WHOLE_RANGES)]))
    if kind is LetterKind.COMPLEX:
        return ComplexRational(_rational(size, source), _rational(size, source))
    value = _rational(size, source)
    return abs(value) if kind is LetterKind.POSITIVE else value


def scales(*expressions: Any) -> tuple[int, int]:
    """Bits of the largest constant, and of all that are not small, together: what has x/10^9 in it may change its form
    at numbers as large as that."""
    sizes = []
    for node in (node for one in expressions for node in preorder(one)):
        power = type(node).__name__ == "Pow" and node.args[0].is_Rational and node.args[1].is_Integer
        base, exponent = node.args if power else (node, 1)
        if base.is_Rational:
            sizes.append(max(int(base.p).bit_length(), int(base.q).bit_length()) * min(abs(int(exponent)), MOST_SCALE))
    large = [size for size in sizes if size > _SMALL]
    return min(max(large, default=0), MOST_SCALE), min(sum(large), MOST_SCALE)


_WHOLE_RANGES = ((1, 12), (1, 40), (-12, 12), (2, 300), (1, 20), (1000, 6000), (10**4, 10**7))


def _rational(size: int, source: random.Random) -> fmpq:
    value = fraction(source) * (size if size > 0 else fmpq(1, 10**-size))
    return value if source.random() < 0.6 else -value


def fraction(source: random.Random) -> fmpq:
    """Between a fifth and one. Its denominator is a large prime of its own, so that no multiple of it that one could
    write down before is an integer: sin(101 pi x) is zero at no x that is drawn."""
    below = source.getrandbits(31) | (1 << 31) | 1
    while not fmpz(below).is_probable_prime():
        below += 2
    return fmpq(source.randint(below // 5, below - 1), below)
