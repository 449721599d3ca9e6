"""An experiment file as plain data that remembers the line of every key, with `key=value` overrides laid over it.

YAML 1.2's scalars, not 1.1's: `1e-4` is a number and `no` is a word. A key given twice is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.base.errors import UserError
from harness.records import user_files, yaml_reader
from harness.records.yaml_reader import MOST_DEPTH, Key, YamlMistake, dotted

__all__ = ["Key", "Manifest", "dotted", "parse", "read"]

MOST_BYTES = 4_000_000
"""of an experiment's file: resolved.json of the largest that is allowed has 1.5 million"""
_SHOWN = 160
"""characters of an override or a value in a message"""


@dataclass
class Manifest:
    """What was written, and where."""

    source: str
    """the file, as the user named it"""
    data: dict[str, Any]
    text: str = ""
    """as it was read, with the overrides in comments on top"""
    places: MutableMapping[Key, str] = field(default_factory=dict)
    """key -> `file:line`, or the override that set it"""

    def place(self, key: Key) -> str:
        """Of a key, or of the nearest thing around it that was written."""
        while key and key not in self.places:
            key = key[:-1]
        return self.places.get(key, self.source)


def read(path: Path, overrides: Iterable[str] = ()) -> Manifest:
    """Raises: UserError if the file cannot be read or an override is not `key=value`."""
    if not path.exists() and not path.is_symlink():
        raise UserError(
            f"{path} does not exist. `rence config new` prints an experiment to start from, `rence list configs` those "
            "that ship."
        )
    try:
        text = user_files.text_of(path, MOST_BYTES)
    except ValueError as error:
        raise UserError(str(error)) from None
    manifest = parse(text, str(path))
    for override in overrides:
        _override(manifest, override)
        manifest.text = f"# changed on the command line: {' '.join(override.split())}\n{manifest.text}"
    return manifest


def parse(text: str, source: str) -> Manifest:
    """Raises: UserError with line and column if this is not YAML, or not a mapping."""
    lines: dict[Key, int] = {}
    try:
        data = yaml_reader.load(text, lines)
    except YamlMistake as mistake:
        column = f":{mistake.column}" if mistake.column else ""
        raise UserError(f"{source}:{mistake.line}{column}: {mistake}") from None
    if not isinstance(data, dict):
        raise UserError(f"{source} must hold `key: value` lines, but holds {_kind(data)} instead.")
    places = {key: f"{source}:{line}" for key, line in lines.items()} | {(): source}
    return Manifest(source, data, text, places)


def _override(manifest: Manifest, override: str) -> None:
    """Set one key as `key=value` says, and remember that it was set there. Raises: UserError."""
    path, equals, text = override.partition("=")
    key = tuple(path.strip().split("."))
    if not equals or not all(key):
        raise UserError(f"`{_cut(override)}` must be `key=value`, such as `recipe.group_size=4` or `seeds=[0,1]`.")
    place = f"`{_cut(override)}`"
    if len(key) > MOST_DEPTH:
        raise UserError(f"{place}: `{_cut(path)}` is more than {MOST_DEPTH} levels deep.")
    inside = manifest.data
    for i, part in enumerate(key[:-1], 1):
        if inside.get(part) is None:
            inside[part] = {}
            manifest.places.setdefault(key[:i], place)
        inside = inside[part]
        if not isinstance(inside, dict):
            raise UserError(f"{place}: `{'.'.join(key[:i])}` is {_kind(inside)}, so nothing can be set inside it.")
    try:
        inside[key[-1]] = yaml_reader.load(text, {}, at=key)
    except YamlMistake as mistake:
        raise UserError(f"{place}: {mistake}") from None
    manifest.places = {k: old for k, old in manifest.places.items() if k[: len(key)] != key}
    manifest.places[key] = place


def _kind(data: Any) -> str:
    if isinstance(data, Mapping):
        return "a mapping"
    if isinstance(data, list):
        return "a list"
    return "nothing" if data is None else f"`{_cut(str(data))}`"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
