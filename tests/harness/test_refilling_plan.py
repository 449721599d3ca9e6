"""What plans say of refill, and runs that were begun before a step asked for what is missing."""

from __future__ import annotations

import json
from itertools import pairwise
from math import comb
from pathlib import Path

import pytest
import torch

from algorithms.base import Algorithm
from algorithms.registry import get, names
from benchmarks.problems import Problem
from harness import config
from harness.backends.groups import Group, Rollout, TokenRollouts, as_batch
from harness.base.errors import UserError
from harness.config.begun import as_begun
from harness.config.manifest import read
from harness.config.training_recipe import Recipe
from harness.models.resolving import SHIPPED
from harness.planning import plan, solve_rates
from harness.planning.refilling import forecast, simulated
from harness.planning.solve_rates import SolveRates
from harness.prompts.stream import Prompt
from harness.records import Mark, Plan, RunFolder, StepRecord, append_jsonl
from harness.run.folder import prepare

RATES = SolveRates(0.3, 0.9, 8, "a test")


def batch_of(correct: int, size: int) -> TokenRollouts:
    marks = [Mark.CORRECT] * correct + [Mark.WRONG] * (size - correct)
    rollouts = tuple(Rollout(torch.tensor([1]), torch.zeros(1), False, mark) for mark in marks)
    return as_batch([Group(Prompt(Problem("1 + 1", "2"), 0), (1,), rollouts)], 1)


@pytest.mark.parametrize("size", [2, 5, 8])
def test_plans_and_training_filter_alike(size: int) -> None:
    refilling = [(name, get(name)) for name in names() if get(name).refill]
    others: list[tuple[str, Algorithm]] = [
        ("hard", get("rence", t_hard=0.3)), ("odds", get("rence", easy_stat="pos_neg_ratio", t_easy=2.0)),
    ]  # fmt: skip
    assert len(refilling) >= 8
    for name, algorithm in [*refilling, *others]:
        kept = [bool(algorithm.keep(batch_of(correct, size))[0]) for correct in range(size + 1)]
        assert [algorithm.keeps(correct, size) for correct in range(size + 1)] == kept, name


def test_rates_fit_what_was_seen_and_tell_of_other_groups_and_filters() -> None:
    assert RATES.passing(get("dapo"), 8) == pytest.approx(0.9, abs=1e-6)
    by_size = [RATES.passing(get("dapo"), size) or 0.0 for size in (2, 4, 8, 16)]
    assert all(few < more for few, more in pairwise(by_size))
    # the shipped model: 105 of 1,024 groups had no right rollout, 11 had seven and 1 had eight
    stated = solve_rates.STATED["quickstart-base", "mini_rl"]
    assert stated.passing(get("rence"), 8) == pytest.approx((1024 - 105 - 12) / 1024, abs=0.01)
    alike = SolveRates(0.5, 1 - 2 / 256, 8, "equal problems").passing(get("dapo"), 2)
    assert alike == pytest.approx(0.5, abs=1e-3)
    assert SolveRates(0.0, 0.0, 8, "never").passing(get("dapo"), 8) == 0
    assert RATES.passing(get("grpo"), 8) is None, "its filter is not told"


def at_most(fewer: int, of: int, chance: float) -> float:
    return sum(comb(of, n) * chance**n * (1 - chance) ** (of - n) for n in range(fewer + 1))


def test_steps_are_foreseen_by_the_rule_that_training_follows() -> None:
    asked, surplus, short = simulated(Recipe(prompts_per_step=32, refill_batches=4), 0.8)
    assert (asked, surplus, short) == (pytest.approx(40, rel=0.02), 0, 0)
    rounds = 1 + sum(at_most(31, 32 * n, 0.8) for n in (1, 2, 3))
    asked, surplus, short = simulated(Recipe(prompts_per_step=32, refill_batches=4, refill="batch"), 0.8)
    assert asked == pytest.approx(32 * rounds, rel=0.01) and surplus == pytest.approx(1 - 40 / 64, abs=0.01)
    asked, surplus, short = simulated(Recipe(prompts_per_step=32, refill_batches=4), 0.25)
    assert short == pytest.approx(at_most(31, 128, 0.25), abs=0.06) and surplus == 0
    asked, surplus, _ = simulated(Recipe(prompts_per_step=32, refill_batches=4, refill_factor=2.0), 0.8)
    assert 40 < asked < 64 and 0.05 < surplus < 0.3
    assert simulated(Recipe(prompts_per_step=32, refill_batches=2), 0.0) == (64, 0.0, 1.0)


def test_what_is_not_known_is_a_range_of_what_is_possible(tiny: Path) -> None:
    recipe = "recipe={group_size: 4, prompts_per_step: 8, minibatches: 2, refill_batches: 3}"
    experiment = config.load(tiny, [recipe, "budget.rollouts=960"])
    (found,) = forecast(experiment, None)
    assert (found.arm, found.passing, found.prompts, found.steps) == ("rence", None, (8, 24), (10, 30))
    assert (found.surplus, found.short) == ((0, 0), (0, 1))
    voted = config.load(tiny, [recipe, "recipe.reward=majority"])
    assert forecast(voted, RATES)[0].passing is None, "rates of marks say nothing of a vote"
    (known,) = forecast(experiment, RATES)
    assert known.passing and known.prompts[0] == known.prompts[1] and known.short == (0, 0)


