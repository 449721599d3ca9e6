"""A path -> its files, and the shape of each. A new kind of JSON document is a `ScalarShape`, as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.importing.files import foreign, opening
from harness.importing.scalars import scalar_tables
from harness.importing.scalars.run_labels import split_run
from harness.importing.scalars.scalar_tables import ScalarTable
from harness.importing.sources import ImportSource
from harness.records import DataError

PACKED = ("", ".gz", ".zst", ".bz2")
DELIMITED, LINES = (".csv", ".tsv", ".txt"), (".jsonl", ".ndjson")
LOOKED_FOR = "trainer_state.json, events.out.tfevents.*, results*.json, *.jsonl, *.csv, *.parquet or *.json"
_KINDS: Sequence[Sequence[str]] = (
    ("events.out.tfevents.*",),
    ("trainer_state.json",),
    ("results*.json",),
    (*(f"*{suffix}{packed}" for suffix in (*LINES, ".csv", ".tsv") for packed in PACKED), "*.parquet"),
    tuple(f"*.json{packed}" for packed in PACKED),
)
"""what a folder is searched for: the first that is there, for what lies beside it is not scores"""
_MOST_KEYS = 8
Rows = Iterator[tuple[int, Mapping[str, Any]]]


@dataclass(frozen=True)
class ScalarShape:
    """One kind of JSON document, or of JSON lines by their first."""

    name: str
    """in words"""
    fits: Callable[[Any], bool]
    rows: Callable[[Any], Iterable[Mapping[str, Any]]]
    """a document -> rows; of JSON lines each line -> rows"""
    of_one_run: bool = True
    seedless: bool = False
    arm: Callable[[Any], str | None] = lambda document: None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _objects(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _by_task(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """lm-eval's `{task: {"metric,filter": value}}`; lighteval's, whose `all` is a mean of them."""
    for task, metrics in document["results"].items():
        if task == "all" or not isinstance(metrics, dict):
            continue
        named = {name.removesuffix(",none"): value for name, value in metrics.items() if _is_number(value)}
        yield {"benchmark": task.removesuffix("|0"), **named}


def _table_in(document: dict[str, Any]) -> list[Any]:
    return [value for value in document.values() if _objects(value)]


def _mapping_rows(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """`{arm: [score, ...]}`, `{arm: {seed: score}}` or `{arm: {benchmark: score}}`"""
    for arm, inner in document.items():
        if isinstance(inner, list):
            yield from ({"arm": arm, "score": score} for score in inner)
        elif seeds := [(_seed(key), value) for key, value in inner.items() if _seed(key) is not None]:
            yield from ({"arm": arm, "seed": seed, "score": value} for seed, value in seeds)
        else:
            yield {"arm": arm, **inner}


def _seed(key: str) -> int | None:
    if key.isdecimal():
        return int(key)
    arm, seed = split_run(key)
    return None if arm else seed


def _of_numbers(value: object) -> bool:
    values = list(value.values()) if isinstance(value, dict) else value
    return isinstance(values, list) and bool(values) and all(map(_is_number, values))


DOCUMENTS = (
    ScalarShape(
        "Hugging Face's trainer_state.json",
        lambda d: isinstance(d, dict) and _objects(d.get("log_history")),
        lambda d: d["log_history"],
    ),
    ScalarShape(
        "results of lm-eval",
        lambda d: isinstance(d, dict) and isinstance(d.get("results"), dict) and _by_task_fits(d["results"]),
        _by_task,
        seedless=True,
        arm=lambda d: d.get("model_name") or (d.get("config_general") or {}).get("model_name"),
    ),
    ScalarShape("rows of JSON", _objects, lambda d: d, of_one_run=False),
    ScalarShape(
        "rows of JSON",
        lambda d: isinstance(d, dict) and len(_table_in(d)) == 1,
        lambda d: _table_in(d)[0],
        of_one_run=False,
    ),
    ScalarShape(
        "scores by arm",
        lambda d: isinstance(d, dict) and bool(d) and all(map(_of_numbers, d.values())),
        _mapping_rows,
        of_one_run=False,
    ),
    ScalarShape(
        "metrics of one run", lambda d: isinstance(d, dict) and any(map(_is_number, d.values())), lambda d: [d]
    ),
)


def _by_task_fits(results: dict[str, Any]) -> bool:
    inner = [value for value in results.values() if isinstance(value, dict)]
    return bool(inner) and len(inner) == len(results)


JSON_LINES = (
    ScalarShape(
        "verl's file logger",
        lambda row: isinstance(row.get("data"), dict) and _is_number(row.get("step")),
        lambda row: [{"step": row["step"], **row["data"]}],
    ),
    ScalarShape("rows of JSON", lambda row: True, lambda row: [row], of_one_run=False),
)


def files_in(folder: Path) -> list[Path]:
    """The files of the first kind that a folder, or one below it, has."""
    for patterns in _KINDS:
        found = sorted({path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()})
        if found:
            return found
    return []


def read(source: ImportSource) -> ScalarTable:
    """Raises: DataError if the file is of no known kind or broken; UserError if a package is missing."""
    name = source.path.name.lower()
    for packed in PACKED[1:]:
        name = name.removesuffix(packed)
    suffix = Path(name).suffix
    if "tfevents" in name:
        from harness.importing.scalars import events

        return events.read(source)
    opening.check(source.path)
    if said := foreign.known_by_name(source.path):
        raise DataError(f"{source.path} {said}, and holds no scores.")
    if suffix in DELIMITED:
        return scalar_tables.read_delimited(source)
    if suffix == ".parquet":
        return scalar_tables.read_parquet(source)
    if suffix in LINES:
        return _lines(source)
    if suffix == ".json":
        return _document(source)
    raise DataError(
        f"{source.path} is of no kind that is read: {LOOKED_FOR}, a folder of them, or MLflow's runs (mlruns/, "
        "sqlite:///mlflow.db, http://...)."
    )


def _lines(source: ImportSource) -> ScalarTable:
    rows = scalar_tables.json_lines(source)
    first = next(rows, None)
    if first is None:
        raise DataError(f"{source.path} holds no rows.")
    shape = next(shape for shape in JSON_LINES if shape.fits(first[1]))

    def every() -> Rows:
        yield from ((first[0], row) for row in shape.rows(first[1]))
        for number, line in rows:
            if not shape.fits(line):
                raise DataError(f"{source.at(number)} is not like line {first[0]}, which is of {shape.name}.")
            yield from ((number, row) for row in shape.rows(line))

    return scalar_tables.records(source, every(), shape.name, of_one_run=shape.of_one_run)


def _document(source: ImportSource) -> ScalarTable:
    document = scalar_tables.whole_json(source)
    shape = next((shape for shape in DOCUMENTS if shape.fits(document)), None)
    if shape is None:
        raise DataError(
            f"{source.path} holds no scores that are known: a list of rows, rows under one key, a log_history, results "
            f"by task, or scores by arm. It holds {_held(document)}."
        )
    rows = enumerate(shape.rows(document), 1)
    return scalar_tables.records(
        source, rows, shape.name, of_one_run=shape.of_one_run, seedless=shape.seedless, arm=shape.arm(document)
    )


def _held(document: Any) -> str:
    """What stands in a document, in words."""
    if isinstance(document, dict):
        keys = ", ".join(f"`{key}`" for key in list(document)[:_MOST_KEYS])
        more = ", ..." if len(document) > _MOST_KEYS else ""
        return f"an object with {keys}{more}" if document else "an empty object"
    if isinstance(document, list):
        return f"a list of {len(document):,} entries" if document else "an empty list"
    return "null" if document is None else "a single value"
