"""Sweeps in experiment files: the arms that they make, the design, the cap, and what is refused."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from harness import config
from harness.base.errors import UserError
from harness.config.experiment import Experiment
from harness.config.explain import explain
from harness.models.resolving import SHIPPED
from harness.planning import plan
from harness.records import Plan, Sweep

ARMS = "arms:\n  rence: {}\n  grpo: {}\n"


@pytest.fixture
def load(tiny: Path):
    """Load the small experiment with its arms, or what follows them, replaced; `arms` stand in line 17."""
    before = tiny.read_text(encoding="utf-8")

    def read(text: str, *overrides: str) -> Experiment:
        tiny.write_text(before.replace(ARMS, text).replace("comparison: {target: rence, baselines: [grpo]}\n", ""))
        return config.load(tiny, overrides)

    return read


def names(experiment: Experiment) -> list[str]:
    return [arm.name for arm in experiment.arms]


def test_an_arm_extends_another_over_several_steps(load) -> None:
    experiment = load(
        """arms:
  third: {extends: second, clip_low: 0.3}
  second: {extends: dapo, clip_high: 0.5, title: Second, recipe: {epochs: 4}}
  dapo: {clip_low: 0.1, recipe: {epochs: 3, temperature: 0.9}}
comparison: {target: dapo}
"""
    )
    third = experiment.arm("third")
    assert names(experiment) == ["third", "second", "dapo"]
    assert third.algorithm_name == "dapo" and third.recipe_overrides == {"epochs": 4, "temperature": 0.9}
    assert (third.algorithm.clip_low, third.algorithm.clip_high) == (0.3, 0.5)  # type: ignore[attr-defined]
    assert (third.title, experiment.arm("second").title) == ("", "Second"), "a title is not handed down"
    assert experiment.comparison.baselines == ["third", "second"], "left out: all other arms"


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        ("a: {extends: gropo}", "tiny.yaml:20: there is no arm `gropo`. Did you mean `grpo`?"),
        ("a: {extends: a}", "tiny.yaml:20: arms may not extend each other in a circle: a -> a."),
        ("a: {extends: b}\n  b: {extends: a}", "tiny.yaml:21: arms may not extend each other in a circle: a -> b -> a"),
        ("a: {extends: [grpo]}", 'tiny.yaml:20: `arms.a.extends` must be the name of an arm, but is ["grpo"] instead.'),
        ("a: {extends: grpo, algorithm: dapo}", "tiny.yaml:20: `arms.a` extends `grpo` and has its algorithm."),
        ("a: {extends: grpo, clip_lo: 1}", "tiny.yaml:20: `arms.a.clip_lo` is not a key. Did you mean `clip_low`?"),
        ("a: {extends: grpo, recipe: 3}", "tiny.yaml:20: `arms.a.recipe` must be a mapping, but is 3 instead."),
        ("a.: {extends: grpo}", "cannot be an arm's name: a name is letters, digits, `_`, `-`, and dots between them."),
        ("a..b: {extends: grpo}", "cannot be an arm's name: a name is letters"),
        (".a: {extends: grpo}", "cannot be an arm's name: a name is letters"),
    ],
)
def test_a_bad_extension_is_named(load, arm: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        load(f"{ARMS}  {arm}\n")
    assert message in str(caught.value)


def test_a_full_grid_has_every_combination_once(load) -> None:
    experiment = load(
        """arms: {rence: {t_easy: 0.9}}
grid:
  base: rence
  design: full
  factors:
    nce_form: [sum_log_nce, log_sum]
    t_easy: [0.9, 1]
    updates: {"4": {recipe.epochs: 2, recipe.minibatches: 2}, "1": {recipe.epochs: 1, recipe: {minibatches: 1}}}
"""
    )
    assert len(experiment.arms) == len(set(names(experiment))) == 8
    assert names(experiment)[:3] == ["rence", "rence.updates-1", "rence.t_easy-1"]
    last = experiment.arm("rence.nce_form-log_sum.t_easy-1.updates-1")
    assert last.title == "ReNCE (reconstruction) · nce_form log_sum · t_easy 1 · updates 1"
    assert last.recipe_overrides == {"epochs": 1, "minibatches": 1}
    assert (last.algorithm.nce_form, last.algorithm.t_easy) == ("log_sum", 1.0)  # type: ignore[attr-defined]
    (sweep,) = experiment.sweeps
    assert (sweep.kind, sweep.base, len(sweep.cells)) == ("full", "rence", 8)
    assert sweep.factors == {"nce_form": ["sum_log_nce", "log_sum"], "t_easy": ["0.9", "1"], "updates": ["4", "1"]}
    assert sweep.cells[last.name] == {"nce_form": "log_sum", "t_easy": "1", "updates": "1"}
    assert (experiment.comparison.target, len(experiment.comparison.baselines)) == ("rence", 7)


def test_one_factor_at_a_time_around_several_bases(load) -> None:
    experiment = load(
        """arms: {rence: {}, dapo: {recipe: {learning_rate: 1e-3}}}
