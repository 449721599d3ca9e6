"""Plain data against its shape: pydantic finds what is wrong, this module says it in one line each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn, get_args, get_origin

from pydantic import BaseModel, ValidationError

from harness.base.errors import UserError, nearest
from harness.config.manifest import Key, Manifest, dotted

_MOST_LINES = 3
_LONG_HINT = 160
_LONGEST_NAME = 80
"""characters of a word of the user's in a message"""
_MUST_BE = {
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "float_type": "a number",
    "finite_number": "a finite number",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "list_type": "a list",
    "model_type": "a mapping",
    "string_type": "a word",
    "tuple_type": "a list",
}
_BOUND = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}


def checked(
    manifest: Manifest, shape: type[BaseModel], data: Any, at: Key = (), missing: str | None = None
) -> BaseModel:
    """`data`, which the manifest has at `at`, as an instance of its shape.

    Args:
        missing: what to say where a key is, of files whose keys `rence config explain` does not know.

    Raises: UserError with a line for each of the first mistakes: file, line, key, value, what is allowed.
    """
    try:
        # JSON is how a strict pydantic model takes lists for tuples and integers for floats, and nothing else.
        return shape.model_validate_json(json.dumps(data))
    except ValidationError as error:
        mistakes = error.errors(include_url=False)
    unknown = {mistake["loc"][:-1] for mistake in mistakes if mistake["type"] == "extra_forbidden"}
    mistakes = [m for m in mistakes if not (m["type"] == "missing" and m["loc"][:-1] in unknown)]
    mistakes.sort(key=lambda m: m["type"] != "extra_forbidden")
    lines = [_line(manifest, shape, mistake, at, missing) for mistake in mistakes[:_MOST_LINES]]
    if len(mistakes) > _MOST_LINES:
        lines[-1] += f" (and {len(mistakes) - _MOST_LINES} more mistakes)"
    raise UserError("\n".join(lines))


def fail(manifest: Manifest, key: Key, message: str) -> NoReturn:
    """Raises: UserError with the place of the key in front."""
    raise UserError(f"{manifest.place(key)}: {message}")


def known(manifest: Manifest, key: Key, what: str, name: str, allowed: Mapping[str, Any] | list[str]) -> None:
    """Raises: UserError with the nearest allowed name if `name` is not one."""
    if name not in allowed:
        shown = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."
        fail(manifest, key, f"there is no {what} `{shown}`. {nearest(shown, allowed)}")


def show(value: Any) -> str:
    """A value as the user would write it, cut to fit a line."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _line(manifest: Manifest, shape: type[BaseModel], mistake: Any, at: Key, missing: str | None) -> str:
    kind, key = mistake["type"], (*at, *mistake["loc"])
    place, name = manifest.place(key), dotted(key)
    if kind == "extra_forbidden":
        return f"{place}: `{name}` is not a key. {_hint(key, _keys(shape, mistake['loc'][:-1]))}"
    if kind == "missing":
        return f"{place}: `{name}` is missing. {missing or f'`rence config explain {name}` says what it means.'}"
    return f"{place}: `{name}` must be {_allowed(mistake)}, but is {show(mistake['input'])} instead."


def _hint(key: Key, allowed: list[str]) -> str:
    hint = nearest(str(key[-1]), allowed)
    if len(hint) <= _LONG_HINT:
        return hint
    section = dotted(key[:-1])
    return f"`rence config explain {section}` lists what is." if section else "`rence config new` shows what is."


def _allowed(mistake: Any) -> str:
    kind, context = mistake["type"], mistake.get("ctx", {})
    if kind in _BOUND:
        bound, words = _BOUND[kind]
        limit = context[bound]
        return f"{words} {limit:,}" if isinstance(limit, int) else f"{words} {limit:g}"
    if kind == "literal_error":
        return context["expected"].replace("'", "`")
    if kind == "too_short":
        return "longer: it may not be empty"
    if kind == "too_long":
        return f"shorter: at most {context['max_length']:,} are allowed"
    return _MUST_BE.get(kind, str(mistake["msg"]).removeprefix("Input should be ").lower())


def _keys(shape: type[BaseModel], inside: Key) -> list[str]:
    for part in inside:
        named = get_origin(shape) is dict  # by names of the user's
        inner: Any = get_args(shape)[-1] if named else shape.model_fields[str(part)].annotation
        # What may be null has its keys in the other branch.
        shape = next((one for one in get_args(inner) if hasattr(one, "model_fields") or get_origin(one) is dict), inner)
    return [field.alias or name for name, field in shape.model_fields.items()]
