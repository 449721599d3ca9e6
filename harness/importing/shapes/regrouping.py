"""Tables whose column names are data, and documents whose keys are: made rows with a key for each thing.

    problem, base, tuned                      -> problem, models: {base: {correct}, tuned: {correct}}
    id, base_answer, base_correct, tuned_...  -> id, models: {base: {answer, correct}, tuned: {answer, correct}}
    model, P1, P2, ..., P30                   -> model, results: [{problem_id: P1, correct}, ...]
    {q1: [1, 0], q2: [0, 0]}                  -> {problem_id: q1, correct: [1, 0]}, ...
    {base: {q1: 1, ...}, tuned: {...}}        -> {model: base, problem_id: q1, correct: 1}, ...
    stats: [{name: exact_match, mean: 1}]     -> stats: {exact_match: 1}

Two columns of marks may also be two markers of one arm. So columns are arms only where each has an answer of its own,
or where the table holds nothing but problems and marks, and no name is one of a marker.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.importing.shapes import judging
from harness.importing.shapes.arm_columns import by_arm
from harness.importing.shapes.paths import is_chat
from harness.importing.shapes.vocabulary import IDENTITY, NAMES, is_known, rank, word

_PARTS = {
    **dict.fromkeys(("correct", "is_correct", "acc", "accuracy", "score", "passed", "correctness", "mark"), "correct"),
    **dict.fromkeys(("answer", "pred", "prediction", "extracted_answer", "predicted_answer"), "answer"),
    **dict.fromkeys(("response", "output", "completion", "generation", "solution", "text"), "response"),
}
"""what a column's name may say behind or before an arm's -> the key that it becomes"""
_MARKERS = re.compile(
    r"judge|verif|match|symbolic|format|exact|strict|flex|trunc|box|valid|llm|rule|regex|sympy|human|grader|gold|gt|"
    r"truth|true|expected|reference|correct|model$|final|parsed|extracted|predicted"
)
"""words of markers, and of what is the same for all arms"""
_NUMBERED = re.compile(r"(\D*)(\d+)(\D*)")
MOST_LOOKED_AT = 600
"""rows of a table"""
_FEWEST_PROBLEMS = 3
_VALUES = ("value", "mean", "score", "result", "success")


@dataclass(frozen=True)
class Regroup:
    """How rows of one table are made new ones."""

    arms: Mapping[str, Mapping[str, str]]
    """arm -> column -> what it becomes"""
    problems: tuple[str, ...] = ()
    """columns that are problems"""

    def row(self, row: Any) -> Any:
        """The same cells in other places; a row that is none of this table stays as it is."""
        if not isinstance(row, dict):
            return row
        moved = {*self.problems, *(column for columns in self.arms.values() for column in columns)}
        kept = {key: value for key, value in row.items() if key not in moved}
        if self.problems:
            return {**kept, "results": [{"problem_id": name, "correct": row.get(name)} for name in self.problems]}
        made = {arm: {key: row.get(name) for name, key in columns.items()} for arm, columns in self.arms.items()}
        if len(made) == 1:
            ((arm, cells),) = made.items()
            return {**kept, "model": arm, **cells}
        return {**kept, "models": made}


def regroup(rows: Sequence[Any], arms: Mapping[str, str] | None = None) -> Regroup | None:
    """How these rows of a table must be regrouped; None if they are as they should be.

    Args:
        arms: role -> name of the columns that hold it for an arm, with `{arm}`, as the user says.
    """
    flat = [row for row in rows if isinstance(row, dict)]
    columns = [str(name) for name in dict.fromkeys(key for row in flat for key in row)]
    if not flat or len(flat) < len(rows):
        return None
    if said := by_arm(columns, arms or {}):
        return Regroup(said)
    values = {name: [row.get(name) for row in flat] for name in columns}
    binary = [name for name in columns if judging.are_binary(values[name])]
    identity = [name for name in columns if any(rank(role, (name,)) is not None for role in IDENTITY)]
    if problems := _problems(columns, binary, identity):
        return Regroup({}, problems)
    if not identity:
        return None
    grouped = _grouped(columns, binary)
    return Regroup(grouped) if grouped else _wide(columns, binary, values)


def _problems(columns: Sequence[str], binary: Sequence[str], identity: Sequence[str]) -> tuple[str, ...]:
    """Columns that are numbered problems, where rows are arms."""
    if identity or not any(word(name) in NAMES["arm"] for name in columns):
        return ()
    groups: dict[tuple[str, str], list[str]] = {}
    for name in binary:
        if found := _NUMBERED.fullmatch(name.strip()):
            groups.setdefault((found[1], found[3]), []).append(name)
    most = max(groups.values(), key=len, default=[])
    return tuple(most) if len(most) >= _FEWEST_PROBLEMS else ()


def _grouped(columns: Sequence[str], binary: Sequence[str]) -> dict[str, dict[str, str]]:
    """Columns that are named for an arm and what they hold; each arm has a mark, and a text of its own beside it."""
    found: dict[str, dict[str, str]] = {}
    for name in columns:
        if split := split_name(name):
            found.setdefault(split[0], {})[name] = split[1]
    arms = {
        arm: parts
        for arm, parts in found.items()
        if {"answer", "response"} & set(parts.values())
        and any(key == "correct" and name in binary for name, key in parts.items())
        and len(set(parts.values())) == len(parts)
    }
    same = {frozenset(parts.values()) for parts in arms.values()}
    return arms if len(arms) > 1 and len(same) == 1 else _only(columns, binary, found)


def _only(
    columns: Sequence[str], binary: Sequence[str], found: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """The one arm whose mark is called after it, as other columns are."""
    marked = {
        arm: name for arm, parts in found.items() for name, key in parts.items() if key == "correct" and name in binary
    }
    if len(marked) != 1:
        return {}
    ((arm, mark),) = marked.items()
    others = [name for name in columns if name != mark and name.lower().startswith(arm.lower()) and not is_known(name)]
    return {arm: {mark: "correct"}} if others else {}


def split_name(name: str) -> tuple[str, str] | None:
    """`base_correct` or `correct (base)` -> arm and key; the arm as it is written."""
    if is_known(name):
        return None
    for part, key in sorted(_PARTS.items(), key=lambda item: -len(item[0])):
        loose = part.replace("_", "[_ ]?")
        end = re.fullmatch(rf"(?P<arm>.+?)[_\-. /:]{loose}", name, re.IGNORECASE)
        begin = re.fullmatch(rf"{loose}[_\-. /:(\[]+(?P<arm>.+?)[)\]]?", name, re.IGNORECASE)
        if match := end or begin:
            arm = match["arm"].strip()
            return None if _MARKERS.search(arm.lower()) or is_known(arm) else (arm, key)
    return None


def _wide(columns: Sequence[str], binary: Sequence[str], values: Mapping[str, Sequence[Any]]) -> Regroup | None:
    """A column of marks for each arm, beside nothing but problems."""
    unknown = [name for name in columns if not is_known(name)]
    if len(unknown) < 2 or any(name not in binary or _MARKERS.search(name.lower()) for name in unknown):
        return None
    known = [name for name in columns if is_known(name)]
    results = [name for name in known for role in ("correct", "response", "answer") if _is(role, name)]
    arms = [name for name in known if word(name) in NAMES["arm"]]
    alone = [name for name in results if not any(_is(role, name) for role in IDENTITY)]
    if alone or arms or all(judging.is_there(value) is False for name in unknown for value in values[name]):
        return None
    return Regroup({name: {name: "correct"} for name in unknown})


def _is(role: str, name: str) -> bool:
    return word(name) in NAMES[role]


def one_line(row: Any, made: Regroup | None) -> Any:
    """A line of a table, regrouped if it must be, its named values as objects."""
    return pivoted(row if made is None else made.row(row))


def unrolled(document: Any) -> Any:
    """A document whose keys are arms or problems, with rows in their place; others as they are."""
    if not isinstance(document, dict):
        return document
    if rows := _of_arms(document) or _of_problems(document):
        return rows
    inner = {key: rows for key, value in document.items() if isinstance(value, dict) and (rows := _of_problems(value))}
    return {**document, **inner} if len(inner) == 1 else document


def _of_problems(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    if len(document) < _FEWEST_PROBLEMS or any(is_known(str(key)) for key in document):
        return []
    if not all(map(_are_marks, document.values())):
        return []
    return [{"problem_id": str(key), "correct": value} for key, value in document.items()]


def _of_arms(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    inner = [_of_problems(value) if isinstance(value, dict) else [] for value in document.values()]
    if len(inner) < 2 or not all(inner) or any(_MARKERS.search(str(key).lower()) for key in document):
        return []
    shared = set.intersection(*({row["problem_id"] for row in rows} for rows in inner))
    if 2 * len(shared) < min(map(len, inner)):
        return []
    return [{"model": str(arm), **row} for arm, rows in zip(document, inner, strict=True) for row in rows]


def _are_marks(value: Any) -> bool:
    """One mark, or a list of them."""
    return judging.are_binary(value) if isinstance(value, list) else not isinstance(value, dict) and (
        judging.is_there(value) and judging.yes_or_no(value) is not None
    )  # fmt: skip


def side_by_side(document: Any) -> Any:
    """Conversations, and in an object beside them a list of as many results, as rows; other documents as they are."""
    if not isinstance(document, dict):
        return document
    chats = {key: value for key, value in document.items() if _are_entries(value) and all(map(is_chat, value))}
    inner = [one for one in document.values() if isinstance(one, dict)]
    results = {
        key: value
        for one in inner
        for key, value in one.items()
        if _are_entries(value) and isinstance(value[0], dict) and not is_chat(value)
    }
    if not (len(chats) == len(results) == 1):
        return document
    ((asked, talks),), ((told, marks),) = chats.items(), results.items()
    if len(talks) != len(marks):
        return document
    beside = {key: value for key, value in document.items() if not isinstance(value, list | dict)}
    return {**beside, "rows": [{asked: talk, told: mark} for talk, mark in zip(talks, marks, strict=True)]}


def _are_entries(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(isinstance(one, dict | list) and one for one in value)


def pivoted(row: Any) -> Any:
    """Lists of named values in a row, as objects: each name its value."""
    if not isinstance(row, dict):
        return row
    made = {key: _named(value) for key, value in row.items() if isinstance(value, list) and value}
    return {**row, **{key: value for key, value in made.items() if value}} if any(made.values()) else row


def _named(entries: Iterable[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in entries:
        if not isinstance(one, dict):
            return {}
        name = one.get("name")
        name = name.get("name") if isinstance(name, dict) else name
        value = next((one[key] for key in _VALUES if key in one), None)
        if not isinstance(name, str) or isinstance(value, dict | list) or value is None or name in found:
            return {}
        found[name] = value
    return found
