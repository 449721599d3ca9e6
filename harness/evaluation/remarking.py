"""Marks made again: what goes on under another version of the marker than it was begun with has one marker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from benchmarks.marking import MARKER_VERSION, mark_all, second_marker
from benchmarks.marks import Response
from harness.config.evaluation import Evaluation
from harness.evaluation import attempts
from harness.records import EvalFolder, EvalRecord


def mark_again(folders: Iterable[EvalFolder], evaluation: Evaluation) -> int:
    """Give the answers that another version of the marker marked the marks of the one that is installed. Texts stay.

    Args:
        evaluation: finds the benchmarks; answers to other problems than theirs are left alone.

    Returns: the number of answers. Raises: ProblemsError; MarkerMissing.
    """
    return sum(_mark_again(folder, evaluation) for folder in folders if folder.header.exists())


def _mark_again(folder: EvalFolder, evaluation: Evaluation) -> int:
    held = EvalRecord.read(folder.header)
    if held.grader_version == MARKER_VERSION:
        return 0
    benchmark = evaluation.benchmark(held.benchmark)
    if benchmark.hash != held.benchmark_hash:
        return 0
    attempts.require_whole(folder)
    rules = {problem.id: problem.rule for problem in benchmark.problems}
    rows = attempts.rows(folder)
    responses = [
        Response(row["response"], row["gold"], rules[row["problem_id"]], row["finish_reason"] != "stop") for row in rows
    ]
    now = replace(held, grader_version=MARKER_VERSION)
    # The header is written last: a kill before it has this done again.
    attempts.rewrite(folder, [{**row, **marks} for row, marks in zip(rows, _marks(responses, held), strict=True)], now)
    now.write(folder.header)
    return len(rows)


def _marks(responses: list[Response], held: EvalRecord) -> Iterable[dict[str, Any]]:
    others = second_marker.mark_all(responses) if held.second_marker else [None] * len(responses)
    for one, second in zip(mark_all(responses), others, strict=True):
        yield {"answer": one.answer, "mark": one.mark, "grader_version": MARKER_VERSION, "mark_second": second}
