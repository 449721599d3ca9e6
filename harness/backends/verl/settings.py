"""Our trial in verl's words: the one place where verl 0.9.1's configuration is written.

`semantic_keys` holds what decides what is learnt, and may not be overridden; `runtime_keys` how it is computed. verl's
own default stands for every key that neither names, all of them switched-off features and plumbing. Keys are verl's,
dotted; a leading `+` adds one that verl's YAML lacks and its dataclasses know, as in Hydra.

Importing this imports nothing heavy; `translate` and `validate` need verl.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.backends.verl.options import VerlSettings, settings_of
from harness.base.errors import UserError
from harness.config.experiment import Experiment, Trial

if TYPE_CHECKING:
    from omegaconf import DictConfig

VERSION = "0.9.1"
"""of verl: its configuration changes with every release"""
AGENT_LOOPS = Path(__file__).with_name("agent_loop.yaml")

_ACTOR, _REF = "actor_rollout_ref.actor", "actor_rollout_ref.ref"
_MODEL, _ROLLOUT = "actor_rollout_ref.model", "actor_rollout_ref.rollout"
_PREFILL_TOKENS = {"gpu": 8192, "cpu": 2048}
_SEQUENCES = {"gpu": 256, "cpu": 64}
_HELPERS = {"gpu": 8, "cpu": 1}
"""processes of agent loop, marking and TransferQueue each"""
_BUCKET_MEGABYTES = {"gpu": 2048, "cpu": 16}
_CPUS, _CPUS_EACH = 8, 4
"""logical ones that a Ray cluster on cpu is said to have: for all helpers, and for each worker (verl reserves 3)"""
_OBJECT_STORE_BYTES = 500_000_000


def translate(trial: Trial, model: str | Path, work: Path) -> DictConfig:
    """verl's complete `ppo_trainer` config, every interpolation resolved, closed against unknown keys.

    Args:
        model: folder of the initial weights; to look at a config without them, anything that names the model.
        work: folder for what verl writes of its own accord.
    Raises: UserError if `verl.overrides` has a key that verl does not know.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    config = deepcopy(_defaults())
    for key, value in {**semantic_keys(trial), **runtime_keys(trial, model, work)}.items():
        _put(config, key, value)
    for key, value in settings_of(trial.experiment).overrides.items():
        try:
            _put(config, key, value)
        except OmegaConfBaseException as error:
            why = str(error).splitlines()[0]
            raise UserError(
                f"`verl.overrides`: `{key}` cannot be set in verl's config: {why}.\n"
                "A key that verl's YAML does not list, but its code reads, is added with `+` in front."
            ) from None
    OmegaConf.resolve(config)
    OmegaConf.set_struct(config, True)
    return config


