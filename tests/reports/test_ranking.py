"""The order of the arms under other choices, on attempts whose averages are known under each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reports
from harness.records import EvalFolder, EvalRecord, RunFolder
from reports.data.alternatives import minus
from reports.data.analysis import Analysis, analyse
from reports.data.dependence import found as found_of
from reports.data.dependence import question, study
from reports.data.dependence import sentences as sentences_of
from reports.data.load import load
from reports.data.orders import Variant, variants
from reports.data.second_marker import compare
from reports.document import Table
from reports.sections import ranking as section
from tests.reports.conftest import write_eval

SMALL = {"benchmarks": {"a": (10, 2), "b": (30, 2)}, "seeds": (0, 1), "curve": ("a",)}


def analysis(run: Path) -> Analysis:
    return analyse(load(run))


def place(run: Path, arm: str, seed: int, benchmark: str, step: int = 20) -> EvalFolder:
    return RunFolder(run).trial(arm, seed).eval(step, benchmark)


def put(where: EvalFolder, counts: Mapping[str, int]) -> None:
    """So many attempts of each mark, the rest wrong."""
    header = EvalRecord.read(where.header)
    words = [mark for mark, count in counts.items() for _ in range(count)]
    words += ["wrong"] * (header.problems * header.k - len(words))
    write_eval(where, header, np.array(words).reshape(header.problems, header.k))


def known(run: Path) -> Path:
    """20 attempts on a and 60 on b, the same in both seeds but for rence on a."""
    for seed in (0, 1):
        put(place(run, "rence", seed, "a"), {"correct": 10 if seed else 16})
        put(place(run, "rence", seed, "b"), {"correct": 30})
        put(place(run, "grpo", seed, "a"), {"correct": 12, "truncated": 4})
        put(place(run, "grpo", seed, "b"), {"correct": 30, "no_answer": 10})
        put(place(run, "rence", seed, "a", 10), {"correct": 5})
        put(place(run, "grpo", seed, "a", 10), {"correct": 6})
    return run


def named(a: Analysis) -> dict[str, Variant]:
    return {variant.name: variant for variant in variants(a, study(a))}


def test_averages_of_each_variant_by_hand(make_run) -> None:
    found = named(analysis(known(make_run(**SMALL))))
    assert {name: tuple(variant.averages[arm] for arm in ("rence", "grpo")) for name, variant in found.items()} == {
        "as planned": pytest.approx(((13 / 20 + 1 / 2) / 2, (12 / 20 + 1 / 2) / 2)),
        "truncated left out": pytest.approx(((13 / 20 + 1 / 2) / 2, (12 / 16 + 1 / 2) / 2)),
        "no answer left out": pytest.approx(((13 / 20 + 1 / 2) / 2, (12 / 20 + 30 / 50) / 2)),
        "all problems weighted alike": pytest.approx(((13 / 20 * 10 + 15) / 40, (12 / 20 * 10 + 15) / 40)),
        "without a": pytest.approx((0.5, 0.5)),
        "without b": pytest.approx((13 / 20, 12 / 20)),
        "without seed 0": pytest.approx(((10 / 20 + 1 / 2) / 2, (12 / 20 + 1 / 2) / 2)),
        "without seed 1": pytest.approx(((16 / 20 + 1 / 2) / 2, (12 / 20 + 1 / 2) / 2)),
        "half the budget, a only": pytest.approx((5 / 20, 6 / 20)),
    }
    base = found["as planned"]
    assert base.order() == ["rence", "grpo"]
    swapped = {name for name, variant in found.items() if variant.swapped(base)}
    assert swapped == {"truncated left out", "no answer left out", "without seed 0", "half the budget, a only"}
    assert found["without a"].swapped(base) == [], "a tie is no swap"


def of_some_benchmarks(run: Path, rence: int, grpo: int) -> Path:
    """Of 100 attempts on a, rence has 95 right at half the budget and grpo 60; `rence` and `grpo` are right at the end.
    On b, which was not asked before, rence has 70 and grpo 90."""
    for seed in range(5):
        put(place(run, "rence", seed, "a", 10), {"correct": 95 - seed % 2})
        put(place(run, "grpo", seed, "a", 10), {"correct": 60 - seed % 2})
        put(place(run, "rence", seed, "a"), {"correct": rence + seed % 2})
        put(place(run, "grpo", seed, "a"), {"correct": grpo + seed % 2})
        put(place(run, "rence", seed, "b"), {"correct": 70 + seed % 2})
        put(place(run, "grpo", seed, "b"), {"correct": 90 + seed % 2})
    return run


TWO = {"benchmarks": {"a": (50, 2), "b": (50, 2)}, "seeds": tuple(range(5)), "curve": ("a",)}


def test_half_the_budget_is_judged_on_the_benchmarks_that_were_asked_there(make_run) -> None:
    """The average is grpo's because of b, which half the budget says nothing of."""
    a = analysis(of_some_benchmarks(make_run(**TWO), 55, 50))
    assert a.scores["rence", "average"].estimate.value < a.scores["grpo", "average"].estimate.value
    (budget,) = [one for one in study(a) if one.choice.name == "budget"]
    (test,) = budget.tests
    assert (test.planned, test.under) == pytest.approx((0.05, 0.35)) and not test.whole
    assert test.change.material and not test.depends, "rence is ahead on a at both points"
    half = next(one for name, one in named(a).items() if name.startswith("half"))
    assert half.swapped(named(a)["as planned"]) == []
    assert not any("budget" in words for words in found_of(a))
    said = " ".join(sentences_of(study(a), question(a)))
    assert "the seed or the budget. Over these choices but the budget, in points: " in said and "+35" not in said


