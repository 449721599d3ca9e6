"""Loading a causal LM and its tokenizer from a folder onto a device. What is built for a model follows `net.device`."""

from __future__ import annotations

import inspect
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import Parameter
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase
from transformers.cache_utils import DynamicLayer
from transformers.utils import logging

from harness.base.errors import UserError
from harness.models.attention import NAME
from harness.models.compute import Compute
from harness.models.masters import Masters
from harness.models.placing import attention_of, check_device, place
from harness.models.reading import read_tokenizer, reading
from harness.models.stopping import stop_tokens
from harness.models.weights import check, load_net


@dataclass(frozen=True)
class LanguageModel:
    """A model ready to sample from and to train, with its tokenizer."""

    net: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    stop: tuple[int, ...]
    """tokens that end a response"""
    packs: bool
    """whether training may lay several responses into a row"""
    plain_head: bool
    """whether logits are what the LM head's matrix makes of what enters it, and nothing is done to them after"""
    compute: Compute = field(default_factory=Compute)
    masters: Masters | None = None
    """fp32 weights behind a net of fewer bits that is trained; None: the net's own are stepped on"""

    @property
    def device(self) -> torch.device:
        return self.net.device

    def decode(self, tokens_BT: Tensor, length_B: Tensor) -> list[str]:
        """Responses as text, special tokens left out."""
        rows = zip(tokens_BT.tolist(), length_B.tolist(), strict=True)
        return self.tokenizer.batch_decode([row[:length] for row, length in rows], skip_special_tokens=True)

    def copy(self) -> LanguageModel:
        """The same weights as the net computes with, which no longer follow this model's and are not trained."""
        return replace(self, net=deepcopy(self.net).requires_grad_(False), masters=None)

    def learnt(self) -> list[Parameter]:
        """What an optimiser steps on: fp32, or the net's own."""
        return self.masters.parameters() if self.masters else [p for p in self.net.parameters() if p.requires_grad]

    def follow(self) -> None:
        """After a step: the net takes the weights that were stepped on."""
        if self.masters:
            self.masters.publish()

    def save(self, folder: Path) -> None:
        """In Hugging Face layout, with the weights that were stepped on, and the tokenizer."""
        self.net.save_pretrained(folder, state_dict=self.masters.state_dict() if self.masters else None)
        self.tokenizer.save_pretrained(folder)

    def restore(self, folder: Path) -> None:
        """Take the weights that `save` has written. Raises: UnusableWeights."""
        state = load(folder).net.state_dict()
        (self.masters or self.net).load_state_dict(state)


def load(folder: Path, compute: Compute | None = None, *, to_train: bool = False) -> LanguageModel:
    """No dropout: the sampler's log-probs must be the trainer's. One thread.

    Args:
        compute: on what and in what; None: fp32 on the CPU.
        to_train: whether an optimiser will step on it; fp32 masters are then kept beside weights of fewer bits.
    Raises: UnusableWeights if they are not, or not all, the model's; UserError if a file of it cannot be read, if the
        model keeps something else than keys and values, or if `compute` cannot be had here.
    """
    compute = compute or Compute()
    torch.set_num_threads(1)
    logging.disable_progress_bar()
    check_device(compute)
    check(folder, quantised=False)
    with reading("model", folder), attention_of(compute) as attention:
        net = load_net(folder, dtype=torch.float32, **attention)
    if not all(isinstance(layer, DynamicLayer) for layer in DynamicCache(config=net.config).layers):
        raise UserError(
            f"{folder} is a {net.config.model_type} model, whose layers keep a recurrent state. "
            "The local backend samples from models that keep keys and values only."
        )
    masters = place(net, compute, to_train=to_train)
    tokenizer = read_tokenizer(folder)
    stop = stop_tokens(folder, tokenizer)
    return LanguageModel(net, tokenizer, stop, _packs(net), _plain_head(net), compute, masters)


def _packs(net: PreTrainedModel) -> bool:
    """Whether positions and attention are ours to say: not with attention windows or recurrent layers, nor where
    positions are wired into attention."""
    layers = set(getattr(net.config, "layer_types", None) or ["full_attention"])
    windows = getattr(net.config, "sliding_window", None) is not None or layers != {"full_attention"}
    takes_positions = "position_ids" in inspect.signature(net.forward).parameters
    return net.config._attn_implementation == NAME and not windows and takes_positions


@torch.no_grad()
def _plain_head(net: PreTrainedModel) -> bool:
    """By one token: no bias, no scale, no cap."""
    head = net.get_output_embeddings()
    if type(head) is not torch.nn.Linear:
        return False
    entered: list[Tensor] = []
    with head.register_forward_pre_hook(lambda _, args: entered.append(args[0])):
        logits = net(input_ids=torch.zeros(1, 1, dtype=torch.int64, device=net.device), use_cache=False).logits
    return torch.equal(logits, torch.nn.functional.linear(entered[0], head.weight))
