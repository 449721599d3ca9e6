"""Every key of verl's configuration that we set, and to what.

`semantic_keys` holds what decides what is learnt, and may not be overridden; `runtime_keys` how it is computed. Keys
are verl's, dotted; a leading `+` adds one that verl's YAML lacks and its dataclasses know, as in Hydra. Needs no verl.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.backends.verl.installed import attention
from harness.backends.verl.options import VerlSettings, settings_of
from harness.backends.verl.room import MOST_STORES
from harness.config.experiment import Experiment, Trial
from harness.config.training_recipe import Recipe
from harness.models.lora import ALL_LINEAR

AGENT_LOOPS = Path(__file__).with_name("agent_loop.yaml")

_ACTOR, _REF = "actor_rollout_ref.actor", "actor_rollout_ref.ref"
_MODEL, _ROLLOUT = "actor_rollout_ref.model", "actor_rollout_ref.rollout"
_PREFILL_TOKENS = {"gpu": 8192, "cpu": 2048}
_SEQUENCES = {"gpu": 256, "cpu": 64}
_HELPERS = {"gpu": 8, "cpu": 1}
"""processes of agent loop and of marking each"""
_BUCKET_MEGABYTES = {"gpu": 2048, "cpu": 16}


def semantic_keys(trial: Trial) -> dict[str, Any]:
    """What decides what is learnt and from which samples."""
    return {**_steps(trial), **_samples(trial), **_objective(trial), **_updates(trial)}


def _steps(trial: Trial) -> dict[str, Any]:
    """The synchronous V1 trainer. Our subclass of it stops at the budget, evaluates, writes and resumes."""
    return {
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
    }


def _samples(trial: Trial) -> dict[str, Any]:
    """Prompts and what is sampled for them."""
    recipe, seed, longest = trial.arm.recipe, trial.seed, settings_of(trial.experiment).max_prompt_tokens
    return {
        # Prompts: our trainer takes them from the seed's stream and renders them; verl's data loader is not used.
        "data.train_batch_size": recipe.prompts_per_step,
        "data.shuffle": False,
        "data.seed": seed,
        "data.max_prompt_length": longest,
        "data.max_response_length": recipe.max_tokens,
        # Samples: the whole distribution at the temperature, whose log-probs are what is returned.
        f"{_ROLLOUT}.name": "vllm",
        f"{_ROLLOUT}.n": recipe.group_size,
        f"{_ROLLOUT}.prompt_length": longest,
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
    }


def _objective(trial: Trial) -> dict[str, Any]:
    """Rewards and loss."""
    cap = settings_of(trial.experiment).importance_cap
    return {
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
        "algorithm.rollout_correction.rollout_is": None if cap is None else "token",
        "algorithm.rollout_correction.rollout_is_threshold": cap or 2.0,
        "algorithm.rollout_correction.rollout_is_batch_normalize": False,
        "algorithm.rollout_correction.rollout_rs": None,
        "algorithm.rollout_correction.bypass_mode": False,
        # This is what makes verl build a reference policy. Its KL loss stays out, as all of its losses.
        f"{_ACTOR}.use_kl_loss": trial.arm.algorithm.reference is not None,
        f"{_ACTOR}.entropy_coeff": 0.0,
        f"{_ACTOR}.calculate_entropy": False,
    }


def _updates(trial: Trial) -> dict[str, Any]:
    """Mini-batches, optimiser and learning rate."""
    recipe, seed = trial.arm.recipe, trial.seed
    return {
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
        **dict(_adapters(trial)),
    }


def _adapters(trial: Trial) -> Iterator[tuple[str, Any]]:
    """verl builds them by peft, and takes the actor without them for a reference that stays. Samplers are sent merged
    weights (`PolicyWorker.init_model`): they are as fast as without, and compute what readers of a checkpoint do."""
    lora = trial.arm.recipe.lora
    yield f"{_MODEL}.lora_rank", lora.rank if lora else 0
    if lora:
        yield f"{_MODEL}.lora_alpha", lora.alpha
        yield f"{_MODEL}.target_modules", ALL_LINEAR if ALL_LINEAR in lora.targets else list(lora.targets)
        yield f"+{_MODEL}.lora", {"merge": True}


def runtime_keys(trial: Trial, model: str | Path, work: Path) -> dict[str, Any]:
    """How it is computed: devices, precision, memory, processes."""
    experiment, seed = trial.experiment, trial.seed
    verl = settings_of(experiment)
    device = verl.device
    on_gpu, longest = device == "gpu", longest_sequence(experiment)
    return {
        "trainer.device": "cuda" if on_gpu else "cpu",
        "trainer.nnodes": verl.nodes,
        "trainer.n_gpus_per_node": verl.gpus_on_node,
        "trainer.project_name": experiment.name,
        "trainer.experiment_name": trial.name,
        "trainer.logger": [],
        "trainer.default_local_dir": str(work),
        "transfer_queue.enable": True,
        "transfer_queue.backend.SimpleStorage.num_data_storage_units": MOST_STORES[device],
        "data.dataloader_num_workers": 0,
        "reward.num_workers": _HELPERS[device],
        f"{_MODEL}.path": str(model),
        f"+{_MODEL}.override_config.attn_implementation": attention(verl),
        f"{_MODEL}.use_remove_padding": verl.remove_padding,
        f"{_MODEL}.enable_gradient_checkpointing": verl.gradient_checkpointing,
        **dict(_micro_batches(trial)),
        **dict(_engine(_ACTOR, verl, seed)),
        **dict(_engine(_REF, verl, seed)),
        # verl keeps a reference policy in the host's memory by itself.
        f"{_ACTOR}.fsdp_config.param_offload": "params" in verl.offload,
        f"{_ACTOR}.fsdp_config.optimizer_offload": "optimizer" in verl.offload,
        # verl writes tokenizer and config alone, `exporting.py` and `sharded.py` the rest; verl's own files of earlier
        # versions are still read.
        f"{_ACTOR}.checkpoint.save_contents": [],
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
        f"{_ROLLOUT}.disable_log_stats": False,  # preemptions, for `monitor.py`
        f"{_ROLLOUT}.checkpoint_engine.backend": "naive",
        f"{_ROLLOUT}.checkpoint_engine.update_weights_bucket_megabytes": _BUCKET_MEGABYTES[device],
    }


def most_steps(trial: Trial) -> int:
    """Steps at which the budget is spent at the latest: when no group is ever refilled."""
    recipe = trial.arm.recipe
    return -(-trial.experiment.budget_rollouts // (recipe.prompts_per_step * recipe.group_size))


def most_sequences(settings: VerlSettings) -> int:
    """That one copy of the sampler has under way."""
    return _SEQUENCES[settings.device]


def longest_sequence(experiment: Experiment) -> int:
    """Tokens of prompt and response that the sampler must be able to hold, in training and evaluation."""
    ways = experiment.evaluation.ways.values()
    answers = max(*(way.max_tokens for way in ways), *(arm.recipe.max_tokens for arm in experiment.arms))
    return settings_of(experiment).max_prompt_tokens + answers


def _micro_batches(trial: Trial) -> Iterator[tuple[str, Any]]:
    """At most `microbatch_tokens` a device in each. verl counts the tokens that are there, as packing computes them;
    rectangles, which it counts alike and computes to the longest of each, are cut by their number, so that they fit
    however long they get."""
    recipe, settings = trial.arm.recipe, settings_of(trial.experiment)
    rows = rectangles(recipe, settings)
    for part, key in ((_ACTOR, "ppo"), (_ROLLOUT, "log_prob"), (_REF, "log_prob")):
        yield f"{part}.{'' if key == 'ppo' else 'log_prob_'}use_dynamic_bsz", settings.remove_padding
        yield f"{part}.{key}_max_token_len_per_gpu", recipe.microbatch_tokens
        # The actor's is checked against a mini-batch in groups; `cut` says what holds in an update.
        size = max(1, rows // recipe.group_size) if key == "ppo" else rows
        yield f"{part}.{key}_micro_batch_size_per_gpu", None if settings.remove_padding else size


def rectangles(recipe: Recipe, settings: VerlSettings) -> int:
    """Sequences in a micro-batch without packing: as many as fit padded to the longest that a rollout may be, and cut a
    rank's share of a mini-batch into equal parts, of whole groups where one fits."""
    size = recipe.group_size
    share = max(1, recipe.prompts_per_step // recipe.minibatches // settings.data_parallel)
    fit = max(1, recipe.microbatch_tokens // (settings.max_prompt_tokens + recipe.max_tokens))
    whole, one = (share, size) if fit >= size else (size, 1)
    return one * max(count for count in range(1, whole + 1) if whole % count == 0 and count * one <= fit)


def cut(recipe: Recipe, settings: VerlSettings, separable: bool, longest: int) -> dict[str, int]:
    """verl's words for how an update's mini-batches are cut into micro-batches: in whole groups, or (a
    `force_group_size` of 1) anywhere. A loss that does not separate by rollout is spared the second pass where every
    group fits.

    Args:
        longest: tokens of the longest group.
    """
    if settings.remove_padding:
        fits = not separable and longest <= recipe.microbatch_tokens * settings.sequence_parallel
        return {"force_group_size": recipe.group_size if fits else 1}
    rows = rectangles(recipe, settings)
    together = recipe.group_size if rows >= recipe.group_size else 1
    return {"force_group_size": together, "micro_batch_size_per_gpu": rows // together}


def _engine(of: str, settings: VerlSettings, seed: int) -> Iterator[tuple[str, Any]]:
    """FSDP2 with fp32 master weights. The reference computes exactly as the learner does, so that the two agree as
    long as their weights do.

    Entropy, which verl takes of all old log-probs, goes by chunks of tokens: whole, its copies of the logits would be
    the largest thing in memory. verl compiles nothing but this function, and anew for each number of tokens.
    """
    yield f"{of}.strategy", "fsdp2"
    yield f"{of}.use_torch_compile", False
    yield f"{of}.entropy_from_logits_with_chunking", True
    yield f"{of}.ulysses_sequence_parallel_size", settings.sequence_parallel
    engine = {
        "strategy": "fsdp2",
        "model_dtype": "fp32",
        "ulysses_sequence_parallel_size": settings.sequence_parallel,
        "use_torch_compile": False,
        "entropy_from_logits_with_chunking": True,
        "seed": seed,
        "full_determinism": False,
    }
    yield from ((f"{of}.fsdp_config.{key}", value) for key, value in engine.items())
    precision = {"param_dtype": settings.precision, "reduce_dtype": "fp32", "buffer_dtype": "fp32"}
    yield f"+{of}.fsdp_config.mixed_precision", precision
