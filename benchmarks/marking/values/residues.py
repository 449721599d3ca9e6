"""Rational numbers that are too large to be written out, modulo large primes: where they differ there, they differ."""

from __future__ import annotations

from typing import Any

from benchmarks.marking.values.letters import generator

PRIMES, BITS = 3, 128
MOST_EXPONENT_BITS = 1 << 20


class _Unknown(Exception):
    """Or a denominator that the prime divides."""


def _primes(answer: Any, gold: Any) -> list[int]:
    """That who writes the answer cannot know before."""
    from sympy import nextprime

    source = generator(answer, gold)
    return [int(nextprime(source.getrandbits(BITS))) for _ in range(PRIMES)]


def same(answer: Any, gold: Any) -> bool | None:
    """Whether they agree modulo all the primes; None of what is no sum of products of powers of rationals."""
    try:
        return all(_residue(answer, p) == _residue(gold, p) for p in _primes(answer, gold))
    except _Unknown:
        return None


def _residue(node: Any, p: int) -> int:
    if node.is_Rational:
        return int(node.p) * _inverse(int(node.q), p) % p
    name = type(node).__name__
    if name == "Add":
        return sum(_residue(one, p) for one in node.args) % p
    if name == "Mul":
        found = 1
        for one in node.args:
            found = found * _residue(one, p) % p
        return found
    if name != "Pow":
        raise _Unknown(name)
    base, exponent = _residue(node.args[0], p), _exponent(node.args[1])
    return pow(base, exponent, p) if exponent >= 0 else pow(_inverse(base, p), -exponent, p)


def _inverse(number: int, p: int) -> int:
    if number % p == 0:
        raise _Unknown("division")
    return pow(number, -1, p)


def _exponent(node: Any) -> int:
    """Exactly."""
    if node.is_Integer:
        return int(node.p)
    name = type(node).__name__
    if name == "Pow":
        base, exponent = _exponent(node.args[0]), _exponent(node.args[1])
        if exponent < 0 or exponent * base.bit_length() > MOST_EXPONENT_BITS:
            raise _Unknown("an exponent")
        return base**exponent
    if name not in ("Add", "Mul"):
        raise _Unknown(name)
    parts = [_exponent(one) for one in node.args]
    if sum(part.bit_length() for part in parts) > MOST_EXPONENT_BITS:
        raise _Unknown("an exponent")
    found = 0 if name == "Add" else 1
    for part in parts:
        found = found + part if name == "Add" else found * part
    return found
