"""`rence grade FOLDER`: marks by every reading, for answers that were marked before there were any. Texts stay, and the
chain of seals stays whole."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.marking import MARKER_VERSION, mark_readings
from benchmarks.marking.pool import MarkerMissing
from benchmarks.marks import Response, Rule
from harness.base.errors import UserError
from harness.base.locks import locked
from harness.evaluation import attempts, remarking
from harness.importing.marking import CUT_OFF
from harness.records import EvalFolder, EvalRecord, chain
from harness.verifying.found import NotComparable
from harness.verifying.problems_here import ProblemsHere
from harness.verifying.remark import import_record, imported_marker
from harness.verifying.scope import VerifiedFolder, find


@dataclass
class AddedReadings:
    """What was marked."""

    evaluations: int = 0
    answers: int = 0
    changed: list[str] = field(default_factory=list)
    """folders whose own marks another version of the marker had made: they are this one's now"""
    left: dict[str, str] = field(default_factory=dict)
    """folder -> why it is as it was"""

    def to_json(self) -> dict[str, Any]:
        """For `rence grade FOLDER --json`."""
        return {
            "marker": MARKER_VERSION,
            "evaluations": self.evaluations,
            "answers": self.answers,
            "marked_again": self.changed,
            "left": self.left,
        }


def add_readings(root: Path) -> AddedReadings:
    """Mark the answers of a run, an arm, a trial, an import or a folder of `rence eval` by every reading, where that
    was not done. Of an import the marks that it came with stay.

    Raises: DataError if the folder is none of ours; BrokenSeal if it is not what was made; UserError if another process
    holds it, or packages of the marker are missing.
    """
    scope, made = find(root), AddedReadings()
    with locked(scope.run.root if scope.run else scope.root):
        chain.require(root, going_on=True)
        here = ProblemsHere(scope)
        for place in scope.places():
            name = str(place.folder.root.relative_to(root))
            try:
                _add(scope, here, place.folder, name, made)
            except NotComparable as error:
                made.left[name] = str(error)
            except MarkerMissing as error:
                raise UserError(str(error)) from None
    return made


def _add(scope: VerifiedFolder, here: ProblemsHere, folder: EvalFolder, name: str, made: AddedReadings) -> None:
    if not folder.complete:
        raise NotComparable("it is not complete; what finishes it adds them")
    held = EvalRecord.read(folder.header)
    if scope.imported:
        answers = _imported(scope, folder, held)
    elif remarking.is_current(held):
        answers = 0
    else:
        known = here.rules(held)
        rules = known if isinstance(known, Rule) else {problem: rule for problem, (rule, _) in known.items()}
        answers = remarking.mark_by(folder, rules)
        made.changed += [name] if held.grader_version != MARKER_VERSION else []
    made.evaluations += answers > 0
    made.answers += answers


def _imported(scope: VerifiedFolder, folder: EvalFolder, held: EvalRecord) -> int:
    """Those that came with a text and a gold; the import's own marks stay as they are."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if held.readings == MARKER_VERSION:
        return 0
    attempts.require_whole(folder)
    table = pq.read_table(folder.attempts)
    texts, golds, ends = (table[name].to_pylist() for name in ("response", "gold", "finish_reason"))
    if missing := sum(text is None or gold is None for text, gold in zip(texts, golds, strict=True)):
        raise NotComparable(f"{missing:,} of its {len(texts):,} answers came without a text or a gold")
    marker = imported_marker(import_record(scope), held)
    rule = marker.rule(held.benchmark)
    rows = zip(texts, golds, ends, strict=True)
    responses = [Response(text, gold, rule, end in CUT_OFF) for text, gold, end in rows]
    marks = [remarking.by_readings(one) for one in mark_readings(responses, None, marker.reading)]
    for name in marks[0]:
        column = pa.array([one[name] for one in marks], pa.string())
        place = table.schema.get_field_index(name)
        table = table.append_column(name, column) if place < 0 else table.set_column(place, name, column)
    new = replace(held, readings=MARKER_VERSION)
    attempts.exchange(folder, table, new)
    new.write(folder.header)  # last: a kill before has this done again
    return len(marks)
