"""One file of lm-eval's samples, and what the results beside it say (see `lm_eval`)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.importing import cells
from harness.importing.names import folder_name
from harness.importing.raw import Raw
from harness.importing.readers import read
from harness.importing.rows import Facts
from harness.importing.shapes.families import named
from harness.importing.shapes.told_facts import facts
from harness.importing.sources import ImportSource
from harness.records import DataError
from harness.records.files import read_foreign_json

LOOKED_FOR = "samples_<task>_<date>.jsonl"
FILE = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(?:\.\d+)?)\.jsonl")
COLUMNS = {"doc_id": object, "doc": dict, "doc_hash": str, "target": object, "resps": list, "metrics": list}
OURS = "avg@k"
"""the metric by which a task of ours is known"""


@dataclass(frozen=True)
class Task:
    """One file's rows of one filter, and what the results beside it say."""

    source: ImportSource
    name: str
    raw: Raw
    filter: str
    results: Mapping[str, Any]
    facts: Facts

    @property
    def is_ours(self) -> bool:
        """Whether it is one of `benchmarks/tasks`, which keep all responses with gold and rule."""
        docs = self.raw["doc"]
        return OURS in self.raw and all({"id", "gold", "rule"} <= doc.keys() for doc in docs)

    @property
    def config(self) -> Mapping[str, Any]:
        return self.results.get("configs", {}).get(self.name, {})

    @property
    def benchmark(self) -> str:
        """Its name as a folder can have it; of a task of ours the benchmark's, whatever k it has."""
        said = self.config.get("metadata", {}).get("benchmark") if self.is_ours else None
        return folder_name(said or self.name)


def read_task(source: ImportSource, filters: Sequence[str]) -> Task:
    """Raises: DataError if it is no file of lm-eval's samples, or has several filters of which none is wanted."""
    found = FILE.fullmatch(source.path.name)
    if not found:
        raise DataError(f"{source.path}: the name must be {LOOKED_FOR}, as `lm_eval --log_samples` writes it.")
    raw = read(source)
    for column, kind in COLUMNS.items():
        cells.of_kind(raw, column, raw.need(column, "Is this a file of `lm_eval --log_samples`?"), kind)
    if "filter" not in raw:
        raw = Raw(source, raw.cells.assign(filter="none"), raw.lines)
    name = _filter(raw, filters)
    keep = (raw["filter"] == name).to_numpy()
    results = source.path.with_name(f"results_{found['date']}.json")
    said = read_foreign_json(results) if results.exists() else {}
    return Task(source, found["task"], raw.only(keep), name, said, facts(source.path, named("lm-eval samples")))


def _filter(raw: Raw, wanted: Sequence[str]) -> str:
    """The first of the wanted ones that is there; where there is one only, there is no choice."""
    there = list(dict.fromkeys(cells.names(raw, "filter", raw["filter"])))
    chosen = there[0] if len(there) == 1 else next((name for name in wanted if name in there), None)
    if chosen is None:
        what = f"no filter {' or '.join(f'`{name}`' for name in wanted)}" if wanted else "several filters"
        raise DataError(f"{raw.source.path} has {what}. It has {', '.join(there)}. Choose one with --filter NAME.")
    return chosen
