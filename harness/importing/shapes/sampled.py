"""Some answers of files of one layout, and the roles that were found for their columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.base.errors import UserError, nearest
from harness.importing.shapes.family import Family
from harness.importing.shapes.flat import RecordColumn, RecordLayout, own_name
from harness.importing.shapes.paths import matches, plain
from harness.importing.shapes.vocabulary import rank

Values = Sequence[Any]
OF_FILES = ("arm", "seed", "step", "benchmark")
"""roles of what stands beside the rows"""


@dataclass
class Roles:
    """What was found of some files of one layout."""

    columns: dict[str, RecordColumn] = field(default_factory=dict)
    """role -> its place"""
    by_text: bool = False
    """whether problems are known by their text, not by an id"""
    no_id: tuple[str, str] | None = None
    """an id that tells no problem, and the place that shows it"""
    templates: bool = False
    """whether texts of one problem differ between files, as prompts of several chat templates do"""
    rivals: list[str] = field(default_factory=list)
    """places of other results, that contradict each other: none of them was taken"""
    odd: list[str] = field(default_factory=list)
    """places named like results, whose values are neither right nor wrong"""
    unusable: str = ""
    """the first of them whose name is of nothing but right or wrong: answers are not marked by us in its stead"""
    together: list[str] = field(default_factory=list)
    """places of results that are each of all answers to a problem"""
    inverted: bool = False
    """whether the result says which answers are wrong"""
    two: tuple[float, ...] = ()
    """the lower and the upper number that the result is, if it is one of two numbers that say right and wrong"""
    results: dict[int, RecordColumn] = field(default_factory=dict)
    """file -> what tells its results, where files have results of several names"""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Sampled:
    """Some answers of all files of one layout, column by column."""

    columns: Mapping[str, RecordColumn]
    values: Mapping[str, Values]
    files: Sequence[int]
    """of each answer"""
    layout: RecordLayout
    family: Family | None
    asked: Mapping[str, str]
    """role -> path, as the user says"""
    sets: Sequence[str] = ()
    """of each file its benchmark, as its name tells by the family's pattern; empty where it does not"""
    paths: Sequence[str] = ()
    """of each file"""
    metrics: Sequence[str] = ()
    """names of results that the user wants, of which the first that a file has counts"""

    def of(self, files: Collection[int]) -> Sampled:
        """The answers of some files alone."""
        keep = [row for row, file in enumerate(self.files) if file in files]
        values = {name: [column[row] for row in keep] for name, column in self.values.items()}
        return replace(self, values=values, files=[self.files[row] for row in keep])

    def ranked(self, role: str, fits: Callable[[Values], bool], taken: Sequence[str] = ()) -> list[str]:
        """Columns that may have a role, the surest first: as asked, as the family says, by their names."""
        if role in self.asked:
            return [self._asked(role)]
        of_family = [
            text
            for pattern in (self.family.roles.get(role, ()) if self.family else ())
            for text in self.columns
            if matches(pattern, plain(text))
        ]
        ranks = {text: rank(role, own_name(column, self.layout)) for text, column in self.columns.items()}
        named = sorted((text for text, found in ranks.items() if found is not None), key=lambda text: ranks[text] or 0)
        return [
            text
            for text in dict.fromkeys([*of_family, *named])
            if self._may(role, text, taken) and fits(self.values[text])
        ]

    def _may(self, role: str, text: str, taken: Sequence[str]) -> bool:
        column = self.columns[text]
        if text in taken or (column.where == "header" and role not in OF_FILES):
            return False
        if role in ("correct", "mark", "response", "answer") and (self.layout.lists or self.layout.wide is not None):
            return column.where in ("entry", "arm")
        return True

    def has_asked(self) -> bool:
        """Whether all that the user names is there: files beside those that are meant, such as summaries, lack it."""
        metrics = {column.path[-1] for column in self.columns.values() if column.path}
        named = not self.metrics or any(name in metrics for name in self.metrics)
        return named and all(map(self._called, self.asked))

    def _called(self, role: str) -> list[str]:
        wanted = plain(self.asked[role])
        found = [text for text in self.columns if plain(text) == wanted or plain(text) == wanted.removesuffix("[]")]
        return found or [text for text in self.columns if plain(text).endswith(f".{wanted}")]

    def _asked(self, role: str) -> str:
        found = self._called(role)
        if len(found) != 1:
            raise UserError(
                f"--column {role}={self.asked[role]}: {'several places are' if found else 'nothing is'} called so. "
                f"{nearest(self.asked[role], found or self.columns)}"
            )
        return found[0]


def taken_by(found: Roles) -> list[str]:
    """Columns that have a role."""
    return [column.text for column in found.columns.values()]


def take(
    sampled: Sampled, found: Roles, role: str, fits: Callable[[Values], bool], taken: Sequence[str] = ()
) -> str | None:
    """The surest column of a role, if there is one."""
    first = next(iter(sampled.ranked(role, fits, taken)), None)
    if first is not None:
        found.columns[role] = sampled.columns[first]
    return first
