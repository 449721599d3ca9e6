"""JSON data to what a type hint says, strictly: what is there is never guessed at, converted or dropped silently.

`decoder(kind)` gives a function for a type: str, int, float, bool, None, Any, Literal, list, tuple, dict, dataclasses,
TypedDicts, unions of these, and Annotated with a `Limit` (`allowed.py`). A bool is no number, a whole number is also a
`float` and stays as it is written, integers have 64 bits at most and floats are finite. A dataclass takes the keys that
it has fields for, since a newer minor version may have written more; a TypedDict keeps all keys. A dataclass
may have a method `mistakes`, which says what cannot stand together, and a classmethod `named`, from the keys of a file
to the names of its fields.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from harness.records.wrong_type import SCALARS, Limit, WrongType, shown, wrong_type

Decoder = Callable[[Any], Any]
"""JSON data -> value. Raises: WrongType"""
_DEEPEST = 64
"""lists and objects inside each other, where no type says how many"""
_TAKES: dict[Any, tuple[type, ...]] = {float: (float, int), tuple: (list,)}
"""type -> those that JSON has for it, where it is not itself"""
_LARGEST, _INFINITE = 2**63 - 1, float("inf")


@cache
def decoder(kind: Any) -> Decoder:
    """Raises: TypeError for a type that it does not know."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return plain
    if kind in SCALARS or kind is None:
        return _scalar(types.NoneType if kind is None else kind)
    if origin is Annotated:
        return _limited(kind, decoder(inner[0]), inner[1:])
    if origin is Literal:
        return _limited(kind, plain, [Limit("", lambda value: any(value is x or _same(value, x) for x in inner))])
    if origin in (Union, types.UnionType):
        return _union(kind, inner)
    if origin in (list, tuple, dict):
        return {list: _list, tuple: _tuple, dict: _dict}[origin](*inner)
    if is_dataclass(kind):
        return _dataclass(kind)
    if is_typeddict(kind):
        return _typed_dict(kind)
    raise TypeError(f"no decoder for {kind}")


def plain(value: Any, depth: int = 0) -> Any:
    """Whatever JSON has, as far as others can read it as well."""
    kind = type(value)
    if kind is dict or kind is list:
        if depth == _DEEPEST:
            raise WrongType(f"must be nested {_DEEPEST} deep at most, but goes deeper")
        for key, item in value.items() if kind is dict else enumerate(value):
            try:
                _scalar(type(key))(key)
                plain(item, depth + 1)
            except WrongType as error:
                raise error.inside(key) from None
        return value
    return _scalar(kind)(value)


@cache
def _scalar(kind: type) -> Decoder:
    """Of numbers, texts, booleans and None: a whole number is a float too, a boolean is no number."""

    def number(value: Any) -> Any:
        if type(value) is int:
            if -_LARGEST <= value <= _LARGEST:
                return value
            raise WrongType("must be a number of at most 64 bits, but is larger")
        if kind is int or type(value) is not float:
            raise wrong_type(kind, value)
        if -_INFINITE < value < _INFINITE:
            return value
        raise WrongType("must be a finite number, but is beyond all of them")

    def text(value: Any) -> str:
        if type(value) is not str:
            raise wrong_type(kind, value)
        if not value.isascii() and not _whole(value):
            raise WrongType("must be a text of whole characters, but holds half of one")
        return value

    def constant(value: Any) -> Any:
        if type(value) is not kind:
            raise wrong_type(kind, value)
        return value

    return number if kind in (int, float) else text if kind is str else constant


def _limited(kind: Any, decode: Decoder, limits: Iterable[Any]) -> Decoder:
    """
    Args:
        kind: the type with its limits, for the message.
    """
    wanted = [limit for limit in limits if isinstance(limit, Limit)]

    def limited(value: Any) -> Any:
        value = decode(value)
        for limit in wanted:
            if not limit.holds(value):
                raise wrong_type(kind, value)
        return value

    return limited


def _union(kind: Any, inner: tuple[Any, ...]) -> Decoder:
    """By the type that JSON has for it; where several take that, the first one that does."""
    by: dict[type, list[Decoder]] = {}
    for one in inner:
        for json_type in _json_types(one):
            by.setdefault(json_type, []).append(decoder(one))

    def union(value: Any) -> Any:
        fitting = by.get(type(value))
        if not fitting:
            raise wrong_type(kind, value)
        for decode in fitting[:-1]:
            try:
                return decode(value)
            except WrongType:
                continue
        return fitting[-1](value)

    return union


