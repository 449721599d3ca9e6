"""Marks made again, from the texts: what goes on under another version of the marker than it was begun with has one
marker, and what was marked before there were readings gets them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from benchmarks.marking import MARKER_VERSION, mark_readings, second_marker
from benchmarks.marks import Marked, Reading, Response, Rule
from harness.config.evaluation import Evaluation
from harness.evaluation import attempts
from harness.records import EvalFolder, EvalRecord


def mark_again(folders: Iterable[EvalFolder], evaluation: Evaluation) -> int:
    """Give the answers that another version of the marker marked, or that lack marks by the readings, the marks of the
    one that is installed. Texts stay.

    Args:
        evaluation: finds the benchmarks; answers to other problems than theirs are left alone.

    Returns: the number of answers. Raises: ProblemsError; MarkerMissing.
    """
    return sum(_mark_again(folder, evaluation) for folder in folders if folder.header.exists())


def is_current(held: EvalRecord) -> bool:
    """Whether the marker that is installed made all marks of an evaluation of ours, by every reading."""
    return held.grader_version == held.readings == MARKER_VERSION


def _mark_again(folder: EvalFolder, evaluation: Evaluation) -> int:
    held = EvalRecord.read(folder.header)
    if is_current(held):
        return 0
    benchmark = evaluation.benchmark(held.benchmark)
    if benchmark.hash != held.benchmark_hash:
        return 0
    return mark_by(folder, {problem.id: problem.rule for problem in benchmark.problems})


def mark_by(folder: EvalFolder, rules: Mapping[str, Rule] | Rule) -> int:
    """All marks of an evaluation of ours, made again.

    Args:
        rules: problem -> what counts as equal to its gold; or one for all.

    Returns: the number of answers. Raises: BrokenSeal; MarkerMissing.
    """
    attempts.require_whole(folder)
    held, rows = EvalRecord.read(folder.header), attempts.rows(folder)
    responses = [
        Response(
            row["response"],
            row["gold"],
            rules if isinstance(rules, Rule) else rules[row["problem_id"]],
            row["finish_reason"] != "stop",
        )
        for row in rows
    ]
    now = replace(held, grader_version=MARKER_VERSION, readings=MARKER_VERSION)
    # The header is written last: a kill before it has this done again.
    attempts.rewrite(folder, [{**row, **marks} for row, marks in zip(rows, _marks(responses, held), strict=True)], now)
    now.write(folder.header)
    return len(rows)


def by_readings(marked: Mapping[Reading, Marked]) -> dict[str, Any]:
    """The columns of attempts that hold the marks by the readings."""
    return {"mark_box": marked[Reading.BOX].mark, "mark_anywhere": marked[Reading.ANYWHERE].mark}


def _marks(responses: list[Response], held: EvalRecord) -> Iterable[dict[str, Any]]:
    others = second_marker.mark_all(responses) if held.second_marker else [None] * len(responses)
    for one, second in zip(mark_readings(responses), others, strict=True):
        rule = one[Reading.RULE]
        own = {"answer": rule.answer, "mark": rule.mark, "grader_version": MARKER_VERSION, "mark_second": second}
        yield {**own, **by_readings(one)}
