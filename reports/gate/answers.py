"""The answers of an evaluation as one number, so that a baseline can tell whether they are equal, text by text."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd

from harness.records import START, EvalFolder, EvalRecord
from reports.data import columns

_NAMES = ["problem_id", "sample", "response"]
_AT_ONCE = 1024
"""rows whose texts are in memory together"""


def answer_hashes(root: Path, evals: pd.DataFrame) -> dict[tuple[int, str], str]:
    """(seed, benchmark) -> SHA-256 of the texts of all its attempts, for those that have texts.

    Args:
        root: the folder that the evaluations are in
        evals: the rows of `Run.evals` that are meant; others in the folder are not read
    """
    wanted = {(row["seed"], row["benchmark"], row["step"]) for row in evals.to_dict("records")}
    found = {}
    for path in sorted(root.rglob("eval.json")):
        folder, header = EvalFolder(path.parent), EvalRecord.read(path)
        seed = -1 if header.seed is None else header.seed
        inside = START not in path.relative_to(root).parts
        inside = inside and not header.decoding
        if inside and (seed, header.benchmark, header.step) in wanted and folder.complete:
            text = answers_hash(folder.attempts)
            if text:
                found[seed, header.benchmark] = text
    return found


def answers_hash(attempts: Path) -> str | None:
    """SHA-256 over the sorted SHA-256 of (problem, sample, text) of every attempt, whatever the order of the rows; None
    where a text is not known.

    Raises: DataError if the file cannot be read.
    """
    digests = []
    with columns.opened(attempts) as file:
        if not set(_NAMES) <= set(file.schema_arrow.names):
            return None
        for batch in file.iter_batches(_AT_ONCE, columns=_NAMES):
            for row in batch.select(_NAMES).to_pylist():
                if row["response"] is None:
                    return None
                digests.append(hashlib.sha256(json.dumps([row[name] for name in _NAMES]).encode()).digest())
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()
