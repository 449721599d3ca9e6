"""The locked plan, and what it is said to cost."""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import pytest
from safetensors import safe_open

from algorithms.registry import get
from benchmarks import registry
from harness import config
from harness.backends.registry import get_backend
from harness.backends.verl.options import VerlSettings
from harness.base.errors import USAGE, UserError
from harness.base.fingerprint import fingerprint
from harness.config.experiment import Arm
from harness.config.training_recipe import OWN, Recipe
from harness.models import resolving
from harness.models.resolving import SHIPPED
from harness.planning import costs, plan
from harness.records import CollapseRule, Comparison, Plan
from harness.records.differences import differences
from harness.records.fields import LATER

ROOT = Path(__file__).parents[2]


def made(tiny: Path, *overrides: str) -> Plan:
    return plan.make(config.load(tiny, overrides), SHIPPED["quickstart-base"])


def test_equal_experiments_have_equal_locks_and_a_plan_survives_its_file(tiny: Path, tmp_path: Path) -> None:
    before = made(tiny)
    assert before == made(tiny)
    before.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json") == before


def test_settings_that_came_later_leave_the_locks_of_plans_without_them(tiny: Path) -> None:
    plain, control = made(tiny), made(tiny, "arms.grpo.recipe.reward=random")
    assert list(plain.evaluation) == ["points", "temperature", "top_p", "max_tokens", "chunk_problems", "seed"]
    assert list(plain.to_json()["comparison"]) == ["target", "baselines", "estimand", "alpha"]
    assert "reward" not in plain.recipe and "reward" not in control.recipe
    before, after = config.load(tiny).arm("grpo"), config.load(tiny, ["recipe.reward=label"]).arm("grpo")
    idle = ("reward", "microbatch_tokens", "checkpoint_steps", "reference_sync_steps")
    idle += ("refill_batches", "refill", "refill_factor", "lora", *OWN)
    recipe = {key: value for key, value in asdict(before.recipe).items() if key not in idle}
    assert before.fingerprint == after.fingerprint == fingerprint(spec=before.algorithm.spec(), recipe=recipe)


def test_what_counts_as_a_collapse_is_in_the_plan_and_old_plans_read_as_the_default(tiny: Path, tmp_path: Path) -> None:
    def read_back(*overrides: str) -> Comparison:
        made(tiny, *overrides).write(tmp_path / "plan.json")
        return Plan.read(tmp_path / "plan.json").comparison

    assert "collapse" not in made(tiny).to_json()["comparison"]
    old = read_back()
    assert (old.pair_seeds, old.collapse) == (False, CollapseRule(below_start=True, towards_start=0.5))
    assert read_back("comparison.collapse=null").collapse is None
    stated = read_back("comparison.collapse.towards_start=0.2", "comparison.pair_seeds=true")
    assert (stated.pair_seeds, stated.collapse) == (True, CollapseRule(True, 0.2))


@pytest.mark.parametrize(
    ("algorithm", "changes", "another"),
    [
        ("grpo", {"kl_coef": 0.05}, True),
        ("grpo", {"std_ddof": 0}, True),
        ("dr_grpo", {"std_ddof": 0}, False),  # there is no deviation
        ("dr_grpo", {"kl_estimator": "k2"}, False),  # there is no KL
        ("dapo", {"overlong_factor": 0.0, "overlong_buffer": 0.5}, True),
        ("rence", {"margin_warmup": 0.9}, False),  # the margin does not rise
        ("rence", {"margin_mode": "none"}, True),
        ("grpo", {"recipe": {"learning_rate": 1e-3}}, True),
        ("grpo", {"recipe": {"epochs": 1}}, True),
        ("grpo", {"recipe": {"microbatch_tokens": 512}}, False),
        ("grpo", {"recipe": {"checkpoint_steps": 3}}, False),
        ("grpo", {"recipe": {"reference_sync_steps": 3}}, False),  # its reference is the initial model
        ("online_dpo", {"recipe": {"reference_sync_steps": 3}}, True),
        ("grpo", {"recipe": {"refill_batches": 2}}, False),  # it drops nothing
        ("dapo", {"recipe": {"refill_batches": 2}}, True),
        ("dapo", {"recipe": {"refill": "missing"}}, False),
        ("dapo", {"recipe": {"refill": "batch"}}, True),
        ("dapo", {"recipe": {"refill_factor": 1.5}}, True),
    ],
)
def test_a_fingerprint_changes_with_the_meaning_alone(
    algorithm: str, changes: dict[str, object], another: bool, tiny: Path
) -> None:
    def hashed(**arm: object) -> str:
        text = json.dumps({"algorithm": algorithm, **arm})
        return config.load(tiny, [f"arms.it={text}"]).arm("it").fingerprint

    assert (hashed(**changes) != hashed()) == another


