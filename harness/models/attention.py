"""How attention is told what to do: a fast function for decoding, and the mask of packed rows.

For torch's `scaled_dot_product_attention` transformers copies the keys of a group to each of its query heads. With one
query a row, two matrix products over the shared keys need no copy: decoding is up to half as fast again where heads
share keys, and as fast as before where they do not (`bench/generate.py`).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "rence_decode"


def use_decoding_attention(model: PreTrainedModel) -> None:
    """Where a model would use torch's attention, give it ours; leave models with an attention of their own alone."""
    if model.config._attn_implementation != "sdpa":
        return
    AttentionInterface.register(NAME, decoding_attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)


def decoding_attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """The same result as torch's attention, whose code it calls unless there is one query a row.

    Args:
        query: (rows, heads, queries, d); key, value: (rows, key heads, tokens, d), key heads dividing heads.
        attention_mask: bool (rows, 1, queries, tokens), True where to look.

    Returns: (rows, queries, heads, d), and no weights.
    """
    rows, heads, queries, size = query.shape
    if queries > 1:
        return sdpa_attention_forward(module, query, key, value, attention_mask, dropout, scaling, **kwargs)
    grouped = query.reshape(rows, key.shape[1], -1, size) * (size**-0.5 if scaling is None else scaling)
    score = grouped @ key.transpose(2, 3)
    if attention_mask is not None:
        score = score.masked_fill(~attention_mask, -torch.inf)
    return (score.softmax(-1) @ value).reshape(rows, 1, heads, -1), None


def packed_mask(copy_RW: Tensor, owner_RW: Tensor) -> Tensor:
    """bool (R, 1, W, W): causal, where a response sees its prompt and itself.

    Args:
        copy_RW: which copy of a prompt a token is of or follows; equal numbers may see each other.
        owner_RW: 0 on prompts, another number on each response; unequal ones do not see each other.
    """
    width = copy_RW.shape[1]
    causal = torch.ones(width, width, dtype=torch.bool, device=copy_RW.device).tril()
    same_copy = copy_RW[:, :, None] == copy_RW[:, None, :]
    seen = (owner_RW == 0)[:, None, :] | (owner_RW[:, :, None] == owner_RW[:, None, :])
    return (causal & same_copy & seen)[:, None]
