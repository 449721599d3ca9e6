"""Data that are not of their type, in words."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

_SHOWN = 60
"""characters of a text in a message"""
SCALARS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", types.NoneType: "null"}


class WrongType(Exception):
    """Data that are not of their type. `str` says where, what is allowed and what is there."""

    def __init__(self, said: str) -> None:
        """
        Args:
            said: `must be a text, but is 3 instead`
        """
        super().__init__(said)
        self.said = said
        self.keys: list[str | int] = []
        """where, innermost first"""

    def inside(self, key: str | int) -> WrongType:
        """The same, seen from one level further out."""
        self.keys.append(key)
        return self

    def __str__(self) -> str:
        return f": `{dotted(reversed(self.keys))}` {self.said}" if self.keys else f" {self.said}"


@dataclass(frozen=True)
class Limit:
    """In `Annotated`: which values of a type are allowed."""

    words: str
    """after the type's: `of at least 1`"""
    holds: Callable[[Any], bool]


def dotted(keys: Iterable[str | int]) -> str:
    """`arms[0].name`"""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{_readable(key)}" for key in keys).lstrip(".")


def wrong_type(kind: Any, value: Any) -> WrongType:
    """A value that is not of a type."""
    return WrongType(f"must be {_words(kind)}, but is {shown(value)} instead")


def _words(kind: Any) -> str:
    """`a whole number of at least 1 or null`"""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return " ".join([_words(inner[0]), *(limit.words for limit in inner[1:] if isinstance(limit, Limit))])
    if origin is Literal:
        return " or ".join("null" if value is None else f"`{value}`" for value in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(map(_words, inner)))
    if (origin or kind) in (list, tuple):
        return "a list"
    return SCALARS.get(types.NoneType if kind is None else kind, "an object")


def shown(value: Any) -> str:
    """Short, on one line, and never deeper than one level."""
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    said = json.dumps(value)
    return said if len(said) <= _SHOWN else f"{said[: _SHOWN - 3]}..."


def _readable(key: str) -> str:
    return json.dumps(key)[1:-1][:_SHOWN]
