"""Signs that a trial was not well, as a report has them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import reports
from harness.records import DoneRecord, RunFolder
from reports.data.analysis import Analysis, analyse
from reports.data.load import load
from reports.sections import notes
from reports.verdict import basis

LOW, CUT = "entropy: the entropy is below 0.01 nats a token in 3 of 9 steps", "truncated: 95 % of the answers or more"


def give(run: Path, arm: str, seed: int, *health: str) -> None:
    place = RunFolder(run).trial(arm, seed).done
    before = DoneRecord.read(place) if place.exists() else DoneRecord("finished", 1, 1, 1, 1, 0, "w")
    replace(before, health=list(health)).write(place)


def analysis(run: Path) -> Analysis:
    return analyse(load(run))


def test_nothing_is_said_of_trials_that_are_well(make_run) -> None:
    a = analysis(make_run())
    assert "healthy" not in basis(a) and not [note for note in notes.collect(a) if "healthy" in note]


def test_findings_are_in_the_fine_print_the_notes_and_the_verdict(make_run) -> None:
    run = make_run()
    before = analysis(run)
    give(run, "grpo", 1, LOW, CUT)
    a = analysis(run)
    assert basis(a) == basis(before).replace(
        "; unsealed (", "; not healthy: GRPO seed 1 (entropy and truncated), see the notes; unsealed ("
    )
    assert [note for note in notes.collect(a) if note not in notes.collect(before)] == [
        "Not healthy: GRPO seed 1: the entropy is below 0.01 nats a token in 3 of 9 steps.",
        "Not healthy: GRPO seed 1: 95 % of the answers or more.",
    ]
    reports.build(run, ["md", "html", "json"])
    verdict = json.loads((run / "report/verdict.json").read_text())
    arms = {arm["arm"]: arm["health"] for arm in verdict["arms"]}
    assert arms["grpo"]["findings"] == [
        {"seed": 1, "code": "entropy", "words": LOW.partition(": ")[2]},
        {"seed": 1, "code": "truncated", "words": CUT.partition(": ")[2]},
    ]
    assert "findings" not in arms["rence"]
    assert "not healthy: GRPO seed 1" in (run / "report/report.md").read_text(encoding="utf-8")


def test_many_are_counted(make_run) -> None:
    run = make_run()
    for seed in (0, 1, 2):
        give(run, "grpo", seed, LOW)
    assert "3 trials not healthy, see the notes" in basis(analysis(run))
