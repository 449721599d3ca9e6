"""Gaps become notes, broken files are refused, and nothing is filled or averaged away."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reports
from harness.records import DataError


def build(run: Path, accept: str | None = None) -> dict:
    """Every format, so that none of them stumbles; the verdict."""
    reports.build(run, accept=accept)
    return json.loads((run / "report/verdict.json").read_text(encoding="utf-8"))


def arm(report: dict, name: str) -> dict:
    return next(entry for entry in report["arms"] if entry["arm"] == name)


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def rewrite(path: Path, column: str, values: list) -> None:
    table = pq.read_table(path)
    place = table.schema.get_field_index(column)
    pq.write_table(table.set_column(place, column, pa.array(values, table.schema.field(column).type)), path)


def test_one_arm(make_run) -> None:
    report = build(make_run(gains={"grpo": 0.8}))
    assert [pair["family"] for pair in report["pairs"]] == ["start"]
    assert report["verdict"].startswith("No comparison was planned for GRPO. GRPO is above the untrained model.")


def test_one_seed_is_about_these_checkpoints(make_run) -> None:
    report = build(make_run(seeds=(0,)))
    # what was asked stays; what is covered is read off what entered the variance
    assert {(pair["target"], pair["covers"]) for pair in report["pairs"]} == {("algorithm", "checkpoints")}
    assert any(note.startswith("One seed only: ReNCE (reconstruction) and GRPO.") for note in report["notes"])
    assert "about these checkpoints on new problems like these" in report["verdict"]


def test_one_problem_has_no_interval(make_run) -> None:
    report = build(make_run(benchmarks={"only": (1, 8)}, curve=()))
    grpo = arm(report, "grpo")["per_benchmark"]["only"]
    assert grpo["mean"] is not None and grpo["ci_low"] is None and grpo["se"] is None
    assert any("too few problems or seeds for an interval" in note for note in report["notes"])
    assert "not separated" in report["verdict"]


@pytest.mark.parametrize(("gain", "share"), [(99.0, 1.0), (-99.0, 0.0)])
def test_all_correct_and_all_wrong(make_run, gain: float, share: float) -> None:
    report = build(make_run(gains={"rence": gain, "grpo": gain}))
    pair = report["pairs"][0]
    # identical is evidence, not proof: problems that were not drawn may differ
    assert (pair["delta"], pair["p_value"], pair["significant"]) == (0, 1, False)
    assert pair["ci_low"] == -pair["ci_high"] < 0
    assert arm(report, "grpo")["average"]["mean"] == share
    assert arm(report, "rence")["average"]["best"] == arm(report, "grpo")["average"]["best"]


def test_a_missing_seed_is_a_gap_and_a_note(make_run) -> None:
    run = make_run()
    shutil.rmtree(run / "grpo/seed1")
    report = build(run)
    assert arm(report, "grpo")["average"]["seeds"] == 2 and arm(report, "rence")["average"]["seeds"] == 3
    assert "Not as planned: grpo seed 1 was not run." in report["notes"]
    assert any("the average is over 2 of 3 seeds" in note for note in report["notes"])
    assert not report["as_planned"] and "; not as planned: grpo seed 1 was not run." in report["verdict"]
    page = (run / "report/report.md").read_text(encoding="utf-8")
    assert "| 2 of 3 |" in page and "No mean is drawn where a seed is missing: GRPO." in page


def test_a_missing_benchmark_leaves_no_average(make_run) -> None:
    run = make_run()
    for seed in (0, 1, 2):
        shutil.rmtree(run / f"grpo/seed{seed}/evals/step_20/mini_hard")
    report = build(run)
    assert arm(report, "grpo")["average"] is None and "mini_hard" not in arm(report, "grpo")["per_benchmark"]
    primary = report["pairs"][0]
    assert primary["delta"] is None and primary["p_value"] is None
    assert "could not be compared with GRPO (no complete result)" in report["verdict"]
    easy = next(p for p in report["pairs"] if p["family"] == "per_benchmark" and p["benchmark"] == "mini_easy")
    assert easy["delta"] is not None


def test_no_start_row(make_run) -> None:
    run = make_run()
    shutil.rmtree(run / "start")
    report = build(run)
    assert arm(report, "start")["average"] is None
    assert "Not as planned: The untrained model has no result on mini_easy and mini_hard." in report["notes"]
    assert report["pairs"][0]["delta"] is not None and "above the untrained" not in report["verdict"]


def test_an_unfinished_trial(make_run) -> None:
    run = make_run()
    (run / "rence/seed2/done.json").unlink()
    shutil.rmtree(run / "rence/seed2/evals/step_20")
    left = run / "rence/seed2/evals/step_10/mini_easy"
    (left / "attempts.parquet").unlink()
    report = build(run)
    assert "Not as planned: rence seed 2 is unfinished." in report["notes"]
    assert "rence seed 2, step 10: the evaluation on mini_easy is unfinished." in report["notes"]
    assert arm(report, "rence")["average"]["seeds"] == 2


def test_nothing_run_yet(make_run) -> None:
    run = make_run()
    for name in ("start", "grpo", "rence"):
        shutil.rmtree(run / name)
    report = build(run)
    assert report["verdict"].startswith("No verdict: ReNCE (reconstruction) has no complete result")
    assert all(entry["average"] is None for entry in report["arms"])


def test_a_diverged_seed_is_shown_and_counted(make_run) -> None:
    run = make_run()
    edit(run / "grpo/seed1/done.json", status="diverged", steps=13, reason="the loss is not finite")
    shutil.rmtree(run / "grpo/seed1/evals/step_20")
    report = build(run)
    assert arm(report, "grpo")["failed_seeds"] == [1] and arm(report, "grpo")["seeds"] == [0, 1, 2]
    assert "Not as planned: grpo seed 1 diverged at step 13: the loss is not finite." in report["notes"]
    assert "**diverged**" in (run / "report/report.md").read_text(encoding="utf-8")


def test_different_k_is_noted(make_run) -> None:
    run = make_run()
    place = run / "grpo/seed0/evals/step_20/mini_easy"
    edit(place / "eval.json", k=2)
    table = pq.read_table(place / "attempts.parquet")
    pq.write_table(table.filter(pa.array(np.array(table["sample"].to_pylist()) < 2)), place / "attempts.parquet")
    with pytest.raises(reports.Unmatched, match="attempts a problem is 2, but 4 in the plan"):
        build(run)
    report = build(run, accept="half was enough")
    assert arm(report, "grpo")["per_benchmark"]["mini_easy"]["k"] == [2, 4]
    assert any("grpo on mini_easy has k = 2 attempts a problem; the plan says 4" in note for note in report["notes"])


def test_unmatched_arms_are_marked(make_run) -> None:
    run = make_run()
    edit(run / "grpo/seed1/trial.json", data_order="another")
    report = build(run)
    pair = report["pairs"][0]
    assert not pair["matched"] and pair["unmatched"] == ["the order of the training data differs (seed 1)"]
    assert "not matched: the order of the training data differs (seed 1)" in report["verdict"]


def test_changed_settings_are_a_deviation(make_run) -> None:
    run = make_run()
    edit(run / "grpo/seed1/trial.json", arm_fingerprint="other")
    notes = build(run)["notes"]
    assert "Not as planned: grpo seed 1 was trained with other settings than the plan's." in notes


ATTEMPTS = "grpo/seed0/evals/step_20/mini_easy/attempts.parquet"


def test_a_parquet_cut_in_half(make_run) -> None:
    run = make_run()
    path = run / ATTEMPTS
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"attempts\.parquet cannot be read: .*\nDelete this evaluation's folder"):
        reports.build(run)


def test_duplicated_rows(make_run) -> None:
    run = make_run()
    table = pq.read_table(run / ATTEMPTS)
    pq.write_table(pa.concat_tables([table, table]), run / ATTEMPTS)
    with pytest.raises(DataError, match=r"must hold each of 40 problems x 4 samples once, .* holds 320 rows"):
        reports.build(run)


def test_a_sample_twice_and_another_missing(make_run) -> None:
    run = make_run()
    rewrite(run / ATTEMPTS, "sample", [0, 0, 2, 3] * 40)
    with pytest.raises(DataError, match="must hold each of 40 problems x 4 samples once"):
        reports.build(run)


def test_an_unknown_mark(make_run) -> None:
    run = make_run()
    rewrite(run / ATTEMPTS, "mark", ["right"] * 160)
    with pytest.raises(DataError, match=r"has the mark `right`. Allowed: correct, wrong, no_answer"):
        reports.build(run)


def test_an_empty_mark(make_run) -> None:
    run = make_run()
    rewrite(run / ATTEMPTS, "mark", [None] + ["wrong"] * 159)
    with pytest.raises(DataError, match="has empty cells in the column `mark`"):
        reports.build(run)


def test_two_versions_of_a_benchmark(make_run) -> None:
    run = make_run()
    edit(run / "grpo/seed0/evals/step_20/mini_easy/eval.json", benchmark_hash="older")
    with pytest.raises(
        reports.Unmatched, match=r"mini_easy: the version of the problems differs \(h-mini_easy, older\)"
    ):
        reports.build(run)
    assert build(run, accept="a typo in a text")["accepted"]["reason"] == "a typo in a text"
    table = pq.read_table(run / ATTEMPTS)
    rewrite(run / ATTEMPTS, "problem_id", [f"x{name}" for name in table["problem_id"].to_pylist()])
    with pytest.raises(DataError, match="mini_easy was asked in 2 versions"):
        reports.build(run, accept="a typo in a text")


def test_a_newer_schema(make_run) -> None:
    run = make_run()
    edit(run / "plan.json", schema=99)
    with pytest.raises(DataError, match="has schema 99; this rence reads up to 1"):
        reports.build(run)


def test_a_broken_line_of_the_log(make_run) -> None:
    run = make_run()
    path = run / "grpo/seed0/steps.jsonl"
    path.write_text("{broken\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(DataError, match=r"steps\.jsonl:1 is not valid JSON"):
        reports.build(run)


def test_a_last_line_cut_off_by_a_kill_is_left_out(make_run) -> None:
    run = make_run()
    path = run / "grpo/seed0/steps.jsonl"
    path.write_text(path.read_text(encoding="utf-8") + '{"step": 21, "roll', encoding="utf-8")
    assert build(run)["as_planned"]


def test_no_run_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a folder"):
        reports.build(tmp_path / "nowhere")
    with pytest.raises(DataError, match="is no run folder"):
        reports.build(tmp_path)


def test_an_unknown_estimand(make_run) -> None:
    with pytest.raises(
        DataError, match=r"`comparison\.estimand` must be `algorithm` or `benchmark` or `checkpoints`, but"
    ):
        reports.build(make_run(estimand="truth"))


def test_nothing_is_written_when_refused(make_run) -> None:
    run = make_run()
    rewrite(run / ATTEMPTS, "mark", ["right"] * 160)
    with pytest.raises(DataError):
        reports.build(run)
    assert not (run / "report").exists()
