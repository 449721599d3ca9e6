"""Loading a causal LM and its tokenizer from a folder, and the one place that says where tensors live."""

from __future__ import annotations

import inspect
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase
from transformers.cache_utils import DynamicLayer
from transformers.utils import logging

from harness.base.errors import UserError
from harness.models.attention import NAME, use_decoding_attention
from harness.models.reading import read_tokenizer, reading
from harness.models.stopping import stop_tokens
from harness.models.weights import check, load_net

DEVICE = torch.device("cpu")


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

    def decode(self, tokens_BT: Tensor, length_B: Tensor) -> list[str]:
        """Responses as text, special tokens left out."""
        rows = zip(tokens_BT.tolist(), length_B.tolist(), strict=True)
        return self.tokenizer.batch_decode([row[:length] for row, length in rows], skip_special_tokens=True)

    def copy(self) -> LanguageModel:
        """The same weights, which no longer follow this model's."""
        return replace(self, net=deepcopy(self.net).requires_grad_(False))


def load(folder: Path) -> LanguageModel:
    """fp32, one thread, no dropout: the sampler's log-probs must be the trainer's.

    Raises: UnusableWeights if they are not, or not all, the model's; UserError if a file of it cannot be read, or if
    the model keeps something else than keys and values.
    """
    torch.set_num_threads(1)
    logging.disable_progress_bar()
    check(folder, quantised=False)
    with reading("model", folder):
        net = load_net(folder, dtype=torch.float32)
    net.to(DEVICE).eval()  # type: ignore[arg-type]
    if not all(isinstance(layer, DynamicLayer) for layer in DynamicCache(config=net.config).layers):
        raise UserError(
            f"{folder} is a {net.config.model_type} model, whose layers keep a recurrent state. "
            "The local backend samples from models that keep keys and values only."
        )
    use_decoding_attention(net)
    tokenizer = read_tokenizer(folder)
    return LanguageModel(net, tokenizer, stop_tokens(folder, tokenizer), _packs(net), _plain_head(net))


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
