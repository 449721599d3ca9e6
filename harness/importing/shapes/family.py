"""What is known of the files of one tool: data, no code."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.importing.files import opening


@dataclass(frozen=True)
class FactPlaces:
    """Where a tool's file of results says what is true of all answers of a file; `{benchmark}` stands for its name."""

    file: tuple[str, str]
    """a regular expression for the end of an answer file's path, and the path of the results by its groups"""
    model: str = ""
    version: str = ""
    """of the tool"""
    template: str = ""
    """the chat template's hash; null if there was none"""
    limit: str = ""
    sampling: tuple[str, ...] = ()
    """objects with settings of decoding, or single settings; null is none"""


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
    row: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    """adds to a row what no path can name, such as the one of several choices that a number points to"""
    by_text: bool = False
    """whether problems are known by text and gold though rows number them"""
    content: str = ""
    """path of a hash of a problem's content, which is then its id"""
    number: tuple[str, ...] = ()
    """paths of a problem's place in its set: equal problems at two places are two"""
    engine: str = ""
    """the tool, as headers call it"""
    model_folder: int | None = None
    """which folder above a file is called like the model, 0 for the file's own"""
    facts: FactPlaces | None = None
    otherwise: str = ""
    """what may be said of files that lack the signs"""
    aggregates: tuple[str, ...] = ()
    """paths, beside the rows, of the file's own mean"""
    results: str = ""
    """path of the mean in a file of results in the same folder; `{benchmark}` and `{metric}` stand for what was read"""
    example: Mapping[str, Any] = field(default_factory=dict)
    """path of a file -> its rows, or its one document: a small example for `rence check`"""
    expected: Mapping[str, str] = field(default_factory=dict)
    """arm -> `correct/attempts` in the example"""

    @property
    def lists(self) -> list[str]:
        """Paths of lists of answers to a problem, where this is all that is known to be such; else none."""
        roles = (self.roles.get(role, ()) for role in ("response", "answer", "tokens")) if self.row else ()
        return [path for paths in roles for path in paths if path.endswith("[]")]

    def told(self, path: Path) -> dict[str, str]:
        """Role -> word, as a file's name and the model's folder say; empty where it is called otherwise."""
        match = re.fullmatch(self.file_name, opening.stem(path)) if self.file_name else None
        if not match:
            return {}
        folders = [parent.name for parent in path.parents]
        place = self.model_folder
        arm = folders[place] if place is not None and place < len(folders) else ""
        return {role: word for role, word in {**match.groupdict(), "arm": arm}.items() if word}
