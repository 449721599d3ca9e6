"""Whether two evaluations hold the same texts, answer by answer, without both being in memory.

Raises, everywhere in this module: records.DataError.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from harness.records import EvalFolder
from reports.data import columns

_AT_ONCE = 1024
"""rows whose texts are in memory together"""
Digests = dict[tuple[str, int], bytes]


@dataclass(frozen=True)
class SameTexts:
    """Of the answers that both sides have, by benchmark, problem and sample."""

    answers: int
    equal: int
    unpaired: int
    """answers that only one side has: it was asked more often"""

    @property
    def identical(self) -> bool:
        """Every answer, and none is on one side only."""
        return self.answers > 0 and self.equal == self.answers and not self.unpaired


def same_texts(a: tuple[str, pd.DataFrame], b: tuple[str, pd.DataFrame], benchmarks: Sequence[str]) -> SameTexts | None:
    """None if an evaluation has no texts.

    Args:
        a, b: the folder that was named, and `Run.evals` of its one checkpoint.
    """
    both = equal = unpaired = 0
    for benchmark in benchmarks:
        found = [_digests(_place(Path(name), evals, benchmark)) for name, evals in (a, b)]
        if found[0] is None or found[1] is None:
            return None
        shared = found[0].keys() & found[1].keys()
        both += len(shared)
        equal += sum(found[0][key] == found[1][key] for key in shared)
        unpaired += len(found[0]) + len(found[1]) - 2 * len(shared)
    return SameTexts(both, equal, unpaired)


def _place(name: Path, evals: pd.DataFrame, benchmark: str) -> EvalFolder | None:
    """Where the evaluation is, in a folder as `rence compare` takes it: of a model, a trial, an arm or a run."""
    row = evals[evals["benchmark"] == benchmark].iloc[0]
    ends = [f"evals/{benchmark}", f"evals/step_{row['step']}/{benchmark}"]
    roots = [name, name / f"seed{row['seed']}", name / str(row["arm"]) / f"seed{row['seed']}"]
    found = (EvalFolder(root / end) for root in roots for end in ends)
    return next((folder for folder in found if folder.complete), None)


def _digests(folder: EvalFolder | None) -> Digests | None:
    """(problem, sample) -> hash of the text; None if a text is not there."""
    if folder is None:
        return None
    found: Digests = {}
    with columns.opened(folder.attempts, ["problem_id", "sample"]) as file:
        if "response" not in file.schema_arrow.names:
            return None
        for batch in file.iter_batches(_AT_ONCE, columns=["problem_id", "sample", "response"]):
            rows = zip(*(batch.column(name).to_pylist() for name in batch.schema.names), strict=True)
            for problem, sample, text in rows:
                if text is None:
                    return None
                found[problem, int(sample)] = hashlib.blake2b(
                    text.encode("utf-8", "surrogatepass"), digest_size=16
                ).digest()
    return found
