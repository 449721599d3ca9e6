"""A run that holds scores without problems: one number for each arm, seed, benchmark and step, made elsewhere.

    scores.json      what was compared with what, and at which step (`ScoresPlan`); its lock is a hash of itself
    scores.parquet   the rows (`COLUMN_TYPES`), sorted; scores.json holds its SHA-256
    import.json      which files they come from; scores.json holds its SHA-256

It has no plan.json: what asks for answers to problems finds none, and says what can be done (`scores_alone.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from harness.base.fingerprint import fingerprint
from harness.records.allowed import DISTINCT, FILLED, Count, FolderName
from harness.records.files import read_json
from harness.records.layout import RunFolder
from harness.records.links import Break, EvidenceLog
from harness.records.origins import ImportRecord
from harness.records.plans import Comparison
from harness.records.record import Record
from harness.records.seals import read_hashes

COLUMN_TYPES = {"arm": "string", "seed": "int64", "benchmark": "string", "step": "int64", "score": "double"}
"""of scores.parquet; `step` alone may be empty, where the source has none"""
Unit = Literal["fraction", "percent", "raw"]
"""fraction: shares in 0..1; percent: the source had percent, the rows have fractions; raw: numbers of no known scale,
kept as they are"""
_AGAIN = "Import again with --clean"


@dataclass(frozen=True)
class ScoresPlan(Record):
    """`scores.json`: what the comparison of an import of scores is, made after the results were seen."""

    mend = "`rence import scores` with --clean writes it anew."

    experiment: str
    """the name of the run folder's results"""
    imported: str
    """what was imported, in words"""
    arms: Annotated[list[FolderName], FILLED, DISTINCT]
    """in their order, which decides their colours"""
    benchmarks: Annotated[list[str], FILLED, DISTINCT]
    """or metrics, by the source's names"""
    seeds: Annotated[list[int], FILLED, DISTINCT]
    """of all arms"""
    numbered: bool
    """whether seeds are numbers that the import gave in the order of the rows: then no two arms share one"""
    unit: Unit
    """what the source's numbers were"""
    step: int | None
    """the one that is compared; None: the last of each arm and seed, or a source without steps"""
    comparison: Comparison
    """what is compared with what"""
    rows: Count
    """of scores.parquet"""
    import_hash: str
    """of import.json"""
    scores_hash: str
    """of scores.parquet"""
    lock: str
    """hash of the others, and of what was read"""

    def mistakes(self) -> Iterator[str]:
        """What a file may not say."""
        compared = [self.comparison.target, *self.comparison.baselines]
        for arm in (arm for arm in compared if arm not in self.arms):
            yield f"must compare the arms that it has, {', '.join(self.arms)}, but names `{arm}`"
        if self.numbered and self.comparison.pair_seeds:
            yield "must not pair seeds that have no names of their own"


def scores_lock(plan: dict[str, Any], record: ImportRecord) -> str:
    """What `ScoresPlan.lock` must be."""
    return fingerprint(plan={**plan, "lock": ""}, files=read_hashes(record))


def arm_fingerprint(arm: str, record: ImportRecord) -> str:
    """Of an arm of which nothing is known but the files that its scores were read from."""
    return fingerprint(arm=arm, files=read_hashes(record))


def scores_breaks(run: RunFolder, log: EvidenceLog) -> Iterator[Break]:
    """Whether the three files of such a run are those that were written together."""
    log.hash(run.scores_plan)
    plan = ScoresPlan.read(run.scores_plan)
    for path, held in ((run.imported, plan.import_hash), (run.scores, plan.scores_hash)):
        if not path.exists():
            yield Break(path, "is missing", _AGAIN, missing=True)
        elif log.hash(path) != held:
            yield Break(path, f"is not what {run.scores_plan.name} was made with", _AGAIN)
    if not run.imported.exists():
        return
    if scores_lock(read_json(run.scores_plan), ImportRecord.read(run.imported)) != plan.lock:
        yield Break(run.scores_plan, "is not what was locked: its lock does not follow from it", _AGAIN)
