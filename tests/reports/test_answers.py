"""Answers and texts read from disk stand where marks and tokens stand, whatever the order of the rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.records import DataError
from reports.data.answers import AnswerText, answers, texts
from reports.data.columns import words
from reports.data.load import MARKS, load

PLACE = "grpo/seed1/evals/step_20/mini_hard/attempts.parquet"


def shuffled(run: Path, groups: int = 30) -> pa.Table:
    """The same attempts, rows in another order, each with an answer and a text of its own, in several row groups."""
    table = pq.read_table(run / PLACE)
    names = [f"{p}/{s}" for p, s in zip(table["problem_id"].to_pylist(), table["sample"].to_pylist(), strict=True)]
    replies = [
        None if mark == "no_answer" else name for mark, name in zip(table["mark"].to_pylist(), names, strict=True)
    ]
    columns = {name: table[name] for name in table.schema.names}
    columns |= {"answer": replies, "response": [f"so {name}" for name in names], "tokens": list(range(len(names)))}
    changed = pa.table(columns)
    changed = changed.take(np.random.default_rng(0).permutation(len(changed)))
    pq.write_table(changed, run / PLACE, row_group_size=groups)
    return table


def row(run) -> int:
    evals = run.evals
    mine = (evals["arm"] == "grpo") & (evals["seed"] == 1) & (evals["step"] == 20) & (evals["benchmark"] == "mini_hard")
    return int(np.flatnonzero(mine)[0])


def test_arrays_do_not_depend_on_the_order_of_rows(make_run) -> None:
    path = make_run()
    before = load(path)
    table = shuffled(path)
    run = load(path)
    e = row(run)
    one = run.attempts[e]
    assert run.folder(e).attempts == path / PLACE
    assert one.ids == sorted(one.ids) and one.marks.shape == one.tokens.shape == (30, 4)
    assert (one.marks == before.attempts[e].marks).all()
    # written in order of problem and sample, with the row's number as its tokens
    assert (one.tokens == np.arange(120).reshape(30, 4)).all()
    assert [MARKS[place] for place in one.marks.reshape(-1)] == table["mark"].to_pylist()


def test_answers_and_texts_are_those_of_the_attempt(make_run) -> None:
    path = make_run()
    shuffled(path)
    run = load(path)
    e = row(run)
    found = answers(run, e)
    assert found is not None
    for p, s in np.ndindex(30, 4):
        none = run.attempts[e].marks[p, s] == MARKS.index("no_answer")
        assert (found.codes[p, s] == -1) == none
        assert none or found.words[found.codes[p, s]] == f"mini_hard-{p:04d}/{s}"
    wanted = [(29, 3), (0, 0), (7, 2), (29, 3)]
    assert [text.response for text in texts(run, e, wanted)] == [f"so mini_hard-{p:04d}/{s}" for p, s in wanted]
    assert texts(run, e, []) == []


def test_a_file_without_texts_has_none(make_run) -> None:
    path = make_run()
    pq.write_table(pq.read_table(path / PLACE).drop_columns(["answer", "response", "gold"]), path / PLACE)
    run = load(path)
    assert answers(run, row(run)) is None
    assert texts(run, row(run), [(0, 0)]) == [AnswerText(None, None, None)]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())])
def test_words_in_whatever_way_a_file_keeps_them(tmp_path: Path, kind: pa.DataType) -> None:
    path = tmp_path / "attempts.parquet"
    column = pa.array(["7", "12", None, "7", "5", "12"])
    pq.write_table(pa.table({"answer": column.cast(kind)}), path, row_group_size=2)
    found = words(path, "answer", np.array([[5, 4], [3, 2], [1, 0]]))
    assert found is not None
    assert sorted(found[0]) == ["12", "5", "7"] and len(found[0]) == 3
    assert [[found[0][c] if c >= 0 else None for c in row] for row in found[1].tolist()] == [
        ["12", "5"],
        ["7", None],
        ["12", "7"],
    ]


def test_a_broken_file_is_named(make_run) -> None:
    path = make_run()
    run = load(path)
    whole = (path / PLACE).read_bytes()
    (path / PLACE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"mini_hard/attempts\.parquet cannot be read"):
        answers(run, row(run))
