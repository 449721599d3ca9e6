"""A baseline's YAML as plain data that remembers the line of every key."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

import yaml

from harness.records import DataError, user_files, yaml_reader
from harness.records.yaml_reader import Key, YamlMistake, dotted

__all__ = ["Key", "Nodes", "dotted", "read"]

MOST_BYTES = 16_000_000
"""12,000 problems with their ids and with 40 seeds have 2 million"""
_LONGEST = 64
"""characters of a number or a date"""
_RESOLVER = yaml.resolver.Resolver()


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


def read(path: Path) -> Nodes:
    """Raises: DataError if the file is missing or not such YAML."""
    if not path.exists() and not path.is_symlink():
        raise DataError(f"{path} does not exist. To make it from RUN: `rence gate RUN --baseline {path} --update`.")
    try:
        text = user_files.text_of(path, MOST_BYTES)
    except ValueError as error:
        raise DataError(str(error)) from None
    nodes = Nodes(path)
    try:
        nodes.data = yaml_reader.load(text, nodes.lines, _word)
    except YamlMistake as mistake:
        nodes.lines[mistake.key] = mistake.line
        nodes.fail(mistake.key, str(mistake))
    return nodes


@lru_cache(1 << 12)
def _word(text: str) -> Any:
    """As YAML 1.1 has it, which PyYAML writes: a hash such as `12e45678` is left without quotes, and is no number.

    Raises: ValueError for a date that is none.
    """
    if len(text) > _LONGEST:
        return text
    tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))
    construct = yaml.constructor.SafeConstructor.yaml_constructors.get(tag)
    return construct(yaml.constructor.SafeConstructor(), yaml.ScalarNode(tag, text)) if construct else text
