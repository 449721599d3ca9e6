"""The shape of files: which family they are of, where rows and answers are, and which value has which role."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from harness.importing.files import opening
from harness.importing.files.documents import documents, is_lines
from harness.importing.shapes import judging
from harness.importing.shapes.containers import Row, header, rows_at, rows_in, spread, tells_problems
from harness.importing.shapes.families import FAMILIES
from harness.importing.shapes.family import Family
from harness.importing.shapes.flat import AnswerTable, RecordColumn, RecordLayout, columns, flatten, layout
from harness.importing.shapes.paths import Path as Place
from harness.importing.shapes.paths import at, matches, plain, written
from harness.importing.shapes.regrouping import Regroup, one_line, regroup
from harness.importing.shapes.resolve import resolve
from harness.importing.shapes.sampled import Roles, Sampled
from harness.importing.shapes.tree import RecordNode, leaves, merged, tree
from harness.importing.sources import ImportSource

PEEKED = 600
"""documents of a file that are looked at, and rows of a document"""
_MOST_ANSWERS = 60_000


@dataclass
class PeekedFile:
    """The first documents of one file."""

    source: ImportSource
    documents: list[tuple[int, Any]]
    lines: bool
    """whether a document is a line or a row of a table"""
    place: Place | None = None
    """of the rows in a document; None: it has none"""
    family: Family | None = None
    row: RecordNode = field(default_factory=RecordNode)
    beside: RecordNode = field(default_factory=RecordNode)
    keys: int = 0
    """of objects on the way to a row"""
    regroup: Regroup | None = None
    """what makes rows of a table whose column names are data"""
    arms: Mapping[str, str] = field(default_factory=dict)
    """role -> name of the columns that hold it for an arm, as the user says"""

    def rows(self, limit: int | None = None) -> Iterator[tuple[int | None, Any, list[Row]]]:
        """Of each document its line if rows are told by it, what stands beside its rows, and those."""
        yield from rows_of(self.documents, self.place or (), self.lines, self.family, limit, self.regroup, self.arms)


def rows_of(
    found: Any,
    place: Place,
    lines: bool,
    family: Family | None,
    limit: int | None = None,
    regroup: Regroup | None = None,
    arms: Mapping[str, str] | None = None,
) -> Iterator[tuple[int | None, Any, list[Row]]]:
    """Of each document its line if rows are told by it, what stands beside its rows, and those.

    Args:
        found: documents, each with its number.
        place: of rows in a document.
        limit: of rows in a document.
        regroup: what lines are made of that are rows of a table.
        arms: of a table in a document, as of `regroup`.
    """
    only = family.only if family else {}
    for number, document in found:
        document = one_line(document, regroup) if lines else spread(document, arms)
        rows = list(islice(rows_in(document, place), limit))
        if only:
            rows = [row for row in rows if all(_at(row[2], path) == value for path, value in only.items())]
        if family and family.row:
            rows = [(n, keys, family.row(row) if isinstance(row, dict) else row) for n, keys, row in rows]
        if rows:
            yield (number if lines else None), header(document, place), rows


def _at(row: Any, path: str) -> Any:
    return at(row, tuple(path.split(".")))


@dataclass
class FoundShape:
    """Files of one layout, and which value of their answers has which role."""

    files: list[PeekedFile]
    layout: RecordLayout
    columns: Mapping[str, RecordColumn]
    """all there are"""
    roles: Roles
    family: Family | None
    sampled: AnswerTable
    files_of: list[int]
    """of each sampled answer, its place among `files`"""

    @property
    def name(self) -> str:
        """What is said of the files."""
        if self.family:
            return self.family.name
        if self.layout.wide is not None:
            return "a table with columns for each arm"
        if "num_samples" in self.roles.columns:
            return "counts for each problem"
        if self.layout.lists:
            return "lists of answers to each problem"
        return "a row for each answer"

    def result_of(self, file: PeekedFile) -> RecordColumn | None:
        """The column that tells right from wrong in one file; None if none does."""
        place = next((place for place, one in enumerate(self.files) if one is file), -1)
        return self.roles.results.get(place, self.roles.columns.get("correct"))

    def values(self, role: str) -> list[Any]:
        """Of the sampled answers."""
        return self.sampled.columns[self.roles.columns[role].text]

    def problems(self) -> list[Hashable]:
        """What each sampled answer's problem is known by, in whatever file: text, or id and gold."""
        for role in ("question", "problem_id"):
            if role in self.roles.columns and not (role == "question" and self.roles.templates):
                first = list(map(str, self.values(role)))
                golds = self.values("gold") if "gold" in self.roles.columns else [None] * len(first)
                return list(zip(first, map(str, golds), strict=True))
        return list(map(str, self.values("gold"))) if "gold" in self.roles.columns else [0] * len(self.files_of)


