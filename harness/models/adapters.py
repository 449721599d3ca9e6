"""Adapters on a model in memory, by peft: put on, switched off, read, merged into the weights and saved.

A model with adapters stays the class that it was: its linear layers are wrapped in place. A copy shares the weights
that do not learn, so a sampler that lags or a reference costs a set of adapters, or nothing where it is the model
without them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from harness.base.errors import UserError
from harness.base.seeds import derive
from harness.models.lora import ALL_LINEAR, Adaptable, Lora, mistake

NAME = "default"
"""of the adapter in peft's layers"""
FOLDER = "adapter"
"""of a checkpoint, in peft's layout; beside it lie the merged weights"""
_FILE = "adapter_model.safetensors"
_BASE, _PREFIX = ".base_layer.", "base_model.model."
_PARTS = (f"lora_A.{NAME}.weight", f"lora_B.{NAME}.weight")


def adapt(net: Any, lora: Lora, seed: int) -> None:
    """Put adapters on, in place, in fp32; nothing but them learns from then on.

    Raises: UserError if they cannot be put there.
    """
    from peft import LoraConfig, inject_adapter_in_model
    from transformers.pytorch_utils import Conv1D

    model = _adaptable(net)
    if wrong := mistake(lora, model):
        raise UserError(f"`recipe.lora`: {wrong}")
    chosen = list(model.adapted(lora))
    turned = all(isinstance(net.get_submodule(name), Conv1D) for name in chosen)
    config = LoraConfig(r=lora.rank, lora_alpha=lora.alpha, target_modules=chosen, fan_in_fan_out=turned)
    inject_adapter_in_model(config, net)
    for name, parameter in net.named_parameters():
        if name.endswith(_PARTS):
            parameter.data = parameter.data.float()
    begin(net, seed)


@torch.no_grad()
def begin(net: nn.Module, seed: int, spread: Callable[[Tensor, Tensor], Any] = Tensor.copy_) -> None:
    """B is zero, and A is drawn from the uniform distribution that a linear layer begins with (peft's default), by the
    identity of its layer: every arm of a seed begins alike, on any backend and any number of devices.

    Args:
        spread: brings a whole matrix into a parameter that may be cut over devices.
    """
    for name, parameter in net.named_parameters():
        layer, _, part = name.removeprefix(_PREFIX).rpartition(".lora_")
        if part.startswith("B."):
            spread(parameter, torch.zeros(parameter.shape))
        elif part.startswith("A."):
            generator = torch.Generator().manual_seed(derive("lora", seed, layer))
            drawn = 2 * torch.rand(parameter.shape, generator=generator) - 1
            spread(parameter, drawn / math.sqrt(parameter.shape[1]))


def adapted(net: nn.Module) -> bool:
    return next(_layers(net), None) is not None


def switch(net: nn.Module, on: bool) -> None:
    """Compute with the adapters or without them."""
    for _, layer in _layers(net):
        layer.enable_adapters(on)


def state(net: nn.Module) -> dict[str, Tensor]:
    """What learns: adapters by name, sharing memory; of a model without any, all of it."""
    held = net.state_dict()
    return alone(held) or dict(held)


def alone(held: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Of a model's state the adapters."""
    return {name: value for name, value in held.items() if name.endswith(_PARTS)}


def load_state(net: nn.Module, held: Mapping[str, Tensor]) -> None:
    """Inverse of `state`. Raises: RuntimeError if names or shapes are others."""
    net.load_state_dict({**net.state_dict(), **held})


def frozen(net: nn.Module) -> list[nn.Parameter]:
    """The weights under adapters, which never change; none of a model without."""
    return [one for name, one in net.named_parameters() if not name.endswith(_PARTS)] if adapted(net) else []


@torch.no_grad()
def merged(
    net: nn.Module, whole: Callable[[Tensor], Tensor] = lambda part: part, held: Mapping[str, Tensor] | None = None
) -> Iterator[tuple[str, Tensor]]:
    """Name -> weight, as of a model without adapters that computes the same: W + (alpha / rank) B A, summed in fp32.
    Nothing of the model is changed, so nothing drifts. Weights without an adapter share the model's memory.

    Args:
        whole: of a parameter that is cut over devices; called for every one, in one order.
        held: the net's state, where what learns is kept elsewhere in more bits; None: its own.
    """
    layers, held = dict(_layers(net)), net.state_dict() if held is None else held
    for name, value in held.items():
        if name.endswith(_PARTS):
            continue
        layer, base, rest = name.rpartition(_BASE)
        plain = f"{layer}.{rest}" if base else name
        value = whole(value)
        if base and rest == "weight":
            a, b = (whole(held[f"{layer}.{part}"]).float() for part in _PARTS)
            product = b.to(value.device) @ a.to(value.device)
            product = product.T if layers[layer].fan_in_fan_out else product
            value = value.float() + layers[layer].scaling[NAME] * product
        yield plain.removeprefix(_PREFIX), value


def save(held: Mapping[str, Tensor], lora: Lora, folder: Path) -> None:
    """Adapters as peft reads them, on the initial model: `PeftModel.from_pretrained(model, folder)`.

    Args:
        held: name -> whole matrix, as `state` has them.
    """
    from peft import LoraConfig, TaskType
    from safetensors.torch import save_file

    tensors = {
        f"{_PREFIX}{name.removeprefix(_PREFIX).replace(f'.{NAME}.', '.')}": value.detach().float().cpu().contiguous()
        for name, value in held.items()
    }
    last = sorted({name.rpartition(".lora_")[0].rpartition(".")[2] for name in held})
    targets = last if ALL_LINEAR in lora.targets else list(lora.targets)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / _FILE, metadata={"format": "pt"})
    config = LoraConfig(
        task_type=TaskType.CAUSAL_LM,
        r=lora.rank,
        lora_alpha=lora.alpha,
        target_modules=targets,
        inference_mode=True,
    ).to_dict()
    config["target_modules"] = targets  # peft has made a set of them, which has no order
    text = json.dumps(config, indent=2, sort_keys=True) + "\n"
    (folder / "adapter_config.json").write_text(text, encoding="utf-8")


def read(folder: Path) -> dict[str, Tensor]:
    """What `save` wrote, by the names of `state`. Raises: UserError if it is not there."""
    from safetensors.torch import load_file

    if not (folder / _FILE).exists():
        raise UserError(f"{folder / _FILE} is missing. Bring it back from a copy, or start that trial over.")
    held = load_file(folder / _FILE)
    return {f"{name.removeprefix(_PREFIX).removesuffix('.weight')}.{NAME}.weight": held[name] for name in held}


def _layers(net: nn.Module) -> Iterator[tuple[str, Any]]:
    """peft's wrapped layers."""
    return ((name, module) for name, module in net.named_modules() if hasattr(module, "lora_A"))


def _adaptable(net: Any) -> Adaptable:
    """By its modules."""
    from transformers.pytorch_utils import Conv1D

    head = net.get_output_embeddings()
    tied = head is not None and head.weight is net.get_input_embeddings().weight
    found = {
        name: (module.weight.shape[0], module.weight.shape[1])
        for name, module in net.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and not (module is head and tied)
    }
    return Adaptable(found, next((name for name, module in net.named_modules() if module is head and not tied), ""))