def semantic_keys(trial: Trial) -> dict[str, Any]:
    """What decides what is learnt and from which samples. Needs no verl."""
    experiment, recipe, seed = trial.experiment, trial.arm.recipe, trial.seed
    verl = settings_of(experiment)
    return {
        # The synchronous V1 trainer. Our subclass of it stops at the budget, evaluates, writes and resumes.
        "trainer.use_v1": True,
        "trainer.v1.trainer_mode": "sync",
        "trainer.total_epochs": 1,
        "trainer.total_training_steps": most_steps(trial),
        "trainer.critic_warmup": 0,
        "trainer.val_before_train": False,
        "trainer.val_only": False,
        "trainer.test_freq": -1,
        "trainer.save_freq": -1,
        "trainer.resume_mode": "disable",
        # Prompts: our trainer takes them from the seed's stream and renders them; verl's data loader is not used.
        "data.train_batch_size": recipe.prompts_per_step,
        "data.shuffle": False,
        "data.seed": seed,
        "data.max_prompt_length": verl.max_prompt_tokens,
        "data.max_response_length": recipe.max_tokens,
        # Samples: the whole distribution at the temperature, whose log-probs are what is returned.
        f"{_ROLLOUT}.name": "vllm",
        f"{_ROLLOUT}.n": recipe.group_size,
        f"{_ROLLOUT}.prompt_length": verl.max_prompt_tokens,
        f"{_ROLLOUT}.response_length": recipe.max_tokens,
        f"{_ROLLOUT}.temperature": recipe.temperature,
        f"{_ROLLOUT}.top_p": 1.0,
        f"{_ROLLOUT}.top_k": -1,
        f"{_ROLLOUT}.do_sample": True,
        f"{_ROLLOUT}.ignore_eos": False,
        f"{_ROLLOUT}.calculate_log_probs": True,
        f"{_ROLLOUT}.logprobs_mode": "processed_logprobs",
        f"{_ROLLOUT}.seed": seed,
        f"{_ROLLOUT}.full_determinism": False,  # would give all samples of a prompt one seed
        f"{_ROLLOUT}.multi_turn.enable": False,
        f"{_ROLLOUT}.agent.default_agent_loop": "rence",
        f"{_ROLLOUT}.agent.agent_loop_config_path": str(AGENT_LOOPS),
        # Rewards: our marker.
        "reward.reward_manager.source": "importlib",
        "reward.reward_manager.module.path": "pkg://harness.backends.verl.marking",
        "reward.reward_manager.name": "Marking",
        "reward.custom_reward_function.path": None,
        "reward.reward_model.enable": False,
        # The objective comes to the workers as our loss; of verl's own, nothing but what it asks to be named.
        "critic.enable": False,
        "distillation.enabled": False,
        "algorithm.adv_estimator": "grpo",
        "algorithm.use_kl_in_reward": False,
        "algorithm.filter_groups.enable": False,
        "algorithm.rollout_correction.rollout_is": None if verl.importance_cap is None else "token",
        "algorithm.rollout_correction.rollout_is_threshold": verl.importance_cap or 2.0,
        "algorithm.rollout_correction.rollout_is_batch_normalize": False,
        "algorithm.rollout_correction.rollout_rs": None,
        "algorithm.rollout_correction.bypass_mode": False,
        # This is what makes verl build a reference policy. Its KL loss stays out, as all of its losses.
        f"{_ACTOR}.use_kl_loss": trial.arm.algorithm.reference is not None,
        f"{_ACTOR}.entropy_coeff": 0.0,
        f"{_ACTOR}.calculate_entropy": False,
        # Updates: our trainer hands over one mini-batch after the other, in its own order.
        f"{_ACTOR}.ppo_mini_batch_size": recipe.prompts_per_step // recipe.minibatches,
        f"{_ACTOR}.ppo_epochs": 1,
        f"{_ACTOR}.shuffle": False,
        f"{_ACTOR}.data_loader_seed": seed,
        f"{_ACTOR}.grad_clip": recipe.max_grad_norm,
        f"{_ACTOR}.optim.optimizer": "AdamW",
        f"{_ACTOR}.optim.optimizer_impl": "torch.optim",
        f"{_ACTOR}.optim.lr": recipe.learning_rate,
        f"{_ACTOR}.optim.betas": [recipe.adam_beta1, recipe.adam_beta2],
        f"{_ACTOR}.optim.override_optimizer_config": {"eps": recipe.adam_eps},
        f"{_ACTOR}.optim.weight_decay": recipe.weight_decay,
        f"{_ACTOR}.optim.clip_grad": recipe.max_grad_norm,
        # Our worker sets the rate of every update, warm-up included; verl's schedule counts rollout batches.
        f"{_ACTOR}.optim.lr_scheduler_type": "constant",
        f"{_ACTOR}.optim.lr_warmup_steps": 0,
        f"{_ACTOR}.optim.lr_warmup_steps_ratio": 0.0,
        f"{_ACTOR}.optim.total_training_steps": most_steps(trial),
        f"{_MODEL}.lora_rank": 0,
    }


