"""An experiment file as plain data that remembers the line of every key, with `key=value` overrides laid over it.

YAML 1.2's scalars, not 1.1's: `1e-4` is a number and `no` is a word. A key given twice is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from harness.base.errors import UserError

Key = tuple[str | int, ...]
"""where a value is: ("recipe", "group_size") or ("seeds", 0)"""

_NULL = re.compile(r"(?:|~|null|Null|NULL)\Z")
_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_INT = re.compile(r"[-+]?[0-9](?:_?[0-9])*\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_SPECIAL = {".inf": "inf", "+.inf": "inf", "-.inf": "-inf", ".nan": "nan"}


@dataclass
class Manifest:
    """What was written, and where."""

    source: str
    """the file, as the user named it"""
    data: dict[str, Any]
    text: str = ""
    """as it was read, with the overrides in comments on top"""
    places: dict[Key, str] = field(default_factory=dict)
    """key -> `file:line`, or the override that set it"""

    def place(self, key: Key) -> str:
        """Of a key, or of the nearest thing around it that was written."""
        while key and key not in self.places:
            key = key[:-1]
        return self.places.get(key, self.source)


def read(path: Path, overrides: Iterable[str] = ()) -> Manifest:
    """Raises: UserError if the file cannot be read or an override is not `key=value`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(
            f"{path} does not exist. `rence config new` prints an experiment to start from, `rence list configs` those "
            "that ship."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}.") from None
    manifest = parse(text, str(path))
    for override in overrides:
        _override(manifest, override)
        manifest.text = f"# changed on the command line: {override}\n{manifest.text}"
    return manifest


def parse(text: str, source: str) -> Manifest:
    """Raises: UserError with line and column if this is not YAML, or not a mapping."""
    reader = _Reader(source, numbered=True)
    data = reader.load(text)
    if not isinstance(data, dict):
        raise UserError(f"{source} must hold `key: value` lines, but holds {_kind(data)} instead.")
    return Manifest(source, data, text, reader.places)


def dotted(key: Key) -> str:
    """`arms.grpo.recipe.group_size`, `seeds[0]`"""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")


class _Reader:
    """One YAML text to plain data; `places` fills on the way."""

    def __init__(self, source: str, numbered: bool) -> None:
        self._source, self._numbered = source, numbered
        self.places: dict[Key, str] = {(): source}

    def load(self, text: str) -> Any:
        try:
            node = yaml.compose(text, Loader=yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            at = self._place(mark, column=True) if mark else self._source
            raise UserError(f"{at}: this is not YAML: {error.problem or error.context}.") from None
        except yaml.YAMLError as error:
            raise UserError(f"{self._source}: this is not YAML: {' '.join(str(error).split())}.") from None
        return self._value(node, ()) if node else None

    def _value(self, node: yaml.Node, key: Key) -> Any:
        self.places.setdefault(key, self._place(node.start_mark))
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*key, i)) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, key)
        assert isinstance(node, yaml.ScalarNode)
        return _scalar(node.value) if not node.style else node.value

    def _mapping(self, node: yaml.MappingNode, key: Key) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for name_node, value_node in node.value:
            place, name = self._place(name_node.start_mark), name_node.value
            if not isinstance(name_node, yaml.ScalarNode):
                raise UserError(f"{place}: a key must be a word, but is {_kind(name)} instead.")
            inner = (*key, name)
            if name in data:
                first = self.places[inner].rpartition(":")[2] if self._numbered else "1"
                raise UserError(
                    f"{place}: `{dotted(inner)}` is given twice, first in line {first}. Remove one of them."
                )
            self.places[inner] = place
            data[name] = self._value(value_node, inner)
        return data

    def _place(self, mark: yaml.Mark, column: bool = False) -> str:
        if not self._numbered:
            return self._source
        return f"{self._source}:{mark.line + 1}" + (f":{mark.column + 1}" if column else "")


def _scalar(text: str) -> Any:
    if _NULL.match(text):
        return None
    if _BOOL.match(text):
        return text.lower() == "true"
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return float(_SPECIAL[text.lower()]) if text.lower() in _SPECIAL else text


def _override(manifest: Manifest, override: str) -> None:
    path, equals, text = override.partition("=")
    key = tuple(path.strip().split("."))
    if not equals or not all(key):
        raise UserError(f"`{override}` must be `key=value`, such as `recipe.group_size=4` or `seeds=[0,1]`.")
    place = f"`{override}`"
    inside = manifest.data
    for i, part in enumerate(key[:-1], 1):
        if inside.get(part) is None:
            inside[part] = {}
            manifest.places.setdefault(key[:i], place)
        inside = inside[part]
        if not isinstance(inside, dict):
            raise UserError(f"{place}: `{'.'.join(key[:i])}` is {_kind(inside)}, so nothing can be set inside it.")
    inside[key[-1]] = _Reader(place, numbered=False).load(text)
    manifest.places = {k: old for k, old in manifest.places.items() if k[: len(key)] != key}
    manifest.places[key] = place


def _kind(data: Any) -> str:
    if isinstance(data, Mapping):
        return "a mapping"
    if isinstance(data, list):
        return "a list"
    return "nothing" if data is None else f"`{data}`"