grid:
  base: [rence, dapo]
  factors: {recipe.learning_rate: [1e-4, 1e-3], recipe: {epochs: [1, 2]}}
"""
    )
    assert names(experiment)[2:] == [
        "rence.learning_rate-0.0001",
        "rence.learning_rate-0.001",
        "rence.epochs-1",
        "dapo.learning_rate-0.0001",
        "dapo.epochs-1",
    ]
    rence, dapo = experiment.sweeps
    assert rence.factors == {"learning_rate": ["0.0003", "0.0001", "0.001"], "epochs": ["1", "2"]}
    assert dapo.factors["learning_rate"] == ["0.0001", "0.001"], "the base's own is among them"
    assert dapo.cells["dapo.epochs-1"] == {"learning_rate": "0.001", "epochs": "1"}
    assert experiment.arm("dapo.epochs-1").recipe_overrides == {"learning_rate": 1e-3, "epochs": 1}


def test_an_ablation_takes_one_piece_at_a_time(load) -> None:
    experiment = load(
        """arms: {dapo: {}}
ablate:
  base: dapo
  pieces: {clip-higher: {clip_high: 0.2}, "the overlong penalty": {overlong_factor: 0, recipe.epochs: 1}}
"""
    )
    assert names(experiment) == ["dapo", "dapo.minus-clip-higher", "dapo.minus-the_overlong_penalty"]
    assert experiment.arms[2].title == "DAPO minus the overlong penalty"
    assert experiment.arms[2].algorithm == replace(experiment.arms[0].algorithm, overlong_factor=0.0)
    assert experiment.arms[2].recipe.epochs == 1
    assert experiment.sweeps[0].cells["dapo.minus-clip-higher"] == {"clip-higher": "off", "the overlong penalty": "on"}


def test_two_sweeps_share_the_arms_that_they_have_in_common(load) -> None:
    one = "{base: rence, factors: {t_easy: [0.8, 1], nce_form: [log_sum]}}"
    two = "{base: rence, design: full, factors: {t_easy: [0.8, 1]}}"
    experiment = load(f"arms: {{rence: {{}}}}\ngrid: [{one}, {two}]\n")
    assert names(experiment) == ["rence", "rence.t_easy-1", "rence.nce_form-log_sum"]
    assert [len(sweep.cells) for sweep in experiment.sweeps] == [3, 2]


def test_factors_can_be_changed_on_the_command_line(load) -> None:
    text = "arms: {rence: {}}\ngrid: {base: rence, factors: {recipe.epochs: [1], t_easy: [1]}}\n"
    experiment = load(text, "grid.factors.recipe.epochs=[3, 4]", "grid.factors.t_easy=[0.9]")
    assert names(experiment) == ["rence", "rence.epochs-3", "rence.epochs-4", "rence.t_easy-0.9"]


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ("grid: 3", "tiny.yaml:20: `grid` must be a mapping or a list of mappings, but is 3 instead."),
        ("grid: {base: renc, factors: {t_easy: [1]}}", "tiny.yaml:20: there is no arm `renc`. Did you mean `rence`?"),
        ("grid: {base: rence}", "tiny.yaml:20: `grid.factors` is missing."),
        ("grid: {base: rence, factors: {}}", "tiny.yaml:20: `grid.factors` must be longer: it may not be empty"),
        ("grid: {base: rence, factors: {t_esy: [1]}}", "has no setting `t_esy`. Did you mean `t_easy`?"),
        ("grid: {base: rence, factors: {recipe.epoch: [1]}}", "Did you mean `recipe.epochs`?"),
        ("grid: {base: rence, factors: {clip_low: [0.1]}}", "the arm `rence` has no setting `clip_low`. "),
        ("grid: {base: rence, factors: {t_easy: 1}}", "`grid.factors.t_easy` must be a list of values to try, but"),
        ("grid: {base: rence, factors: {t_easy: []}}", "`grid.factors.t_easy` must hold values to try, but is []"),
        ("grid: {base: rence, factors: {t_easy: [1, 1.0]}}", "`grid.factors.t_easy` holds 1 twice. Remove one of"),
        ("grid:\n  base: rence\n  factors:\n    t_easy: [1, 3]", "tiny.yaml:23: `t_easy` must be in (0, 1], but is 3"),
        (
            "grid: {base: rence, factors: {t_easy: [x]}}",
            '`arms.rence.t_easy-x.t_easy` must be a number, but is "x" instead.',
        ),
        ("grid: {base: rence, factors: {recipe.minibatches: [3]}}", "tiny.yaml:20: `minibatches` must divide"),
        (
            "grid: {base: rence, factors: {t_easy: [1], x: {a: {t_easy: 0.9}}}}",
            "tiny.yaml:20: `x` and `t_easy` both set `t_easy`.",
        ),
        (
            "grid: {base: rence, design: full, factors: {t_easy: [0.9, 1]}}",
            "`t_easy` of a full grid must be tried at what the base `rence` has (0.8)",
        ),
        (
            "grid: {base: rence, design: full, factors: {x: {a: {t_easy: 1}, b: {t_easy: 0.9}}}}",
            "`x` of a full grid must be tried at what the base `rence` has (as rence)",
        ),
        (
            f"grid: {{base: rence, design: full, factors: {{kl_coef: {[0.001, *range(1, 40)]}, "
            f"recipe.learning_rate: {[3e-4, *range(1, 40)]}}}}}",
            "this grid has 1,600 combinations; at most",
        ),
        ("grid: {base: rence, design: ful, factors: {t_easy: [1]}}", "`grid.design` must be `full` or `one_at_a_time`"),
        ("grid: {base: rence, factor: {t_easy: [1]}}", "`grid.factor` is not a key. Did you mean `factors`?"),
        ("ablate: {base: rence, pieces: {x: {t_easy: 0.8}}}", "`ablate.pieces.x` turns nothing off: the arm `rence`"),
        ("ablate: {base: rence, pieces: {x: 3}}", "`ablate.pieces.x` must be settings with their values, but is 3"),
        (
            "ablate: {base: rence, pieces: {x y: {t_easy: 1}, x_y: {t_easy: 0.9}}}",
            "this makes an arm `rence.minus-x_y`, but there is another one of that name. Rename that one.",
        ),
    ],
)
def test_a_bad_sweep_is_named_with_its_line(load, sweep: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        load(f"{ARMS}{sweep}\ncomparison: {{target: rence}}\n")
    assert message in str(caught.value)
    assert "tiny.yaml:" in str(caught.value) and len(str(caught.value).splitlines()) == 1


def test_without_a_sweep_the_target_must_be_said(load) -> None:
    with pytest.raises(UserError, match=r"`comparison.target` is missing"):
        load(ARMS)


@pytest.mark.parametrize(
    ("cap", "message"),
    [
        # 3 arms x 2 seeds of 96 rollouts
        ("{trials: 5}", "is 5, but 3 arms x 2 seeds are 6 trials. What fits: 2 of 3 arms or 1 of 2 seeds."),
        ("{rollouts: 575}", "are 576 rollouts. What fits: 2 of 3 arms or 1 of 2 seeds."),
        ("{trials: 1}", "What fits: nothing of it."),
        ("{trials: 6, rollouts: 576}", ""),
        ("{trials: 0}", "`cap.trials` must be at least 1, but is 0 instead."),
    ],
)
def test_a_cap_bounds_the_whole_experiment(load, cap: str, message: str) -> None:
    text = f"arms: {{rence: {{}}}}\ngrid: {{base: rence, factors: {{t_easy: [0.9, 1]}}}}\ncap: {cap}\n"
    if not message:
        assert len(load(text).arms) == 3
        return
    with pytest.raises(UserError) as caught:
        load(text)
    assert "tiny.yaml:19: " in str(caught.value) and message in str(caught.value)


def test_the_cap_counts_tuning(load) -> None:
    tuning = "tuning: {grid: {recipe.learning_rate: [1e-4, 1e-3]}, seeds: [9], benchmarks: {mini_validation: 1}}"
    text = f"arms: {{rence: {{}}, grpo: {{}}}}\ncomparison: {{target: rence}}\n{tuning}\ncap: {{trials: "
    assert load(f"{text}8}}\n").search.trials == 4  # type: ignore[union-attr]
    with pytest.raises(UserError) as caught:
        load(f"{text}7}}\n")
    assert "2 arms x 2 seeds are 4 trials, and their tuning 4 more. What fits: 1 of 2 arms or 1 of 2 seeds." in str(
        caught.value
    )


def test_a_plan_holds_the_design_and_an_old_one_none(load, tiny: Path, tmp_path: Path) -> None:
    experiment = load("arms: {rence: {}}\ngrid: {base: rence, factors: {t_easy: [1]}}\n")
    made = plan.make(experiment, SHIPPED["quickstart-base"])
    made.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json") == made
    (sweep,) = json.loads((tmp_path / "plan.json").read_text())["sweeps"]
    cells = {"rence": {"t_easy": "0.8"}, "rence.t_easy-1": {"t_easy": "1"}}
    assert sweep == asdict(Sweep("one_at_a_time", "rence", {"t_easy": ["0.8", "1"]}, cells))
    assert made.arms[1].title == "ReNCE (reconstruction) · t_easy 1"
    by_hand = "arms: {rence: {}, rence.t_easy-1: {extends: rence, t_easy: 1}}\ncomparison: {target: rence}\n"
    plain = plan.make(load(by_hand), None)
    assert "sweeps" not in plain.to_json(), "and so plans without a sweep keep their lock"
    assert plain.arms[1].fingerprint == made.arms[1].fingerprint, "an arm is what it computes, however it was written"


def test_a_sweep_survives_being_written_out(load, tmp_path: Path) -> None:
    experiment = load(
        """arms: {rence: {}, dapo: {}}
