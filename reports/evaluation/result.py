"""What `rence eval` shows: one checkpoint's scores on some benchmarks, with intervals, from the files of one folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from harness.records import SCHEMA, DataError, EvalFolder, EvalRecord, Mark, disagree
from reports.data import by_decoding, columns
from reports.data.checked import Checked, check
from reports.data.load import MARKS, read_evaluations, where
from reports.data.stopped import stopped_notes
from reports.statistics import Estimate, Floats, contrast, pass_at_k
from reports.statistics.votes import majority
from reports.words import benchmark_title, listing, plural

COVERS = "this one checkpoint on new problems like these"
SHOWN = (Mark.NO_ANSWER.value, Mark.TRUNCATED.value, Mark.GRADER_FAILED.value)
"""marks whose shares stand beside a score"""
_SAME = ("arm", "model_hash", "template", "engine", "engine_version", "grader_version", "limit", "second_marker")
"""what the evaluations of one folder share, besides the sampling"""
_CHUNK = "chunk_problems"
"""in the sampling, but of each benchmark's own: it follows from k"""
_ANSWERS = ("problem_id", "mark", "answer", "mark_second")


@dataclass(frozen=True)
class Second:
    """What a second marker made of the same attempts."""

    disagree: int
    """attempts that one marker calls correct and the other does not, where both came to a mark"""
    failed: int
    """attempts on which the second marker broke or ran out of time"""


@dataclass(frozen=True)
class Result:
    """One benchmark."""

    header: EvalRecord
    problems: tuple[str, ...]
    """ids, ascending"""
    scores: Floats
    """1 x problems: the share of a problem's k attempts that were correct"""
    marks: Mapping[str, int]
    """how often each of the five marks was given"""
    tokens: int
    """of all attempts"""
    pass_at_k: float
    maj_at_k: float
    second: Second | None

    @property
    def name(self) -> str:
        """The benchmark's."""
        return self.header.benchmark

    @property
    def title(self) -> str:
        return benchmark_title(self.name, self.header.title)

    @property
    def attempts(self) -> int:
        """At all problems together."""
        return sum(self.marks.values())

    @property
    def mean_tokens(self) -> float:
        """Of one attempt."""
        return self.tokens / self.attempts

    @property
    def avg_at_k(self) -> Estimate:
        """Share of correct attempts, mean over problems; its interval covers this checkpoint on new problems."""
        return contrast([[self.scores]], estimand="checkpoints")

    def share(self, mark: str) -> float:
        """Of all attempts, those with this mark: a fraction."""
        return self.marks[mark] / self.attempts

    def to_json(self) -> dict[str, Any]:
        """For `rence eval --json`; scores and shares are fractions."""
        second = self.second
        seen = {"markers_disagree": second.disagree, "second_marker_failed": second.failed} if second else {}
        return {
            "title": self.title,
            "rule": self.header.rule,
            **_estimate_json(self.avg_at_k),
            "n_problems": self.header.problems,
            "k": self.header.k,
            "pass_at_k": self.pass_at_k,
            "maj_at_k": self.maj_at_k,
            **{mark: self.share(mark) for mark in SHOWN},
            "mean_tokens": self.mean_tokens,
            "attempts": self.attempts,
            "marks": dict(self.marks),
            **seen,
        }


@dataclass(frozen=True)
class EvaluatedModel:
    """All complete benchmarks of a folder, in the order of their names."""

    results: Sequence[Result]
    average: Estimate | None
    """unweighted, over the benchmarks; None where two of them share problems"""
    notes: Sequence[str]
    checked: Checked
    """its seals"""

    @property
    def header(self) -> EvalRecord:
        """Any of them, for what they share."""
        return self.results[0].header

    @property
    def sampling(self) -> dict[str, Any]:
        """What all benchmarks were sampled with; what follows from a benchmark's own k is left out."""
        return _sampling(self.header)

    def to_json(self) -> dict[str, Any]:
        """For `rence eval --json`: the settings that all results share, the results, the average."""
        header = self.header
        return {
            "schema": SCHEMA,
            "model": header.arm,
            "model_hash": header.model_hash,
            "template": header.template,
            "sampling": self.sampling,
            "limit": header.limit,
            "engine": header.engine,
            "engine_version": header.engine_version,
            "grader_version": header.grader_version,
            "second_marker": header.second_marker,
            "per_benchmark": {result.name: result.to_json() for result in self.results},
            "average": self.average and _estimate_json(self.average),
            "covers": COVERS,
            "notes": list(self.notes),
            **self.checked.to_json(),
        }


