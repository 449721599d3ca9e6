"""Signs that a trial was not well, as a report has them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import reports
from harness.records import DoneRecord, RunFolder
from reports.data import failed_rewards
from reports.data.analysis import Analysis, analyse
from reports.data.load import load
from reports.sections import notes, training
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


def fail(run: Path, arm: str, failed: int, reason: str = "") -> None:
    """In each step of each seed, on so many rollouts of the 50."""
    for seed in (0, 1, 2):
        place = RunFolder(run).trial(arm, seed).steps
        rows = [json.loads(line) for line in place.read_text().splitlines()]
        for row in rows:
            now = failed + (row["step"] == 7 and seed == 1)
            row["metrics"]["reward/failed"] = now
            row |= {"reward_failure": reason} if now else {}
        place.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_rewards_that_failed_are_counted_by_arm_with_the_first_reason(make_run) -> None:
    """20 steps of 50 rollouts and 3 seeds: 3,000 rollouts an arm. 2 a step and one more are 121; none and one are 1."""
    run = make_run()
    fail(run, "grpo", 2, "own.py:4: <b>KeyError</b>")
    fail(run, "rence", 0, "own.py:9: returned nan")
    a = analysis(run)
    said = (
        "The reward failed on 0.03 % of the rollouts of ReNCE (reconstruction) and 4.0 % of the rollouts of GRPO: "
        "these were learnt nothing from, so that arms did not learn from equally many, and differences may come from "
        "that."
    )
    assert failed_rewards.sentence(a) == said
    reports.build(run, ["md", "html", "json", "csv"])
    verdict = json.loads((run / "report/verdict.json").read_text())
    assert said in verdict["verdict"]
    arms = {arm["arm"]: arm.get("failed_rewards") for arm in verdict["arms"]}
    assert arms["grpo"] == {
        "failed": 121, "rollouts": 3000, "share": 121 / 3000,
        "worst": {"seed": 1, "step": 7, "failed": 3, "rollouts": 50},
        "first": {"seed": 0, "step": 1, "reason": "own.py:4: <b>KeyError</b>"},
    }  # fmt: skip
    assert arms["rence"]["first"] == {"seed": 1, "step": 7, "reason": "own.py:9: returned nan"} and not arms["start"]
    page = (run / "report/report.md").read_text(encoding="utf-8")
    assert said in page and "121" in page and "grpo/seed0/steps.jsonl, step 1" in page
    assert "&lt;b&gt;KeyError" in (run / "report/index.html").read_text(encoding="utf-8")


def test_equal_shares_are_no_threat(make_run) -> None:
    run = make_run()
    assert failed_rewards.by_arm(analysis(run)) == [], "none of these arms has a reward of the user's own"
    fail(run, "grpo", 2, "r")
    fail(run, "rence", 2, "r")
    assert failed_rewards.sentence(analysis(run)) is None


def test_no_failure_is_no_table(make_run) -> None:
    whole = make_run()
    for arm in ("grpo", "rence"):
        place = RunFolder(whole).trial(arm, 0).steps
        rows = [json.loads(line) for line in place.read_text().splitlines()]
        for row in rows:
            row["metrics"]["reward/failed"] = 0
        place.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = analysis(whole)
    assert [one.failed for one in failed_rewards.by_arm(found)] == [0, 0] and training.section(found) is None
