"""Every section holds for the smallest, the emptiest and the largest of runs, and none shows what is not a number."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import reports

SMALL = {"gains": {"grpo": 0.5}, "seeds": (0,), "benchmarks": {"mini_easy": (40, 1)}, "points": 1}
SHAPES = {
    "smallest": SMALL,
    "one problem": SMALL | {"benchmarks": {"mini_easy": (1, 1)}},
    "all correct": {"gains": {"grpo": 99.0, "rence": 99.0}},
    "all wrong": {"gains": {"grpo": -99.0, "rence": -99.0}},
    "two seeds": {"seeds": (0, 1), "benchmarks": {"mini_easy": (40, 2)}},
    "many arms": {"gains": {f"arm{i}": 0.1 * i for i in range(20)}, "seeds": (0, 1)},
}


def built(run: Path, accept: str | None = None) -> str:
    reports.build(run, accept=accept)
    page = (run / "report/report.md").read_text(encoding="utf-8")
    for path in (run / "report/figures").iterdir():
        svg = path.read_text(encoding="utf-8")
        assert not re.search(r"\b(nan|inf)\b", svg), path.name
    assert not re.search(r"\b(nan|inf|None)\b", page)
    return page


@pytest.mark.parametrize("name", SHAPES)
def test_a_report_of_any_shape(make_run, name: str) -> None:
    page = built(make_run(**SHAPES[name]))
    small = SHAPES[name].items() >= {"seeds": (0,), "points": 1}.items()
    for title in ("What the ranking rests on", "Matched blocks", "More attempts: pass@k"):
        assert (title in page) != small, title


def test_without_steps_or_trials(make_run) -> None:
    run = make_run()
    for path in run.rglob("steps.jsonl"):
        path.unlink()
    assert "Cost against score" in built(run), "done.json knows what was generated"
    for name in ("trial.json", "done.json", "timing.json"):
        for path in run.rglob(name):
            path.unlink()
    page = built(run, "files were lost")
    assert "Cost against score" not in page and "Length of the answers" in page
    for arm in ("grpo", "rence"):
        shutil.rmtree(run / arm)
    assert "Length of the answers" in built(run, "files were lost"), "of the untrained model"
