"""Equivalence: the two one-sided tests, and what a report, a comparison and a plan make of a margin."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import reports
from harness.records import Comparison, Plan, RunFolder
from reports.statistics import contrast
from reports.statistics.equivalence import equivalence_p
from tests.reports.conftest import relock

EQUAL = {
    "gains": {"rence": 0.5, "grpo": 0.5},
    "sd_seed": 0.01,
    "benchmarks": {"a": (400, 8), "b": (400, 8)},
    "curve": (),
}


def with_margin(run: Path, margin: float) -> Path:
    plan = Plan.read(RunFolder(run).plan)
    comparison = replace(plan.comparison, margin=margin)
    replace(plan, comparison=comparison).write(RunFolder(run).plan)
    return relock(run)


def test_agrees_with_two_t_tests() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((1, 60)), rng.random((1, 60))
    estimate, difference = contrast([[a], [b]], (1, -1)), (a - b)[0]
    expected = max(
        stats.ttest_1samp(difference, -0.15, alternative="greater").pvalue,
        stats.ttest_1samp(difference, 0.15, alternative="less").pvalue,
    )
    # not exactly the t tests': the problems' part keeps its level where differences are few or skewed
    assert equivalence_p(estimate, 0.15) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("margin", [0.02, 0.05, 0.08, 0.12])
def test_rejects_exactly_if_the_shorter_interval_lies_inside_the_margin(margin: float) -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        estimate = contrast([[rng.random((3, 200))], [rng.random((3, 200)) + 0.02]], (1, -1), confidence=0.90)
        low, high = estimate.interval or (0, 0)
        p = equivalence_p(estimate, margin)
        assert p is not None and (p < 0.05) == (-margin < low and high < margin)


def test_without_a_margin_or_a_test_there_is_no_claim() -> None:
    assert equivalence_p(None, 0.02) is None
    assert equivalence_p(contrast([[np.eye(3)], [np.ones((3, 3))]], (1, -1)), None) is None
    assert equivalence_p(contrast([[np.ones((3, 1))], [np.ones((3, 1))]], (1, -1)), 0.02) is None
    # no difference on four problems leaves room for more than the margin
    alike = equivalence_p(contrast([[np.ones((3, 4))], [np.ones((3, 4))]], (1, -1)), 0.02)
    assert alike is not None and alike >= 0.5


def test_a_report_claims_equivalence_only_with_a_margin(make_run) -> None:
    plain, stated = make_run("plain", **EQUAL), with_margin(make_run("stated", **EQUAL), 0.04)
    for run in (plain, stated):
        reports.build(run, ["json", "md"])
    before, after = (json.loads((run / "report/verdict.json").read_text()) for run in (plain, stated))
    assert (before["pairs"][0]["margin"], before["pairs"][0]["equivalent"]) == (None, None)
    assert "is not separated from GRPO" in before["verdict"]
    pair = after["pairs"][0]
    assert (pair["margin"], pair["equivalent"], pair["significant"]) == (0.04, True, False)
    assert pair["p_equivalence"] < 0.05
    assert "ReNCE (reconstruction) is equivalent to GRPO (within ±4 points)." in after["verdict"]
    assert "| equivalent |" in (stated / "report/report.md").read_text()
    assert next(p for p in after["pairs"] if p["family"] == "start")["margin"] is None


def test_claims_of_equivalence_are_adjusted_among_themselves(make_run) -> None:
    gains = {"rence": 0.5, "grpo": 0.5, "dapo": 0.5}
    run = with_margin(make_run(**{**EQUAL, "gains": gains}), 0.03)
    reports.build(run, ["json"])
    pairs = [p for p in json.loads((run / "report/verdict.json").read_text())["pairs"] if p["family"] == "primary"]
    raw = [float(stats.t.cdf((abs(p["delta"]) - 0.03) / p["se"], p["df"])) for p in pairs]
    # Bonferroni's, of two; many problems differ, so that the t tests are nearly right
    for pair, p in zip(pairs, raw, strict=True):
        assert pair["p_equivalence"] == pytest.approx(min(1, 2 * p), rel=0.01)


def test_a_real_difference_may_still_be_too_small_to_matter(make_run) -> None:
    run = with_margin(make_run(**{**EQUAL, "gains": {"rence": 0.9, "grpo": 0.5}}), 0.2)
    reports.build(run, ["json"])
    report = json.loads((run / "report/verdict.json").read_text())
    assert report["pairs"][0]["significant"] and report["pairs"][0]["equivalent"]
    assert "is above, yet equivalent to, GRPO (within ±20 points)" in report["verdict"]


def test_a_margin_of_a_comparison(make_run) -> None:
    run = make_run(**EQUAL)
    found = reports.compare(f"{run}/rence", f"{run}/grpo", margin=0.04)
    assert found.average.equivalent and "A is equivalent to B (within ±4 points) on the average" in found.text()
    assert "equivalence (within ±4 points) p" in found.text()
    narrow = reports.compare(f"{run}/rence", f"{run}/grpo", margin=0.001)
    assert narrow.average.equivalent is False and "is not separated from B" in narrow.text()


def test_a_plan_without_a_margin_does_not_say_so(tmp_path: Path, default_run: Path) -> None:
    plan = Plan.read(RunFolder(default_run).plan)
    assert "margin" not in plan.to_json()["comparison"]
    stated = replace(plan, comparison=replace(plan.comparison, margin=0.02))
    stated.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json").comparison == Comparison("rence", ["grpo"], margin=0.02)
