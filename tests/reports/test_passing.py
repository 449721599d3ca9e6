"""pass@k, pass^k, maj@k and the lead over the untrained model as k grows, on attempts whose numbers are known."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reports
from harness.records import EvalFolder, EvalRecord, RunFolder
from reports.data import pass_family as family
from reports.data.analysis import Analysis, analyse
from reports.data.load import load
from reports.data.pass_at_k import CEILING, at, groups, ladder, leads, majorities
from reports.figures.arm_colours import named
from reports.sections import pass_tables as tables
from reports.sections import passing as section
from reports.sections.leads import sentences
from reports.statistics import pass_hat_k
from tests.reports.conftest import write_eval


def analysis(run: Path) -> Analysis:
    return analyse(load(run))


def answer(place: EvalFolder, correct: np.ndarray) -> None:
    """Give an evaluation so many correct attempts at each problem."""
    header = EvalRecord.read(place.header)
    write_eval(place, header, np.where(np.arange(header.k) < correct[:, None], "correct", "wrong"))


def place(run: Path, arm: str, seed: int, benchmark: str) -> EvalFolder:
    return RunFolder(run).trial(arm, seed).eval(20, benchmark)


ONE = {"benchmarks": {"mini": (40, 16)}, "curve": ()}


def known(run: Path, start: list[int], arms: dict[str, list[int]]) -> Analysis:
    """Ten problems of each of four kinds, with so many of 16 attempts correct; a problem has one fewer in odd seeds, so
    that something varies."""
    answer(RunFolder(run).start_eval("mini"), np.repeat(start, 10))
    for arm, counts in arms.items():
        for seed in (0, 1, 2):
            correct = np.repeat(counts, 10)
            correct[0] -= seed % 2 and correct[0] > 0
            answer(place(run, arm, seed, "mini"), correct)
    return analysis(run)


def test_pass_at_k_is_the_share_of_choices_of_k_with_a_correct_one(make_run) -> None:
    a = known(make_run(**ONE), [0, 1, 3, 8], {"rence": [4] * 4, "grpo": [2] * 4})
    assert ladder(a) == [1, 2, 4, 8, 16]
    for k in (1, 2, 4):
        chosen = list(combinations(range(16), k))
        by_hand = [sum(min(choice) < c for choice in chosen) / len(chosen) for c in (0, 1, 3, 8)]
        values = at(a.cells, k)["start", "mini"].values
        assert values.shape == (1, 40) and values[0, ::10].tolist() == pytest.approx(by_hand)
    assert at(a.cells, 16)["start", "mini"].values[0, ::10].tolist() == [0, 1, 1, 1]


def test_pass_hat_k_is_the_share_of_choices_of_k_that_are_all_correct(make_run) -> None:
    a = known(make_run(**ONE), [0, 1, 3, 8], {"rence": [16] * 4, "grpo": [2] * 4})
    for k in (1, 2, 4):
        chosen = list(combinations(range(16), k))
        by_hand = [sum(max(choice) < c for choice in chosen) / len(chosen) for c in (0, 1, 3, 8)]
        values = at(a.cells, k, pass_hat_k)["start", "mini"].values
        assert values[0, ::10].tolist() == pytest.approx(by_hand, abs=1e-12)
    assert at(a.cells, 1, pass_hat_k)["grpo", "mini"].values.tolist() == pytest.approx(a.cells["grpo", "mini"].values)
    # one attempt of 640 is wrong in one of three seeds: all 16 of its problem are no longer right
    assert at(a.cells, 16, pass_hat_k)["rence", "mini"].values.mean() == pytest.approx(1 - 1 / 120)
    table = tables.reliability(a, family.by_k(a, "pass^k"), ["average"])
    assert [column.title for column in table.columns] == ["", "pass^2", "pass^4", "pass^8", "pass^16"]
    assert table.rows[1].cells[4].text == "99.2" and table.rows[0].cells[1].value == pytest.approx(
        (0 + 0 + 3 + 28) / 480
    )


def test_differences_at_one_attempt_are_those_of_the_primary_family(make_run) -> None:
    a = analysis(make_run(gains={"rence": 0.8, "grpo": 0.6, "dapo": 0.5}))
    found = family.differences(a, family.by_k(a), [*family.targets(a), *family.starts(a)], ["average"])
    at_one = {(one.a, one.b): one.estimate for one in found if one.k == 1}
    planned = {(p.a, p.b): p.estimate for p in [*a.family("primary"), *a.family("start")]}
    assert at_one.keys() == planned.keys() and len(planned) == 5 and len(found) == 15
    for pair, estimate in at_one.items():
        assert estimate.value == pytest.approx(planned[pair].value)
        assert estimate.interval == pytest.approx(planned[pair].interval)


def test_differences_at_each_k_are_paired_and_raw(make_run) -> None:
    # rence solves every problem in 4 of 16 attempts, grpo half of them in 15 and the others never
    run = make_run(**ONE)
    a = known(run, [1] * 4, {"rence": [4] * 4, "grpo": [0, 0, 15, 15]})
    (table,) = tables.differences(a, family.by_k(a), family.targets(a), ["average"])
    first, *_, last = table.rows[0].cells[1:]
    assert first.value == pytest.approx(4 / 16 - 1 / (16 * 40 * 3) - 15 / 32) and last.value == 0.5
    assert "raw intervals" in table.caption and "not part of the primary" in table.caption
    assert all(column.title != "p" for column in table.columns)
    reports.build(run, ["json", "csv", "md"])
    said = json.loads((run / "report/verdict.json").read_text(encoding="utf-8"))["pass_at_k"]
    one = next(pair for pair in said["pairs"] if (pair["a"], pair["b"], pair["k"]) == ("rence", "grpo", 16))
    assert one["delta"] == 0.5 and one["ci_low"] < 0.5 < one["ci_high"] and one["covers"] == "algorithm"
    assert "p_value" not in one and "p_adjusted" not in one and said["family"].endswith("not adjusted")
    rows = list(csv.DictReader((run / "report/pass_at_k.csv").read_text(encoding="utf-8").splitlines()))
    line = next(r for r in rows if (r["measure"], r["a"], r["b"], r["k"]) == ("pass@k", "rence", "grpo", "16"))
    assert float(line["value"]) == 0.5 and float(line["ci_low"]) == pytest.approx(one["ci_low"])
    scored = {(r["measure"], r["k"]) for r in rows if r["a"] == "rence" and not r["b"]}
    assert scored == {(m, str(k)) for m in ("pass@k", "pass^k") for k in (1, 2, 4, 8, 16)}


def test_a_side_with_fewer_attempts_is_a_gap_with_its_reason(make_run) -> None:
    run = make_run(benchmarks={"mini": (10, 32)}, curve=())
    # one arm was asked once, and of the other one seed
    for arm, seed in (("grpo", 0), ("grpo", 1), ("grpo", 2), ("rence", 0)):
        short = place(run, arm, seed, "mini")
        header = replace(EvalRecord.read(short.header), k=1)
        write_eval(short, header, np.full((10, 1), "correct"))
    a = analysis(run)
    found = family.differences(a, family.by_k(a), [*family.targets(a), *family.starts(a)], ["average"])
    missing = {(one.a, one.b, one.k): one.missing for one in found}
    assert missing["rence", "grpo", 1] == "" and missing["grpo", "start", 1] == ""
    few = "fewer than 32 attempts at a problem of {}"
    assert missing["grpo", "start", 32] == few.format("GRPO")
    assert missing["rence", "grpo", 32] == "; ".join(map(few.format, ("ReNCE (reconstruction)", "GRPO")))
    made = section.section(a)
    assert made is not None
    table = next(b for b in made.blocks if getattr(b, "name", "") == "passing-differences")
    assert table.rows[0].cells[-1].text == "—" and "A gap: a side" in table.caption  # type: ignore[union-attr]
    reports.build(run, accept="one arm was asked once")


@pytest.mark.parametrize(
    "shape", [{"seeds": (0,)}, {"benchmarks": {"mini": (1, 4)}, "curve": ()}, {"gains": {"grpo": 1.0}}]
)
def test_little_data_has_the_section_and_no_invented_number(make_run, shape: dict) -> None:
    a = analysis(make_run(**shape))
    made = section.section(a)
    assert made is not None
    names = {getattr(block, "name", "") for block in made.blocks}
    assert {"passing", "reliability", "passing-differences"} <= names
    found = family.every_difference(a, family.by_k(a))
    assert all(one.estimate is not None for one in found)
    if "seeds" in shape:
        assert {one.estimate.estimand for one in found} == {"checkpoints"}
        table = next(b for b in made.blocks if getattr(b, "name", "") == "passing-differences")
        assert "about these checkpoints on new problems" in table.caption  # type: ignore[union-attr]


def test_one_seed_on_fixed_problems_is_about_its_answers_and_no_number_is_infinite(make_run) -> None:
    run = make_run(seeds=(0,), estimand="benchmark")
    a = analysis(run)
    by_k = family.by_k(a)
    assert {one.estimate.estimand for one in family.differences(a, by_k, family.targets(a), ["average"])} == {"answers"}  # type: ignore[union-attr]
    # one value of pass@4 from four attempts does not tell how it would vary
    last = family.score(a, "rence", by_k[4]["rence", "average"])
    assert last.estimand == "answers" and last.interval is None
    reports.build(run)
    arms = json.loads((run / "report/verdict.json").read_text(encoding="utf-8"))["arms"]
    assert arms[1]["average"]["df"] is None and arms[1]["average"]["se"] > 0


def test_the_average_stops_at_the_k_that_all_benchmarks_have(make_run) -> None:
    a = analysis(make_run(benchmarks={"mini_easy": (40, 4), "mini_hard": (30, 6)}))
    assert ladder(a) == [1, 2, 4, 6]
    four, six = (groups(a, at(a.cells, k)) for k in (4, 6))
    assert ("grpo", "average") in four and ("grpo", "average") not in six and ("grpo", "mini_hard") in six
    assert leads(a)[0].k == 4
    values = [scores.values.mean() for scores in four["grpo", "average"]]
    table = tables.scores(a, {4: four}, {}, ["average"])
    assert table.rows[2].cells[1].value == pytest.approx(np.mean(values))


def findings(a: Analysis) -> dict[str, str]:
    return {lead.arm: lead.finding for lead in leads(a)}


def test_a_lead_that_lasts_is_new_ability_and_one_that_is_gone_is_sharpening(make_run) -> None:
    # the untrained model: 1 in 16 everywhere. rence solves all problems a bit more often; grpo half of them always and
    # the others never; dapo half of them as often as before and half somewhat more often
    run = make_run(gains={"rence": 0.8, "grpo": 0.6, "dapo": 0.5}, **ONE)
    a = known(run, [0, 0, 1, 1], {"rence": [4, 4, 4, 4], "grpo": [0, 0, 15, 15], "dapo": [0, 0, 0, 3]})
    assert findings(a) == {"rence": "lasts", "grpo": "gone", "dapo": "no lead"}
    rence, grpo, _ = leads(a)
    assert (rence.k, rence.start) == (16, 0.5)
    # pass@1: 4/16 less one attempt of 40 problems in one of three seeds, minus 1/32; pass@16: 1 - 1/2
    assert rence.one.value == pytest.approx(1 / 4 - 1 / (16 * 40 * 3) - 1 / 32)
    assert rence.most.value == 0.5 and rence.change.value == pytest.approx(0.5 - rence.one.value)
    assert grpo.one.value == pytest.approx(15 / 32 - 1 / 32) and grpo.most.value == 0
    reports.build(run, ["md"])
    page = (run / "report/report.md").read_text(encoding="utf-8")
    assert "New ability, as far as 16 attempts can tell: ReNCE" in page
    assert "Sharpening: GRPO leads the untrained model" in page and "DAPO leads" not in page


def test_a_reversed_lead_is_said(make_run) -> None:
    a = known(make_run(**ONE), [1, 1, 1, 1], {"rence": [0, 0, 12, 12], "grpo": [1, 1, 1, 1]})
    assert findings(a) == {"rence": "reversed", "grpo": "no lead"}
    (bullets,) = sentences(a, leads(a))
    assert "Sharpening, at a price: ReNCE (reconstruction)" in bullets.items[0]  # type: ignore[union-attr]


def test_at_the_ceiling_nothing_is_concluded(make_run) -> None:
    a = known(make_run(**ONE), [2, 2, 2, 2], {"rence": [12, 12, 12, 12], "grpo": [14, 14, 14, 14]})
    assert leads(a)[0].start == 1 > CEILING and findings(a) == {"rence": "unclear", "grpo": "unclear"}
    (words,) = sentences(a, leads(a))
    assert words.text == "These numbers do not tell sharpening from new ability for any arm."  # type: ignore[union-attr]


def test_at_the_edges_there_are_intervals(make_run) -> None:
    # every problem is solved within 16 attempts by all, and never in all 16 by grpo
    a = known(make_run(**ONE), [2, 2, 2, 2], {"rence": [16] * 4, "grpo": [2] * 4})
    any_of, all_of = family.by_k(a), family.by_k(a, "pass^k")
    (gap,) = [o for o in family.differences(a, any_of, family.targets(a), ["average"]) if o.k == 16]
    assert gap.estimate is not None and gap.estimate.value == 0 and gap.estimate.interval is not None
    low, high = gap.estimate.interval
    assert -0.2 < low < 0 < high < 0.2
    one = family.score(a, "grpo", any_of[16]["grpo", "average"])
    # nothing but successes on 40 problems: the exact bound of a rate
    assert one.value == 1 and one.interval == pytest.approx((0.025 ** (1 / 40), 1))
    none = family.score(a, "grpo", all_of[16]["grpo", "average"])
    assert none.value == 0 and none.interval == pytest.approx((0, 1 - 0.025 ** (1 / 40)))


def test_few_attempts_cannot_tell(make_run) -> None:
    run = make_run(gains={"rence": 3.0, "grpo": 2.5}, sd_seed=0.02)
    a = analysis(run)
    assert set(findings(a).values()) <= {"lasts", "shrinks"} and named(a) == ["rence", "grpo"]
    bullets = sentences(a, leads(a))[0]
    assert all("So few attempts cannot tell" in item for item in bullets.items)  # type: ignore[union-attr]


def test_a_seed_with_fewer_attempts_ends_its_arms_curve(make_run) -> None:
    run = make_run()
    short = place(run, "grpo", 0, "mini_easy")
    header = EvalRecord.read(short.header)
    write_eval(short, EvalRecord(**{**header.__dict__, "k": 2}), np.full((40, 2), "correct"))
    a = analysis(run)
    four = groups(a, at(a.cells, 4))
    assert ("grpo", "mini_easy") not in four and ("grpo", "mini_hard") in four and ("rence", "average") in four
    assert {lead.arm: lead.k for lead in leads(a)} == {"rence": 4, "grpo": 2}


def test_one_attempt_has_no_section(make_run) -> None:
    run = make_run(benchmarks={"mini_easy": (40, 1)})
    assert section.section(analysis(run)) is None
    reports.build(run, ["csv", "json"])
    assert not (run / "report/pass_at_k.csv").exists()
    assert "pass_at_k" not in json.loads((run / "report/verdict.json").read_text(encoding="utf-8"))
    a = analysis(run)
    assert section.section(replace(a, cells={})) is None, "all cells missing"


def vote(run: Path, answers: list[list[str | None]], marks: list[list[str]]) -> None:
    """The answers of one evaluation of four problems."""
    header = EvalRecord.read(place(run, "grpo", 0, "mini").header)
    write_eval(place(run, "grpo", 0, "mini"), header, np.array(marks))
    path = place(run, "grpo", 0, "mini").attempts
    table = pq.read_table(path)
    column = pa.array([word for row in answers for word in row], pa.string())
    pq.write_table(table.set_column(table.schema.get_field_index("answer"), "answer", column), path)


def test_majorities_by_hand(make_run) -> None:
    run = make_run(benchmarks={"mini": (4, 5)}, curve=())
    vote(
        run,
        # a majority; a majority of one wrong answer, written in two ways; a tie of two; nobody votes
        [["3", "3.0", "3", "4", "5"], ["3", "1 /2", "1/2", "4", "3"], ["3", "4", None, None, None], [None] * 5],
        [
            ["correct"] * 3 + ["wrong"] * 2,
            ["wrong", "wrong", "wrong", "wrong", "correct"],
            ["correct", "wrong", "no_answer", "truncated", "truncated"],
            ["no_answer"] * 5,
        ],
    )
    values = majorities(analysis(run))["grpo", "mini"].values
    assert values.shape == (3, 4) and values[0].tolist() == [1, 0, 0.5, 0]


def test_without_texts_there_is_no_vote(make_run) -> None:
    run = make_run()
    path = place(run, "grpo", 1, "mini_hard").attempts
    pq.write_table(pq.read_table(path).drop_columns(["answer"]), path)
    a = analysis(run)
    assert ("grpo", "mini_hard") not in majorities(a) and ("grpo", "mini_easy") in majorities(a)
    reports.build(run, ["md"])
    row = next(r for r in (run / "report/report.md").read_text(encoding="utf-8").split("\n") if "maj@k" in r)
    assert row == "|  | avg@k = pass@1 | pass@2 | pass@4 | maj@k |"


def test_answers_that_are_not_recorded_are_no_lost_votes(make_run) -> None:
    run = make_run(benchmarks={"mini": (4, 5)}, curve=())
    vote(run, [[None] * 5] * 4, [["wrong"] * 5] * 4)
    assert ("grpo", "mini") not in majorities(analysis(run)) and ("rence", "mini") in majorities(analysis(run))
    vote(run, [["3", "3", "3", "3", None]] * 4, [["wrong"] * 4 + ["correct"]] * 4)
    assert ("grpo", "mini") not in majorities(analysis(run))
    vote(run, [[None] * 5] * 4, [["truncated"] * 5] * 4)
    assert majorities(analysis(run))["grpo", "mini"].values[0].tolist() == [0, 0, 0, 0]
