"""Failed trials, blocks that are not matched, and what scores cost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from reports.data import cost_axis
from reports.data.analysis import Analysis, analyse
from reports.data.load import load
from reports.document import Bullets, Folded, Section, Table, Text
from reports.sections import blocks, failures, spending


def analysis(run: Path) -> Analysis:
    return analyse(load(run))


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def table(section: Section | None, name: str) -> list[list[str]]:
    assert section is not None
    inside = [b for block in section.blocks for b in (block.blocks if isinstance(block, Folded) else [block])]
    (found,) = [block for block in inside if isinstance(block, Table) and block.name == name]
    return [[cell.text for cell in row.cells] for row in found.rows]


def test_what_became_of_every_trial(make_run) -> None:
    run = make_run(seeds=(0, 1, 2, 3))
    edit(run / "grpo/seed0/done.json", status="diverged", steps=13, reason="the loss is not finite")
    shutil.rmtree(run / "grpo/seed0/evals/step_20")
    edit(run / "grpo/seed1/done.json", status="diverged", steps=20)
    (run / "rence/seed1/done.json").unlink()
    shutil.rmtree(run / "rence/seed1/evals/step_20/mini_hard")
    shutil.rmtree(run / "rence/seed2")
    shutil.rmtree(run / "rence/seed3")
    a = analysis(run)
    found = failures.section(a)
    assert table(found, "failures") == [
        ["ReNCE (reconstruction)", "1", "unfinished", "20", "—", "headline on mini_easy only; not in the average"],
        ["ReNCE (reconstruction)", "2, 3", "not run", "—", "—", "none"],
        ["GRPO", "0", "diverged", "13", "the loss is not finite", "up to 500 rollouts; not counted"],
        ["GRPO", "1", "diverged", "20", "—", "headline complete; counted"],
    ]
    assert found is not None and isinstance(found.blocks[-1], Bullets)
    scored, start = a.by_seed("grpo"), a.scores["start", "average"].estimate.value
    assert sorted(scored) == [1, 2, 3]
    bound = (sum(scored.values()) + start) / 4
    (sentence,) = found.blocks[-1].items
    assert sentence.startswith(
        f"GRPO: average {100 * sum(scored.values()) / 3:.1f} without its 1 failed seed; {100 * bound:.1f} if each "
        f"scored as the untrained model ({100 * start:.1f})."
    )
    assert "not an estimate" in sentence


def test_all_seeds_failed_or_no_untrained_model(make_run) -> None:
    run = make_run()
    for seed in (0, 1, 2):
        edit(run / f"grpo/seed{seed}/done.json", status="diverged", steps=3, reason="")
        shutil.rmtree(run / f"grpo/seed{seed}/evals")
    start = analysis(run).scores["start", "average"].estimate.value
    found = failures.section(analysis(run))
    assert found is not None and isinstance(found.blocks[-1], Bullets)
    assert f"average none without its 3 failed seeds; {100 * start:.1f} if" in found.blocks[-1].items[0]
    shutil.rmtree(run / "start")
    found = failures.section(analysis(run))
    assert found is not None and isinstance(found.blocks[-1], Bullets)
    assert found.blocks[-1].items == ["GRPO: 3 failed seeds without a score, and no untrained model to score them as."]


def test_nothing_failed_nothing_shown(make_run) -> None:
    assert failures.section(analysis(make_run())) is None


def test_matched_blocks_are_said_in_a_sentence(make_run) -> None:
    found = blocks.section(analysis(make_run()))
    assert found is not None and isinstance(found.blocks[0], Text) and isinstance(found.blocks[1], Folded)
    assert found.blocks[0].text == (
        "3 of 3 blocks (seeds) are matched: every arm that ran had the same data order, weights and budget."
    )
    assert table(found, "blocks") == [["ReNCE (reconstruction)", "✓", "✓", "✓"], ["GRPO", "✓", "✓", "✓"]]


def test_what_differs_in_a_block_is_named(make_run) -> None:
    run = make_run(gains={"rence": 0.5, "grpo": 0.5, "dapo": 0.5})
    edit(run / "grpo/seed1/trial.json", data_order="another", budget_rollouts=5)
    edit(run / "dapo/seed2/trial.json", initial_weights="others")
    shutil.rmtree(run / "rence/seed2")
    found = blocks.section(analysis(run))
    assert found is not None and isinstance(found.blocks[0], Text) and isinstance(found.blocks[1], Table)
    assert found.blocks[0].text == (
        "1 of 3 blocks (seeds) are matched: something differs in seeds 1 and 2. An arm is missing in seed 2."
    )
    # without rence, the target, the next arm that ran the seed is what others are set against
    assert table(found, "blocks") == [
        ["ReNCE (reconstruction)", "✓", "✓", "—"],
        ["GRPO", "✓", "another data order and another budget", "✓"],
        ["DAPO", "✓", "✓", "other weights"],
    ]


def test_what_was_spent_for_a_score(make_run) -> None:
    run = make_run()
    edit(run / "grpo/seed0/done.json", tokens=20_000, rollouts=1_000)
    edit(run / "grpo/seed1/done.json", tokens=60_000, rollouts=1_100)
    edit(run / "grpo/seed1/timing.json", cpu_seconds=120.0)
    shutil.rmtree(run / "grpo/seed2/evals/step_20")
    a = analysis(run)
    costs = cost_axis.generated(a)
    assert sorted(costs["grpo"]) == [0, 1] and costs["grpo"][1]["tokens"] == 60_000, "seed 2 has no score"
    score = sum(a.by_seed("grpo").values()) / 2
    rows = table(spending.section(a), "spending")
    assert rows[1] == ["GRPO", "2", "1,050", "40,000", "200", "80", f"{100 * score:.1f}"]
    assert rows[0][:5] == ["ReNCE (reconstruction)", "3", "1,000", "20,000", "100"]
    cost, picture = spending.seconds(a)
    assert isinstance(cost, Table) and getattr(picture, "name", "") == "cost-cpu"
    assert [cell.text for cell in cost.rows[1].cells][:4] == ["GRPO", "2", "90", "150"]


def test_a_run_without_trials_has_neither_costs_nor_blocks_nor_failures(make_run) -> None:
    run = make_run()
    for name in ("trial.json", "done.json", "timing.json", "steps.jsonl"):
        for path in run.rglob(name):
            path.unlink()
    a = analysis(run)
    for section in (failures.section, blocks.section, spending.section):
        assert section(a) is None
    assert spending.seconds(a) == []


def test_one_arm_has_no_blocks(make_run) -> None:
    assert blocks.section(analysis(make_run(gains={"grpo": 0.5}))) is None


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_dots_of_a_picture_are_seeds_and_its_cross_their_mean(make_run, seeds: tuple[int, ...]) -> None:
    a = analysis(make_run(seeds=seeds))
    found = spending.section(a)
    assert found is not None
    svg = found.blocks[1].svg  # type: ignore[union-attr]
    assert svg.count('fill-opacity="0.5"') == 2 * len(seeds)
    assert ">generated tokens, thousands<" in svg and ">start<" in svg
