"""Lengths of answers: quantiles by hand, and what is not known left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import reports
from reports.data.analysis import Analysis, analyse
from reports.data.load import load
from reports.document import Table
from reports.sections import lengths as section
from reports.sections.lengths import AnswerLengths, Lengths, collect, measure, pooled

EASY = "evals/step_20/mini_easy/attempts.parquet"


def analysis(run: Path) -> Analysis:
    return analyse(load(run))


def retoken(path: Path, tokens: Sequence[int | None]) -> None:
    table = pq.read_table(path)
    column = pa.array(tokens, pa.int64())
    pq.write_table(table.set_column(table.schema.get_field_index("tokens"), "tokens", column), path)


def test_quantiles_are_lengths_of_answers(make_run) -> None:
    run = make_run(benchmarks={"mini_easy": (40, 5)}, seeds=(0, 1))
    for seed in (0, 1):  # 1..200 and 1001..1200, in file order; the limit is 48
        retoken(run / f"grpo/seed{seed}" / EASY, range(1 + 1000 * seed, 201 + 1000 * seed))
    found = collect(analysis(run))
    answers = pooled(found, "grpo", ["mini_easy"])
    assert answers is not None
    # of 400: the 40th, the 200th and the 360th; 48 or more: 153 and 200
    assert measure(answers) == Lengths(400, (40, 200, 1160), 1200, 353 / 400, {0: 100, 1: 1100})
    right = measure(answers.only(answers.correct))
    wrong = measure(answers.only(~answers.correct))
    assert right and wrong and right.attempts + wrong.attempts == 400
    marks = [mark for s in (0, 1) for mark in pq.read_table(run / f"grpo/seed{s}" / EASY)["mark"].to_pylist()]
    assert right.attempts == marks.count("correct")
    assert measure(answers.only(np.zeros(len(answers.tokens), bool))) is None


def test_quantiles_of_counts_are_those_of_the_attempts() -> None:
    rng = np.random.default_rng(0)
    for attempts in (1, 2, 9, 10, 11, 100, 997):
        tokens = rng.integers(1, 30, attempts)
        distinct, number = np.unique(tokens, return_counts=True)
        none = np.zeros(len(distinct), bool)
        places = rng.permutation(len(distinct))  # in any order
        counted = AnswerLengths(distinct[places], none, none, none, number[places])
        at = (0.0, 0.1, 0.5, 0.9, 1.0)
        assert counted.quantiles(at) == np.quantile(tokens, at, method="inverted_cdf").tolist()


def rows(run: Path, name: str) -> list[list[str]]:
    found = section.section(analysis(run))
    assert found is not None
    tables = [block for block in found.blocks if getattr(block, "name", "") == name]
    return [[cell.text for cell in row.cells] for row in tables[0].rows]  # type: ignore[union-attr]


def test_the_titles_of_the_table_are_words(make_run) -> None:
    found = section.section(analysis(make_run()))
    assert found is not None
    table = next(block for block in found.blocks if isinstance(block, Table))
    assert [column.title for column in table.columns[:3]] == ["", "Answers", "Number"]


def test_the_table_of_all_correct_has_no_row_of_the_others(make_run) -> None:
    found = rows(make_run(gains={"rence": 99.0, "grpo": 0.5}), "lengths")
    assert [row[1] for row in found if row[0].startswith("ReNCE")] == ["all", "correct"]
    assert [row[1] for row in found if row[0] == "GRPO"] == ["all", "correct", "not correct"]
    assert ["GRPO", "all", "840", "12", "12", "12", "12", "0.0 %"] in found


def test_only_benchmarks_that_all_answered_are_put_together(make_run) -> None:
    run = make_run()
    for seed in (0, 1, 2):
        (run / f"grpo/seed{seed}/evals/step_20/mini_hard/attempts.parquet").unlink()
    found = rows(run, "lengths")
    assert {row[2] for row in found if row[1] == "all"} == {"160", "480"}, "40 x 4 of the start, 3 seeds of an arm"
    reports.build(run, ["md"])
    assert "Only mini\\_easy, which all of these models answered." in (run / "report/report.md").read_text("utf-8")


def test_lengths_that_nobody_counted_are_not_zero(make_run) -> None:
    run = make_run()
    for path in run.rglob("attempts.parquet"):
        retoken(path, [None] * pq.read_metadata(path).num_rows)
    assert section.section(analysis(run)) is None


def test_many_arms_show_all_answers_and_fold_the_rest(make_run) -> None:
    run = make_run(gains={f"arm{i}": 0.1 * i for i in range(8)}, seeds=(0,), benchmarks={"mini_easy": (40, 4)})
    found = rows(run, "lengths")
    assert len(found) == 9 and {row[1] for row in found} == {"all"}
    reports.build(run, ["md"])
    assert "### Correct or not" in (run / "report/report.md").read_text(encoding="utf-8")