def runtime_keys(trial: Trial, model: str | Path, work: Path) -> dict[str, Any]:
    """How it is computed: devices, precision, memory, processes."""
    experiment, recipe, seed = trial.experiment, trial.arm.recipe, trial.seed
    verl = settings_of(experiment)
    device = verl.device
    on_gpu, longest = device == "gpu", longest_sequence(experiment)
    return {
        "trainer.device": "cuda" if on_gpu else "cpu",
        "trainer.nnodes": verl.nodes,
        "trainer.n_gpus_per_node": verl.gpus_per_node,
        "trainer.project_name": experiment.name,
        "trainer.experiment_name": trial.name,
        "trainer.logger": [],
        "trainer.default_local_dir": str(work),
        "transfer_queue.enable": True,
        "transfer_queue.backend.SimpleStorage.num_data_storage_units": _HELPERS[device],
        "data.dataloader_num_workers": 0,
        "reward.num_workers": _HELPERS[device],
        f"{_MODEL}.path": str(model),
        f"+{_MODEL}.override_config.attn_implementation": "flash_attention_2" if verl.flash_attention else "sdpa",
        f"{_MODEL}.use_remove_padding": verl.remove_padding,
        f"{_MODEL}.enable_gradient_checkpointing": verl.gradient_checkpointing,
        f"{_ACTOR}.use_dynamic_bsz": True,
        f"{_ACTOR}.ppo_max_token_len_per_gpu": recipe.microbatch_tokens,
        f"{_ROLLOUT}.log_prob_use_dynamic_bsz": True,
        f"{_ROLLOUT}.log_prob_max_token_len_per_gpu": recipe.microbatch_tokens,
        f"{_REF}.log_prob_use_dynamic_bsz": True,
        f"{_REF}.log_prob_max_token_len_per_gpu": recipe.microbatch_tokens,
        **dict(_engine(_ACTOR, verl, seed)),
        **dict(_engine(_REF, verl, seed)),
        # verl keeps a reference policy in the host's memory by itself.
        f"{_ACTOR}.fsdp_config.param_offload": "params" in verl.offload,
        f"{_ACTOR}.fsdp_config.optimizer_offload": "optimizer" in verl.offload,
        f"{_ACTOR}.checkpoint.save_contents": ["model", "optimizer", "extra", "hf_model"],
        f"{_ACTOR}.checkpoint.load_contents": ["model", "optimizer", "extra"],
        f"{_ROLLOUT}.dtype": "bfloat16" if verl.precision == "bf16" else "float32",
        f"{_ROLLOUT}.tensor_model_parallel_size": verl.tensor_parallel,
        f"{_ROLLOUT}.data_parallel_size": 1,
        f"{_ROLLOUT}.pipeline_model_parallel_size": 1,
        f"{_ROLLOUT}.gpu_memory_utilization": verl.sampler_memory,
        f"{_ROLLOUT}.max_model_len": longest,
        # A seed of its own is honoured for a request that is prefilled in one go, and not after an earlier one's cache.
        f"{_ROLLOUT}.enable_chunked_prefill": False,
        f"{_ROLLOUT}.max_num_batched_tokens": max(_PREFILL_TOKENS[device], longest),
        f"{_ROLLOUT}.enable_prefix_caching": False,
        f"{_ROLLOUT}.max_num_seqs": _SEQUENCES[device],
        # vLLM's CPU build captures no graphs and cannot sleep.
        f"{_ROLLOUT}.enforce_eager": not on_gpu,
        f"{_ROLLOUT}.free_cache_engine": on_gpu,
        f"+{_ROLLOUT}.enable_sleep_mode": on_gpu,
        f"{_ROLLOUT}.agent.num_workers": _HELPERS[device],
        f"{_ROLLOUT}.checkpoint_engine.backend": "naive",
        f"{_ROLLOUT}.checkpoint_engine.update_weights_bucket_megabytes": _BUCKET_MEGABYTES[device],
    }


def as_yaml(config: DictConfig) -> str:
    """The config as text."""
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(config)


def validate(config: DictConfig) -> None:
    """verl's own checks, and the dataclasses that its trainer and workers will make of the config. Starts nothing,
    needs no GPU and not the model's files.

    Raises: UserError with verl's words.
    """
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    refusals = (AssertionError, ValueError, TypeError, NotImplementedError, HydraException, OmegaConfBaseException)
    try:
        # verl prints that all is well, and warns of every default that we leave.
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):
            _validate(config)
    except refusals as error:
        why = next((line for line in str(error.__cause__ or error).splitlines() if line), type(error).__name__)
        raise UserError(f"verl refuses its config: {why}\nLook at `verl.overrides` first.") from None