def test_fingerprints_are_stable() -> None:
    """A changed hash tells every user that his arms are not what they were: on purpose, or not at all."""

    def found(recipe: Recipe) -> dict[str, str]:
        return {name: Arm(name, name, get(name), recipe).fingerprint for name in ("grpo", "dapo", "rence")}

    as_before = {"grpo": "a46cb66a36761c50", "dapo": "a3c314bb05c04917", "rence": "07672e83739ffdb3"}
    assert found(Recipe(refill="batch")) == found(Recipe(refill="batch", refill_factor=2.0)) == as_before
    now = {"grpo": "a46cb66a36761c50", "dapo": "1ba460b2c72ea266", "rence": "0c031c59b82f521e"}
    assert found(Recipe()) == now


def test_an_arm_is_described_with_what_the_recipe_decides(tiny: Path) -> None:
    spec = made(tiny, "arms.it={algorithm: online_dpo, recipe: {epochs: 3}}").arms[-1].spec
    assert spec["updates per rollout batch"] == "6 (3 × 2 mini-batches)"
    assert spec["sync"] == "sampler every step, reference every 10 steps"


def test_a_control_is_another_arm_and_a_departure_from_the_recipe(tiny: Path) -> None:
    plain, control = made(tiny), made(tiny, "arms.grpo.recipe.reward=random")
    assert list(differences(plain.to_json(), control.to_json())) == [
        'arms.grpo.spec.label: (none) -> "control: a fair coin, whatever the answer"',
        'arms.grpo.recipe_differences.reward: (none) -> "random"',
    ]
    assert "label" not in control.arms[0].spec
    every = made(tiny, "recipe.reward=format")
    assert [arm.spec["label"] for arm in every.arms] == 2 * ["control: whether a final answer was found"]
    voted = made(tiny, "arms.rence.recipe.reward=majority").arms[0]
    assert voted.spec["label"] == "majority vote of the group, no gold answer"
    ours = [arm.fingerprint for arm in (*plain.arms, *control.arms)]
    assert ours[0] == ours[2] and len({ours[1], ours[3]}) == 2
    assert made(tiny, "recipe.reward=format").recipe["reward"] == "format"


def test_a_limit_of_problems_is_in_the_costs(tiny: Path) -> None:
    experiment = config.load(tiny, ["evaluation.limit=5"])
    asked = registry.benchmark("mini_sums").first(experiment.evaluation.limit)
    cost = costs.estimate(experiment, SHIPPED["quickstart-base"], {"mini_sums": asked.count})
    assert cost.attempts == 5 + 4 * 2 * 5, "the untrained model, and 4 trials at 2 points"


