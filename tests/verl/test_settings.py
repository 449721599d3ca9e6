"""Our settings in verl's words: every one lands under the right key, and verl's own checks accept the whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("verl", reason="backend verl is not installed")

import yaml
from omegaconf import DictConfig, OmegaConf

from harness import config
from harness.backends.verl import settings
from harness.backends.verl.options import VerlSettings
from harness.base.errors import UserError
from harness.config.experiment import Experiment, Trial

ROOT = Path(__file__).parents[2]
ACTOR, REF, MODEL, ROLLOUT = (f"actor_rollout_ref.{part}" for part in ("actor", "ref", "model", "rollout"))
EXPERIMENT = """\
name: tried
backend: verl
model: quickstart-base
template: bare
train: mini_rl
seeds: [7, 8]
budget: {rollouts: 1000}
recipe:
  group_size: 4
  prompts_per_step: 16
  minibatches: 2
  microbatch_tokens: 2048
  temperature: 0.9
  learning_rate: 2e-4
  adam_beta1: 0.8
  adam_eps: 1e-7
  weight_decay: 0.05
  max_grad_norm: 0.7
evaluation: {benchmarks: {mini_sums: 1}, max_tokens: 100}
arms: {rence: {}, grpo: {kl_coef: 0}, dapo: {}, online_dpo: {}}
comparison: {target: rence, baselines: [grpo, dapo, online_dpo]}
verl: {max_prompt_tokens: 64}
"""


def load(folder: Path, *overrides: str) -> Experiment:
    path = folder / "tried.yaml"
    path.write_text(EXPERIMENT, encoding="utf-8")
    return config.load(path, overrides)


def translated(folder: Path, *overrides: str, arm: str = "rence") -> DictConfig:
    experiment = load(folder, *overrides)
    made = settings.translate(Trial(experiment, experiment.arm(arm), 7), "a/model", folder / "work")
    settings.validate(made)
    return made


def values(made: DictConfig, *keys: str) -> list[Any]:
    return [OmegaConf.select(made, key, throw_on_missing=True) for key in keys]


def has(made: DictConfig, expected: dict[str, Any]) -> None:
    assert dict(zip(expected, values(made, *expected), strict=True)) == expected


def test_what_is_learnt_and_from_what(tmp_path: Path) -> None:
    expected = {
        "trainer.use_v1": True,
        "trainer.v1.trainer_mode": "sync",
        "trainer.resume_mode": "disable",
        "trainer.logger": [],
        # 1000 rollouts at 64 a step
        "trainer.total_training_steps": 16,
        "data.train_batch_size": 16,
        "data.shuffle": False,
        "data.seed": 7,
        f"{ROLLOUT}.n": 4,
        f"{ROLLOUT}.temperature": 0.9,
        f"{ROLLOUT}.top_p": 1.0,
        f"{ROLLOUT}.top_k": -1,
        f"{ROLLOUT}.prompt_length": 64,
        f"{ROLLOUT}.response_length": 48,
        f"{ROLLOUT}.calculate_log_probs": True,
        # evaluation's answers are longer than training's
        f"{ROLLOUT}.max_model_len": 164,
        f"{ROLLOUT}.enable_chunked_prefill": False,
        f"{ROLLOUT}.enable_prefix_caching": False,
        f"{ACTOR}.ppo_mini_batch_size": 8,
        f"{ACTOR}.ppo_epochs": 1,
        f"{ACTOR}.shuffle": False,
        f"{ACTOR}.use_dynamic_bsz": True,
        f"{ACTOR}.ppo_max_token_len_per_gpu": 2048,
        f"{ROLLOUT}.log_prob_max_token_len_per_gpu": 2048,
        f"{REF}.log_prob_max_token_len_per_gpu": 2048,
        f"{ACTOR}.grad_clip": 0.7,
        f"{ACTOR}.optim.clip_grad": 0.7,
        f"{ACTOR}.optim.lr": 2e-4,
        f"{ACTOR}.optim.betas": [0.8, 0.99],
        f"{ACTOR}.optim.weight_decay": 0.05,
        f"{ACTOR}.optim.override_optimizer_config": {"eps": 1e-7},
        f"{ACTOR}.optim.lr_scheduler_type": "constant",
        f"{ACTOR}.strategy": "fsdp2",
        f"{REF}.strategy": "fsdp2",
        f"{ACTOR}.checkpoint.save_contents": [],
        "algorithm.use_kl_in_reward": False,
        "critic.enable": False,
        f"{MODEL}.path": "a/model",
    }
    has(translated(tmp_path), expected)


@pytest.mark.parametrize(
    ("arm", "overrides", "needed"),
    [
        ("grpo", (), False),
        ("grpo", ("arms.grpo.kl_coef=0.01",), True),
        ("dapo", (), False),
        ("online_dpo", (), True),
        ("rence", (), True),
        ("rence", ("arms.rence.kl_mode=off",), False),
    ],
)
def test_a_reference_is_built_for_who_needs_one(
    tmp_path: Path, arm: str, overrides: tuple[str, ...], needed: bool
) -> None:
    from verl.trainer.ppo.utils import need_critic, need_reference_policy

    made = translated(tmp_path, *overrides, arm=arm)
    assert need_reference_policy(made) == needed
    assert not need_critic(made)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (
            "",
            {
                "trainer.device": "cuda",
                "trainer.nnodes": 1,
                "trainer.n_gpus_per_node": 8,
                f"{ROLLOUT}.dtype": "bfloat16",
                f"{ROLLOUT}.enforce_eager": False,
                f"{ROLLOUT}.free_cache_engine": True,
                f"{ROLLOUT}.enable_sleep_mode": True,
                f"{ROLLOUT}.tensor_model_parallel_size": 1,
                f"{ROLLOUT}.gpu_memory_utilization": 0.5,
                # flash-attn is not installed here
                f"{MODEL}.override_config.attn_implementation": "sdpa",
                f"{MODEL}.use_remove_padding": True,
                f"{ACTOR}.use_remove_padding": True,
                f"{ACTOR}.use_dynamic_bsz": True,
                f"{ACTOR}.ppo_micro_batch_size_per_gpu": None,
                f"{REF}.use_torch_compile": False,
                f"{MODEL}.enable_gradient_checkpointing": True,
                **{
                    f"{part}.fsdp_config.{key}": value
                    for part in (ACTOR, REF)
                    for key, value in {
                        "model_dtype": "fp32",
                        "mixed_precision": {"param_dtype": "bf16", "reduce_dtype": "fp32", "buffer_dtype": "fp32"},
                        "use_torch_compile": False,
                        "entropy_from_logits_with_chunking": True,
                        "entropy_from_logits_chunk_size": 2048,
                        "ulysses_sequence_parallel_size": 1,
                    }.items()
                },
                f"{ACTOR}.fsdp_config.param_offload": False,
                f"{ACTOR}.fsdp_config.optimizer_offload": False,
                "algorithm.rollout_correction.rollout_is": None,
            },
        ),
        (
            "verl.precision=fp32",
            {
                f"{ROLLOUT}.dtype": "float32",
                f"{ACTOR}.fsdp_config.mixed_precision.param_dtype": "fp32",
                f"{REF}.fsdp_config.mixed_precision.param_dtype": "fp32",
            },
        ),
        (
            "verl.flash_attention=true",
            {f"{MODEL}.override_config.attn_implementation": "flash_attention_2", f"{MODEL}.use_remove_padding": True},
        ),
        (
            "verl.flash_attention=false",
            {f"{MODEL}.override_config.attn_implementation": "sdpa", f"{MODEL}.use_remove_padding": True},
        ),
        (
            # a rank has one group of each mini-batch; a group's 4 x (64 + 48) tokens fit 2,048 four times
            "verl.remove_padding=false",
            {
                f"{MODEL}.use_remove_padding": False,
                f"{ACTOR}.use_remove_padding": False,
                f"{ACTOR}.use_dynamic_bsz": False,
                f"{ACTOR}.ppo_micro_batch_size_per_gpu": 1,
                f"{ROLLOUT}.log_prob_use_dynamic_bsz": False,
                f"{ROLLOUT}.log_prob_micro_batch_size_per_gpu": 4,
                f"{REF}.log_prob_use_dynamic_bsz": False,
                f"{REF}.log_prob_micro_batch_size_per_gpu": 4,
            },
        ),
        (
            "verl.remove_padding=false verl.gpus_per_node=1 recipe.microbatch_tokens=1800",
            {f"{ACTOR}.ppo_micro_batch_size_per_gpu": 4, f"{ROLLOUT}.log_prob_micro_batch_size_per_gpu": 16},
        ),
        ("verl.gradient_checkpointing=false", {f"{MODEL}.enable_gradient_checkpointing": False}),
        (
            "verl.offload=[params]",
            {f"{ACTOR}.fsdp_config.param_offload": True, f"{ACTOR}.fsdp_config.optimizer_offload": False},
        ),
        (
            "verl.offload=[params,optimizer]",
            {f"{ACTOR}.fsdp_config.param_offload": True, f"{ACTOR}.fsdp_config.optimizer_offload": True},
        ),
        ("verl.sampler_memory=0.8", {f"{ROLLOUT}.gpu_memory_utilization": 0.8}),
        ("verl.tensor_parallel=2", {f"{ROLLOUT}.tensor_model_parallel_size": 2}),
        (
            "verl.sequence_parallel=2",
            {
                f"{ACTOR}.ulysses_sequence_parallel_size": 2,
                f"{ACTOR}.fsdp_config.ulysses_sequence_parallel_size": 2,
                f"{REF}.ulysses_sequence_parallel_size": 2,
                f"{REF}.fsdp_config.ulysses_sequence_parallel_size": 2,
            },
        ),
        ("verl.nodes=2 verl.gpus_per_node=4", {"trainer.nnodes": 2, "trainer.n_gpus_per_node": 4}),
        (
            "verl.importance_cap=3",
            {
                "algorithm.rollout_correction.rollout_is": "token",
                "algorithm.rollout_correction.rollout_is_threshold": 3.0,
                "algorithm.rollout_correction.bypass_mode": False,
            },
        ),
        (
            "verl.overrides.actor_rollout_ref.rollout.max_num_seqs=9 "
            "verl.overrides.+actor_rollout_ref.rollout.skip_tokenizer_init=false",
            {f"{ROLLOUT}.max_num_seqs": 9, f"{ROLLOUT}.skip_tokenizer_init": False},
        ),
        (
            "verl.device=cpu verl.gpus_per_node=2",
            {
                "trainer.device": "cpu",
                "trainer.n_gpus_per_node": 2,
                f"{ROLLOUT}.dtype": "float32",
                f"{ROLLOUT}.enforce_eager": True,
                f"{ROLLOUT}.free_cache_engine": False,
                f"{ROLLOUT}.enable_sleep_mode": False,
                f"{ROLLOUT}.agent.num_workers": 1,
                f"{ROLLOUT}.checkpoint_engine.update_weights_bucket_megabytes": 16,
                f"{MODEL}.override_config.attn_implementation": "sdpa",
                f"{MODEL}.use_remove_padding": True,
                f"{MODEL}.enable_gradient_checkpointing": False,
                f"{ACTOR}.use_torch_compile": False,
                f"{ACTOR}.fsdp_config.use_torch_compile": False,
                f"{REF}.fsdp_config.use_torch_compile": False,
                f"{ACTOR}.fsdp_config.mixed_precision.param_dtype": "fp32",
                "reward.num_workers": 1,
                "transfer_queue.backend.SimpleStorage.num_data_storage_units": 1,
            },
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_device_setting_lands(tmp_path: Path, overrides: str, expected: dict[str, Any]) -> None:
    has(translated(tmp_path, *overrides.split()), expected)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("actor_rollout_ref.rollout.max_num_seq", "`actor_rollout_ref.rollout.max_num_seq` cannot be set in verl's"),
        ("+actor_rollout_ref.rollout.max_num_seq", "verl refuses its config: "),
        ("+actor_rollout_ref.model.use_flash", "verl refuses its config: Key 'use_flash' not in 'HFModelConfig'"),
        ("actor_rollout_ref.actor.loss_agg_mode", "verl refuses its config: Invalid loss_agg_mode: 3"),
        ("+actor_rollout_ref.ref.fsdp_config.nonsense", "verl refuses its config: "),
    ],
)
def test_a_misspelt_override_is_refused(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        translated(tmp_path, f"verl.overrides={{{override}: 3}}")
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2


def test_the_agent_loop_is_found_by_the_name_that_is_asked_for(tmp_path: Path) -> None:
    from verl.utils.import_utils import resolve_config_path

    name, path = values(
        translated(tmp_path), f"{ROLLOUT}.agent.default_agent_loop", f"{ROLLOUT}.agent.agent_loop_config_path"
    )
    known = yaml.safe_load(Path(resolve_config_path(path)).read_text())
    assert [loop["_target_"] for loop in known if loop["name"] == name] == ["harness.backends.verl.sampling.SeededLoop"]


def test_ray_is_told_of_cpus_that_verl_reserves_and_of_nothing_when_it_runs_already(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    cpu = settings.ray_arguments(VerlSettings(device="cpu", gpus_per_node=2), joining=False)
    assert (cpu["num_gpus"], cpu["num_cpus"]) == (2, 2 * 3 + 3 + 8)
    gpu = settings.ray_arguments(VerlSettings(), joining=False)
    assert gpu["address"] == "local" and "num_gpus" not in gpu and gpu["num_cpus"] == 8 * 3 + 10 + 8
    monkeypatch.setattr(os, "cpu_count", lambda: 192)
    assert settings.ray_arguments(VerlSettings(), joining=False)["num_cpus"] == 192
    assert settings.ray_arguments(VerlSettings(device="cpu"), joining=True) == {"address": "auto"}


ON_VERL = [path for path in sorted((ROOT / "configs").rglob("*.yaml")) if "backend: verl" in path.read_text()]


@pytest.mark.parametrize("path", ON_VERL, ids=lambda path: path.stem)
def test_verl_accepts_every_config_of_ours(path: Path, tmp_path: Path) -> None:
    experiment = config.load(path)
    for arm in experiment.arms:
        made = settings.translate(Trial(experiment, arm, experiment.seeds[0]), experiment.model, tmp_path)
        settings.validate(made)  # raises what verl refuses
        assert made.data.train_batch_size == arm.recipe.prompts_per_step


def dry_run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rence", "run", "tried.yaml", "--dry-run", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def test_a_dry_run_writes_what_verl_accepts_and_leaves_the_run_folder_alone(tmp_path: Path) -> None:
    load(tmp_path)
    done = dry_run(tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    written = json.loads(done.stdout)["backend_configs"]
    assert written == {arm: f"runs/tried.verl/{arm}.yaml" for arm in ("rence", "grpo", "dapo", "online_dpo")}
    for arm, path in written.items():
        made = OmegaConf.load(tmp_path / path)
        assert isinstance(made, DictConfig)
        assert values(made, f"{ROLLOUT}.n", f"{ACTOR}.use_kl_loss") == [4, arm in ("rence", "online_dpo")]
        settings.validate(made)
    assert not (tmp_path / "runs" / "tried").exists()


def test_a_dry_run_says_what_verl_refuses(tmp_path: Path) -> None:
    load(tmp_path)
    done = dry_run(tmp_path, "verl.overrides.actor_rollout_ref.actor.loss_agg_mode=sum")
    assert done.returncode == 2
    assert "verl refuses its config: Invalid loss_agg_mode: sum" in done.stderr
    assert "Traceback" not in done.stderr and "valid:" not in done.stdout