def test_a_sign_that_turns_on_the_benchmarks_that_were_asked_is_found(make_run) -> None:
    a = analysis(of_some_benchmarks(make_run(**TWO), 50, 70))
    (words,) = [one for one in sentences_of(study(a), question(a)) if "depends on the budget" in one]
    assert words.endswith(": −20.0 points at the headline on the same benchmarks; half the budget, a only: +35.0.")


def table(a: Analysis, name: str) -> list[list[str]]:
    found = section.section(a)
    assert found is not None
    (one,) = [block for block in found.blocks if isinstance(block, Table) and block.name == name]
    return [[cell.text for cell in row.cells] for row in one.rows]


def test_equal_averages_are_equal_whatever_their_last_bits() -> None:
    averages = {"a": 0.1 + 0.2, "b": 0.3}
    assert averages["a"] != averages["b"]
    assert minus(averages, "a", "b") == 0 and str(minus(averages, "b", "a")) == "0.0", "neither > nor -0.0"
    assert minus(averages, "a", "none") is None


def test_the_section_names_what_changes_the_order(make_run) -> None:
    run = known(make_run(**SMALL))
    rows = {row[0]: row[1:] for row in table(analysis(run), "ranking")}
    assert rows["as planned"] == ["ReNCE (rec.) > GRPO", "+2.5", "—"]
    assert rows["without seed 0"] == ["GRPO > ReNCE (rec.)", "−5.0", "GRPO changed"]
    assert rows["without a"] == ["same", "+0.0", "hold"]
    reports.build(run, ["md"])
    page = (run / "report/report.md").read_text(encoding="utf-8")
    assert (
        "By average: ReNCE (reconstruction) > GRPO. 4 of 8 other choices change the order: truncated left out, no "
        "answer left out, without seed 0 and half the budget, a only." in page.replace("&gt;", ">")
    )
    assert (
        "No difference of ReNCE (reconstruction) is shown to depend on the reading of answers, the benchmarks, the "
        "seed or the budget." in page
    )
    assert (
        "Over the reading of answers (2 alternatives), in points: ReNCE (reconstruction) − GRPO −5.0 to +2.5." in page
    )


def test_a_clear_order_is_the_same_in_all_variants(make_run) -> None:
    run = make_run(
        gains={"rence": 6.0, "grpo": 1.0, "dapo": -2.0}, sd_seed=0.01, benchmarks={"a": (60, 4), "b": (60, 4)}, curve=()
    )
    found = section.section(analysis(run))
    assert found is not None
    sentences = found.blocks[0].items  # type: ignore[union-attr]
    # 3 marks left out, 2 benchmarks, 3 seeds; of equal size, so weighting is no variant; half the budget asks nothing
    order = "By average: ReNCE (reconstruction) > GRPO > DAPO. Not one of 8 other choices changes the order."
    assert sentences[0] == order and order in reports.summary(run)
    assert sentences[1].startswith("No difference of ReNCE (reconstruction) is shown to depend on ")
    a = analysis(run)
    (reading, *_) = study(a)
    # without answers that are missing the gap is 5 points smaller: material, and no other sign
    assert [test.change.material for test in reading.against("grpo")] == [False, True, False]
    assert found_of(a) == []
    assert [words.partition(":")[0] for words in sentences_of(study(a), question(a))] == [
        "Whether ReNCE (reconstruction) is ahead is not shown to depend on the reading of answers, the benchmarks or "
        "the seed. Over these choices, in points"
    ]


