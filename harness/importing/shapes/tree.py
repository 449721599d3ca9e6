"""What records look like: which keys they have, which of those are lists, which objects have data for keys.

A `RecordNode` is the union of what stands at one place in all records that were looked at. `leaves` are the places of
single values, such as could be a column.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.importing.shapes.paths import ASSISTANT, EACH, FIRST, MAP, USER, Path, is_chat

_DEEPEST, _MOST_KEYS, _MOST_ENTRIES = 9, 400, 64


@dataclass
class RecordNode:
    """One place in records."""

    count: int = 0
    """records that have it"""
    scalars: int = 0
    keys: dict[str, RecordNode] = field(default_factory=dict)
    entries: RecordNode | None = None
    """of lists, all entries together"""
    lengths: set[int] = field(default_factory=set)
    chats: int = 0
    """lists that are messages"""
    filled: int = 0
    """lists that have entries"""

    @property
    def is_chat(self) -> bool:
        return 0 < self.chats == self.filled

    def add(self, value: Any, depth: int = 0) -> None:
        """One more record's."""
        if value is None:
            return
        self.count += 1
        if isinstance(value, dict) and depth < _DEEPEST:
            for key in list(value)[:_MOST_KEYS]:
                self.keys.setdefault(str(key), RecordNode()).add(value[key], depth + 1)
        elif isinstance(value, list) and depth < _DEEPEST:
            self.filled += bool(value)
            self.lengths.add(len(value))
            self.chats += is_chat(value)
            self.entries = self.entries or RecordNode()
            for entry in value[:_MOST_ENTRIES]:
                self.entries.add(entry, depth + 1)
        else:
            self.scalars += 1


def tree(records: list[Any]) -> RecordNode:
    """
    Args:
        records: values of documents, or rows.
    """
    made = RecordNode()
    for record in records:
        made.add(record)
    return made


def leaves(node: RecordNode, path: Path = ()) -> Iterator[Path]:
    """Places of single values; `[]` stands in a path for a list of several entries, once at most."""
    if node.scalars or (path and not node.count):
        yield path  # also of one that is empty in all records that were looked at
    for key, child in node.keys.items():
        yield from leaves(child, (*path, key))
    if node.entries is None:
        return
    if node.is_chat:
        yield (*path, USER, "content")
        yield (*path, ASSISTANT, "content")
    elif max(node.lengths) <= 1:
        yield from leaves(node.entries, (*path, FIRST))
    elif EACH not in path:
        yield from leaves(node.entries, (*path, EACH))


def maps(node: RecordNode, path: Path = ()) -> Iterator[tuple[Path, RecordNode]]:
    """Places of objects with data for keys, and what their values have in common."""
    if found := map_of(node):
        yield (*path, MAP), found
    for key, child in node.keys.items():
        if len(path) < 3:
            yield from maps(child, (*path, key))


def map_of(node: RecordNode) -> RecordNode | None:
    """What the values of an object have in common, if its keys seem to be data: objects with the same keys, or lists of
    such; None if not. Scalars beside them do not count."""
    nested = [child for child in node.keys.values() if not child.scalars and (child.keys or child.entries)]
    groups: dict[tuple[bool, frozenset[str]], list[RecordNode]] = {}
    for child in nested:
        inner = child.entries if child.entries is not None else child
        if inner.keys:
            groups.setdefault((child.entries is not None, frozenset(inner.keys)), []).append(child)
    if not groups:
        return None
    _, alike = max(groups.items(), key=lambda item: len(item[1]))
    if len(alike) < 2:
        return None
    return merged(alike)


def merged(nodes: list[RecordNode]) -> RecordNode:
    """The union of what stands at several places."""
    made = RecordNode()
    for one in nodes:
        made.count += one.count
        made.scalars += one.scalars
        made.chats += one.chats
        made.filled += one.filled
        made.lengths |= one.lengths
        for key, child in one.keys.items():
            made.keys[key] = merged([made.keys[key], child]) if key in made.keys else child
        if one.entries is not None:
            made.entries = one.entries if made.entries is None else merged([made.entries, one.entries])
    return made
