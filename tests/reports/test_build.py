"""A report of a synthetic run: what it says, and that the same files give the same bytes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

import reports
from harness.records import DataRecord


def verdict(run: Path) -> dict:
    reports.build(run, ["json"])
    return json.loads((run / "report/verdict.json").read_text(encoding="utf-8"))


def test_scores_are_shares_of_correct_attempts(make_run) -> None:
    run = make_run()
    report = verdict(run)
    import pyarrow.parquet as pq

    place = run / "grpo"
    marks = [
        mark
        for seed in (0, 1, 2)
        for mark in pq.read_table(place / f"seed{seed}/evals/step_20/mini_hard/attempts.parquet")["mark"].to_pylist()
    ]
    grpo = next(arm for arm in report["arms"] if arm["arm"] == "grpo")
    cell = grpo["per_benchmark"]["mini_hard"]
    assert cell["mean"] == pytest.approx(marks.count("correct") / len(marks))
    assert (cell["n_problems"], cell["k"], cell["seeds"], cell["attempts"]) == (30, 4, 3, 360)
    assert cell["truncated"] == marks.count("truncated")
    assert grpo["average"]["mean"] == pytest.approx(sum(c["mean"] for c in grpo["per_benchmark"].values()) / 2)


def test_a_large_difference_is_found_and_a_small_one_is_not_separated(make_run) -> None:
    gains = {"rence": 2.0, "grpo": 0.5, "dapo": 1.98}
    report = verdict(make_run(gains=gains, sd_seed=0.05, benchmarks={"a": (300, 4), "b": (300, 4)}, curve=()))
    grpo, dapo = (pair for pair in report["pairs"] if pair["family"] == "primary")
    assert grpo["significant"] and grpo["ci_low"] > 0 and grpo["p_adjusted"] >= grpo["p_value"]
    assert not dapo["significant"] and dapo["ci_low"] < 0 < dapo["ci_high"]
    assert "is above GRPO" in report["verdict"] and "is not separated from DAPO" in report["verdict"]
    assert "Every arm is above the untrained model." in report["verdict"]
    # bold is the column's highest score alone; who is not separated from it has a mark of its own
    top = max(report["arms"], key=lambda arm: arm["average"]["mean"])["arm"]
    standing = {
        arm["arm"]: (arm["average"]["best"], arm["average"]["not_separated_from_best"]) for arm in report["arms"]
    }
    assert standing.pop(top) == (True, False)
    assert standing.pop({"rence": "dapo", "dapo": "rence"}[top]) == (False, True)
    assert set(standing.values()) == {(False, False)}


def test_results_csv_is_tidy(make_run) -> None:
    run = make_run()
    reports.build(run, ["csv"])
    rows = list(csv.DictReader(io.StringIO((run / "report/results.csv").read_text(encoding="utf-8"))))
    assert [(row["arm"], row["benchmark"]) for row in rows[:4]] == [
        ("start", "mini_easy"), ("start", "mini_hard"), ("start", "average"), ("rence", "mini_easy"),
    ]  # fmt: skip
    assert all(float(row["ci_low"]) <= float(row["mean"]) <= float(row["ci_high"]) for row in rows)
    report = verdict(run)
    assert float(rows[3]["mean"]) == report["arms"][1]["per_benchmark"]["mini_easy"]["mean"]


def test_unknown_format_is_refused(make_run) -> None:
    with pytest.raises(ValueError, match=r"`pdf` is no report format. Allowed: html, md, tex, csv, json"):
        reports.build(make_run(), ["md", "pdf"])


def test_what_was_left_out_of_the_training_set_is_said(make_run) -> None:
    run = make_run()
    reports.build(run, ["md"])
    assert "problems; left out" not in (run / "report/report.md").read_text(encoding="utf-8")
    DataRecord("dapo_math", 21877, "0123456789abcdef", {"repeated": 3286, "near amc23": 21}).write(run / "data.json")
    reports.build(run, ["md"])
    said = (run / "report/report.md").read_text(encoding="utf-8").replace("\\", "")
    assert "dapo_math (0123456789abcdef), 21,877 problems; left out: 3,286 repeated, 21 near amc23" in said


def test_many_baselines_are_counted_in_the_verdict(make_run) -> None:
    gains = {"rence": 3.0} | {f"arm{i}": 0.3 for i in range(9)}
    report = verdict(make_run(gains=gains, sd_seed=0.02, benchmarks={"a": (200, 4)}, curve=()))
    assert report["verdict"].startswith("ReNCE (reconstruction) is above 9 baselines.")