def _list(kind: Any) -> Decoder:
    inside = decoder(kind)

    def items(value: Any) -> list[Any]:
        if type(value) is not list:
            raise wrong_type(list, value)
        found = []
        for place, item in enumerate(value):
            try:
                found.append(inside(item))
            except WrongType as error:
                raise error.inside(place) from None
        return found

    return items


def _tuple(*kinds: Any) -> Decoder:
    """Of any length, as `tuple[int, ...]`, or of a type each."""
    if kinds[-1] is ...:
        whole = _list(kinds[0])
        return lambda value: tuple(whole(value))
    inside = [decoder(kind) for kind in kinds]

    def items(value: Any) -> tuple[Any, ...]:
        if type(value) is not list or len(value) != len(inside):
            raise WrongType(f"must be a list of {len(inside)}, but is {shown(value)} instead")
        found = []
        for place, (decode, item) in enumerate(zip(inside, value, strict=True)):
            try:
                found.append(decode(item))
            except WrongType as error:
                raise error.inside(place) from None
        return tuple(found)

    return items


def _dict(key_kind: Any, kind: Any) -> Decoder:
    """Of mappings whose values have one type."""
    name, inside = decoder(key_kind), decoder(kind)
    # What most values of a log are, without two calls each: half the time of reading one.
    any_float = key_kind is str and kind in (float, float | None)

    def mapping(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise wrong_type(dict, value)
        found = {}
        for key, item in value.items():
            if any_float and type(item) is float and -_INFINITE < item < _INFINITE and key.isascii():
                found[key] = item
                continue
            try:
                name(key)
            except WrongType as error:
                raise WrongType(f"has a key that {error.said}") from None
            try:
                found[key] = inside(item)
            except WrongType as error:
                raise error.inside(key) from None
        return found

    return mapping


def _dataclass(cls: Any) -> Decoder:
    hints = get_type_hints(cls, include_extras=True)
    inside = {f.name: decoder(hints[f.name]) for f in fields(cls) if f.init}
    needed = [f.name for f in fields(cls) if f.init and f.default is MISSING and f.default_factory is MISSING]
    named, mistakes = getattr(cls, "named", None), getattr(cls, "mistakes", None)

    def record(value: Any) -> Any:
        if named and type(value) is dict:
            value = named(value)
        made = cls(**_parts(value, inside, needed))
        for said in mistakes(made) if mistakes else ():
            raise WrongType(said)
        return made

    return record


def _typed_dict(cls: Any) -> Decoder:
    hints = get_type_hints(cls, include_extras=True)
    optional = {name for name, hint in hints.items() if get_origin(hint) is NotRequired or not cls.__total__}
    bare = {name: get_args(hint)[0] if get_origin(hint) is NotRequired else hint for name, hint in hints.items()}
    inside = {name: decoder(hint) for name, hint in bare.items()}
    needed = [name for name in inside if name not in optional]

    def mapping(value: Any) -> dict[str, Any]:
        found = _parts(value, inside, needed)
        return {**plain(value), **found}

    return mapping


def _parts(value: Any, inside: dict[str, Decoder], needed: list[str]) -> dict[str, Any]:
    """The keys that are known, decoded. Raises: WrongType that names all that are missing."""
    if type(value) is not dict:
        raise wrong_type(dict, value)
    missing = [name for name in needed if name not in value]
    if missing:
        raise WrongType(f"lacks {', '.join(f'`{name}`' for name in missing)}")
    found = {}
    for name, decode in inside.items():
        if name in value:
            try:
                found[name] = decode(value[name])
            except WrongType as error:
                raise error.inside(name) from None
    return found


def _json_types(kind: Any) -> tuple[type, ...]:
    """What of JSON may be of this type."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is None:
        return (types.NoneType,)
    if kind is Any:
        return (*SCALARS, list, dict)
    if origin is Annotated:
        return _json_types(inner[0])
    if origin is Literal:
        return tuple({type(value): None for value in inner})
    if is_dataclass(kind) or is_typeddict(kind):
        return (dict,)
    return _TAKES.get(origin or kind, (origin or kind,))


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def _whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
