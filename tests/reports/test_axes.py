"""Scores at equal updates and tokens, worked out by hand, and what the verdict says of them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import reports
from harness.records import read_json, write_json
from reports.data import axes
from reports.data.agreement import analysed


def slower(run: Path, arm: str, share: float) -> None:
    """As if refill had left the arm with this share of the updates, and its answers were as much longer."""
    for place in run.glob(f"{arm}/seed*"):
        steps = place / "steps.jsonl"
        lines = [json.loads(line) for line in steps.read_text().splitlines()]
        for line in lines:
            line["updates"], line["tokens"] = int(line["updates"] * share), int(line["tokens"] / share)
        steps.write_text("".join(json.dumps(line) + "\n" for line in lines))
        done = read_json(place / "done.json")
        write_json(place / "done.json", done | {name: lines[-1][name] for name in ("updates", "tokens")})


@pytest.fixture
def run(make_run) -> Path:
    """Two arms on one benchmark, asked at 500 and 1,000 rollouts: 40 and 80 updates of grpo, 20 and 40 of rence."""
    made = make_run(benchmarks={"mini_easy": (40, 4)}, seeds=(0, 1, 2))
    slower(made, "rence", 0.5)
    return made


def score(table: pd.DataFrame, arm: str, grid: int) -> float:
    """Mean over seeds."""
    return float(table.loc[(table["arm"] == arm) & (table["grid"] == grid), "score"].to_numpy(float).mean())


def test_scores_at_equal_updates(run: Path) -> None:
    a = analysed(run, None)
    found = axes.equal(a, "updates")
    assert found is not None and found.at == 40
    table = axes.averaged(axes.counted(a), 1)
    half, whole = score(table, "grpo", 500), score(table, "rence", 1000)
    assert found.scores == pytest.approx({"rence": whole, "grpo": half})
    assert whole == pytest.approx(a.scores["rence", "average"].estimate.value)


def test_scores_at_equal_tokens_lie_between_two_evaluations(run: Path) -> None:
    """grpo ends at 20,000 tokens, rence at 40,000 and is asked at 20,000."""
    a = analysed(run, None)
    found = axes.equal(a, "tokens")
    table = axes.averaged(axes.counted(a), 1)
    assert found is not None and found.at == 20_000
    assert found.scores["rence"] == pytest.approx(score(table, "rence", 500))
    slower(run, "rence", 0.5)
    a = analysed(run, None)
    found, start = axes.equal(a, "tokens"), a.scores["start", "average"].estimate.value
    table = axes.averaged(axes.counted(a), 1)
    first = score(table, "rence", 500)
    assert found is not None and found.scores["rence"] == pytest.approx((start + first) / 2), "half way to 40,000"


def test_the_verdict_says_what_is_not_equal(run: Path, make_run) -> None:
    said = reports.summary(run)
    assert (
        "Rollouts are equal; updates (ReNCE (reconstruction) 40 a trial, GRPO 80) and tokens (ReNCE (reconstruction) "
        "40,000 a trial, GRPO 20,000) are not."
    ) in said
    reports.build(run, ["md"])
    page = (run / "report/report.md").read_text(encoding="utf-8")
    assert "1,000 rollouts" in page and "40 updates" in page and "20,000 generated tokens" in page
    assert "Rollouts are equal" not in reports.summary(make_run("equal"))


def counted(run: Path, arm: str, **numbers: int) -> None:
    for place in run.glob(f"{arm}/seed*"):
        write_json(place / "done.json", read_json(place / "done.json") | numbers)


def test_rollouts_are_called_equal_as_far_as_they_are(run: Path) -> None:
    counted(run, "grpo", rollouts=1010)
    assert axes.facts(analysed(run, None)).startswith("Rollouts are equal to within 1 %; updates (")
    counted(run, "grpo", rollouts=1300)
    said = axes.facts(analysed(run, None))
    assert said.startswith("Not equal: rollouts (ReNCE (reconstruction) 1,000 a trial, GRPO 1,300); updates (")


def test_a_side_without_updates_is_named(run: Path) -> None:
    counted(run, "grpo", updates=0)
    assert "updates (ReNCE (reconstruction) 40 a trial, GRPO 0)" in axes.facts(analysed(run, None))


def test_a_log_that_is_gone_leaves_a_gap(run: Path) -> None:
    for path in run.glob("rence/seed*/steps.jsonl"):
        path.unlink()
    a = analysed(run, None)
    assert axes.equal(a, "updates") is None and axes.equal(a, "rollouts") is not None
    reports.build(run, ["md"])
    assert "equal rollouts, updates and" not in (run / "report/report.md").read_text(encoding="utf-8")
