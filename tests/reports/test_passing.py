"""pass@k, maj@k and the lead over the untrained model as k grows, on attempts whose numbers are known."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reports
from harness.records import EvalFolder, EvalRecord, RunFolder
from reports.data.analysis import Analysis, analyse
from reports.data.load import load
from reports.data.pass_at_k import CEILING, at, groups, ladder, leads, majorities
from reports.figures.arm_colours import named
from reports.sections import pass_tables as tables
from reports.sections import passing as section
from reports.sections.leads import sentences
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
    assert "Sharpening: GRPO (+43.8 ± " in page and "DAPO leads" not in page


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
    assert section.section(analysis(make_run(benchmarks={"mini_easy": (40, 1)}))) is None


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
