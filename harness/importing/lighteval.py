"""lighteval's details: what `--save-details` writes, read beside lighteval 0.13.0.

    OUT/details/<model>/<date>/details_<task>_<date>.parquet    a row for each document

A row is three structs: `doc` (query, choices, gold_index, task_name, ...), `model_response` (text: the n answers,
output_tokens, ...) and `metric` (each metric's value for this document). A metric is about a document, so it marks a
single answer only; with several answers a document, they are marked again. Files of versions before 0.11 have other
columns and are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness.importing import cells
from harness.importing.marking import MarkCount, Marker
from harness.importing.metric_choice import choose
from harness.importing.names import arm_of, folder_name, seed_of, seeds_note
from harness.importing.raw import Raw
from harness.importing.readers import read
from harness.importing.rows import UNKNOWN, Facts, FoundRows, frame, numbered
from harness.importing.sources import ImportSource
from harness.records import START, DataError, identity
from harness.records.files import read_foreign_json

LOOKED_FOR = "details_<task>_<date>.parquet"
FILE = re.compile(r"details_(?P<task>.+)_(?P<date>\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(?:\.\d+)?)\.parquet")
_COLUMNS = ("doc", "metric", "model_response")


@dataclass(frozen=True)
class LightevalOptions:
    """What the command says; the first metric that a task has is taken."""

    metrics: Sequence[str] = ()


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("details_*.parquet") if FILE.fullmatch(path.name))


def read_all(sources: Sequence[ImportSource], asked: LightevalOptions, marker: Marker | None) -> FoundRows:
    """The answers of all sources.

    Args:
        marker: marks the answers again; None: a metric of the source says which are correct.
    """
    notes: dict[str, None] = {}
    facts: list[Facts] = []
    count = MarkCount()

    def parts() -> Iterator[pd.DataFrame]:
        for i, source in enumerate(sources):
            rows, found = _rows(i, _read(source), asked, marker)
            facts.append(_facts(source))
            notes.update(dict.fromkeys(found))
            yield count.of(rows)

    said = lambda: [*notes, *(marker.notes(count) if marker else ()), *seeds_note(sources)]  # noqa: E731
    return FoundRows(parts(), sources, facts, said)


def _read(source: ImportSource) -> Raw:
    if not FILE.fullmatch(source.path.name):
        raise DataError(f"{source.path}: the name must be {LOOKED_FOR}, as `lighteval --save-details` writes it.")
    raw = read(source)
    for column in _COLUMNS:
        hint = "Details of lighteval before 0.11 have other columns and cannot be imported."
        cells.of_kind(raw, column, raw.need(column, hint), dict)
    return raw


def benchmark_of(task: str) -> str:
    """`lighteval|aime24|0` or `aime24|0` -> `aime24`; examples in the prompt are part of the name: `gsm8k-5shot`."""
    *words, last = task.split("|")
    name = (words or [last])[-1]
    shots = last if words and last.isdigit() and last != "0" else ""
    return folder_name(name) + (f"-{shots}shot" if shots else "")


def _rows(place: int, raw: Raw, asked: LightevalOptions, marker: Marker | None) -> tuple[pd.DataFrame, list[str]]:
    """The rows, and what was chosen."""
    texts = [_texts(raw, i) for i in range(len(raw.lines))]
    rows = _frame(place, raw, texts)
    if marker:
        return marker.mark(rows), []
    several = next((i for i, one in enumerate(texts) if len(one) != 1), None)
    if several is not None:
        raw.refuse(
            several,
            f"there are {len(texts[several])} answers, and lighteval's metrics are about all of them together. "
            "`--mark` marks each with rence's own marker.",
        )
    there = _metrics(raw)
    metric = choose(str(raw.source.path), there, asked.metrics)
    rows = rows.assign(
        mark=np.where([value == 1 for value in there[metric]], "correct", "wrong"),
        grader_version=f"lighteval {metric}",
        coarse=True,
    )
    return rows, [
        f"{rows['benchmark'].iloc[0]}: correct is what lighteval's {metric} says of the document's one answer. Of what "
        "is not correct it is not told whether it is wrong, missing or cut off."
    ]


def _frame(place: int, raw: Raw, texts: Sequence[Sequence[str]]) -> pd.DataFrame:
    """One row for each answer; the rest is the document's.

    Args:
        texts: the answers to each document.
    """
    counts = [len(one) for one in texts]
    docs = list(raw["doc"])
    golds = [_gold(doc) for doc in docs]
    contents = [identity(doc["query"], gold) for doc, gold in zip(docs, golds, strict=True)]
    ids = [f"{one}-{again + 1}" if again else one for one, again in zip(contents, numbered(contents), strict=True)]
    found = FILE.fullmatch(raw.source.path.name)
    assert found
    arm = arm_of(raw.source, raw.source.path.parent.parent.name)
    columns: dict[str, Any] = {
        "arm": arm,
        "seed": seed_of(raw.source),
        "step": 0 if arm == START else raw.source.name.step or 0,
        "benchmark": benchmark_of(found["task"]),
        "problem_id": np.repeat(np.array(ids, dtype=object), counts),
        "sample": np.concatenate([np.arange(count) for count in counts]),
        "response": [cells.written(text) for one in texts for text in one],
        "gold": np.repeat(np.array(golds, dtype=object), counts),
        "engine": "lighteval",
    }
    lengths = [length for i, one in enumerate(texts) for length in _tokens(raw["model_response"].iloc[i], one)]
    if all(length is not None for length in lengths):
        columns["tokens"] = lengths
    return frame(place, np.repeat(raw.lines, counts), columns)


def _texts(raw: Raw, row: int) -> list[str]:
    texts = raw["model_response"].iloc[row]["text"]
    if texts is None or not len(texts):
        raw.refuse(row, "`model_response.text` is empty: this task asks for no text, and there is nothing to import.")
    return list(texts)


def _tokens(response: Mapping[str, Any], texts: Sequence[str]) -> list[int | None]:
    tokens = response["output_tokens"]
    return [None] * len(texts) if tokens is None or len(tokens) != len(texts) else [len(one) for one in tokens]


def _gold(doc: Mapping[str, Any]) -> str:
    """The choice that is right; several are written as a list."""
    places = np.atleast_1d(doc["gold_index"]).tolist()
    golds = [cells.written(doc["choices"][place]) for place in places]
    return golds[0] if len(golds) == 1 else cells.written(golds)


def _metrics(raw: Raw) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for one in raw["metric"] for name in one)
    return {name: [one.get(name) for one in raw["metric"]] for name in names}


def _facts(source: ImportSource) -> Facts:
    """From the results file of the same date: `OUT/results/<model>/results_<date>.json`."""
    found = FILE.fullmatch(source.path.name)
    assert found
    for root in source.path.parents:
        if root.name == "details":
            model = source.path.parent.parent.relative_to(root)
            results = root.parent / "results" / model / f"results_{found['date']}.json"
            if results.exists():
                return _from_results(read_foreign_json(results))
    return Facts()


def _from_results(results: Mapping[str, Any]) -> Facts:
    general = results.get("config_general") or {}
    model = general.get("model_config") or {}
    sampling = {key: value for key, value in (model.get("generation_parameters") or {}).items() if value is not None}
    return Facts(model=general.get("model_name") or UNKNOWN, sampling=sampling, limit=general.get("max_samples"))