def test_what_a_sign_depends_on_is_named(make_run) -> None:
    run = make_run(benchmarks={"a": (200, 2)}, curve=(), points=1)
    for seed in (0, 1, 2):
        put(place(run, "rence", seed, "a", 10), {"correct": 300 + seed})
        put(place(run, "grpo", seed, "a", 10), {"correct": 200 + seed, "truncated": 190})
    a = analysis(run)
    assert a.family("primary")[0].direction == 1
    found = section.section(a)
    assert found is not None
    words = (
        "ReNCE (reconstruction) − GRPO depends on the reading of answers: truncated left out changes it by −45.5 "
        "points (−53.3 to −37.4)"
    )
    assert found.blocks[0].items[1] == f"{words}."  # type: ignore[union-attr]
    assert found_of(a) == [words]
    assert sentences_of(study(a), question(a)) == [
        "ReNCE (reconstruction) − GRPO depends on the reading of answers: +25.0 points at the headline; truncated left "
        "out: −20.5.",
        "Whether ReNCE (reconstruction) is ahead is not shown to depend on the seed. Over this choice, in points: "
        "ReNCE (reconstruction) − GRPO +25.0 throughout.",
    ]
    assert "depends on the reading of answers: +25.0 points at the headline" in reports.summary(run)


def second(run: Path, where: EvalFolder, marks: Sequence[str | None], recorded: bool = True) -> None:
    replace(EvalRecord.read(where.header), second_marker=recorded).write(where.header)
    column = pq.read_table(where.attempts)
    place = column.schema.get_field_index("mark_second")
    pq.write_table(column.set_column(place, "mark_second", pa.array(marks, pa.string())), where.attempts)


def marked_twice(run: Path) -> Path:
    """The first marker finds 3 of 8 of grpo correct and fails on one; the second says otherwise on three."""
    for arm in ("rence", "grpo"):
        for seed in (0, 1):
            where = place(run, arm, seed, "a")
            put(where, {"correct": 3, "grader_failed": 1})
            words = ["correct", "wrong", "grader_failed", "correct", "correct", "correct", "wrong", "wrong"]
            second(run, where, words if arm == "grpo" else ["correct"] * 3 + ["wrong"] * 5)
    return run


def test_the_second_marker_counts_no_attempt_on_which_either_failed(make_run) -> None:
    run = marked_twice(make_run(benchmarks={"a": (4, 2)}, seeds=(0, 1), curve=()))
    a = analysis(run)
    # correct to both: the first; to the first only: the second; failed: the third and the fourth; to the second only:
    # the fifth and the sixth
    grpo = [found for e, found in compare(a).items() if a.run.evals.at[e, "arm"] == "grpo"]
    assert [(m.attempts, m.both, m.first_only, m.second_only, m.failed) for m in grpo] == [(8, 1, 1, 2, 2)] * 2
    assert named(a)["second marker"].averages == {"rence": 3 / 8, "grpo": 3 / 8}
    assert table(a, "markers") == [
        ["ReNCE (reconstruction)", "16", "0", "0", "2", "0.0 %"],
        ["GRPO", "16", "2", "4", "4", "37.5 %"],
    ]


def test_a_second_marker_that_did_not_mark_everything_is_no_variant(make_run) -> None:
    run = marked_twice(make_run(benchmarks={"a": (4, 2)}, seeds=(0, 1), curve=()))
    second(run, place(run, "grpo", 1, "a"), ["correct"] * 7 + [None])
    a = analysis(run)
    assert len(compare(a)) == 3 and "second marker" not in named(a)
    assert [row[1] for row in table(a, "markers")] == ["16", "8"]
    second(run, place(run, "grpo", 0, "a"), ["correct"] * 8, recorded=False)
    assert [row[0] for row in table(analysis(run), "markers")] == ["ReNCE (reconstruction)"]


def test_an_arm_of_which_nothing_is_left_has_no_average(make_run) -> None:
    run = make_run(benchmarks={"a": (4, 2)}, seeds=(0, 1), curve=(), points=1)
    for seed in (0, 1):
        put(place(run, "grpo", seed, "a", 10), {"truncated": 8})
        put(place(run, "rence", seed, "a", 10), {"correct": 4})
    a = analysis(run)
    assert named(a)["truncated left out"].averages == {"rence": 0.5}
    rows = {row[0]: row[1:] for row in table(a, "ranking")}
    assert rows["truncated left out"] == ["same (no average: GRPO)", "—", "hold where known"]


def test_one_arm_has_no_order(make_run) -> None:
    assert section.section(analysis(make_run(gains={"grpo": 0.5}))) is None


def test_twenty_arms_are_told_by_how_many_swap(make_run) -> None:
    run = make_run(
        gains={f"arm{i:02d}": 0.05 * i for i in range(20)}, benchmarks={"a": (20, 2), "b": (20, 2)}, curve=()
    )
    a = analysis(run)
    base, *others = variants(a, study(a))
    rows = table(a, "ranking")
    assert len(rows) == 1 + len(others) and all(len(row) == 3 for row in rows)
    swaps = len(others[0].swapped(base))
    assert swaps > 1 and rows[1][1].startswith(f"{swaps} pairs of arms swapped, ")