grid: {base: rence, design: full, factors: {t_easy: [0.8, 1], recipe.learning_rate: [3e-4, 1e-3]}}
ablate: {base: dapo, pieces: {clip-higher: {clip_high: 0.2}}}
tuning: {grid: {recipe.adam_beta2: [0.9, 0.99]}, seeds: [9], benchmarks: {mini_validation: 1}}
cap: {rollouts: 10_000}
"""
    )
    (tmp_path / "resolved.json").write_text(json.dumps(config.resolved(experiment)))
    assert config.load(tmp_path / "resolved.json") == experiment


def test_the_new_keys_are_explained() -> None:
    assert "factors: what is changed: a hyper-parameter or `recipe.x`" in explain("grid")
    assert "one of full, one_at_a_time" in explain("grid.design")
    assert "turn it off" in explain("ablate.pieces")
    assert "integer or null" in explain("cap.trials")
    assert "null: as many as the experiment's" in explain("tuning.budget.rollouts")
    assert "another arm, whose algorithm" in explain("arms.dapo.extends")


def test_what_the_how_to_shows_loads(load) -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "sweeps.md").read_text(encoding="utf-8")
    sweep, tuning = (part.partition("```")[0] for part in page.split("```yaml parse\n")[1:])
    experiment = load(sweep)
    assert len(experiment.arms) == 3 + 7 + 2 and [len(one.cells) for one in experiment.sweeps] == [8, 3]
    assert {"rence.margin_mode-none.updates-16", "dapo.minus-clip-higher"} <= set(names(experiment))
    tuned = load(f"{ARMS}comparison: {{target: rence}}\n{tuning}").search
    assert tuned is not None and tuned.trials == 6


@pytest.mark.parametrize(
    ("name", "arms", "kinds"),
    [
        ("dapo", 5, ["ablate"]),
        ("rence", 24, ["full"]),
        ("updates_per_rollout", 9, ["one_at_a_time"] * 3),
        ("group_size", 6, ["one_at_a_time"] * 2),
        ("dpo_sync", 6, ["one_at_a_time"]),
        ("quickstart", 8, ["full", "ablate"]),
    ],
)
def test_the_ablations_that_are_shipped(name: str, arms: int, kinds: list[str]) -> None:
    experiment = config.load(Path(__file__).parents[2] / "configs" / "ablations" / f"{name}.yaml")
    assert len(experiment.arms) == arms and [sweep.kind for sweep in experiment.sweeps] == kinds
    assert experiment.cap.trials is not None and len({arm.fingerprint for arm in experiment.arms}) == arms
    steps = {arm.recipe.group_size * arm.recipe.prompts_per_step for arm in experiment.arms}
    assert steps == {256}, "rollouts of a step"
