"""What the base model learns to write: worked solutions, bare answers, and solutions with one slipped step."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from benchmarks.miniature.expressions import Expression, apply, operations

SLIPS = (-10, -2, -1, 1, 2, 10)


def worked(expression: Expression) -> str:
    return _written(expression)


def direct(expression: Expression) -> str:
    """`\\boxed{9}`: the answer without its steps."""
    *_, (_, answer) = _steps(expression)
    return f"\\boxed{{{answer}}}"


def slipped(expression: Expression, rng: Random) -> str:
    """One step is off, and what follows goes on from there."""
    return _written(expression, rng.randrange(operations(expression)), rng.choice(SLIPS))


def _written(expression: Expression, slip_at: int = -1, slip: int = 0) -> str:
    """`7+5=12, 12-3=9. \\boxed{9}`"""
    lines = list(_steps(expression, slip_at, slip))
    return f"{', '.join(text for text, _ in lines)}. \\boxed{{{lines[-1][1]}}}"


def _steps(expression: Expression, slip_at: int = -1, slip: int = 0) -> Iterator[tuple[str, int]]:
    """(text, value) of every operation, innermost first; the last value is the answer."""
    done = 0

    def walk(part: Expression) -> Iterator[tuple[str, int]]:
        nonlocal done
        if isinstance(part, int):
            return part
        left = yield from walk(part.left)
        right = yield from walk(part.right)
        result = apply(part.op, left, right)
        if done == slip_at:
            result = max(1, result + slip)
        done += 1
        yield f"{left}{part.op}{right}={result}", result
        return result

    return walk(expression)
