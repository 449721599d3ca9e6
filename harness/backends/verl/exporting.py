"""The learner's weights as a model in Hugging Face's layout, in the precision of its passes.

That is what the samplers and every evaluation compute with: weights rounded to bf16, the nearest, where passes are in
bf16. The fp32 weights that training goes on from are in the learner's own state (`sharded.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.distributed
from transformers import AutoModelForCausalLM, GenerationConfig
from verl.utils.transformers_compat import drop_tied_target_keys

from harness.backends.verl.sharded import whole
from harness.models import adapters
from harness.models.lora import Lora

GENERATION = "generation_config.json"


def save_model(engine: Any, folder: str | Path) -> None:
    """Collective: every rank gives its parts, weight by weight, and the first one writes. Adapters are merged.

    Args:
        engine: verl's FSDPEngine.
        folder: that has the generation config, if the model has one; the model's own is put into its place.
    """
    first, dtype = torch.distributed.get_rank() == 0, dtype_of(engine)
    weights = {}
    for name, value in adapters.merged(engine.module, whole):
        if first:
            weights[name] = (value.to(dtype) if value.is_floating_point() else value).cpu()
    if first:
        config = engine.module.config
        with torch.device("meta"):
            model: Any = AutoModelForCausalLM.from_config(config, dtype=dtype)
        model.to_empty(device="cpu")  # what is on `meta` is not written, whatever stands in its place
        if (Path(folder) / GENERATION).exists():
            model.generation_config = GenerationConfig.from_pretrained(folder)
        drop_tied_target_keys(weights, model, config)
        model.save_pretrained(folder, state_dict=weights)
    torch.distributed.barrier()


def save_adapter(engine: Any, lora: Lora, folder: str | Path) -> None:
    """What was learnt alone, in fp32. Collective, as `save_model`."""
    held = {name: whole(value).cpu() for name, value in adapters.state(engine.module).items()}
    if torch.distributed.get_rank() == 0:
        adapters.save(held, lora, Path(folder))
    torch.distributed.barrier()


def dtype_of(engine: Any) -> torch.dtype:
    """Of the passes, whatever the weights that are trained have."""
    precision = engine.engine_config.mixed_precision or {}
    return torch.bfloat16 if precision.get("param_dtype") == "bf16" else torch.float32
