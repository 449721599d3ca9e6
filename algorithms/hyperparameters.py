"""Hyper-parameters changed and checked: types from the annotations, ranges as intervals in a message's words."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from dataclasses import fields, replace
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def nearest(word: object, allowed: Iterable[str]) -> str:
    """The end of a message about a name that does not exist: the closest one that does, or all of them."""
    names = list(allowed)
    close = difflib.get_close_matches(str(word), names, n=1)
    return f"Did you mean `{close[0]}`?" if close else f"Allowed: {', '.join(names) or 'none'}."


def changed(name: str, algorithm: T, /, **hyperparameters: Any) -> T:
    """An algorithm with some hyper-parameters changed.

    Args:
        name: what messages call it.
    Raises: ValueError for one that does not exist or is out of range.
    """
    known = [field.name for field in fields(algorithm)]
    for key in hyperparameters:
        if key not in known:
            raise ValueError(f"`{name}` has no hyper-parameter `{key}`. {nearest(key, known)}")
    return replace(algorithm, **hyperparameters)


def check_types(dataclass: Any) -> None:
    """Compare every field with its annotation: a type, a Literal, or one of these or None.

    Whole numbers become floats where a float is meant, so that 0 and 0.0 are one setting with one fingerprint.

    Raises: ValueError.
    """
    hints = _hints(type(dataclass))
    for field in fields(dataclass):
        value = getattr(dataclass, field.name)
        checked = _checked(field.name, value, hints[field.name])
        if checked is not value:
            object.__setattr__(dataclass, field.name, checked)


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def check_ranges(dataclass: Any, **intervals: str) -> None:
    """Compare fields with intervals such as "(0, 1]" or "[0, inf)"; None is in every interval.

    Raises: ValueError, such as "`clip_low` must be in (0, 1], but is 2 instead."
    """
    for name, interval in intervals.items():
        value = getattr(dataclass, name)
        low, high = (float(end) for end in interval[1:-1].split(","))
        if value is None:
            continue
        above = value >= low if interval[0] == "[" else value > low
        below = value <= high if interval[-1] == "]" else value < high
        if not (above and below):
            raise ValueError(f"`{name}` must be in {interval}, but is {value:g} instead.")


def _checked(name: str, value: Any, hint: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        if value is None:
            return None
        hint = next(option for option in get_args(hint) if option is not type(None))
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ValueError(f"`{name}` must be {_listed(get_args(hint))}, but is {value!r} instead.")
        return value
    if hint is float:
        return _number(name, value)
    hint = get_origin(hint) or hint
    # a bool is an int, but never meant as one
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ValueError(f"`{name}` must be of type {hint.__name__}, but is {value!r} instead.")
    return value


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint = " In YAML, write 1.0e-3 rather than 1e-3." if isinstance(value, str) else ""
        raise ValueError(f"`{name}` must be a number, but is {value!r} instead.{hint}")
    if not math.isfinite(value):
        raise ValueError(f"`{name}` must be finite, but is {value} instead.")
    return float(value)


def _listed(options: tuple[Any, ...]) -> str:
    return f"one of {', '.join(map(str, options))}"
