"""Runs of which something is not there yet, or no more: a report, a verdict and a comparison say so, or leave a gap."""

from __future__ import annotations

import shutil
from itertools import combinations
from pathlib import Path

import pytest

import reports

REMOVED = {
    "every last evaluation": "*/seed*/evals/step_20",
    "one arm's last evaluations": "rence/seed*/evals/step_20",
    "one benchmark's last evaluations": "*/seed*/evals/step_20/mini_hard",
    "every earlier evaluation": "*/seed*/evals/step_10",
    "every evaluation of one arm": "grpo/seed*/evals",
    "what they trained": "*/seed*/steps.jsonl",
    "one log": "grpo/seed1/steps.jsonl",
    "every end": "*/seed*/done.json",
    "the untrained model": "start",
    "one arm": "grpo",
}


def remove(run: Path, pattern: str) -> None:
    for place in list(run.glob(pattern)):
        shutil.rmtree(place) if place.is_dir() else place.unlink()


@pytest.mark.parametrize("names", list(combinations(REMOVED, 2)), ids=" and ".join)
def test_what_is_missing_is_said_or_left_out(make_run, names: tuple[str, ...]) -> None:
    run = make_run()
    for name in names:
        remove(run, REMOVED[name])
    said = reports.summary(run)
    reports.build(run, ["html", "md", "tex", "csv"])
    page = (run / "report/index.html").read_text(encoding="utf-8")
    assert said.strip() and "nan" not in said.lower() and ">nan<" not in page.lower()


def test_a_target_without_a_score_depends_on_nothing_that_is_named(make_run) -> None:
    """Two other arms have an order; of the arm that is compared nothing is known."""
    run = make_run(gains={"rence": 2.0, "grpo": 1.0, "dapo": 0.0}, benchmarks={"a": (20, 2), "b": (20, 2)}, curve=())
    remove(run, "rence/seed*/evals/step_20")
    reports.build(run, ["md"])
    page = (run / "report/report.md").read_text(encoding="utf-8")
    assert "By average: GRPO" in page and "depend on ." not in page
