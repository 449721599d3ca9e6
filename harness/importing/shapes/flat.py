"""Rows as a flat table, a line for each answer, whatever was nested in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.importing.shapes.containers import Row
from harness.importing.shapes.paths import EACH, MAP, NotOne, Path, at, matches, plain, written
from harness.importing.shapes.tree import RecordNode, leaves, merged
from harness.importing.shapes.vocabulary import is_known, rank

PARENTS = (
    "models",
    "arms",
    "answers",
    "responses",
    "outputs",
    "predictions",
    "solutions",
    "systems",
    "results_by_model",
)
"""keys of objects whose keys may be arms"""
_WEIGHTS = {"correct": 4, "mark": 4, "response": 3, "answer": 2, "tokens": 1, "finish_reason": 1, "sample": 1}
"""roles of what a list of answers to one problem may hold"""


@dataclass(frozen=True)
class RecordLayout:
    """Where answers are in the documents of some files."""

    place: Path
    """of rows in a document"""
    lists: tuple[Path, ...] = ()
    """in a row, of one length: their entries are the answers to one problem"""
    wide: Path | None = None
    """in a row, an object whose keys are arms"""
    arms: tuple[str, ...] = ()
    """those keys"""


@dataclass(frozen=True)
class RecordColumn:
    """A place of single values."""

    where: str
    """`row`, `entry` of a list, `arm` of an object by arms, `header` beside the rows, or `key` of an object"""
    path: Path
    """in the entry, if it is of one"""
    list: int = 0
    """number of the list, or of the key"""
    text: str = ""
    """as people write it"""


@dataclass
class AnswerTable:
    """Columns of answers, each with its place."""

    columns: dict[str, list[Any]]
    numbers: list[int] = field(default_factory=list)
    """of line or row"""
    parts: list[int] = field(default_factory=list)
    """of the document, so that rows of one are known"""


def layout(place: Path, row: RecordNode, rows: Sequence[Any], named: Sequence[str] = ()) -> RecordLayout:
    """Which lists of a row are answers to its problem.

    Args:
        row: of all rows that were looked at.
        named: paths that a tool names for answers, among which the list then is; choices of a question are none.
    """
    weights: dict[Path, float] = {}
    for path in leaves(row):
        if EACH in path and (not named or any(matches(one, plain(written(path))) for one in named)):
            prefix, rest = _split(path)
            found = {role: rank(role, (*prefix, *rest)) for role in _WEIGHTS}
            weight = max(
                (_WEIGHTS[role] - 0.01 * value for role, value in found.items() if value is not None), default=0
            )
            weights[prefix] = max(weights.get(prefix, 0), weight)
    best = max(weights, key=lambda prefix: weights[prefix], default=None)
    if best is None or weights[best] < 1.5:
        return _wide(place, row) or RecordLayout(place)
    zipped = [prefix for prefix in weights if weights[prefix] > 0 and _same_lengths(rows, best, prefix)]
    return RecordLayout(place, (best, *(prefix for prefix in zipped if prefix != best)))


def _split(path: Path) -> tuple[Path, Path]:
    place = path.index(EACH)
    return path[:place], path[place + 1 :]


def _same_lengths(rows: Sequence[Any], one: Path, other: Path) -> bool:
    pairs = [(_list(row, one), _list(row, other)) for row in rows]
    return all(a is not None and b is not None and len(a) == len(b) for a, b in pairs)


def _list(row: Any, path: Path) -> list[Any] | None:
    try:
        found = at(row, path)
    except NotOne:
        return None
    return found if isinstance(found, list) else None


def _wide(place: Path, row: RecordNode) -> RecordLayout | None:
    """With an object in the row whose keys are arms: each has a result or an answer, and none is a known word."""
    for path, node in [((), row), *(((key,), child) for key, child in row.keys.items() if key in PARENTS)]:
        nested = {key: child for key, child in node.keys.items() if child.keys and not is_known(key)}
        arms = max((_alike(nested, key) for key in nested), key=len, default=())
        leaf = leaves(merged([nested[arm] for arm in arms]))
        if len(arms) > 1 and any(rank(role, one) is not None for one in leaf for role in ("correct", "response")):
            return RecordLayout(place, wide=path, arms=arms)
    return None


def _alike(nodes: Mapping[str, RecordNode], key: str) -> tuple[str, ...]:
    """Those that share a third of their keys with one, so that an arm that lacks something is still an arm."""
    mine = nodes[key].keys.keys()
    return tuple(name for name, one in nodes.items() if 3 * len(mine & one.keys.keys()) >= len(mine | one.keys.keys()))


def columns(row: RecordNode, header: RecordNode, made: RecordLayout, keys: int) -> dict[str, RecordColumn]:
    """Every place of single values, by the text that people write for it; the row's before the header's.

    Args:
        keys: of objects on the way to a row.
    """
    found: dict[str, RecordColumn] = {}

    def add(column: RecordColumn) -> None:
        found.setdefault(column.text, column)

    if made.wide is not None:
        # columns of arms are one column each, told apart by the key
        node = row
        for key in made.wide:
            node = node.keys[key]
        add(RecordColumn("key", (), keys, "{arm}"))
        for path in leaves(merged([node.keys[arm] for arm in made.arms])):
            if EACH not in path:
                add(RecordColumn("arm", path, 0, written((*made.wide, "{arm}", *path))))
    for path in leaves(row):
        if EACH not in path:
            deep = len(made.wide) if made.wide is not None else 0
            if (
                made.wide is None
                or path[:deep] != made.wide
                or path[deep : deep + 1] not in {(arm,) for arm in made.arms}
            ):
                add(RecordColumn("row", path, 0, written(path)))
            continue
        prefix, rest = _split(path)
        if prefix in made.lists:
            add(RecordColumn("entry", rest, made.lists.index(prefix), written(path)))
    for number in range(keys):
        add(RecordColumn("key", (), number, "{key}" if number == 0 else f"{{key{number + 1}}}"))
    for path in leaves(header):
        if EACH not in path:
            add(RecordColumn("header", path, 0, written(path)))
    return found


def flatten(
    rows: Iterable[Row],
    beside: Any,
    made: RecordLayout,
    wanted: Mapping[str, RecordColumn],
    table: AnswerTable,
    line: int | None,
) -> None:
    """Adds the answers of one document to a table.

    Args:
        beside: what stands beside the rows.
        wanted: columns by name; the table's.
        line: the document's number, where rows are told by it; None: rows are numbered in the document.
    Raises: NotOne with the place in the row.
    """
    fixed = {name: at(beside, one.path) for name, one in wanted.items() if one.where == "header"}
    for number, keys, row in rows:
        number = number if line is None else line
        own = {name: at(row, one.path) for name, one in wanted.items() if one.where == "row"} | fixed
        own |= {n: keys[c.list] for n, c in wanted.items() if c.where == "key" and c.list < len(keys)}
        # what is the row's is said again for each of its answers
        for entries in _answers(row, made):
            for name, column in wanted.items():
                if column.where in ("entry", "arm"):
                    value = at(entries[column.list], column.path)
                elif name in own:
                    value = own[name]
                else:
                    value = entries[1] if made.wide is not None else None
                table.columns[name].append(value)
            table.numbers.append(number)


def _answers(row: Any, made: RecordLayout) -> Iterable[Sequence[Any]]:
    """Of each answer its entry of every list; of a row without lists the row alone."""
    if made.wide is not None:
        named = at(row, made.wide)
        return [(named.get(arm) if isinstance(named, dict) else None, arm) for arm in made.arms]
    if not made.lists:
        return ((),)
    lists = [_entries(row, path) for path in made.lists]
    if len({len(one) for one in lists}) > 1:
        said = ", ".join(f"`{written(path)}` {len(one)}" for path, one in zip(made.lists, lists, strict=True))
        raise NotOne(f"lists that belong together differ in length: {said}")
    if not lists[0]:
        raise NotOne(f"`{written(made.lists[0])}` is empty: there is no answer")
    return zip(*lists, strict=True)


def _entries(row: Any, path: Path) -> list[Any]:
    found = at(row, path)
    if not isinstance(found, list):
        raise NotOne(f"`{written(path)}` must be a list, as in other rows")
    return found


def own_name(column: RecordColumn, made: RecordLayout) -> Path:
    """The path that its name is judged by."""
    if column.where == "entry":
        return (*made.lists[column.list], *column.path)
    return column.path if column.where != "key" else (MAP,)