def read(folder: Path, accept: str | None = None) -> EvaluatedModel:
    """
    Args:
        folder: holds `evals/<benchmark>/`.
        accept: why a broken seal does not matter; None: it does.
    Raises: BrokenSeal; DataError if nothing complete is there, if files are broken, or if they are of several models
    or settings.
    """
    begun = by_decoding.first(EvalFolder(path.parent) for path in sorted(folder.glob("evals/*/eval.json")))
    complete = [one for one in begun if one.complete]
    if not complete:
        raise DataError(f"{folder} has no complete evaluation. `rence eval ... --out {folder}` makes one.")
    checked = check(folder, accept)
    _, problems = read_evaluations(complete)
    results = [_result(one, where(problems, problems["eval"] == i)) for i, one in enumerate(complete)]
    _check_same(folder, [result.header for result in results])
    shared = list(_shared_problems(results))
    return EvaluatedModel(
        results=results,
        average=None if shared else contrast([[result.scores for result in results]], estimand="checkpoints"),
        notes=[
            *shared,
            *stopped_notes(result.header for result in results),
            *_unfinished([one for one in begun if one not in complete]),
        ],
        checked=checked,
    )


def _result(folder: EvalFolder, problems: pd.DataFrame) -> Result:
    header, answers = EvalRecord.read(folder.header), _answers(folder.attempts)
    ids, correct, attempts = (problems[name].to_numpy() for name in ("problem_id", "correct", "attempts"))
    right = answers["mark"].to_numpy() == Mark.CORRECT
    place = pd.Index(ids).get_indexer(answers["problem_id"].to_numpy())
    return Result(
        header=header,
        problems=tuple(ids),
        scores=(correct / attempts)[None, :],
        marks={mark: int(problems[mark].to_numpy().sum()) for mark in MARKS},
        tokens=int(problems["tokens"].to_numpy().sum()),
        pass_at_k=float(pass_at_k(attempts, correct, header.k).mean()),
        maj_at_k=float(majority(place, right, answers["answer"].combine_chunks(), len(ids)).mean()),
        second=_second(*(answers[n].to_pylist() for n in ("mark", "mark_second"))) if header.second_marker else None,
    )


def _answers(path: Path) -> pa.Table:
    """Problem, mark, answer and the second marker's mark, a row for each attempt."""
    with columns.opened(path, _ANSWERS) as file:
        return file.read(columns=list(_ANSWERS))


def _second(marks: Sequence[str], others: Sequence[str | None]) -> Second:
    failed = sum(other in (None, Mark.GRADER_FAILED) for other in others)
    return Second(sum(map(disagree, marks, others)), failed)


def _sampling(header: EvalRecord) -> dict[str, Any]:
    return {key: value for key, value in header.sampling.items() if key != _CHUNK}


def _check_same(folder: Path, headers: Sequence[EvalRecord]) -> None:
    first = headers[0]
    for header in headers[1:]:
        settings = [(name, getattr(first, name), getattr(header, name)) for name in _SAME]
        for name, one, other in [*settings, ("sampling", _sampling(first), _sampling(header))]:
            if one != other:
                raise DataError(
                    f"{folder} holds evaluations that are no table together: `{name}` is {one} for {first.benchmark}, "
                    f"but {other} for {header.benchmark}. Move one of them into a folder of its own."
                )


def _shared_problems(results: Sequence[Result]) -> Iterator[str]:
    for one, other in combinations(results, 2):
        shared = len(set(one.problems) & set(other.problems))
        if shared:
            yield f"No average: {one.name} and {other.name} have {plural(shared, 'problem')} in common."


def _unfinished(folders: Sequence[EvalFolder]) -> list[str]:
    names = [folder.root.name for folder in folders]
    return [f"Begun but not complete, and left out: {listing(names)}."] if names else []


def _estimate_json(estimate: Estimate) -> dict[str, Any]:
    low, high = estimate.interval or (None, None)
    return {
        "mean": estimate.value,
        "se": estimate.se or None,
        "df": estimate.stated_df,
        "ci_low": low,
        "ci_high": high,
        "target": "checkpoints",
        "covers": estimate.estimand,
    }
