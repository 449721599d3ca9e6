"""`--remark`: every mark derived again from the texts, by the marker that is installed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from benchmarks.marking import MARKER_VERSION, mark_all, mark_readings, second_marker
from benchmarks.marking.marker import mark_texts
from benchmarks.marking.pool import MarkerMissing
from benchmarks.marking.responses.choices import letter
from benchmarks.marks import Form, Mark, Marked, Reading, Response, Rule
from harness.base.errors import UserError
from harness.importing.marking import CUT_OFF, Marker
from harness.records import DataError, EvalFolder, EvalRecord, ImportRecord
from harness.verifying.found import ChangedMark, NotComparable, RemarkedEvaluation
from harness.verifying.problems_here import ProblemsHere
from harness.verifying.scope import VerifiedFolder

_READING = ", reading "
"""after the marker's version, where an import found answers otherwise than evaluations do"""


_OWN_RULES = ("generations", "lm-eval")
"""sources whose rows may say what their answers are"""


class _Row(NamedTuple):
    problem_id: str
    sample: int
    response: str | None
    gold: str | None
    finish_reason: str
    mark: str
    answer: str | None
    mark_second: str | None
    mark_box: str | None
    mark_anywhere: str | None


def remark(scope: VerifiedFolder, problems: ProblemsHere, folder: EvalFolder) -> RemarkedEvaluation:
    """An evaluation whose rows can be read. Raises: UserError if packages of the marker are missing."""
    header = EvalRecord.read(folder.header)
    version, _, _ = header.grader_version.partition(_READING)
    made = RemarkedEvaluation(header.grader_version, same_marker=version == MARKER_VERSION)
    rows, coarse = _rows(folder.attempts), False
    try:
        if scope.imported:
            record = import_record(scope)
            fresh, coarse = _imported(record, header, rows), header.benchmark in record.coarse
        else:
            rules = problems.rules(header)
            fresh: Sequence[Marked | None] = _marked([_ours(row, rules) for row in rows], Reading.RULE)
    except NotComparable as error:
        return replace(made, reason=str(error))
    # Absence is not zero: an answer that came without text is neither equal nor changed.
    pairs = [(row, mark) for row, mark in zip(rows, fresh, strict=True) if mark is not None]
    if not pairs:
        return replace(made, without_text=len(rows), reason="it has no texts with golds")
    changed = [
        ChangedMark(row.problem_id, row.sample, row.mark, mark.mark.value, row.answer, mark.answer)
        for row, mark in pairs
        if _differ(row, mark, coarse, made.same_marker)
    ]
    if header.second_marker and not scope.imported:
        changed += _seconds(problems, header, rows)
    if header.readings == MARKER_VERSION and not scope.imported:
        changed += _readings(problems, header, rows)
    old, new = Counter(row.mark for row, _ in pairs), Counter(mark.mark.value for _, mark in pairs)
    return replace(
        made,
        attempts=len(pairs),
        without_text=len(rows) - len(pairs),
        changed=tuple(changed),
        undecided=sum(any(Mark.GRADER_FAILED in side for side in (one.old, one.new)) for one in changed),
        counts={mark.value: {"old": old[mark], "new": new[mark]} for mark in Mark if old[mark] or new[mark]},
    )


def _differ(row: _Row, mark: Marked, coarse: bool, same_marker: bool) -> bool:
    """Another marker may write the same answer otherwise; of a coarse import only correct or not is known."""
    if coarse:
        return (row.mark == Mark.CORRECT) != (mark.mark is Mark.CORRECT)
    return row.mark != mark.mark or (same_marker and row.answer != mark.answer)


def _rows(path: Path) -> list[_Row]:
    import pyarrow.parquet

    there = pyarrow.parquet.read_schema(path).names
    table = pyarrow.parquet.read_table(path, columns=[name for name in _Row._fields if name in there])
    columns = [table[name].to_pylist() if name in there else [None] * len(table) for name in _Row._fields]
    return [_Row(*row) for row in zip(*columns, strict=True)]


