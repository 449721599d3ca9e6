"""What became of the groups that were generated, as a report has it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.records import RunFolder, StepRecord, append_jsonl, read_jsonl
from reports.data.analysis import Analysis, analyse
from reports.data.fates import GroupFates, fates
from reports.data.load import load
from reports.document import Table
from reports.sections import budget

SHARES = ["64.0", "49.9", "10.9", "39.1", "43.9", "1", "60"]


def logged(run: Path, arm: str, first: Mapping[str, float], others: Mapping[str, float]) -> None:
    """Give every trial of an arm these counts: `first` at step 1 of seed 0, `others` everywhere else."""
    for seed in (0, 1, 2):
        log = RunFolder(run).trial(arm, seed).steps
        steps = list(read_jsonl(log, StepRecord))
        log.unlink()
        for step in steps:
            counts = first if (seed, step.step) == (0, 1) else others
            step.metrics.update({f"groups/{name}": value for name, value in counts.items()})
        append_jsonl(log, [step.to_json() for step in steps])


def tables(a: Analysis) -> dict[str, Table]:
    found = budget.section(a)
    assert found
    return {block.name: block for block in found.blocks if isinstance(block, Table)}


def test_every_group_of_every_arm_is_somewhere(make_run) -> None:
    run = make_run()
    whole = {"generated": 64, "kept": 32, "dropped": 7, "surplus": 25, "missing": 0}
    logged(run, "rence", {**whole, "kept": 30, "surplus": 27, "missing": 2}, whole)
    logged(run, "grpo", *2 * [{"generated": 32, "kept": 32, "dropped": 0, "surplus": 0}])
    a = analyse(load(run))
    found = fates(a)
    assert found == {
        "rence": GroupFates(60, 30 + 59 * 32, 60 * 7, 27 + 59 * 25, 1),
        "grpo": GroupFates(60, 60 * 32, 0, 0, None),
    }
    assert found["rence"].generated == 60 * 64
    rows = {row.cells[0].text: [cell.text for cell in row.cells[1:]] for row in tables(a)["groups"].rows}
    assert rows["ReNCE (reconstruction)"] == SHARES
    assert rows["GRPO"] == ["32.0", "100.0", "0.0", "0.0", "0.0", "—", "60"]


def test_without_filter_or_record_nothing_is_shown(make_run) -> None:
    run = make_run()
    assert "groups" not in tables(analyse(load(run)))
    for arm in ("rence", "grpo"):
        logged(run, arm, *2 * [{"generated": 32, "kept": 32, "dropped": 0, "surplus": 0}])
    a = analyse(load(run))
    assert fates(a)["rence"].short is None and "groups" not in tables(a)