@pytest.mark.parametrize(
    "override",
    [
        "seeds=[0,1,2]",
        "budget.rollouts=97",
        "recipe.learning_rate=1e-4",
        "recipe.reward=random",
        "arms.grpo.recipe.reward=format",
        "arms.grpo.clip_low=0.1",
        "evaluation.benchmarks.mini_sums=2",
        "evaluation.curve.mini_unseen=1",
        "evaluation.seed=1",
        "evaluation.limit=5",
        "evaluation.second_marker=true",
        "evaluation.engine=hf",
        "comparison.target=grpo comparison.baselines=[rence]",
        "comparison.alpha=0.01",
        "comparison.margin=0.02",
        "comparison.pair_seeds=true",
        "comparison.collapse=null",
        "comparison.collapse.below_start=false",
        "tuning.tried=3",
    ],
)
def test_whatever_fixes_the_meaning_of_a_number_changes_the_lock(tiny: Path, override: str) -> None:
    assert made(tiny, *override.split()).lock != made(tiny).lock


def test_a_plan_for_verl_holds_its_settings_and_another_does_not(tiny: Path, on_verl: Path, tmp_path: Path) -> None:
    before = made(on_verl)
    assert before.backend_settings["gpus_per_node"] == 2
    before.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json") == before
    after = made(on_verl, "verl.importance_cap=2", "verl.offload=[params]")
    assert list(differences(before.to_json(), after.to_json())) == [
        'verl.offload: [] -> ["params"]',
        "verl.importance_cap: (none) -> 2.0",
    ]
    assert after.lock != before.lock
    assert "verl" not in made(on_verl, "backend=local", "verl=null").to_json()


def test_a_changed_plan_is_refused_with_its_differences(tiny: Path) -> None:
    before = made(tiny)
    changed = ["recipe.learning_rate=1e-4", "seeds=[0]", "arms.dapo={}", "arms.grpo.clip_low=0.1"]
    after = made(tiny, *changed)
    with pytest.raises(UserError) as caught:
        plan.check_unchanged(before, after, Path("runs/tiny"))
    message = str(caught.value)
    assert "recipe.learning_rate: 0.0003 -> 0.0001" in message
    assert "seeds: [0, 1] -> [0]" in message
    assert "arms.grpo.hyperparameters.clip_low: 0.2 -> 0.1" in message
    assert "arms.dapo: (none) -> " in message
    assert "--clean" in message
    assert caught.value.exit_code == USAGE
    plan.check_unchanged(before, replace(before), Path("runs/tiny"))


@pytest.mark.parametrize(
    ("override", "another"),
    [
        ("recipe.microbatch_tokens=512", False),
        ("recipe.checkpoint_steps=2", False),
        ("arms.grpo.recipe.microbatch_tokens=512", False),
        ("verl.nodes=2", False),
        ("verl.gpus_per_node=4", False),
        ("verl.tensor_parallel=2", False),
        ("verl.gradient_checkpointing=true", False),
        ("verl.offload=[params]", False),
        ("verl.sampler_memory=0.4", False),
        ("verl.stall_seconds=9", False),
        ("verl.flash_attention=false", False),
        ("verl.remove_padding=false", True),
        ("verl.precision=bf16", True),
        ("verl.importance_cap=2", True),
        ("verl.max_prompt_tokens=63", True),
        ("verl.overrides.actor_rollout_ref.rollout.max_num_seqs=8", True),
    ],
)
def test_settings_that_change_no_results_meaning_leave_the_lock(on_verl: Path, override: str, another: bool) -> None:
    before, after = made(on_verl), made(on_verl, override)
    assert list(differences(before.to_json(), after.to_json())), "the plan says what it was made with"
    assert (after.lock != before.lock) == another
    if not another:
        plan.check_unchanged(before, after, Path("runs/tiny"))


def test_device_decides_other_settings_and_so_is_part_of_the_lock(on_verl: Path) -> None:
    assert made(on_verl, "verl.device=gpu", "verl.precision=fp32").lock != made(on_verl).lock


def as_version_1(now: Plan) -> Plan:
    """As plans were written and locked before: a hash of all of it, and no word of a rule."""
    old = replace(now, lock="", lock_version=1, seals=0, unlocked={})
    return replace(old, lock=fingerprint(plan=old.to_json()))