def _ours(row: _Row, rules: Mapping[str, tuple[Rule, str]] | Rule) -> Response:
    """With the gold of the problem where the problems are here: a row's own may be what was changed."""
    rule, gold = (rules, row.gold) if isinstance(rules, Rule) else rules.get(row.problem_id, (Rule(), None))
    if gold is None or row.response is None:
        raise NotComparable(f"it has answers to {row.problem_id}, which is no problem of the benchmark")
    return Response(row.response, gold, rule, row.finish_reason != "stop")


def _marked(responses: Sequence[Response], reading: Reading) -> list[Marked]:
    """Raises: UserError with the command that installs what is missing."""
    try:
        return list((mark_texts if reading is Reading.ANYWHERE else mark_all)(responses, None, reading))
    except MarkerMissing as error:
        raise UserError(str(error)) from None


def _seconds(problems: ProblemsHere, header: EvalRecord, rows: Sequence[_Row]) -> list[ChangedMark]:
    """What the second marker says otherwise; it has no answers of its own."""
    rules = problems.rules(header)
    found = second_marker.mark_all([_ours(row, rules) for row in rows])
    return [
        ChangedMark(row.problem_id, row.sample, f"second {row.mark_second}", f"second {mark.value}", None, None)
        for row, mark in zip(rows, found, strict=True)
        if row.mark_second != mark.value
    ]


def imported_marker(record: ImportRecord, header: EvalRecord) -> Marker:
    """As the import was told to mark; where its source had marks, as it would have marked them."""
    _, _, reading = header.grader_version.partition(_READING)
    form = Form(record.options["rule"]) if record.options.get("rule") else None
    how = Reading(reading) if reading in tuple(Reading) else Reading.RULE
    return Marker(how, form, record.options.get("tolerance"))


def _imported(record: ImportRecord, header: EvalRecord, rows: Sequence[_Row]) -> list[Marked | None]:
    """Marks by the rule that the import was given; None for an answer that came without text or gold."""
    marker = imported_marker(record, header)
    form, how, rule = marker.form, marker.reading, marker.rule(header.benchmark)
    there = [place for place, row in enumerate(rows) if row.response is not None and row.gold is not None]

    def again(rule: Rule, places: Sequence[int]) -> dict[int, Marked]:
        responses = [
            Response(str(rows[i].response), str(rows[i].gold), rule, rows[i].finish_reason in CUT_OFF) for i in places
        ]
        return dict(zip(places, _marked(responses, how), strict=True))

    made = again(rule, there)
    # A row of the source may have said a rule of its own, which an import does not keep: any that its gold fits, and
    # that gives its mark.
    for other in Form if form is None and record.source in _OWN_RULES else ():
        fits = [i for i in there if other is not Form.CHOICE or letter(str(rows[i].gold))]
        open_ = [i for i in fits if made[i].mark != rows[i].mark]
        made |= {i: mark for i, mark in again(replace(rule, form=other), open_).items() if mark.mark == rows[i].mark}
    return [made.get(i) for i in range(len(rows))]


def _readings(problems: ProblemsHere, header: EvalRecord, rows: Sequence[_Row]) -> list[ChangedMark]:
    """What the readings that no score is made of say otherwise."""
    rules = problems.rules(header)
    found = mark_readings([_ours(row, rules) for row in rows])
    return [
        ChangedMark(row.problem_id, row.sample, f"{reading} {held}", f"{reading} {one[reading].mark.value}", None, None)
        for row, one in zip(rows, found, strict=True)
        for reading, held in ((Reading.BOX, row.mark_box), (Reading.ANYWHERE, row.mark_anywhere))
        if held != one[reading].mark
    ]


def import_record(scope: VerifiedFolder) -> ImportRecord:
    """Raises: NotComparable if it is not there, or cannot be read."""
    if scope.run is None:
        raise NotComparable("how it was marked is written in the import's folder, which is not here")
    try:
        return ImportRecord.read(scope.run.imported)
    except DataError as error:
        raise NotComparable(str(error).splitlines()[0].rstrip(".")) from None
