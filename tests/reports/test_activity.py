"""The section on what the parts of objectives do: numbers of steps.jsonl, gaps that say why, and no judgement."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.records import RunFolder
from reports.data.analysis import analyse
from reports.data.load import load
from reports.document import Bullets, Table
from reports.sections.activity import HALVES, section

NORM, ANGLE = "activity/clip/norm", "activity/clip/angle"


def with_metrics(run: Path, arm: str, *found: dict[str, float]) -> None:
    """Add metrics to the first steps of each trial of an arm."""
    for steps in sorted(run.glob(f"{arm}/seed*/steps.jsonl")):
        rows = [json.loads(line) for line in steps.read_text(encoding="utf-8").splitlines()]
        for row, more in zip(rows, found, strict=False):
            row["metrics"] |= more
        steps.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def told(run: Path, table: str = "activity"):
    made = section(analyse(load(run)))
    assert made is not None
    rows = [block.rows for block in made.blocks if isinstance(block, Table) and block.name == table]
    bullets = [item for block in made.blocks if isinstance(block, Bullets) for item in block.items]
    return [[cell.text for cell in row.cells] for row in (rows[0] if rows else [])], bullets


def test_means_and_range_stand_beside_what_noise_does(make_run) -> None:
    run = make_run()
    with_metrics(run, "grpo", {NORM: 0.1, ANGLE: 4.0, HALVES: 60.0}, {NORM: 0.3, HALVES: 80.0})
    rows, gaps = told(run)
    ((label, part, mean, least, most, angle, noise, steps),) = rows
    seeds = len(list(run.glob("grpo/seed*")))
    assert (part, mean, least, most, angle, noise) == ("clip", "0.200", "0.100", "0.300", "4.0", "70.0")
    assert (label, steps) == ("GRPO", str(2 * seeds))
    assert len(gaps) == 1 and "GRPO" not in gaps[0] and "third of its budget" in gaps[0]


def test_an_arm_without_parts_is_not_an_arm_without_numbers(make_run) -> None:
    run = make_run()
    with_metrics(run, "grpo", {HALVES: 60.0})
    rows, gaps = told(run)
    assert rows == []
    assert "GRPO: no part of the objective can be turned off by a setting." in gaps


def test_an_old_run_has_a_gap_that_says_why_and_no_judgement(make_run) -> None:
    rows, gaps = told(make_run(clipped=0.0002))
    assert rows == [] and len(gaps) == 1 and gaps[0].startswith("Not known of")
    means, _ = told(make_run("again", clipped=0.0002), "activity-logged")
    assert all("0.0002" in cells for cells in means)


@pytest.mark.parametrize("words", ["did nothing", "inactive", "idle", "acts from"])
def test_nothing_is_said_to_have_done_nothing(make_run, words) -> None:
    made = section(analyse(load(make_run(clipped=0.0))))
    assert words not in repr(made)


def test_backends_without_gradients_are_named(make_run) -> None:
    run = make_run()
    plan = RunFolder(run).plan
    plan.write_text(
        plan.read_text(encoding="utf-8").replace('"backend": "local"', '"backend": "verl"'), encoding="utf-8"
    )
    _, gaps = told(run)
    assert "backend verl logged nothing of it" in gaps[0] and "`rence diff`" in gaps[0]
