"""What may be an arm beside those that are taken, and lacks what makes it one: said, so that none drops silently."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.importing.shapes.flat import PARENTS
from harness.importing.shapes.missing import Missing
from harness.importing.shapes.recognise import FoundShape
from harness.importing.shapes.regrouping import split_name
from harness.importing.shapes.tree import RecordNode, leaves
from harness.importing.shapes.vocabulary import is_known, rank, word
from harness.importing.shapes.whose import Whose

_PLAIN_WORDS = (
    "error errors metadata meta extra extras info note notes tag tags usage logprobs tools tool_calls config params "
    "args kwargs comment comments warning warnings exception traceback context system image images hint hints source "
    "category difficulty level subject feedback details stats timing cost"
)
_PLAIN = frozenset(_PLAIN_WORDS.split())
"""words of keys that are often empty, and of no arm"""


def of_left_arms(shape: FoundShape, made: Whose, missing: Missing, arm: str | None) -> list[str]:
    """Notes on what is beside several arms; beside one alone it is asked whether that is all.

    Args:
        arm: that the command names.
    """
    if shape.family or shape.layout.lists:
        return []
    columns, taken = _columns(shape), _grouped_arms(shape)
    if taken:
        found = [
            (f"`{name}` has no result beside it, as `{mark}` is", of)
            for of, name, mark in _without_result(columns, taken)
        ]
    else:
        taken, found = _nested(shape)
    if not found or not taken:
        return []
    if len(taken) > 1:
        return [f"{said}: `{of}` was not taken for an arm." for said, of in found]
    if arm is None and made.how.get("arm") in ("the path", "the files", "the rows", "the file"):
        missing.add(
            f"{' '.join(f'{said}.' for said, _ in found)} So `{taken[0]}` would be the only arm. If it is: --arm "
            f"{taken[0]}. If not, complete what is missing."
        )
    return []


def result_place(shape: FoundShape) -> str:
    """Where the result stands, if it is in an object under a key that may name an arm; else empty."""
    column = shape.roles.columns.get("correct")
    inside = column is not None and column.where == "row" and len(column.path) > 1 and not is_known(column.path[0])
    return column.text if column is not None and inside and not shape.family else ""


def _columns(shape: FoundShape) -> list[str]:
    first = shape.files[0].documents
    return list(dict.fromkeys(str(key) for _, row in first if isinstance(row, dict) for key in row))


def _grouped_arms(shape: FoundShape) -> list[str]:
    """Arms whose columns are named for them and for what they hold."""
    made = shape.files[0].regroup
    return [arm for arm, columns in made.arms.items() if any(split_name(name) for name in columns)] if made else []


def _without_result(columns: Sequence[str], taken: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Name, column of texts and a column with a taken arm's result, of each that has texts and no result."""
    split = {name: parts for name in columns if (parts := split_name(name))}
    marks = [name for name, (arm, role) in split.items() if role == "correct" and arm in taken]
    marked = {arm for arm, role in split.values() if role == "correct"}
    seen = set(taken) | marked
    for name, (arm, role) in split.items():
        if role != "correct" and arm not in seen and marks:
            seen.add(arm)
            yield name, name, marks[0]


def _nested(shape: FoundShape) -> tuple[list[str], list[tuple[str, str]]]:
    """Arms of objects in rows, and what beside them holds nothing, or results under other keys."""
    row, layout = shape.files[0].row, shape.layout
    if layout.wide is not None:
        level, taken = layout.wide, list(layout.arms)
    else:
        place = shape.roles.columns.get("correct")
        if place is None or place.where != "row" or len(place.path) < 2:
            return [], []
        level = place.path[:1] if place.path[0] in PARENTS and len(place.path) > 2 else ()
        taken = [place.path[len(level)]]
    node = row
    for key in level:
        node = node.keys[key]
    own = node.keys[taken[0]]
    texts = any(rank(role, path) is not None for role in ("response", "answer") for path in leaves(own))
    if not texts or any(is_known(key) or word(key) in _PLAIN for key in taken):
        return [], []
    found = []
    for key, child in node.keys.items():
        if key in taken or is_known(key) or word(key) in _PLAIN:
            continue
        if _is_empty(child):
            found.append((f"`{key}` is empty in every row that was looked at", key))
        elif len(taken) > 1 and child.keys and any(rank("correct", path) is not None for path in leaves(child)):
            found.append((f"`{key}` has other keys than {' and '.join(f'`{arm}`' for arm in taken[:2])}", key))
    return taken, found


def _is_empty(node: RecordNode) -> bool:
    return not node.scalars and not node.keys and (node.entries is None or not node.entries.count)
