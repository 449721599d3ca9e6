"""Experiment files: what they become, and what is said of a bad one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from harness import config
from harness.backends.verl.options import VerlSettings
from harness.base.errors import USAGE, UserError
from harness.config.explain import explain, json_schema, template
from harness.config.manifest import parse

FOLDER = Path(__file__).parents[2] / "configs"
EXPECTED = sorted((FOLDER / "paper" / "expected").glob("*.yaml"))
CONFIGS = sorted(set(FOLDER.rglob("*.yaml")) - set(EXPECTED))


def test_there_are_configs() -> None:
    assert {"quickstart.yaml", "smoke.yaml"} <= {path.name for path in CONFIGS}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_loads_and_survives_being_written_out(path: Path, tmp_path: Path) -> None:
    experiment = config.load(path)
    resolved = tmp_path / "resolved.json"
    resolved.write_text(json.dumps(config.resolved(experiment)))
    assert config.load(resolved) == experiment
    assert [arm.fingerprint for arm in config.load(resolved).arms] == [arm.fingerprint for arm in experiment.arms]


@pytest.mark.parametrize("path", [path for path in CONFIGS if path.parent.name == "paper"], ids=lambda path: path.stem)
def test_the_papers_comparison(path: Path) -> None:
    experiment = config.load(path)
    assert (experiment.backend, experiment.backend_settings.devices, experiment.template) == ("verl", 8, "chat")
    assert [arm.name for arm in experiment.arms] == ["rence", "grpo", "dapo", "semi_online_dpo"]
    *others, semi = experiment.arms
    assert all(arm.recipe == experiment.recipe for arm in others) and len(experiment.seeds) >= 3
    assert semi.recipe == replace(experiment.recipe, generator_sync_steps=10)
    assert (experiment.comparison.target, len(experiment.comparison.baselines)) == ("rence", 3)
    assert experiment.evaluation.benchmarks == {
        "math500": 4,
        "aime24": 32,
        "aime25": 32,
        "amc23": 32,
        "minerva_math": 4,
        "olympiadbench": 4,
    }
    assert experiment.train in ("dapo_math", "math_train"), "of these nothing is in a benchmark"
    # with one update a rollout batch the objectives are the same
    assert experiment.recipe.epochs * experiment.recipe.minibatches >= 4


@pytest.mark.parametrize(
    "path", [path for path in CONFIGS if path.parent.name == "one_gpu"], ids=lambda path: path.stem
)
def test_comparisons_on_one_gpu(path: Path) -> None:
    """The same experiment on both backends, but for what is theirs."""
    experiment = config.load(path)
    other = config.load(path.with_name(f"{path.stem.removesuffix('_verl')}_verl.yaml"))
    assert experiment.backend in ("local", "verl") and other.backend == "verl"
    assert other.backend_settings.devices == 1 and other.backend_settings.precision == "bf16"
    same = ("model", "train", "template", "seeds", "budget_rollouts", "recipe", "evaluation", "arms", "comparison")
    assert all(getattr(experiment, name) == getattr(other, name) for name in same)
    assert len(experiment.seeds) == 3 and {"rence", "grpo"} < {arm.name for arm in experiment.arms}
    assert {*experiment.evaluation.benchmarks} == {"gsm8k", "math500"}
    assert (experiment.recipe.lora is not None) == ("lora" in path.stem)
    # with one update a rollout batch the objectives are the same
    assert experiment.recipe.epochs * experiment.recipe.minibatches >= 4


def test_the_published_quickstart_is_the_demo_with_more_seeds_and_two_controls() -> None:
    demo, published = (config.load(FOLDER / f"{name}.yaml") for name in ("quickstart", "quickstart10"))
    same = ("model", "train", "template", "budget_rollouts", "recipe", "evaluation", "backend")
    assert all(getattr(demo, name) == getattr(published, name) for name in same)
    assert len(published.seeds) == 10 and not set(published.seeds) & {*demo.seeds, 100}, "nor the tuning's"
    assert [arm.name for arm in published.arms[4:]] == ["rejection", "grpo_random_reward"]
    assert published.arms[:4] == demo.arms and len(demo.arms) == 4


def test_positive_controls_are_the_calibrations_grpo_but_for_one_setting_each() -> None:
    itself, controls = (config.load(FOLDER / "calibration" / f"{name}.yaml") for name in ("aa", "positive"))
    assert (controls.recipe, controls.evaluation) == (itself.recipe, itself.evaluation)
    assert controls.budget_rollouts == itself.budget_rollouts and not set(controls.seeds) & set(itself.seeds)
    assert [arm.recipe_overrides for arm in controls.arms] == [
        {},
        {"learning_rate": pytest.approx(itself.recipe.learning_rate / 10)},
        {"reward": "mislabelled"},
    ]


def test_values_and_defaults(tiny: Path) -> None:
    experiment = config.load(tiny)
    assert experiment.seeds == (0, 1)
    assert (experiment.budget_rollouts, experiment.grid_rollouts) == (96, (48, 96))
    assert (experiment.recipe.group_size, experiment.recipe.epochs) == (4, 2)
    assert experiment.arm("rence").algorithm.title == "ReNCE (reconstruction)"
    assert experiment.comparison.estimand == "algorithm"


def test_an_arm_may_change_hyperparameters_and_leave_the_recipe(tiny: Path) -> None:
    experiment = config.load(tiny, ["arms.soft={algorithm: rence, score_beta: 1, recipe: {learning_rate: 1e-4}}"])
    arm = experiment.arm("soft")
    assert arm.algorithm_name == "rence"
    assert arm.algorithm.score_beta == 1.0  # type: ignore[attr-defined]
    assert isinstance(arm.algorithm.score_beta, float)  # type: ignore[attr-defined]
    assert (arm.recipe.learning_rate, arm.recipe.group_size) == (1e-4, 4)
    assert arm.recipe_overrides == {"learning_rate": 1e-4}
    assert arm.fingerprint != experiment.arm("rence").fingerprint


def test_an_arm_named_otherwise_has_the_same_fingerprint(tiny: Path) -> None:
    experiment = config.load(tiny, ["arms.again.algorithm=grpo"])
    assert experiment.arm("again").fingerprint == experiment.arm("grpo").fingerprint


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("budget.rollouts=2048", 2048),
        ("recipe.learning_rate=1e-4", 1e-4),
        ("recipe.learning_rate=1", 1.0),
        ("seeds=[3, 5]", (3, 5)),
        ("arms.grpo.clip_low=0.1", 0.1),
        ("arms.grpo.clip_dual=null", None),
        ("tuning.tried=[1e-4, no]", [1e-4, "no"]),
    ],
)
def test_overrides(tiny: Path, override: str, value: object) -> None:
    resolved = config.resolved(config.load(tiny, [override]))
    for part in override.partition("=")[0].split("."):
        resolved = resolved[part]
    assert resolved == (list(value) if isinstance(value, tuple) else value)


def test_verl_settings_follow_the_device_where_they_are_not_given(on_verl: Path) -> None:
    settings = config.load(on_verl).backend_settings
    assert (settings.precision, settings.flash_attention, settings.remove_padding) == ("fp32", None, True)
    assert (settings.devices, settings.data_parallel, settings.gradient_checkpointing) == (2, 2, False)
    settings = VerlSettings(nodes=2, sequence_parallel=4, gradient_checkpointing=False)
    assert (settings.precision, settings.flash_attention, settings.remove_padding) == ("bf16", None, True)
    assert (settings.devices, settings.data_parallel, settings.gradient_checkpointing) == (16, 4, False)
    settings = VerlSettings(flash_attention=False, remove_padding=False)
    assert (settings.flash_attention, settings.remove_padding) == (False, False)


def test_what_came_later_is_written_out_where_it_is_not_as_it_was(tiny: Path, tmp_path: Path) -> None:
    """Runs that were finished before hold no such keys, and keep their bytes."""
    written = config.resolved(config.load(tiny))["comparison"]
    assert list(written) == ["target", "baselines", "estimand", "alpha", "margin"] and written["margin"] is None
    experiment = config.load(tiny, ["comparison.pair_seeds=true", "comparison.collapse={towards_start: null}"])
    written = config.resolved(experiment)["comparison"]
    assert written["pair_seeds"] is True
    assert written["collapse"] == {"below_start": True, "towards_start": None}
    (tmp_path / "resolved.json").write_text(json.dumps(config.resolved(experiment)))
    assert config.load(tmp_path / "resolved.json") == experiment


def test_verl_settings_survive_being_written_out(on_verl: Path, tmp_path: Path) -> None:
    overrides = "verl.overrides={actor_rollout_ref.rollout.max_num_seqs: 8, trainer: {log_val_generations: 1}}"
    experiment = config.load(on_verl, ["verl.offload=[params]", "verl.importance_cap=2", overrides])
    assert experiment.backend_settings.overrides == {
        "actor_rollout_ref.rollout.max_num_seqs": 8,
        "trainer.log_val_generations": 1,
    }
    (tmp_path / "resolved.json").write_text(json.dumps(config.resolved(experiment)))
    again = config.load(tmp_path / "resolved.json")
    assert again == experiment
    assert (again.backend_settings.offload, again.backend_settings.importance_cap) == (("params",), 2.0)


@pytest.mark.parametrize("place", ["file", "command line"])
def test_verl_settings_are_for_backend_verl_alone(tiny: Path, place: str) -> None:
    override = ["verl.nodes=1"] if place == "command line" else []
    if place == "file":
        tiny.write_text(f"{tiny.read_text()}verl: {{}}\n")
    with pytest.raises(UserError) as caught:
        config.load(tiny, override)
    assert "`verl` holds settings of backend `verl`, but `backend` is `local`." in str(caught.value)
    assert str(caught.value).startswith("`verl.nodes=1`: " if override else f"{tiny}:21: ")
    assert config.load(tiny, [*override, "verl=null"]) == config.load(tiny, ["verl=null"])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("verl.node=1", "`verl.node` is not a key. Did you mean `nodes`?"),
        ("verl.nodes=0", "`verl.nodes` must be at least 1, but is 0 instead."),
        ("verl.device=tpu", "`verl.device` must be `gpu` or `cpu`, but is"),
        ("verl.precision=fp16", "`verl.precision` must be `bf16` or `fp32`, but is"),
        ("verl.offload=[gradients]", "`verl.offload[0]` must be `params` or `optimizer`, but is"),
        ("verl.sampler_memory=1", "`verl.sampler_memory` must be less than 1, but is 1 instead."),
        ("verl.importance_cap=0", "`verl.importance_cap` must be more than 0, but is 0 instead."),
        ("verl.stall_seconds=-1", "`verl.stall_seconds` must be more than 0, but is -1 instead."),
        ("verl.overrides=[1]", "`verl.overrides` must be a mapping, but is [1] instead."),
        ("verl=3", "`verl` must be a mapping, but is 3 instead."),
    ],
)
def test_bad_verl_settings(on_verl: Path, override: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        config.load(on_verl, [override])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("backend", "engine", "allowed"),
    [("local", "vllm", "`local` or `hf`"), ("local", "h", "`local` or `hf`"), ("verl", "local", "`vllm`")],
)
def test_a_backend_is_evaluated_by_engines_of_its_own(tiny: Path, backend: str, engine: str, allowed: str) -> None:
    tiny.write_text(tiny.read_text().replace("evaluation:", f"evaluation:\n  engine: {engine}"))
    with pytest.raises(UserError) as caught:
        config.load(tiny, [f"backend={backend}"])
    assert str(caught.value) == (
        f'{tiny}:14: `evaluation.engine` must be {allowed} with backend `{backend}`, but is "{engine}" instead.'
    )


def test_engines_of_evaluations(on_verl: Path) -> None:
    on_local = ["backend=local", "verl=null"]
    assert config.load(on_verl).evaluation.engine is None
    assert config.load(on_verl, ["evaluation.engine=vllm"]).evaluation.engine == "vllm"
    for engine in ("local", "hf"):
        assert config.load(on_verl, [*on_local, f"evaluation.engine={engine}"]).evaluation.engine == engine


def test_overrides_are_kept_with_the_source(tiny: Path) -> None:
    manifest = config.read(tiny, ["seeds=[7]"])
    assert manifest.text.startswith("# changed on the command line: seeds=[7]\nschema: 1\n")


def test_yaml_1_2_scalars() -> None:
    data = parse("{a: 1e-4, b: no, c: 2026-01-01, d: '3', e: 0x10, f: -.5, g: true, h: ~}", "x").data
    assert data == {"a": 1e-4, "b": "no", "c": "2026-01-01", "d": "3", "e": "0x10", "f": -0.5, "g": True, "h": None}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("group_size: 4", "group_siz: 4", "tiny.yaml:10: `recipe.group_siz` is not a key. Did you mean `group_size`?"),
        ("seeds:", "seed:", "tiny.yaml:7: `seed` is not a key. Did you mean `seeds`?"),
        ("grpo: {}", "grop: {}", "tiny.yaml:19: there is no algorithm `grop`. Did you mean `grpo`?"),
        (
            "grpo: {}",
            "grpo: {clip_lo: 0.1}",
            "tiny.yaml:19: `arms.grpo.clip_lo` is not a key. Did you mean `clip_low`?",
        ),
        ("grpo: {}", "grpo: {clip_low: 3}", "tiny.yaml:19: `clip_low` must be in (0, 1], but is 3 instead."),
        ("grpo: {}", "grpo: {clip_low: x}", 'tiny.yaml:19: `arms.grpo.clip_low` must be a number, but is "x" instead.'),
        ("grpo: {}", "grpo: 3", "tiny.yaml:19: `arms.grpo` must be a mapping, but is 3 instead."),
        ("grpo: {}", "grpo: {}\n  grpo: {}", "tiny.yaml:20: `arms.grpo` is given twice, first in line 19."),
        ("grpo: {}", "start: {algorithm: grpo}", 'tiny.yaml:19: "start" cannot be an arm\'s name'),
        ("mini_sums: 1}", "mini_sum: 1}", "tiny.yaml:14: there is no benchmark `mini_sum`. Did you mean `mini_sums`?"),
        (
            "mini_sums: 1}",
            "mini_sums: 0}",
            "tiny.yaml:14: `evaluation.benchmarks.mini_sums` must be at least 1, but is 0",
        ),
        ("{mini_sums: 1}", "{}", "tiny.yaml:14: `evaluation.benchmarks` may not be empty."),
        ("train: mini_rl", "train: mini_r", "tiny.yaml:6: there is no training set `mini_r`. Did you mean `mini_rl`?"),
        ("backend: local", "backend: locl", "tiny.yaml:3: there is no backend `locl`. Did you mean `local`?"),
        ("template: bare", "template: bar", "tiny.yaml:5: there is no template `bar`. Did you mean `bare`?"),
        ("model: quickstart-base", "model: ./nowhere", "tiny.yaml:4: model `./nowhere` is neither"),
        ("group_size: 4", "group_size: 0", "tiny.yaml:10: `recipe.group_size` must be at least 1, but is 0 instead."),
        ("group_size: 4", "group_size: -3", "tiny.yaml:10: `recipe.group_size` must be at least 1, but is -3 instead."),
        (
            "group_size: 4",
            "group_size: 1",
            "tiny.yaml:10: `group_size` must be at least 2 for the arm `rence`, but is 1",
        ),
        (
            "group_size: 4",
            "group_size: 2.5",
            "tiny.yaml:10: `recipe.group_size` must be an integer, but is 2.5 instead.",
        ),
        (
            "group_size: 4",
            "group_size: '4'",
            'tiny.yaml:10: `recipe.group_size` must be an integer, but is "4" instead.',
        ),
        ("group_size: 4", "minibatches: 3", "tiny.yaml:10: `minibatches` must divide `prompts_per_step` (8), but is 3"),
        ("group_size: 4", "learning_rate: .nan", "`recipe.learning_rate` must be a finite number, but is NaN instead."),
        ("rollouts: 96", "rollouts: 0", "tiny.yaml:8: `budget.rollouts` must be at least 1, but is 0 instead."),
        ("[0, 1]", "[0, 0]", "tiny.yaml:7: `seeds` holds 0 twice."),
        ("[0, 1]", "[-1]", "tiny.yaml:7: `seeds[0]` must be at least 0, but is -1 instead."),
        ("[0, 1]", "[]", "tiny.yaml:7: `seeds` may not be empty."),
        ("target: rence", "target: renc", "tiny.yaml:20: there is no arm `renc`. Did you mean `rence`?"),
        ("baselines: [grpo]", "baselines: [dapo]", "tiny.yaml:20: there is no arm `dapo`."),
        ("baselines: [grpo]", "baselines: [rence]", "tiny.yaml:20: `comparison` names the arm `rence` twice."),
        ("baselines: [grpo]", "baselines: [grpo], alpha: 2", "tiny.yaml:20: `alpha` must be above 0 and below 1"),
        (
            "baselines: [grpo]",
            "baselines: [grpo], margin: 3",
            "tiny.yaml:20: `margin` is a fraction and must be above 0 and below 1, but is 3 instead. 3 points are",
        ),
        (
            "baselines: [grpo]",
            "baselines: [grpo], margin: 0",
            "must be above 0 and below 1, but is 0 instead. 2 points are",
        ),
        (
            "baselines: [grpo]",
            "baselines: [grpo], alpha: 0",
            "tiny.yaml:20: `alpha` must be above 0 and below 1, but is 0",
        ),
        (
            "baselines: [grpo]",
            "baselines: [grpo], alpha: 1",
            "tiny.yaml:20: `alpha` must be above 0 and below 1, but is 1",
        ),
        (
            "baselines: [grpo]",
            "baselines: [grpo], pair_seeds: true, estimand: checkpoints",
            "tiny.yaml:20: `pair_seeds` pairs what varies between seeds, and `estimand: checkpoints` leaves that out.",
        ),
        (
            "baselines: [grpo]",
            "baselines: [grpo], collapse: {towards_start: 50}",
            "tiny.yaml:20: `towards_start` is a share of the way and must be more than 0 and at most 1, or null,",
        ),
        (
            "baselines: [grpo]",
            "baselines: [grpo], collapse: {below_start: false, towards_start: null}",
            "tiny.yaml:20: `collapse` holds no rule",
        ),
        (
            "baselines: [grpo]",
            "baselines: [grpo], collapse: {below: true}",
            "tiny.yaml:20: `comparison.collapse.below` is not a key. Did you mean `below_start`",
        ),
        (
            "baselines: [grpo]",
            "baselines: [grpo], collapse: 3",
            "tiny.yaml:20: `comparison.collapse` must be a mapping, but is 3 instead.",
        ),
        (
            "baselines: [grpo]",
            "baselines: [grpo], estimand: x",
            "must be `algorithm`, `benchmark` or `checkpoints`, but",
        ),
        ("name: tiny", "name: a/b", "tiny.yaml:2: `name` must be letters"),
        ("schema: 1", "schema: 2", "tiny.yaml:1: `schema` must be 1, but is 2 instead."),
        ("seeds: [0, 1]", "seeds: [0, 1", "tiny.yaml:8:7: this is not YAML"),
        ("name: tiny\n", "", "tiny.yaml: `name` is missing. `rence config explain name`"),
    ],
)
def test_a_bad_file_is_named_with_its_line(tiny: Path, old: str, new: str, message: str) -> None:
    text = tiny.read_text()
    assert old in text
    tiny.write_text(text.replace(old, new, 1))
    with pytest.raises(UserError) as caught:
        config.load(tiny)
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3
    assert caught.value.exit_code == USAGE


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("recipe.group_siz=4", "`recipe.group_siz=4`: `recipe.group_siz` is not a key. Did you mean `group_size`?"),
        ("arms.grpo.clip_low=3", "`arms.grpo.clip_low=3`: `clip_low` must be in (0, 1], but is 3 instead."),
        ("arms.grop.clip_low=3", "`arms.grop.clip_low=3`: there is no algorithm `grop`."),
        ("arms.grpo.recipe.group_size=1", "`arms.grpo.recipe.group_size=1`: `group_size` must be at least 2"),
        ("arms.grpo.recipe.x=1", "`rence config explain arms.grpo.recipe` lists what is."),
        ("seeds", "`seeds` must be `key=value`"),
        ("=3", "`=3` must be `key=value`"),
        ("name.x=1", "`name.x=1`: `name` is `tiny`, so nothing can be set inside it."),
        ("recipe={a", "`recipe={a`: this is not YAML"),
        ("recipe={a: 1, a: 2}", "`recipe.a` is given twice"),
    ],
)
def test_a_bad_override_is_named(tiny: Path, override: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        config.load(tiny, [override])
    assert message in str(caught.value)


def test_no_more_than_three_mistakes_are_listed(tiny: Path) -> None:
    with pytest.raises(UserError) as caught:
        config.load(tiny, [f"recipe.wrong{i}=1" for i in range(5)])
    assert len(str(caught.value).splitlines()) == 3
    assert "(and 2 more mistakes)" in str(caught.value)


@pytest.mark.parametrize("text", ["", "- 1\n", "just words\n"])
def test_a_file_without_keys(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(UserError, match="must hold `key: value` lines"):
        config.load(tmp_path / "x.yaml")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        config.load(tmp_path / "x.yaml")


def test_explain_tells_meaning_range_and_default() -> None:
    assert explain("recipe.group_size") == "recipe.group_size: K, rollouts a prompt\ninteger, at least 1, default 8"
    assert explain("arms.dapo.clip_high").endswith("number, default 0.28")
    assert "target: the arm that is compared; null in a sweep: its base (word or null, default null)" in explain(
        "comparison"
    )
    assert explain("comparison.collapse.towards_start").endswith("number or null, default 0.5")
    with pytest.raises(UserError, match="Did you mean `epochs`"):
        explain("recipe.epoch")


def test_every_key_is_explained() -> None:
    def unexplained(schema: dict, at: str) -> list[str]:
        inside = schema.get("properties", {})
        return [at] * ("description" not in schema) + [
            name for key, inner in inside.items() for name in unexplained(inner, f"{at}.{key}")
        ]

    schema = json_schema()
    assert unexplained({**schema, "description": "the file"}, "") == []


def test_a_new_experiment_loads_and_has_every_key(tmp_path: Path) -> None:
    (tmp_path / "new.yaml").write_text(template())
    experiment = config.load(tmp_path / "new.yaml")
    written = yaml.safe_load(template())
    resolved = config.resolved(experiment)
    assert written.pop("expected") == []  # others' scores are no part of what the experiment is
    assert written.keys() == resolved.keys() - {"local"}, "the sections of backends are in comments"
    assert written["recipe"].keys() == resolved["recipe"].keys()
    assert written["evaluation"].keys() == resolved["evaluation"].keys()


def test_a_new_experiment_shows_the_section_of_one_backend_without_making_it(tmp_path: Path) -> None:
    before, _, after = template().partition("# verl:\n")
    section = "".join(f"{line.removeprefix('# ')}\n" for line in after.splitlines())
    (tmp_path / "new.yaml").write_text(f"{before}verl:\n{section}".replace("backend: local", "backend: verl"))
    experiment = config.load(tmp_path / "new.yaml", ["verl.device=cpu", "verl.max_prompt_tokens=64"])
    assert yaml.safe_load(f"verl:\n{section}")["verl"].keys() == config.resolved(experiment)["verl"].keys()


@pytest.mark.parametrize("path", EXPECTED, ids=lambda path: path.stem)
def test_published_scores_have_their_source(path: Path) -> None:
    published = config.published(path)
    assert published.url.startswith("https://arxiv.org/abs/") and len(published.source) > 40
    assert published.percent and all(published.percent.values())


def test_what_is_not_known_of_rence_is_not_made_up() -> None:
    (path,) = [path for path in EXPECTED if path.stem == "rence"]
    cells = [value for row in config.published(path).percent.values() for value in row.values()]
    assert len(cells) == 35 and set(cells) == {None}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("grpo: {maths500: 1}", r"p\.yaml:6: there is no benchmark `maths500`. .*`math500`"),
        ("grpo: {math500: 101}", r"`percent.grpo.math500` must be from 0 to 100, but is 101"),
        ("grpo: {math500: nan-ish}", r"`percent.grpo.math500.* must be a number"),
    ],
)
def test_published_scores_are_checked_before_anything_is_trained(tiny: Path, text: str, words: str) -> None:
    head = 'title: T\nsource: "S 2025"\nurl: https://example.org\nmodel: m\nprotocol: p\n'
    (tiny.parent / "p.yaml").write_text(f"{head}percent: {{{text}}}\n")
    tiny.write_text(tiny.read_text() + "expected: [p.yaml]\n")
    with pytest.raises(UserError, match=f"(?s){words}"):
        config.load(tiny)


def test_a_file_of_published_scores_that_is_not_there(tiny: Path) -> None:
    tiny.write_text(tiny.read_text() + "expected: [q.yaml]\n")
    with pytest.raises(UserError, match=r"tiny\.yaml:\d+: there is no file .*q\.yaml"):
        config.load(tiny)
