"""What an algorithm sets of the recipe: under what its arm says, over the defaults, never against the shared recipe."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from algorithms.registry import ALL, get
from harness import config
from harness.base.errors import UserError
from harness.config import algorithm_contract
from harness.config.explain import template
from harness.config.load import load_run
from harness.models.resolving import SHIPPED
from harness.planning import plan
from harness.records import Plan

GENERATOR, REFERENCE = "generator_sync_steps", "reference_sync_steps"


@pytest.fixture
def file(tiny: Path) -> Path:
    """`semi_online_dpo` is in line 19."""
    text = tiny.read_text().replace("  rence: {}\n  grpo: {}", "  online_dpo: {}\n  semi_online_dpo: {}")
    tiny.write_text(text.replace("target: rence, baselines: [grpo]", "target: semi_online_dpo"))
    return tiny


def made(path: Path, *overrides: str) -> Plan:
    return plan.make(config.load(path, overrides), SHIPPED["quickstart-base"])


def syncs(path: Path, *overrides: str, arm: str = "semi_online_dpo") -> tuple[int, int]:
    recipe = config.load(path, overrides).arm(arm).recipe
    return recipe.generator_sync_steps, recipe.reference_sync_steps


def test_the_preset_is_online_dpo_with_sampler_and_reference_of_every_ten_steps(file: Path) -> None:
    experiment = config.load(file)
    online, semi = experiment.arms
    assert syncs(file, arm="online_dpo") == (1, 10) and syncs(file) == (10, 10)
    assert (dict(online.recipe_overrides), dict(semi.recipe_overrides)) == ({}, {GENERATOR: 10})
    assert online.fingerprint != semi.fingerprint
    written = config.load(file, [f"arms.w={{algorithm: online_dpo, recipe: {{{GENERATOR}: 10}}}}"]).arm("w")
    assert written.fingerprint == semi.fingerprint


def test_ours_set_what_acts() -> None:
    for algorithm in ALL.values():
        algorithm_contract.settings_of_the_recipe_are_real(algorithm)
    with pytest.raises(AssertionError, match=f"`recipe` sets {REFERENCE}, which has no effect"):
        algorithm_contract.settings_of_the_recipe_are_real(get("semi_online_dpo", ref_policy="init"))


def test_it_is_in_the_plan_its_lock_and_the_spec_sheet(file: Path, tiny: Path) -> None:
    first, second = made(file).arms
    assert (first.recipe_differences, second.recipe_differences) == ({}, {GENERATOR: 10})
    assert first.spec["sync"] == "sampler every step, reference every 10 steps"
    assert second.spec["sync"] == "sampler every 10 steps, reference every 10 steps"
    assert {key for key in first.spec if first.spec[key] != second.spec[key]} == {"sync"}
    own = [made(file, f"arms.semi_online_dpo.recipe.{GENERATOR}={n}").lock for n in (1, 10)]
    assert own[1] == made(file).lock != own[0]


def test_what_is_written_out_loads_to_the_same_experiment(file: Path, tmp_path: Path) -> None:
    experiment = config.load(file)
    data = config.resolved(experiment)
    assert data["recipe"][GENERATOR] == 1 and data["arms"]["semi_online_dpo"]["recipe"] == {GENERATOR: 10}
    again = tmp_path / "resolved.json"
    again.write_text(json.dumps(data))
    for read in (config.load, load_run):
        assert read(again) == experiment
    assert made(again).lock == made(file).lock


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([f"arms.semi_online_dpo.recipe={{{GENERATOR}: 100, {REFERENCE}: 100}}"], (100, 100)),
        ([f"arms.semi_online_dpo.recipe.{GENERATOR}=1"], (1, 10)),
        ([f"recipe.{GENERATOR}=10"], (10, 10)),  # the shared recipe says the same
        ([f"recipe.{GENERATOR}=2", f"arms.semi_online_dpo.recipe.{GENERATOR}=2"], (2, 10)),
        ([f"recipe.{REFERENCE}=5", f"arms.semi_online_dpo.recipe.{REFERENCE}=5"], (10, 5)),
        (["recipe.epochs=1"], (10, 10)),
    ],
)
def test_the_arms_own_goes_first(file: Path, overrides: list[str], expected: tuple[int, int]) -> None:
    assert syncs(file, *overrides) == expected


def test_an_arm_that_extends_it_has_its_settings_and_its_own(file: Path) -> None:
    base = f"arms.semi_online_dpo.recipe.{REFERENCE}=20"
    for own, expected in (("", (10, 20)), (f", recipe: {{{GENERATOR}: 5}}", (5, 20))):
        assert syncs(file, base, f"arms.more={{extends: semi_online_dpo{own}, beta: 0.2}}", arm="more") == expected


def test_a_factor_goes_before_it(file: Path) -> None:
    grid = f"grid={{base: semi_online_dpo, factors: {{recipe.{GENERATOR}: [1, 10, 100]}}}}"
    arms = {arm.name: arm.recipe for arm in config.load(file, [grid]).arms}
    assert [arms[f"semi_online_dpo.{GENERATOR}-{n}"].generator_sync_steps for n in (1, 100)] == [1, 100]
    assert {recipe.reference_sync_steps for recipe in arms.values()} == {10} and len(arms) == 4


@pytest.mark.parametrize(
    ("shared", "said"),
    [
        (
            f"{GENERATOR}: 1",  # the recipe's default, but the user wrote it
            f"`recipe.{GENERATOR}` is 1 for all arms, but `semi_online_dpo`, the algorithm of the arm `lag`, sets 10.\n"
            f"Say for this arm which it is: `arms.lag.recipe: {{{GENERATOR}: 10}}`, or values of your own; or remove "
            "it from the shared recipe.",
        ),
        (
            f"{GENERATOR}: 2, {REFERENCE}: 5",
            f"`recipe.{GENERATOR}` is 2 and `recipe.{REFERENCE}` is 5 for all arms, but `semi_online_dpo`, the "
            f"algorithm of the arm `lag`, sets 10 and 10.\nSay for this arm which it is: `arms.lag.recipe: "
            f"{{{GENERATOR}: 10, {REFERENCE}: 10}}`, or values",
        ),
    ],
)
def test_a_shared_recipe_that_says_otherwise_is_refused(file: Path, shared: str, said: str) -> None:
    text = file.read_text().replace("semi_online_dpo", "lag").replace("lag: {}", "lag: {algorithm: semi_online_dpo}")
    recipe = re.sub(r"recipe:\n(  .*\n)+", f"recipe: {{group_size: 4, prompts_per_step: 8, {shared}}}\n", text)
    file.write_text(recipe)
    with pytest.raises(UserError, match=re.escape(f"{file}:9: {said}")):
        config.load(file)
    # the two ways out that it names
    config.load(file, [f"arms.lag.recipe={{{GENERATOR}: 10, {REFERENCE}: 10}}"])
    file.write_text(recipe.replace(f", {shared}", ""))
    assert syncs(file, arm="lag") == (10, 10)


def test_a_new_experiments_file_names_the_line_to_change(tmp_path: Path) -> None:
    """It has every key of the recipe, at its default."""
    file, text = tmp_path / "new.yaml", template()
    file.write_text(
        text.replace("rence: {}", "semi_online_dpo: {}").replace("target: rence", "target: semi_online_dpo")
    )
    line = 1 + [line.strip() for line in file.read_text().splitlines()].index(f"{GENERATOR}: 1")
    with pytest.raises(UserError, match=rf"new.yaml:{line}: `recipe.{GENERATOR}` is 1 for all arms"):
        config.load(file)


@pytest.mark.parametrize("arm", ["semi_online_dpo", "lag"])
def test_it_is_not_tuned_over_the_algorithm(file: Path, arm: str) -> None:
    def tuned(setting: str, value: Any) -> list[str]:
        block = {"grid": {setting: [value, 2 * value]}, "seeds": [9], "benchmarks": {"mini_validation": 1}}
        return [
            f"tuning={json.dumps(block)}",
            f"arms={{online_dpo: {{}}, {arm}: {{algorithm: semi_online_dpo}}}}",
            f"comparison.target={arm}",
        ]

    with pytest.raises(
        UserError, match=rf"`recipe.{GENERATOR}` is tuned here, but `semi_online_dpo`, the algorithm of"
    ):
        config.load(file, tuned(f"recipe.{GENERATOR}", 1))
    search = config.load(file, tuned("recipe.learning_rate", 1e-4)).search
    assert search and {one.recipe.generator_sync_steps for one in search.arms[arm]} == {10}


def test_verl_takes_it_too(file: Path) -> None:
    file.write_text(f"{file.read_text()}verl: {{device: cpu, gpus_per_node: 2, max_prompt_tokens: 64}}\n")
    assert syncs(file, "backend=verl") == (10, 10)