def test_a_plan_of_the_first_rule_is_accepted_and_refused_as_one_of_the_second(on_verl: Path, tmp_path: Path) -> None:
    """The lock is that of the version that wrote such plans, for this experiment."""
    as_version_1(made(on_verl)).write(tmp_path / "plan.json")
    old = Plan.read(tmp_path / "plan.json")
    assert old.lock_version == 1 and "lock_version" not in old.to_json()
    plan.check_unchanged(old, made(on_verl), tmp_path)
    plan.check_unchanged(old, made(on_verl, "verl.sampler_memory=0.4", "recipe.microbatch_tokens=500"), tmp_path)
    with pytest.raises(UserError, match=r"recipe.learning_rate: 0.0003 -> 0.001"):
        plan.check_unchanged(old, made(on_verl, "recipe.learning_rate=1e-3"), tmp_path)


@pytest.mark.parametrize(
    ("path", "lock", "then"),
    [
        ("smoke.yaml", "2e8b54e6597404cd", []),
        (
            "paper/smoke_qwen3_0.6b.yaml",
            "4b7fa302dc5ad39d",
            [
                "arms={rence: {}, grpo: {}, dapo: {}, online_dpo: {}}",
                "comparison.baselines=[grpo, dapo, online_dpo]",
                "verl.flash_attention=true",
            ],
        ),
    ],
)
def test_the_first_rule_gives_the_locks_that_it_gave(path: str, lock: str, then: list[str]) -> None:
    """Written down from commit 6b4d70b, and with what the file said then."""
    experiment = config.load(ROOT / "configs" / path, ["recipe.refill=batch", *then])
    assert as_version_1(plan.make(experiment, resolving.find(experiment.model))).lock == lock


@dataclass(frozen=True)
class LaterRecipe(Recipe):
    """With a key that some later version has added."""

    dropout: float = field(default=0.0, metadata=LATER)
    """0.0 is what was done before"""


@dataclass(frozen=True)
class LaterSettings(VerlSettings):
    patience: int = field(default=3, metadata=LATER)
    """3 is what was done before"""


def test_a_key_that_comes_later_leaves_plans_without_it_as_they_are(on_verl: Path, tmp_path: Path) -> None:
    before = config.load(on_verl)

    def later(dropout: float = 0.0, patience: int = 3) -> Plan:
        recipe = LaterRecipe(**asdict(before.recipe), dropout=dropout)
        arms = tuple(replace(arm, recipe=LaterRecipe(**asdict(arm.recipe), dropout=dropout)) for arm in before.arms)
        settings = LaterSettings(**asdict(before.backend_settings), patience=patience)
        return plan.make(replace(before, recipe=recipe, arms=arms, backend_settings=settings), None)

    old = plan.make(before, None)
    assert later().to_json() == old.to_json()
    assert len({old.lock, later(dropout=0.1).lock, later(patience=4).lock}) == 3
    assert later(dropout=0.1).recipe["dropout"] == 0.1 and later(patience=4).backend_settings["patience"] == 4
    assert later().arms[0].fingerprint == old.arms[0].fingerprint != later(dropout=0.1).arms[0].fingerprint
    as_version_1(old).write(tmp_path / "plan.json")
    plan.check_unchanged(Plan.read(tmp_path / "plan.json"), later(), tmp_path)


