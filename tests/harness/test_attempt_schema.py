"""The columns of attempts: what files hold, and what an engine or an import may add."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.base.errors import UserError
from harness.engines.base import Completion
from harness.evaluation import attempts as evaluation
from harness.importing import attempts as importing
from harness.importing.attempts import AttemptOptions
from harness.importing.sources import ImportSource
from harness.records import Attempt, DataError, schema
from harness.records.schema import COLUMNS, MEASURED, AttemptColumn, columns
from reports.data.columns import values

LOGPROB = AttemptColumn("logprob", float, nullable=True, optional=True, measured=True)
TURNS = AttemptColumn("turns", int, nullable=True, optional=True, measured=True)
STYLE = AttemptColumn("style", str, nullable=True, optional=True, measured=True)


@pytest.fixture
def nothing_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A schema of what is not measured by engines."""
    for name in [name for name, column in COLUMNS.items() if column.measured]:
        monkeypatch.delitem(COLUMNS, name)


@pytest.fixture
def more_columns(nothing_measured: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A schema with three columns that engines measure."""
    more = {column.name: column for column in (LOGPROB, TURNS, STYLE)}
    for known in ("IMPORTED", "KNOWN"):
        monkeypatch.setattr(importing, known, (*getattr(importing, known), *more))
    for name, column in more.items():
        monkeypatch.setitem(COLUMNS, name, column)


def test_the_columns_of_attempts_are_what_they_were() -> None:
    found = list(evaluation.schema())
    assert found[:17] == [
        pa.field("arm", pa.string(), nullable=False),
        pa.field("seed", pa.int64()),
        pa.field("step", pa.int64(), nullable=False),
        pa.field("benchmark", pa.string(), nullable=False),
        pa.field("problem_id", pa.string(), nullable=False),
        pa.field("sample", pa.int64(), nullable=False),
        pa.field("response", pa.string(), nullable=False),
        pa.field("answer", pa.string()),
        pa.field("gold", pa.string(), nullable=False),
        pa.field("mark", pa.string(), nullable=False),
        pa.field("finish_reason", pa.string(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
        pa.field("template", pa.string(), nullable=False),
        pa.field("engine", pa.string(), nullable=False),
        pa.field("generation_key", pa.string(), nullable=False),
        pa.field("grader_version", pa.string(), nullable=False),
        pa.field("mark_second", pa.string()),
    ]
    assert all(column.nullable for column in found[17:]), "older files do not have them"
    ours = {"generation_key", "mark_second"}
    assert {*importing.KNOWN} >= {column.name for column in found[:17]} - ours | {"correct", "benchmark_hash"}
    assert not ours & {*importing.KNOWN}


def test_a_field_that_can_be_no_column() -> None:
    @dataclass(frozen=True)
    class Listed(Attempt):
        parts: list[str] | None = None

    @dataclass(frozen=True)
    class Always(Attempt):
        logprob: float = field(default=0.0, metadata=MEASURED)

    with pytest.raises(TypeError, match=r"column `parts` must be one of str, int, float, or that and None"):
        columns(_at_module(Listed))
    with pytest.raises(TypeError, match=r"column `logprob` is measured by some engines alone: it must be `X | None`"):
        columns(_at_module(Always))


def _at_module(record: type) -> type:
    """Types are written as text, and looked up in the module of the schema."""
    record.__module__ = schema.__name__
    return record


def test_what_an_engine_measured(more_columns: None) -> None:
    def found(**measured: Any) -> dict[str, Any]:
        return evaluation.measured("odd", Completion("text", 3, "stop", measured))

    assert found() == {"logprob": None, "turns": None, "style": None}, "absent, and not zero"
    assert found(logprob=-3, turns=2) == {"logprob": -3, "turns": 2, "style": None}
    for wrong, words in (
        ({"logprobs": -3.0}, "`logprobs`, which is no measured column of attempts. Allowed: logprob, turns, style."),
        ({"mark": "correct"}, "`mark`, which is no measured column"),
        ({"logprob": float("nan")}, "`logprob`: it must be a float, finite, or None, but is nan instead"),
        ({"turns": 1.5}, "`turns`: it must be a int, finite, or None, but is 1.5"),
        ({"turns": True}, "`turns`"),
        ({"style": 1}, "`style`: it must be a str"),
    ):
        with pytest.raises(UserError) as raised:
            found(**wrong)
        assert str(raised.value).startswith("engine `odd` measured ") and words in str(raised.value)


def test_an_engine_that_measures_what_nobody_asked_for(nothing_measured: None) -> None:
    with pytest.raises(UserError, match=r"measured `logprob`, which is no measured column of attempts\. No column is"):
        evaluation.measured("odd", Completion("text", 3, "stop", {"logprob": -1.0}))
    assert len({Completion("text", 3, "stop"), Completion("text", 3, "stop", {"logprob": -1.0})}) == 2


def write(path: Path, text: str) -> ImportSource:
    path.write_text(text, encoding="utf-8")
    return ImportSource(path)


HEAD = "arm,seed,benchmark,problem_id,sample,correct"


def test_an_import_brings_columns_where_they_are_and_as_what_they_are(more_columns: None, tmp_path: Path) -> None:
    full = write(tmp_path / "a.csv", f"{HEAD},logprob,turns,style\na,0,b,p,0,1,-1.5,2,terse\na,0,b,q,0,0,,,\n")
    none = write(tmp_path / "b.csv", f"{HEAD}\na,1,b,p,0,1\na,1,b,q,0,0\n")
    rows = pd.concat(list(importing.read_all([full, none], AttemptOptions(), None).parts))
    assert rows["logprob"].tolist()[0] == -1.5 and rows["turns"].tolist()[0] == 2
    assert rows[["logprob", "turns"]].isna().sum().tolist() == [3, 3]
    assert [None if pd.isna(cell) else cell for cell in rows["style"]] == ["terse", None, None, None]
    for cell, column, words in (("x", "logprob", "must be a number"), ("1.5", "turns", "must be a whole number")):
        bad = write(tmp_path / "bad.csv", f"{HEAD},{column}\na,0,b,p,0,1,{cell}\n")
        with pytest.raises(DataError, match=f"bad.csv:2: `{column}` {words}"):
            list(importing.read_all([bad], AttemptOptions(), None).parts)


def test_reading_a_column_in_the_shape_of_problems_and_samples(more_columns: None, tmp_path: Path) -> None:
    path, rows = tmp_path / "attempts.parquet", np.array([[3, 1], [0, 2]])
    pq.write_table(
        pa.table(
            {
                "logprob": [0.5, None, 2.5, 3.5],
                "turns": pa.array([None] * 4, pa.int64()),
                "answer": ["a", None, "b", "a"],
                "tokens": [1, 2, 3, 4],
            }
        ),
        path,
    )
    found = values(path, "logprob", rows)
    assert found is not None and np.array_equal(found, [[3.5, np.nan], [0.5, 2.5]], equal_nan=True)
    assert values(path, "answer", rows).tolist() == [["a", None], ["a", "b"]]  # type: ignore[union-attr]
    assert values(path, "tokens", rows).tolist() == [[4.0, 2.0], [1.0, 3.0]]  # type: ignore[union-attr]
    assert values(path, "turns", rows) is None and values(path, "style", rows) is None, "absent, and not zero"
    with pytest.raises(ValueError, match="`colour` is no column of attempts"):
        values(path, "colour", rows)
    pq.write_table(pa.table({"logprob": ["much"] * 4}), path)
    with pytest.raises(DataError, match=r"attempts\.parquet must have numbers in its column `logprob`, but has string"):
        values(path, "logprob", rows)
