"""What a field of a dataclass says of itself besides its type, default and doc, as its metadata:

LATER    the key came after files and hashes had been written without it. At its default, which means what was done
         before, neither holds it: old files stay equal to new ones, and old hashes stay valid. `later(value)` where
         not the default but another value means that
KEPT     `kept(value)`: the default was this value once. A run that was begun with it goes on with it where its file
         leaves the key open
BEGUN    the value is settled by the machine where the file leaves it open: a run goes on with what its plan has
UNWRITTEN  not a key of experiment files: made of what other keys say
RUNTIME  how and where a thing is computed, not what. It is no part of a plan's lock, and may be changed between two
         starts of a trial

`stated` is a record as files hold it, `semantic` what hashes are made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

LATER, RUNTIME, UNWRITTEN = {"later": True}, {"runtime": True}, {"unwritten": True}
"""for `dataclasses.field(..., metadata=...)`"""


def later(before: Any) -> dict[str, Any]:
    """LATER, of a key whose default is not what was done before: `before` is, and files without the key mean it."""
    return {**LATER, "before": before}


def kept(value: Any) -> dict[str, Any]:
    """KEPT."""
    return {"kept": value}


def begun() -> dict[str, Any]:
    """BEGUN."""
    return {"begun": True}


def begun_keys(cls: type) -> dict[str, Any]:
    """Name -> what a plan without the key means, of the keys that the machine settles where a file leaves them open."""
    return {f.name: _before(f) for f in fields(cls) if f.metadata.get("begun")}


def kept_values(cls: type) -> dict[str, Any]:
    """Name -> what the default was, of the keys that have another today."""
    return {f.name: f.metadata["kept"] for f in fields(cls) if "kept" in f.metadata}


def meant_before(cls: type) -> dict[str, Any]:
    """What a file that lacks them means, of the keys that came later."""
    return {f.name: _before(f) for f in fields(cls) if f.metadata.get("later")}


def stated(record: Any) -> dict[str, Any]:
    """A dataclass instance as JSON data: tuples as lists, dataclasses inside as mappings, and without keys that came
    later where they are at the value that means the old behaviour."""
    return {f.name: _plain(value) for f in fields(record) if not _is_old(f, value := getattr(record, f.name))}


def runtime_keys(cls: type) -> tuple[str, ...]:
    """Names of the fields that change no result's meaning, in their order."""
    return tuple(f.name for f in fields(cls) if f.metadata.get("runtime"))


def runtime_settings(record: Any) -> dict[str, Any]:
    """Name -> value as JSON data, of the fields that change no result's meaning."""
    return {name: _plain(getattr(record, name)) for name in runtime_keys(type(record))}


def semantic(record: Any) -> dict[str, Any]:
    """`stated`, without what changes no result's meaning."""
    return without(stated(record), runtime_keys(type(record)))


def without(data: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """A mapping less some of its keys, which need not be there."""
    return {key: value for key, value in data.items() if key not in keys}


def _is_old(f: Field[Any], value: Any) -> bool:
    return bool(f.metadata.get("later")) and value == _before(f)


def _before(f: Field[Any]) -> Any:
    if "before" in f.metadata:
        return f.metadata["before"]
    return f.default_factory() if f.default_factory is not MISSING else f.default


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return stated(value)
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
