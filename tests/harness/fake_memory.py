"""Peak memory of a pass, counted over torch's fake tensors: no numbers, no memory, every storage that lives."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LiveBytes(TorchDispatchMode):
    """Bytes of the storages that operations made and that are not gone yet; of weights nothing is counted."""

    def __init__(self, weights: torch.nn.Module) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._seen = {one.untyped_storage()._cdata for one in weights.parameters()}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for one in tree_leaves(made):
            if isinstance(one, Tensor):
                self._count(one.untyped_storage())
        return made

    def _count(self, storage: Any) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._seen:
            return
        self._seen.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._gone, key, size)

    def _gone(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self.now -= size


def peak(
    config: Any,
    tokens: int,
    dtype: torch.dtype,
    checkpointing: bool,
    loss: Callable[[Tensor], Tensor],
    backward: bool = True,
) -> tuple[int, int]:
    """Bytes at most, and bytes that are kept when the forward pass is done, of one packed micro-batch. Weights are not
    in it, and their gradients only until they are whole."""
    from transformers import AutoModelForCausalLM

    with FakeTensorMode(allow_non_fake_inputs=True):
        model = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa", dtype=dtype)
        if checkpointing:
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        model.train()
        for weight in model.parameters():  # where it is trained, a gradient is shared out as soon as it is whole
            weight.register_post_accumulate_grad_hook(_drop)
        live = LiveBytes(model)
        ids, places = torch.zeros(1, tokens, dtype=torch.long), torch.arange(tokens)[None]
        with live:
            output = model(input_ids=ids, position_ids=places, attention_mask=None, use_cache=False)
            found = loss(output.logits.squeeze(0))
            kept = live.now
            if backward:
                found.backward()
        return live.peak, kept


def peak_of_loss(tokens: int, vocab: int, dtype: torch.dtype, loss: Callable[[Tensor], Tensor]) -> int:
    """Bytes at most of logits, of what a loss keeps of them and of its gradient."""
    with FakeTensorMode():
        output = torch.nn.Linear(8, vocab, bias=False, dtype=dtype)
        hidden = torch.zeros(tokens, 8, dtype=dtype, requires_grad=True)
        live = LiveBytes(output)
        with live:
            logits = output(hidden)
            loss(logits).backward()
        return live.peak


def _drop(weight: Tensor) -> None:
    weight.grad = None
