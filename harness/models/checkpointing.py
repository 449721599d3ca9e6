"""Gradient checkpointing: of each layer its input alone is kept, and the rest computed again in the backward pass."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel
from transformers.modeling_layers import GradientCheckpointingLayer

MARK = "keeps_inputs_alone"
"""attribute of a net whose layers do"""


def keep_inputs_alone(net: PreTrainedModel) -> int:
    """Of the layers that transformers would checkpoint, all, and whenever a gradient is asked for. Its own switch works
    in `train` mode alone, where dropout is on and a cache is thrown away.

    Returns:
        how many there are.
    """
    layers = [module for module in net.modules() if isinstance(module, GradientCheckpointingLayer)]
    for layer in layers:
        layer.forward = partial(_again, layer.forward)  # type: ignore[method-assign]
    setattr(net, MARK, bool(layers))
    return len(layers)


def _again(forward: Callable[..., Any], *args: Any, **named: Any) -> Any:
    """Sampling has no gradient, and nothing is kept there anyway."""
    if not torch.is_grad_enabled() or torch.is_inference_mode_enabled():
        return forward(*args, **named)
    return checkpoint(forward, *args, use_reentrant=False, preserve_rng_state=False, **named)
