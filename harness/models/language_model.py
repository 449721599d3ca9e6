"""Loading a causal LM and its tokenizer from a folder onto a device. What is built for a model follows `net.device`."""

from __future__ import annotations

import inspect
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase
from transformers.cache_utils import DynamicLayer
from transformers.utils import logging

from harness.base.errors import UserError
from harness.models import adapters
from harness.models.allocator import keep_memory
from harness.models.attention import NAME
from harness.models.checkpointing import MARK, keep_inputs_alone
from harness.models.compute import Compute
from harness.models.linear import is_plain, use_fast_linear
from harness.models.lora import Lora
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
    lora: Lora | None = None
    """what its adapters are, which learn in place of its weights; None: it has none"""

    @property
    def device(self) -> torch.device:
        return self.net.device

    @property
    def checkpointing(self) -> bool:
        """Whether training keeps of each layer its input alone."""
        return bool(getattr(self.net, MARK, False))

    def decode(self, tokens_BT: Tensor, length_B: Tensor) -> list[str]:
        """Responses as text, special tokens left out."""
        rows = zip(tokens_BT.tolist(), length_B.tolist(), strict=True)
        return self.tokenizer.batch_decode([row[:length] for row, length in rows], skip_special_tokens=True)

    def copy(self) -> LanguageModel:
        """The same weights as the net computes with, which no longer follow this model's and are not trained. Those
        under adapters, which never change, are shared."""
        shared = {id(one): one for one in adapters.frozen(self.net)}
        return replace(self, net=deepcopy(self.net, shared).requires_grad_(False), masters=None)

    def without_adapters(self) -> LanguageModel:
        """A copy that is the model as it was before there were any, and takes no memory of its own but theirs."""
        found = self.copy()
        adapters.switch(found.net, on=False)
        return found

    def take(self, other: LanguageModel) -> None:
        """Another model's weights, or its adapters', as its net computes with."""
        adapters.load_state(self.net, adapters.state(other.net))

    def learnt(self) -> list[Parameter]:
        """What an optimiser steps on: fp32, or the net's own."""
        return self.masters.parameters() if self.masters else [p for p in self.net.parameters() if p.requires_grad]

    def follow(self) -> None:
        """After a step: the net takes the weights that were stepped on."""
        if self.masters:
            self.masters.publish()

    def save(self, folder: Path) -> None:
        """In Hugging Face layout, with the weights that were stepped on, and the tokenizer. Adapters are merged, and
        once more on their own in the folder `adapters.FOLDER`."""
        state = self.masters.state_dict() if self.masters else None
        if self.lora:
            held = state or self.net.state_dict()
            # One type for all, as where every weight learns: of a net in bf16 only the merged ones are fp32.
            state = {name: value.float() for name, value in adapters.merged(self.net, held=held)}
            adapters.save(adapters.alone(held), self.lora, folder / adapters.FOLDER)
        self.net.save_pretrained(folder, state_dict=state)
        self.tokenizer.save_pretrained(folder)

    def restore(self, folder: Path) -> None:
        """Take the weights that `save` has written. Raises: UnusableWeights."""
        state = adapters.read(folder / adapters.FOLDER) if self.lora else load(folder).net.state_dict()
        if self.masters:
            self.masters.load_state_dict(state)
        else:
            adapters.load_state(self.net, state)


def load(
    folder: Path, compute: Compute | None = None, *, to_train: bool = False, lora: Lora | None = None, seed: int = 0
) -> LanguageModel:
    """No dropout: the sampler's log-probs must be the trainer's. One thread.

    Args:
        compute: on what and in what; None: fp32 on the CPU.
        to_train: whether an optimiser will step on it; fp32 masters are then kept beside weights of fewer bits.
        lora: adapters to put on, which learn in place of the weights; these need no masters then.
        seed: what adapters begin with.
    Raises: UnusableWeights if they are not, or not all, the model's; UserError if a file of it cannot be read, if the
        model keeps something else than keys and values, if `compute` cannot be had here, or if adapters cannot be put
        on it.
    """
    compute = compute or Compute()
    torch.set_num_threads(1)
    keep_memory()
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
    use_fast_linear(net)
    if lora:  # before it is cast: what learns has its masters, and what does not needs none
        adapters.adapt(net, lora, seed)
    masters = place(net, compute, to_train=to_train)
    if to_train and compute.checkpointing:
        keep_inputs_alone(net)
    tokenizer = read_tokenizer(folder)
    stop = stop_tokens(folder, tokenizer)
    return LanguageModel(net, tokenizer, stop, _packs(net), _plain_head(net), compute, masters, lora)


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
    head: Any = net.get_output_embeddings()
    if not is_plain(head) or head.bias is not None:
        return False
    entered: list[Tensor] = []
    with head.register_forward_pre_hook(lambda _, args: entered.append(args[0])):
        logits = net(input_ids=torch.zeros(1, 1, dtype=torch.int64, device=net.device), use_cache=False).logits
    return torch.equal(logits, head(entered[0]))
