"""What `load` leaves on disk: the answers and the texts of attempts, read where a section shows them.

Marks and token counts of every attempt are in memory already: `Run.attempts[e].marks` and `.tokens`, problems x
samples, for row `e` of `Run.evals`; `Run.column(e, name)` is any other column in that shape. `answers(run, e)` is what
was answered, as places in a list of distinct answers; `texts` reads whole responses, which may be gigabytes, only of
the attempts that are asked for.

Raises, everywhere in this module: records.DataError.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from reports.data import columns
from reports.data.load import Run

AT_ONCE = 1024
"""rows whose texts are in memory together: 100 MB of the longest answers, at 100 kB each"""


@dataclass(frozen=True)
class FinalAnswers:
    """What was answered in one evaluation."""

    words: list[str]
    """the distinct answers"""
    codes: np.ndarray
    """problems x samples: place in `words`, -1 where no answer was found"""


@dataclass(frozen=True)
class AnswerText:
    """One attempt as words; None where the file has none, as some that were made elsewhere."""

    response: str | None
    answer: str | None
    gold: str | None


def answers(run: Run, e: int) -> FinalAnswers | None:
    """The answers of one evaluation; None if its file does not have them."""
    found = columns.words(run.folder(e).attempts, "answer", run.attempts[e].rows)
    return None if found is None else FinalAnswers(*found)


def texts(run: Run, e: int, wanted: Sequence[tuple[int, int]]) -> list[AnswerText]:
    """The texts of these attempts of one evaluation, each a problem's place and a sample."""
    rows = run.attempts[e].rows
    numbers = [int(rows[problem, sample]) for problem, sample in wanted]
    found: dict[int, AnswerText] = {}
    with columns.opened(run.folder(e).attempts) as file:
        there = [name for name in AnswerText.__dataclass_fields__ if name in file.schema_arrow.names]
        begin = 0
        for group in range(file.num_row_groups):
            end = begin + file.metadata.row_group(group).num_rows
            inside = sorted({n - begin for n in numbers if begin <= n < end})
            if inside and there:
                found |= {n + begin: text for n, text in _pick(file, group, there, inside)}
            begin = end
    return [found.get(n, AnswerText(None, None, None)) for n in numbers]


def _pick(file: pq.ParquetFile, group: int, names: list[str], rows: list[int]) -> list[tuple[int, AnswerText]]:
    """The texts of some rows of one row group, which is read in parts and no further than needed."""
    found, begin = [], 0
    for batch in file.iter_batches(AT_ONCE, row_groups=[group], columns=names):
        here = [row for row in rows if begin <= row < begin + batch.num_rows]
        values = batch.take(pa.array([row - begin for row in here], pa.int64())).to_pylist()
        found += [(row, _text(value)) for row, value in zip(here, values, strict=True)]
        begin += batch.num_rows
        if begin > rows[-1]:
            break
    return found


def _text(row: dict[str, Any]) -> AnswerText:
    return AnswerText(
        **{name: None if row.get(name) is None else str(row[name]) for name in AnswerText.__dataclass_fields__}
    )
