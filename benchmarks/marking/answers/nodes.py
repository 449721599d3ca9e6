"""What an answer can say: the nodes of the tree that `structure.read` makes of a text. Each keeps the LaTeX that it was
read from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from benchmarks.marking.answers.numbers import Plain
from benchmarks.marking.answers.unit_table import Unit
from benchmarks.marking.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Node:
    """Anything that was read."""

    latex: str
    """as the parser of expressions gets it"""


@dataclass(frozen=True, slots=True)
class Expression(Node):
    """A value that only a parser can tell."""


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A number that needs no parser."""

    plain: Plain


@dataclass(frozen=True, slots=True)
class Words(Node):
    """Words, or a name such as ABCD: they have no value and are compared as texts."""

    words: str


@dataclass(frozen=True, slots=True)
class Choice(Node):
    """A letter of a multiple choice, and the text of the option where it stands there."""

    letter: str
    option: Node | None = None


@dataclass(frozen=True, slots=True)
class Quantity(Node):
    """A value and its unit."""

    value: Node
    unit: Unit


@dataclass(frozen=True, slots=True)
class Based(Node):
    """Digits in a base other than ten, or in ten where the text says so."""

    digits: str
    base: int


@dataclass(frozen=True, slots=True)
class Items(Node):
    """A list: in order inside `()` and `[]`; a set inside `{}`; bare, with brackets "", in any order; a ratio or a time
    of day, with ":", in order."""

    items: tuple[Node, ...]
    brackets: str


@dataclass(frozen=True, slots=True)
class Interval(Node):
    """From low to high; its brackets are two of `([` and `)]`."""

    low: Node
    high: Node
    brackets: str


@dataclass(frozen=True, slots=True)
class Union(Node):
    """Of intervals and sets of points."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Complement(Node):
    """All real numbers but these."""

    points: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Matrix(Node):
    """Rows of entries."""

    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True, slots=True)
class Binding(Node):
    """`x = 5`, `f(x) = x^2`, `x \\in [0,1]`, `x < 3`: a value with its name."""

    name: str
    value: Node


@dataclass(frozen=True, slots=True)
class Bindings(Node):
    """`x = 2, y = 3`: several values, each with a name of its own."""

    names: tuple[str, ...]
    values: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Given(Node):
    """A value, and which numbers a letter of it stands for: `k\\pi, k \\in \\mathbb{Z}`."""

    value: Node
    domain: str


@dataclass(frozen=True, slots=True)
class Equation(Node):
    """Sides held equal, none of which is a name."""

    sides: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Relation(Node):
    """Sides in ascending order, with `<` or `<=` between them."""

    sides: tuple[Node, ...]
    signs: tuple[str, ...]


class Reader(Protocol):
    """Reads a piece of a text."""

    @property
    def gold(self) -> bool:
        """Whether the text is a gold, which is trusted where an answer is not."""
        ...

    def __call__(self, piece: str) -> Node:
        """The node of the piece."""
        ...


Walk = Callable[[Node, Node], Verdict]
"""Compares an answer's node with its gold's"""