def fake_model(folder: Path, *shapes: list[int]) -> Path:
    """A safetensors file that has the headers of these tensors and no data."""
    header = json.dumps({"__metadata__": {}, **{str(i): {"shape": shape} for i, shape in enumerate(shapes)}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    return folder


def test_parameters_are_counted_from_headers(tmp_path: Path) -> None:
    assert costs.parameters(fake_model(tmp_path, [3, 5], [7])) == 22
    assert costs.parameters(tmp_path / "nowhere") is None
    with safe_open(SHIPPED["quickstart-base"] / "model.safetensors", "numpy") as tensors:
        counted = sum(tensors.get_tensor(name).size for name in tensors.keys())  # noqa: SIM118  not a dict
    assert costs.parameters(SHIPPED["quickstart-base"]) == counted


def test_costs_by_hand(tiny: Path, tmp_path: Path) -> None:
    # 2 arms x 2 seeds = 4 trials of 96 rollouts of at most 48 tokens; the untrained model and each trial's last
    # point ask 200 problems once, the one earlier point asks the same benchmark once more: 200 + 4 (200 + 200)
    experiment = config.load(tiny, ["arms.rence.kl_mode=off", "arms.grpo.kl_coef=0"])
    cost = costs.estimate(experiment, fake_model(tmp_path, [1000]), {"mini_sums": 200})
    assert (cost.trials, cost.rollouts, cost.attempts) == (4, 384, 1800)
    assert (cost.train_tokens, cost.evaluation_tokens) == (384 * 48, 1800 * 48)
    # forward of every token (2 a parameter), forward and backward of 2 epochs (6 each)
    sampling, training = 2 * 1000 * (384 + 1800) * 48, 12 * 1000 * 384 * 48
    assert cost.flops == sampling + training
    speed = get_backend("local").costs(experiment).throughput
    assert speed
    seconds = sampling / speed.generate_flops + training / speed.train_flops
    assert cost.hours == pytest.approx(seconds / 3600)
    # fp32: weights at 2 points of 4 trials; weights and two moments to resume each; rows of 150 bytes, 4 a token
    assert cost.disk_bytes == 4 * 1000 * (8 + 12) + 1800 * (150 + 4 * 48)
    assert cost.counted


def test_costs_with_verl_and_a_stated_size(tiny: Path) -> None:
    overrides = [
        "model=Qwen/Qwen3-4B@0123456789abcdef",
        "backend=verl",
        "verl.gpus_per_node=4",
        "arms.rence.kl_mode=window",
        "arms.grpo.kl_coef=0",
    ]
    cost = costs.estimate(config.load(tiny, overrides), None, {"mini_sums": 200})
    # 151,936 x 2,560 tied embeddings; 36 layers of attention with 32 and 8 heads of 128, gated MLP of 9,728, and norms
    attention = 2560 * 128 * (32 + 8 + 8 + 32) + 2 * 128
    size = 151_936 * 2560 + 36 * (attention + 3 * 2560 * 9728 + 2 * 2560) + 2560
    assert cost.parameters == size == 4_022_468_096 and not cost.counted
    # 192 rollouts an arm; 2 epochs (6 each) and old log-probs (2); rence measures its KL to a reference: 2 x 2 + 2
    tokens = 192 * 48
    assert cost.flops == 2 * size * (384 + 1800) * 48 + (14 + 20) * size * tokens
    # the model in bf16; one trial at a time: it, weights, two moments and a reference, twice while they are written
    assert cost.disk_bytes == size * (2 * 8 + 4 * 10) + 1800 * (150 + 4 * 48)
    assert (cost.unit, cost.devices) == ("GPU", 4)
    assert costs.estimate(config.load(tiny, [*overrides, "verl.device=cpu"]), None, {"mini_sums": 200}).hours is None


def test_sizes_are_stated_for_base_models_too() -> None:
    assert costs.stated("Qwen/Qwen3-0.6B") == costs.stated("Qwen/Qwen3-0.6B-Base@main") == 596_049_920
    assert costs.stated("nobody/nothing") is None


def test_costs_of_a_model_that_is_not_known(tiny: Path, tmp_path: Path) -> None:
    cost = costs.estimate(config.load(tiny), tmp_path, {"mini_sums": 200})
    assert (cost.parameters, cost.flops, cost.hours, cost.disk_bytes) == (None, None, None, None)
    assert cost.rollouts == 384
