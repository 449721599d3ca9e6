"""Our trial in verl's words: the one place where verl 0.9.1's configuration is written.

`keys.py` has every key that we set. verl's own default stands for every other, all of them switched-off features and
plumbing.

Importing this imports nothing heavy; `translate` and `validate` need verl.
"""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.backends.verl.keys import longest_sequence, runtime_keys, semantic_keys
from harness.backends.verl.options import VerlSettings, settings_of
from harness.backends.verl.room import wanted_cpus
from harness.base.errors import UserError
from harness.config.experiment import Experiment, Trial

if TYPE_CHECKING:
    from omegaconf import DictConfig

VERSION = "0.9.1"
"""of verl: its configuration changes with every release"""

_MORE_CPUS = 8
"""logical ones for helpers that may hold one while they start"""
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
    # Ray only counts CPUs. A machine of few is said to have what verl reserves, which else would be waited for.
    cpus = max(wanted_cpus(settings) + _MORE_CPUS, os.cpu_count() or 1)
    local: dict[str, Any] = {"address": "local", "include_dashboard": False, "num_cpus": cpus}
    if settings.device == "cpu":
        # verl places workers by GPUs; on cpu these are logical ones.
        local |= {"num_gpus": settings.gpus_on_node, "object_store_memory": _OBJECT_STORE_BYTES}
    return local


def engine_options(experiment: Experiment) -> dict[str, Any]:
    """Of the engine `vllm` for the untrained model: the samplers' own settings, on one copy of the model."""
    settings = settings_of(experiment)
    return {
        "tensor_parallel_size": settings.tensor_parallel,
        "dtype": "bfloat16" if settings.precision == "bf16" else "float32",
        "max_model_len": longest_sequence(experiment),
    }


@cache
def _defaults() -> DictConfig:
    """verl's own config, closed against unknown keys; composing it takes a second."""
    from hydra import compose, initialize_config_module

    with initialize_config_module("verl.trainer.config", version_base=None):
        return compose("ppo_trainer")


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
