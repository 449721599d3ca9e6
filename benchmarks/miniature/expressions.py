"""The computation behind a problem: a small tree of whole-number operations."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operation:
    """`left op right`, where op is one of + - * /."""

    op: str
    left: Expression
    right: Expression


Expression = int | Operation

ADDITIVE, MULTIPLICATIVE, INVERSE = "+-", "*/", "-/"


def apply(op: str, left: int, right: int) -> int:
    """Division rounds down: exact in every problem, defined for a slipped one."""
    if op == "+":
        return left + right
    if op == "-":
        return left - right
    return left * right if op == "*" else left // right


def value(expression: Expression) -> int:
    """The number it comes to; a division rounds down, as `apply` does."""
    if isinstance(expression, int):
        return expression
    return apply(expression.op, value(expression.left), value(expression.right))


def operations(expression: Expression) -> int:
    """How many steps it takes."""
    if isinstance(expression, int):
        return 0
    return 1 + operations(expression.left) + operations(expression.right)


def chain(start: Expression, *links: tuple[str, int]) -> Expression:
    """((start op n) op n) ..."""
    for op, number in links:
        start = Operation(op, start, number)
    return start


def symbols(expression: Expression) -> str:
    """As written in a question, with no bracket that precedence makes needless."""
    if isinstance(expression, int):
        return str(expression)
    left, right = symbols(expression.left), symbols(expression.right)
    if expression.op in MULTIPLICATIVE and _is(expression.left, ADDITIVE):
        left = f"({left})"
    if isinstance(expression.right, Operation) and (
        expression.op in MULTIPLICATIVE or (expression.op == "-" and expression.right.op in ADDITIVE)
    ):
        right = f"({right})"
    return f"{left}{expression.op}{right}"


def canonical(expression: Expression) -> str:
    """One text for all orders of the same terms and factors: `5+3*4`, `4*3+5` and (3 times 4, then 5 more) agree."""
    if isinstance(expression, int):
        return str(expression)
    parts: list[str] = []
    direct, inverse = ADDITIVE if expression.op in ADDITIVE else MULTIPLICATIVE
    _collect(expression, direct, inverse, parts)
    return f"({''.join(sorted(parts))})"


def _collect(expression: Expression, sign: str, other: str, parts: list[str]) -> None:
    """The signed terms of a sum, or factors of a product; `other` is the opposite of `sign`."""
    if isinstance(expression, int):
        parts.append(f"{sign}{expression}")
    elif expression.op in (sign, other):
        _collect(expression.left, sign, other, parts)
        if expression.op in INVERSE:
            sign, other = other, sign
        _collect(expression.right, sign, other, parts)
    else:
        parts.append(sign + canonical(expression))


def _is(expression: Expression, ops: str) -> bool:
    return isinstance(expression, Operation) and expression.op in ops
