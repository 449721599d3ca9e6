"""The disagreement of sampler and learner stands next to the scores, where they are two programs."""

from __future__ import annotations

import json
from pathlib import Path

import reports
from tests.reports.conftest import relock


def page(run: Path) -> str:
    reports.build(run, ["md"])
    return (run / "report/report.md").read_text(encoding="utf-8")


def log(run: Path, arm: str, seed: int, kl: list[float], largest: list[float]) -> None:
    """These metrics in the first steps of a trial, None in the rest."""
    path = run / arm / f"seed{seed}/steps.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for i, row in enumerate(rows):
        row["metrics"]["rollout_corr/k3_kl"] = kl[i] if i < len(kl) else None
        row["metrics"]["training/rollout_probs_diff_max"] = largest[i] if i < len(largest) else None
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_mean_kl_and_the_largest_difference_over_steps_and_seeds(make_run) -> None:
    run = make_run()
    log(run, "grpo", 0, [0.001, 0.003], [0.1, 0.3])
    log(run, "grpo", 1, [0.002], [0.2])
    plan = json.loads((run / "plan.json").read_text(encoding="utf-8"))
    (run / "plan.json").write_text(json.dumps({**plan, "backend": "verl", "verl": {"importance_cap": 2.0}}))
    relock(run)
    lines = page(run).split("## Sampler and learner")[1].split("## ")[0].splitlines()
    assert "| GRPO | 2.0e-03 | — | 3.0e-01 |" in lines
    assert "| ReNCE (reconstruction) | — | — | — |" in lines
    assert any("corrected by truncated importance sampling at 2." in line for line in lines)


def test_not_corrected_without_a_cap(make_run) -> None:
    run = make_run()
    log(run, "grpo", 0, [0.001], [0.1])
    assert "It is not corrected." in page(run)


def test_no_section_where_the_sampler_is_the_learner(make_run) -> None:
    assert "Sampler and learner" not in page(make_run())
