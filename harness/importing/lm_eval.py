"""lm-eval's samples: what `--log_samples` leaves beside the results, read beside lm-eval 0.4.13.

    OUT/<model>/results_<date>.json
    OUT/<model>/samples_<task>_<date>.jsonl    a line for each document and filter

A line has `doc_id`, `doc`, `doc_hash`, `target`, `resps` (for each request, its responses), `filtered_resps`, `filter`,
the names of the `metrics` and each metric's value for this document. A metric is about a document, so it marks a single
response only. Our own tasks keep all k responses with gold and rule, and are marked again, response by response; the
mean must then be the `avg@k` that lm-eval has recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.marks import Rule
from harness.base.errors import UserError
from harness.importing import cells
from harness.importing.lm_eval_task import FILE, OURS, Task, read_task
from harness.importing.marking import MarkCount, Marker
from harness.importing.metric_choice import choose
from harness.importing.names import arm_of, seed_of, seeds_note
from harness.importing.raw import Raw
from harness.importing.rows import Facts, FoundRows, frame, numbered
from harness.importing.sources import ImportSource
from harness.records import START, DataError


@dataclass(frozen=True)
class LmEvalOptions:
    """What the command says; the first that a task has is taken."""

    metrics: Sequence[str] = ()
    filters: Sequence[str] = ()


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("samples_*.jsonl") if FILE.fullmatch(path.name))


def read_all(sources: Sequence[ImportSource], asked: LmEvalOptions, marker: Marker | None) -> FoundRows:
    """The answers of all sources.

    Args:
        marker: marks the answers again; None: a metric of the source says which are correct; tasks of ours
            are marked again in any case.
    """
    notes: dict[str, None] = {}
    facts: list[Facts] = []
    count = MarkCount()

    def parts() -> Iterator[pd.DataFrame]:
        for i, source in enumerate(sources):
            task = read_task(source, asked.filters)
            rows, found = _rows(i, task, asked, marker)
            facts.append(task.facts)
            notes.update(dict.fromkeys(found))
            yield count.of(rows)

    said = lambda: [*notes, *(marker.notes(count) if marker else ()), *seeds_note(sources)]  # noqa: E731
    return FoundRows(parts(), sources, facts, said)


def _rows(place: int, task: Task, asked: LmEvalOptions, marker: Marker | None) -> tuple[pd.DataFrame, list[str]]:
    """The rows, and what was chosen."""
    if task.is_ours and marker is None and not any(name in task.raw for name in asked.metrics):
        return _ours(place, task), [
            "Tasks of rence are marked again, response by response; the means are those that lm-eval has recorded."
        ]
    if marker:
        rows = _frame(place, task, [_responses(task.raw, i) for i in range(len(task.raw.lines))])
        return marker.mark(rows.assign(**_source_marks(task, asked, len(rows)))), []
    there = _metrics(task.raw)
    metric = choose(f"{task.source.path} (filter {task.filter})", there, asked.metrics)
    rows = _frame(place, task, [[_first(row, 2)] for row in task.raw["resps"]])
    filtered = list(task.raw["filtered_resps"]) if "filtered_resps" in task.raw else [None] * len(rows)
    how = f"lm-eval {metric}" + (f", filter {task.filter}" if task.filter != "none" else "")
    rows = rows.assign(
        mark=np.where([value == 1 for value in there[metric]], "correct", "wrong"),
        answer=[_first(one, 1) for one in filtered],
        grader_version=how,
        coarse=True,
    )
    return rows, [
        f"{task.benchmark}: correct is what {how} says of the document's one answer. Of what is not correct it is not "
        "told whether it is wrong, missing or cut off."
    ]


def _source_marks(task: Task, asked: LmEvalOptions, answers: int) -> dict[str, np.ndarray]:
    """What a metric says, to stand beside our marks; nothing where none tells right from wrong of each answer."""
    if answers != len(task.raw.lines):
        return {}
    there = _metrics(task.raw)
    try:
        metric = choose(str(task.source.path), there, asked.metrics)
    except (DataError, UserError):
        return {}
    return {"mark": np.where([value == 1 for value in there[metric]], "correct", "wrong")}


def _ours(place: int, task: Task) -> pd.DataFrame:
    rows = _frame(place, task, [_responses(task.raw, i) for i in range(len(task.raw.lines))])
    docs = task.raw["doc"]
    k = len(rows) // len(docs)
    rows = Marker().mark(rows, [Rule.from_json(doc["rule"]) for doc in docs for _ in range(k)])
    means = (rows["mark"] == "correct").to_numpy().reshape(-1, k).mean(axis=1)
    other = np.abs(means - cells.numbers(task.raw, OURS, task.raw[OURS])) > 1e-9
    if other.any():
        row = int(other.argmax())
        task.raw.refuse(
            row,
            f"`{OURS}` is {task.raw[OURS].iloc[row]}, but its responses, marked again, have {means[row]:g} "
            f"(and so in {int(other.sum()) - 1:,} more lines). Another version of the marker? `--mark` takes the new "
            f"marks, `--metric` what was recorded.",
        )
    return rows


def _frame(place: int, task: Task, responses: Sequence[Sequence[str | None]]) -> pd.DataFrame:
    """One row for each response; the rest is the document's."""
    raw, counts = task.raw, [len(one) for one in responses]
    ids = _ids(task)
    golds = [doc["gold"] for doc in raw["doc"]] if task.is_ours else list(raw["target"].map(cells.written))
    arm = arm_of(task.source, task.source.path.parent.name)
    columns = {
        "arm": arm,
        "seed": seed_of(task.source),
        "step": 0 if arm == START else task.source.name.step or 0,
        "benchmark": task.benchmark,
        "problem_id": np.repeat(np.array(ids, dtype=object), counts),
        "sample": np.concatenate([np.arange(count) for count in counts]),
        "response": [None if text is None else cells.written(text) for one in responses for text in one],
        "gold": np.repeat(np.array(golds, dtype=object), counts),
        "template": task.facts.template,
        "engine": "lm-eval",
    }
    return frame(place, np.repeat(raw.lines, counts), columns)


def _ids(task: Task) -> list[str]:
    """Of the documents: ours, or a hash of the content; a document that is there twice is two problems."""
    if task.is_ours:
        return [doc["id"] for doc in task.raw["doc"]]
    order = task.raw["doc_id"].map(str)
    twice = order.duplicated()
    if twice.any():
        row = int(twice.to_numpy().argmax())
        task.raw.refuse(row, f"`doc_id` {order.iloc[row]} is there twice for the filter {task.filter}.")
    hashes = [str(one)[:16] for one in task.raw["doc_hash"]]
    return [f"{one}-{again + 1}" if again else one for one, again in zip(hashes, numbered(hashes), strict=True)]


def _responses(raw: Raw, row: int) -> list[str]:
    """All k of the document's one request."""
    resps = raw["resps"].iloc[row]
    if len(resps) != 1 or not all(isinstance(text, str) for text in resps[0]):
        raw.refuse(row, "`resps` must be one list of texts to be marked; this task asks for something else.")
    return list(resps[0])


def _first(values: Any, depth: int) -> str | None:
    """The first text in lists so deep; None where there is none, as in tasks of likelihoods."""
    for _ in range(depth):
        values = values[0] if isinstance(values, list) and values else None
    return values if isinstance(values, str) else None


def _metrics(raw: Raw) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for one in raw["metrics"] for name in one)
    return {name: raw[name].tolist() for name in names if name in raw}
