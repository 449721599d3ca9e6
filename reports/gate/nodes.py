"""YAML as plain data that remembers the line of every key. No tags, no aliases, no key twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from harness.records import DataError

Key = tuple[str | int, ...]
"""where a value is: ("benchmarks", "math500", "k")"""
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


@dataclass
class Nodes:
    path: Path
    data: Any = None
    lines: dict[Key, int] = field(default_factory=dict)

    def fail(self, key: Key, words: str) -> NoReturn:
        """Raises: DataError with the line of the key, or of the nearest thing around it."""
        while key and key not in self.lines:
            key = key[:-1]
        raise DataError(
            f"{self.path}:{self.lines.get(key, 1)}: {words}\n"
            "Restore the file from version control, or delete it and make it anew: `rence gate RUN --baseline FILE "
            "--update`."
        )


def dotted(key: Key) -> str:
    """`benchmarks.math500.correct.seed0[17]`"""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")


def read(path: Path) -> Nodes:
    """Raises: DataError if the file is missing or not such YAML."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError(
            f"{path} does not exist. To make it from RUN: `rence gate RUN --baseline {path} --update`."
        ) from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8: {error.reason} at byte {error.start}.") from None
    nodes = Nodes(path)
    try:
        loader = _LOADER(text)
        node = loader.get_single_node()
        nodes.data = _value(loader, node, (), nodes, set()) if node else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        nodes.lines[()] = mark.line + 1 if mark else 1
        nodes.fail((), f"this is not YAML: {error.problem or error.context}.")
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        nodes.fail((), f"this is not YAML: {' '.join(str(error).split())}.")
    return nodes


def _value(loader: Any, node: yaml.Node, key: Key, nodes: Nodes, seen: set[int]) -> Any:
    nodes.lines.setdefault(key, node.start_mark.line + 1)
    if id(node) in seen:
        nodes.fail(key, f"`{dotted(key)}` is an alias of another part. Write it out.")
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, (*key, i), nodes, seen) for i, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_object(node)
    data: dict[str, Any] = {}
    for name_node, value_node in node.value:
        name = name_node.value if isinstance(name_node, yaml.ScalarNode) else None
        inner = (*key, str(name))
        if name is None or name in data:
            nodes.lines[inner] = name_node.start_mark.line + 1
            nodes.fail(inner, "a key must be a word." if name is None else f"`{dotted(inner)}` is given twice.")
        nodes.lines[inner] = name_node.start_mark.line + 1
        data[name] = _value(loader, value_node, inner, nodes, seen)
    return data
