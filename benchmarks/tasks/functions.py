"""What the tasks call. lm-eval loads this file by its path, perhaps from a checkout that is not installed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks import registry, scoring  # ours, whatever else on the path has the name
from benchmarks.asking import INSTRUCTION, asked
from benchmarks.marking import mark_all
from benchmarks.marks import Mark, Response, Rule
from benchmarks.problems import Problem

del sys.path[0]
if TYPE_CHECKING:
    from datasets import Dataset


def documents(benchmark: str, split: str = "test", **_: Any) -> dict[str, Dataset]:
    """The benchmark's problems as lm-eval's documents, under the name of a split.

    Args:
        benchmark: by its name here. It and the split stand in the task's metadata, among what lm-eval puts there.
    Raises: ProblemsError if the problems are neither here nor on the hub, or are not those that are pinned.
    """
    from datasets import Dataset

    return {split: Dataset.from_list([document(problem) for problem in registry.benchmark(benchmark).problems])}


def document(problem: Problem) -> dict[str, Any]:
    """What lm-eval logs of a problem; the two functions below read it."""
    return {
        "id": problem.id,
        "question": problem.question,
        "note": problem.note,
        "gold": problem.gold,
        "rule": problem.rule.to_json(),
    }


def prompt(doc: Mapping[str, Any]) -> str:
    """The user's turn."""
    return asked(doc["question"], doc["note"], INSTRUCTION)


def process_results(doc: Mapping[str, Any], results: Sequence[Sequence[str]]) -> dict[str, float]:
    """Scores of one problem.

    Args:
        results: of the one request, its k responses.
    """
    rule = Rule.from_json(doc["rule"])
    marked = mark_all(Response(text, doc["gold"], rule) for text in results[0])
    return {
        "avg@k": scoring.avg(marked),
        "pass@k": scoring.pass_at(len(marked), marked),
        "maj@k": scoring.maj(marked),
        "no_answer": scoring.share(marked, Mark.NO_ANSWER),
        "grader_failed": scoring.share(marked, Mark.GRADER_FAILED),
    }
