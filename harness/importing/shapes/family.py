"""What is known of the files of one tool: data, no code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Family:
    """One tool's files: by which keys they are known, and where each role's value stands.

    A path is written as in `paths`; `{word}` stands for any one key. Of several paths the first that is there counts.
    Roles that a family does not name are found by their names and values, as in any other file.
    """

    name: str
    """what is said of the files, such as `lm-eval samples`"""
    signs: tuple[str, ...]
    """paths that a row, or what stands beside the rows of a file, must all have"""
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """role -> paths; the roles are those of `vocabulary.NAMES`"""
    file_name: str = ""
    """a regular expression for the stem of a file's name, whose groups are roles: `output-rs(?P<sample>\\d+)`"""
    pools: bool = False
    """whether a file may hold several benchmarks without naming them: then nothing is taken for their name"""
    only: Mapping[str, str] = field(default_factory=dict)
    """path -> value of rows that are answers; others are left out"""
    metrics: str = ""
    """path of a list that names the keys with results"""
    aggregates: tuple[str, ...] = ()
    """paths, beside the rows, of the file's own mean"""
    results: str = ""
    """path of the mean in a file of results in the same folder; `{benchmark}` and `{metric}` stand for what was read"""
    example: Mapping[str, Any] = field(default_factory=dict)
    """path of a file -> its rows, or its one document: a small example for `rence check`"""
    expected: Mapping[str, str] = field(default_factory=dict)
    """arm -> `correct/attempts` in the example"""

    def told(self, stem: str) -> dict[str, str]:
        """Role -> word, as the stem of a file's name says; empty where it is called otherwise."""
        match = re.fullmatch(self.file_name, stem) if self.file_name else None
        return {role: word for role, word in match.groupdict().items() if word} if match else {}
