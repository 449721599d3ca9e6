"""Where the rows of a document are: the document itself, a list in it, or an object whose keys are data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.importing.shapes import judging
from harness.importing.shapes.paths import ASSISTANT, EACH, MAP, USER, Path
from harness.importing.shapes.regrouping import MOST_LOOKED_AT, pivoted, regroup, side_by_side, unrolled
from harness.importing.shapes.tree import RecordNode, leaves, map_of, tree
from harness.importing.shapes.vocabulary import IDENTITY, NAMES, RESULT, is_known, rank, word

Row = tuple[int, tuple[str, ...], Any]
"""place in the document from 1, keys of objects on the way, and the row"""
_DEEPEST = 5
_ANYTHING = ("name", "id", "key", "number", "index", "uid", "uuid")
"""words for problems, and for whatever else a table lists"""


def spread(document: Any, arms: Mapping[str, str] | None = None) -> Any:
    """A table that was written column by column, or as names and lists of cells, as a list of rows; others as they are.

    These are pandas' orients `columns` and `split`, wandb's tables, and an object of lists of one length.

    Args:
        arms: as of `regroup`.
    """
    document = side_by_side(unrolled(_unpaired(document)))
    if isinstance(document, list):
        document = list(map(pivoted, document))
    if isinstance(document, list) and (made := regroup(document[:MOST_LOOKED_AT], arms)):
        return list(map(made.row, document))
    if not isinstance(document, dict) or not document:
        return document
    cells = document.get("data")
    if isinstance(document.get("columns"), list) and isinstance(cells, list) and cells and isinstance(cells[0], list):
        names = [str(name) for name in document["columns"]]
        return [dict(zip(names, row, strict=False)) for row in cells]
    lists = {key: value for key, value in document.items() if isinstance(value, list) and len(value) > 1}
    if len(lists) >= 2 and _are_columns(lists) and len({len(value) for value in lists.values()}) == 1:
        beside = {key: value for key, value in document.items() if key not in lists}
        rows = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
        return {**beside, "rows": rows} if beside else rows
    values = list(document.values())
    if len(values) > 1 and all(isinstance(one, dict) and one.keys() == values[0].keys() for one in values):
        columns = {str(key): list(value.values()) for key, value in document.items()}
        if all(key.isdigit() for key in values[0]) and _are_columns(columns):
            return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return document


def _unpaired(document: Any) -> Any:
    """Of an object by problems whose lists hold pairs of a number and an object, as bigcode's logs do, the objects."""
    if not isinstance(document, dict) or not document:
        return document
    values = list(document.values())
    pairs = all(isinstance(value, list) and value and all(map(_is_pair, value)) for value in values)
    return {key: [pair[1] for pair in value] for key, value in document.items()} if pairs else document


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], int) and isinstance(value[1], dict)


def _are_columns(lists: Mapping[str, Sequence[Any]]) -> bool:
    """Whether keys name columns of rows: what was asked, and what came of it."""
    named = {role for key in lists for role in (*IDENTITY, *RESULT) if rank(role, (key,)) is not None}
    return (
        bool(named & set(IDENTITY))
        and bool(named & set(RESULT))
        and not any(isinstance(value, dict) for values in lists.values() for value in values[:3])
    )


def rows_at(documents: Sequence[Any], are_rows: bool) -> Path | None:
    """The place of the rows in each document; () if a document is a row; None if there are none.

    Args:
        documents: some of a file.
        are_rows: whether a file of several documents, each of which is most likely a row.
    """
    node = tree(list(documents))
    found = list(_places(node, ()))
    own = _score(node, direct=True)
    if node.keys and own >= 2 and (are_rows or not found):
        return ()
    best = max(found, key=lambda one: (one[1], one[2]), default=None)
    if best is not None and best[1] >= 2:
        return best[0]
    if are_rows and _tell_unnamed(documents, node):
        return ()
    return () if node.keys and _score(node) >= 2 else best[0] if best and best[1] >= 1 else None


def _tell_unnamed(rows: Sequence[Any], node: RecordNode) -> bool:
    """Whether rows of a table name problems, and something in them is right or wrong that is not called so."""
    names = [key for key, child in node.keys.items() if child.scalars]
    if not any(rank("problem_id", (key,)) is not None and word(key) not in _ANYTHING for key in names):
        return False
    unknown = [key for key in names if not is_known(key) or rank("wrong", (key,)) is not None]
    told = [{judging.yes_or_no(row.get(key)) for row in rows if isinstance(row, dict)} for key in unknown]
    return {True, False} in told


def _places(node: RecordNode, path: Path) -> Iterator[tuple[Path, float, int]]:
    """Places of rows, how much they look like rows, and how many there are."""
    if len(path) >= _DEEPEST:
        return
    if node.entries is not None and not node.is_chat:
        if node.entries.keys and max(node.lengths) >= 1:
            yield (*path, EACH), _score(node.entries), node.entries.count
        if EACH not in path:
            yield from _places(node.entries, (*path, EACH))
    mapped = map_of(node)
    if mapped is not None and EACH not in path:
        inner = mapped.entries is None
        if inner and mapped.keys:
            yield (*path, MAP), _score(mapped) + 0.5 * (_score(mapped, direct=True) > 0), mapped.count
        yield from (one for one in _places(mapped, (*path, MAP)) if one[0] != (*path, MAP))
    for key, child in node.keys.items():
        yield from _places(child, (*path, key))


def _score(node: RecordNode, direct: bool = False) -> float:
    """1 for what says which problem, 1 for what says how it went, and a little for other roles.

    Args:
        direct: only what is not in a list tells the problem.
    """
    places = list(leaves(node))
    alone = [path for path in places if EACH not in path]
    problem = any(rank(role, path) is not None for role in IDENTITY for path in (alone if direct else places))
    result = any(rank(role, path) is not None for role in RESULT for path in places)
    others = sum(any(rank(role, path) is not None for path in places) for role in NAMES)
    turns = any(USER in path or ASSISTANT in path for path in alone)
    return (problem or turns) + result + (0.01 * others if problem and result else 0)


def tells_problems(row: RecordNode) -> bool:
    """Whether something in a row says which problem it is about."""
    return any(rank(role, path) is not None or USER in path for path in leaves(row) for role in IDENTITY)


def rows_in(document: Any, place: Path) -> Iterator[Row]:
    """Every row of a document, in its order."""
    for number, (keys, row) in enumerate(_walk(document, place, ()), 1):
        yield number, keys, row


def _walk(value: Any, place: Path, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not place:
        yield keys, value
        return
    step, rest = place[0], place[1:]
    if step == EACH:
        for one in value if isinstance(value, list) else ():
            yield from _walk(one, rest, keys)
    elif step == MAP:
        for key, one in value.items() if isinstance(value, dict) else ():
            if isinstance(one, list if rest and rest[0] == EACH else dict):
                yield from _walk(one, rest, (*keys, str(key)))
    elif isinstance(value, dict) and step in value:
        yield from _walk(value[step], rest, keys)


def header(document: Any, place: Path) -> Any:
    """What stands beside the rows: the document without them."""
    if not place or not isinstance(document, dict):
        return {}
    if place[0] == MAP:
        return {key: value for key, value in document.items() if not isinstance(value, dict | list)}
    if place[0] not in document or place[0] in (EACH,):
        return {}
    inner = header(document[place[0]], place[1:])
    beside = {key: value for key, value in document.items() if key != place[0]}
    return {**beside, place[0]: inner} if inner else beside