def ray_arguments(settings: VerlSettings, joining: bool) -> dict[str, Any]:
    """What `ray.init` is called with.

    Args:
        joining: a cluster that runs already, which must have been told its resources when it was started.
    """
    if joining:
        return {"address": "auto"}
    local: dict[str, Any] = {"address": "local", "include_dashboard": False}
    if settings.device == "cpu":
        # verl places workers by GPUs; on cpu these are logical ones.
        cpus = _CPUS + _CPUS_EACH * settings.gpus_per_node
        local |= {"num_gpus": settings.gpus_per_node, "num_cpus": cpus, "object_store_memory": _OBJECT_STORE_BYTES}
    return local


def engine_options(experiment: Experiment) -> dict[str, Any]:
    """Of the engine `vllm` for the untrained model: the samplers' own settings, on one copy of the model."""
    settings = settings_of(experiment)
    return {
        "tensor_parallel_size": settings.tensor_parallel,
        "dtype": "bfloat16" if settings.precision == "bf16" else "float32",
        "max_model_len": longest_sequence(experiment),
    }


def most_steps(trial: Trial) -> int:
    """Steps at which the budget is spent at the latest: when no group is ever refilled."""
    recipe = trial.arm.recipe
    return -(-trial.experiment.budget_rollouts // (recipe.prompts_per_step * recipe.group_size))


def longest_sequence(experiment: Experiment) -> int:
    """Tokens of prompt and response that the sampler must be able to hold, in training and evaluation."""
    answers = max(experiment.evaluation.max_tokens, *(arm.recipe.max_tokens for arm in experiment.arms))
    return settings_of(experiment).max_prompt_tokens + answers


@cache
def _defaults() -> DictConfig:
    """verl's own config, closed against unknown keys; composing it takes a second."""
    from hydra import compose, initialize_config_module

    with initialize_config_module("verl.trainer.config", version_base=None):
        return compose("ppo_trainer")


def _engine(of: str, settings: VerlSettings, seed: int) -> Iterator[tuple[str, Any]]:
    """FSDP2 with fp32 master weights. The reference computes exactly as the learner does, so that the two agree as
    long as their weights do."""
    yield f"{of}.strategy", "fsdp2"
    yield f"{of}.use_torch_compile", settings.device == "gpu"
    yield f"{of}.ulysses_sequence_parallel_size", settings.sequence_parallel
    engine = {
        "strategy": "fsdp2",
        "model_dtype": "fp32",
        "ulysses_sequence_parallel_size": settings.sequence_parallel,
        "use_torch_compile": settings.device == "gpu",
        "seed": seed,
        "full_determinism": False,
    }
    yield from ((f"{of}.fsdp_config.{key}", value) for key, value in engine.items())
    precision = {"param_dtype": settings.precision, "reduce_dtype": "fp32", "buffer_dtype": "fp32"}
    yield f"+{of}.fsdp_config.mixed_precision", precision


def _put(config: DictConfig, key: str, value: Any) -> None:
    from omegaconf import OmegaConf

    OmegaConf.update(config, key.removeprefix("+"), value, merge=isinstance(value, Mapping), force_add=key[0] == "+")


def _validate(config: DictConfig) -> None:
    from omegaconf import OmegaConf
    from verl.trainer.ppo.utils import need_critic, need_reference_policy
    from verl.utils.config import omega_conf_to_dataclass, validate_config
    from verl.workers.config import HFModelConfig

    validate_config(config, need_reference_policy(config), need_critic(config))
    section = config.actor_rollout_ref
    for part in (section.rollout, section.rollout.checkpoint_engine, config.algorithm):
        omega_conf_to_dataclass(part)
    # As the worker that builds the reference does it (ActorRolloutRefWorker.init_model).
    ref: Any = OmegaConf.to_container(section.ref)
    ref["ppo_mini_batch_size"] = section.actor.ppo_mini_batch_size
    ref["use_dynamic_bsz"] = ref.pop("log_prob_use_dynamic_bsz")
    for name in ("micro_batch_size", "micro_batch_size_per_gpu", "max_token_len_per_gpu"):
        ref[f"ppo_{name}"] = ref.pop(f"log_prob_{name}")
    omega_conf_to_dataclass(ref)
    # The model's dataclass reads the model's files when it is made, so keys and types alone are checked.
    OmegaConf.merge(OmegaConf.structured(HFModelConfig), {k: v for k, v in section.model.items() if k != "_target_"})