def test_rates_are_read_from_the_first_steps_of_a_run_with_the_same_start(tiny: Path, tmp_path: Path) -> None:
    experiment = config.load(tiny)
    made, run = plan.make(experiment, SHIPPED["quickstart-base"]), RunFolder(tmp_path / "tiny")
    assert solve_rates.known(experiment, made, [run.root]) == solve_rates.STATED["quickstart-base", "mini_rl"]
    run.root.mkdir()
    made.write(run.plan)
    for arm, groups in (("rence", 12), ("grpo", 8)):  # of a seed the same prompts: the larger one counts
        counts = {"groups/generated": groups, "groups/all_correct": 1, "groups/all_wrong": 2}
        first = StepRecord(1, 48, 100, 4, groups, {**counts, "generated/score/mean": 0.25})
        run.trial(arm, 0).root.mkdir(parents=True)
        append_jsonl(run.trial(arm, 0).steps, [first.to_json()])
    found = solve_rates.known(experiment, made, [run.root])
    assert found and (found.mean, found.contrast, found.size) == (0.25, 0.75, made.recipe["group_size"])
    assert found.source == f"12 groups of the first steps of {run.root}"
    hotter = config.load(tiny, ["recipe.temperature=0.7"])
    other = plan.make(hotter, SHIPPED["quickstart-base"])
    assert solve_rates.known(hotter, other, [run.root]) is None


def begun(tiny: Path, runs: Path) -> RunFolder:
    """A run of a version without the key: neither its plan nor its resolved file has it."""
    experiment = config.load(tiny, ["recipe.refill=batch"])
    run = RunFolder(runs / experiment.name)
    run.root.mkdir(parents=True)
    prepare(run, experiment, plan.make(experiment, SHIPPED["quickstart-base"]), "the source\n")
    resolved = json.loads(run.resolved.read_text())
    del resolved["recipe"]["refill"], resolved["recipe"]["refill_factor"]
    run.resolved.write_text(json.dumps(resolved))
    assert "refill" not in Plan.read(run.plan).recipe
    return run


def test_a_run_from_before_goes_on_with_batches(tiny: Path, tmp_path: Path) -> None:
    run = begun(tiny, tmp_path)
    before = {path: path.read_bytes() for path in run.root.iterdir()}
    manifest = read(tiny)
    said = as_begun(manifest, tmp_path)
    assert said == f"{run.root} was planned without `recipe.refill`, which means `batch`, and goes on so."
    experiment = config.build(manifest)
    assert experiment.recipe.refill == "batch" and all(arm.recipe.refill == "batch" for arm in experiment.arms)
    prepare(run, experiment, plan.make(experiment, SHIPPED["quickstart-base"]), "the source\n")
    assert {path: path.read_bytes() for path in run.root.iterdir()} == before
    assert config.load_run(run.resolved) == experiment


def test_a_file_that_says_what_it_wants_is_planned_so(tiny: Path, tmp_path: Path) -> None:
    run = begun(tiny, tmp_path)
    manifest = read(tiny, ["recipe.refill=missing"])
    assert as_begun(manifest, tmp_path) == ""
    experiment = config.build(manifest)
    with pytest.raises(UserError, match=r"recipe.refill: \(none\) -> \"missing\""):
        prepare(run, experiment, plan.make(experiment, SHIPPED["quickstart-base"]), "")


def test_a_new_run_asks_for_what_is_missing_and_says_so(tiny: Path, tmp_path: Path) -> None:
    manifest = read(tiny)
    assert as_begun(manifest, tmp_path) == ""
    made = plan.make(config.build(manifest), SHIPPED["quickstart-base"])
    assert made.recipe["refill"] == "missing" and "refill_factor" not in made.recipe
    specs = {arm.name: arm.spec["refill"] for arm in made.arms}
    assert specs == {"rence": "yes, what is missing", "grpo": "no"}
    made = plan.make(config.load(tiny, ["recipe.refill_factor=1.5"]), SHIPPED["quickstart-base"])
    assert {arm.spec["refill"] for arm in made.arms} == {"yes, 1.5 prompts a missing group", "no"}


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("recipe.refill_factor=0.5", "`recipe.refill_factor` must be at least 1"),
        ("recipe={refill: batch, refill_factor: 2}", "`refill_factor` must be 1 where `refill` is batch"),
        ("recipe.refill=all", "`recipe.refill` must be"),
        ("arms.grpo.recipe.refill=batch", "`arms.grpo.recipe.refill` has no effect: `grpo` of this arm asks for no"),
        ("arms.x={algorithm: dapo, refill_dropped: false, recipe: {refill_factor: 2}}", "set `refill_dropped: true`"),
    ],
)
def test_what_cannot_be_is_refused(tiny: Path, override: str, words: str) -> None:
    with pytest.raises(UserError) as refused:
        config.load(tiny, [override])
    assert words in str(refused.value)


def test_what_is_taken_over_and_has_no_effect_is_left_out(tiny: Path, tmp_path: Path) -> None:
    arms = "arms={d: {algorithm: dapo, recipe: {refill: batch}}, e: {extends: d, refill_dropped: false}}"
    experiment = config.load(tiny, [arms, "comparison={target: d, baselines: [e]}"])
    assert [dict(arm.recipe_overrides) for arm in experiment.arms] == [{"refill": "batch"}, {}]
    (tmp_path / "resolved.json").write_text(json.dumps(config.resolved(experiment)))
    assert config.load(tmp_path / "resolved.json") == experiment