def peek(
    source: ImportSource, families: Sequence[Family] = FAMILIES, arms: Mapping[str, str] | None = None
) -> PeekedFile:
    """Looks at the first documents of a file.

    Args:
        arms: role -> name of the columns that hold it for an arm, with `{arm}`, as the user says.
    Raises: DataError if it cannot be read.
    """
    lines = is_lines(source.path) or opening.kind(source.path) == ".parquet"
    found = list(islice(documents(source.path), PEEKED))
    # a `.json` of several lines, and a `.jsonl` that is one document
    lines = (lines and not (len(found) == 1 and isinstance(found[0][1], list))) or len(found) > 1
    made = PeekedFile(source, found, lines, arms=arms or {})
    made.regroup = regroup([value for _, value in found], arms) if lines else None
    values = [one_line(value, made.regroup) if lines else spread(value, arms) for _, value in found]
    made.family = _family(values, families)
    if made.family and made.family.only:
        values = [v for v in values if all(_at(v, path) == want for path, want in made.family.only.items())]
    made.place = rows_at(values, are_rows=lines)
    if made.place is None:
        return made
    rows, besides = [], []
    for _, beside, some in made.rows(PEEKED):
        rows += [row for _, _, row in some]
        besides.append(beside)
        made.keys = max(made.keys, len(some[0][1]))
    made.row, made.beside = tree(rows), tree(besides[:PEEKED])
    return made


def _family(values: Sequence[Any], families: Sequence[Family]) -> Family | None:
    """The first whose signs are all there, in some document, wherever they stand."""
    node = tree([value for value in values if isinstance(value, dict | list)])
    places = {plain(written(path)).replace("[]", "") for path in leaves(node)} | _objects(node)
    for family in families:
        if all(any(_ends(sign, place) for place in places) for sign in family.signs):
            return family
    return None


def _ends(sign: str, place: str) -> bool:
    """Whether a sign is a place, or the end of one."""
    steps, wanted = place.split("."), sign.count(".") + 1
    return len(steps) >= wanted and matches(sign, ".".join(steps[-wanted:]))


def _objects(node: RecordNode, path: str = "") -> set[str]:
    """Places of objects and lists, as texts."""
    found = {path} if path else set()
    for key, child in node.keys.items():
        found |= (
            _objects(child, f"{path}.{key}" if path else key)
            if child.keys or child.entries or not child.scalars
            else set()
        )
    return found | (_objects(node.entries, path) if node.entries else set())


def shapes(files: Sequence[PeekedFile], asked: Mapping[str, str], metrics: Sequence[str] = ()) -> list[FoundShape]:
    """Files put together by their layout, each with the roles of its values.

    Args:
        asked: role -> path, as the user says.
        metrics: names of results, of which each file's first counts.
    Raises: UserError for a path that is not there.
    """
    groups: dict[tuple[Any, ...], list[PeekedFile]] = {}
    for one in files:
        if one.place is not None:
            key = (one.family and one.family.name, one.place, one.keys, tells_problems(one.row) or one.keys > 0)
            groups.setdefault(key, []).append(one)
    made = [(group, *_sampled(group, asked, metrics)) for group in groups.values()]
    # what the user names says which files are meant; where none has it, the most answers are what is asked of
    meant = [one for one in made if one[2].has_asked()] or sorted(made, key=lambda one: -len(one[2].files))[:1]
    return [
        FoundShape(files, sampled.layout, sampled.columns, resolve(sampled), sampled.family, table, list(sampled.files))
        for files, table, sampled in meant
    ]


def _sampled(files: list[PeekedFile], asked: Mapping[str, str], metrics: Sequence[str]) -> tuple[AnswerTable, Sampled]:
    """Some answers of files of one layout."""
    row, beside = merged([one.row for one in files]), merged([one.beside for one in files])
    place, share = files[0].place or (), max(1, _MOST_ANSWERS // len(files))
    rows = [row for one in files for _, _, some in one.rows(share) for _, _, row in some[:share]]
    made = layout(place, row, rows[:_MOST_ANSWERS], files[0].family.lists if files[0].family else ())
    there = columns(row, beside, made, files[0].keys)
    table = AnswerTable({name: [] for name in there})
    files_of: list[int] = []
    for place_of_file, one in enumerate(files):
        for line, header_, some in one.rows(PEEKED):
            flatten(some, header_, made, there, table, line)
        files_of += [place_of_file] * (len(table.numbers) - len(files_of))
    family = files[0].family
    sets = [family.told(one.source.path).get("benchmark", "") if family else "" for one in files]
    paths = [str(one.source.path) for one in files]
    return table, Sampled(there, table.columns, files_of, made, family, asked, sets, paths, metrics)


def distinct(values: Sequence[Any]) -> tuple[Any, ...]:
    """Those that are there, as texts or whole numbers, in their order."""
    return tuple(dict.fromkeys(value for value in values if judging.is_there(value)))
