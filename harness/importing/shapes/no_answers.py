"""What is said of files in which no answers were found."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from harness.importing.files import foreign, opening
from harness.importing.files.documents import first_line
from harness.importing.scalars.vocabulary import SYNONYMS, is_score, plain
from harness.importing.shapes.family import Family
from harness.importing.shapes.missing import MOST_LOOKED_AT, Command, guess
from harness.importing.shapes.paths import Path as Place
from harness.importing.shapes.paths import written
from harness.importing.shapes.recognise import FoundShape, PeekedFile, peek, shapes
from harness.importing.shapes.tree import RecordNode, tree
from harness.importing.shapes.vocabulary import name_benchmarks, rank
from harness.importing.sources import ImportSource
from harness.records import DataError

_MOST = 12
_TABLES = (".csv", ".tsv", ".parquet")
_HINT = "--column correct=KEY, or response=KEY and gold=KEY, names what holds them under other names."


def check_names(sources: Sequence[ImportSource]) -> None:
    """Raises: DataError if all files are of names that tools give to other things."""
    said = [foreign.known_by_name(source.path) for source in sources]
    if said and all(said):
        raise DataError(f"{sources[0].path} {said[0]}, and holds no results. Give the file with the answers.")


def holds_answers(shape: FoundShape) -> bool:
    """Whether anything is of a problem, or of an answer to one; numbers by step alone are curves."""
    roles = shape.roles
    own = {"problem_id", "question", "gold", "response", "mark"} & roles.columns.keys()
    if own or shape.layout.lists:
        return True
    results = {"correct", "num_samples"} & roles.columns.keys() or roles.odd or roles.rivals
    guessed = bool(results) or any(guess(shape, role) for role in ("correct", "problem_id"))
    return guessed and "step" not in roles.columns


def check_family(family: Family, files: Sequence[PeekedFile]) -> None:
    """Raises: DataError if no file is of the tool that was named, or one that is called like its files is not."""
    others = [one for one in files if one.family is not family]
    if odd := [one for one in others if family.told(one.source.path)] or (others if len(others) == len(files) else []):
        raise DataError(_no_family(family, odd))


def _no_family(family: Family, files: Sequence[PeekedFile]) -> str:
    """With what they are instead."""
    signs = ", ".join(f"`{sign}`" for sign in family.signs)
    found = shapes([peek(one.source, arms=one.arms) for one in files], {})
    shape = max(found, key=lambda one: len(one.files_of), default=None)
    # of what is called by nothing but its layout it is enough to say what it lacks
    other = f"They look like {shape.name}." if shape and shape.family else family.otherwise
    more = f" and {len(files) - 1:,} more files" if len(files) > 1 else ""
    what = f"{files[0].source.path}{more}: no {family.name}, which have all of {signs}."
    return f"{' '.join(filter(None, (what, other)))}\n`rence import PATH...` without a source finds out what files are."


def nothing(files: Sequence[PeekedFile], command: Command) -> str:
    """What to say of files without answers."""
    first = next((one for one in files if one.documents), files[0])
    path = first.source.path
    if not first.documents:
        return _without_rows(first)
    values = [value for one in files for _, value in one.documents[:MOST_LOOKED_AT]]
    if not any(isinstance(value, dict) and value for value in values) and (said := _no_object(values)):
        return f"{path} holds {said}, and no answers to problems: a row is an object with named values."
    whole = tree(values)
    keys = list(whole.keys or (whole.entries.keys if whole.entries else ()))
    # what a newcomer most likely has comes first: a report, a set of problems, results of whole benchmarks
    ids = [key for key in keys if key.endswith("_ids")]
    if len(ids) > 1:
        named = ", ".join(f"`{key}`" for key in ids[:4])
        return (
            f"{path} lists ids of problems by what came of them ({named}), as a report of SWE-bench does. Rows are "
            "read: write one for each problem that was asked, with `instance_id` and with `resolved` as true or false."
        )
    empty = [written(place) for place, node in _lists(whole, ()) if place and node.lengths == {0} and node.count > 1]
    if empty:
        return f"{path}: `{empty[0]}` is empty in all rows, so there are no answers in it."
    if any(_looks_like_scores(one) for one in files):
        scores = shlex.join(["rence", "import", "scores", *command.paths, *command.rest])
        return (
            f"{path} holds results of whole benchmarks, or curves, but no answers to problems: nothing can be paired "
            f"by problem.\nScores by seed can be compared: {scores}"
        )
    shown = ", ".join(f"`{key}`" for key in keys[:_MOST]) + (", ..." if len(keys) > _MOST else "")
    roles = {role for key in keys for role in ("question", "gold", "answer") if rank(role, (key,)) is not None}
    if whole.keys and len(roles) > 1 and "question" in roles:
        return (
            f"{path} holds problems, and no answers to them: nothing is called like a response or a result. Its keys: "
            f"{shown}. {_HINT}\nTo ask a model these problems: rence eval --benchmarks {path}"
        )
    return (
        f"{path} holds no answers to problems. Its keys: {shown}. {_HINT}" if keys else f"{path} holds empty objects."
    )


def _without_rows(file: PeekedFile) -> str:
    path = file.source.path
    if path.stat().st_size == 0:
        return f"{path} is empty."
    if opening.kind(path) in (".csv", ".tsv"):
        line = first_line(path).replace("\t", ", ")
        return f"{path} has no rows below its first line: {line[:200]}" if line else f"{path} holds blank lines alone."
    if opening.kind(path) == ".parquet":
        return f"{path} holds no rows."
    return f"{path} holds blank lines alone."


def _no_object(values: Sequence[Any]) -> str:
    """In words, what stands in the place of rows; empty if objects stand in lists."""
    value = values[0]
    if isinstance(value, list):
        if not value:
            return "an empty list"
        inner = next((one for one in value if one), value[0])
        if isinstance(inner, dict):
            return "a list of empty objects" if not any(value) else ""
        if not isinstance(inner, list):
            return f"a list of {_kinds(inner)}"
        return "lists that are empty" if not inner else f"lists of {_kinds(inner[0])}"
    if isinstance(value, dict):
        return "empty objects" if len(values) > 1 else "an empty object"
    several = len(values) > 1 or value is None
    return f"nothing but {_kinds(value) if several else f'one {_kinds(value)[:-1]}'}"


def _kinds(value: Any) -> str:
    names = {str: "texts", bool: "truth values", int: "numbers", float: "numbers", list: "lists", dict: "objects"}
    return names.get(type(value), "nulls")


def _looks_like_scores(file: PeekedFile) -> bool:
    """Whether it is a table with numbers, or numbers stand under keys that name scores, benchmarks or steps."""
    if opening.kind(file.source.path) in _TABLES:
        written_so = opening.kind(file.source.path) != ".parquet"
        return any(_is_number(value, written_so) for _, row in file.documents for _, value in _scalars(row, ()))
    return any(
        _is_number(value, False) and any(map(_names_scores, place))
        for _, document in file.documents
        for place, value in _scalars(document, ())
    )


def _names_scores(key: str) -> bool:
    name = plain(key)
    return is_score(key) or name in SYNONYMS["score"] or name in SYNONYMS["step"] or name_benchmarks([key])


def _is_number(value: object, written_so: bool) -> bool:
    """
    Args:
        written_so: whether the file has texts alone, as CSV.
    """
    if not (written_so and isinstance(value, str)):
        return isinstance(value, int | float)
    try:
        float(value)
    except ValueError:
        return False
    return True


def _scalars(value: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _scalars(inner, (*place, str(key)))
    elif isinstance(value, list):
        for inner in value[:MOST_LOOKED_AT]:
            yield from _scalars(inner, place)
    elif not isinstance(value, bool):
        yield place, value


def _lists(node: RecordNode, path: Place) -> Iterator[tuple[Place, RecordNode]]:
    if node.entries is not None:
        yield path, node
    for key, child in node.keys.items():
        yield from _lists(child, (*path, key))
