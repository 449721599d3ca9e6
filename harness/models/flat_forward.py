"""The forward pass of training for models of Llama's shape, on tokens that stand in one flat list.

Matrices and norms see every token once: no padding, and one copy of a prompt however many responses share it. Only
attention needs rows, so queries, keys and values are gathered into them and what it gives is taken back. The last layer
lets only those tokens ask from which something is predicted. transformers' own pass on rows gives the same, and is what
other models, other devices and other precisions than single take.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, scaled_dot_product_attention
from transformers import PreTrainedModel

from harness.models.attention import NAME
from harness.models.checkpointing import MARK
from harness.models.fused import AfterAttention, BeforeAttention, LastNorm
from harness.models.linear import is_plain

ARCHITECTURES = ("LlamaForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM")
"""of transformers, by the names of their classes"""


@dataclass(frozen=True)
class Rows:
    """How N flat tokens are laid into R rows of W cells for attention."""

    token_RW: Tensor
    """int64 (R, W): the token that each cell holds; padding holds any"""
    cell_N: Tensor
    """int64: the cell, counted through all rows, that each token is taken back from"""
    mask: Tensor | None
    """float (R, 1, W, W), 0 where to look and -inf elsewhere; None: causal, one sequence a row"""


def runs_flat(net: PreTrainedModel) -> bool:
    """Whether `hidden_at` is written for this model as it stands: Llama, Qwen2 or Qwen3 in single precision on a
    processor, with plain matrices (no adapters), attention that is ours to choose and sees everything before, no
    dropout, and not asked to save memory by computing layers twice."""
    if type(net).__name__ not in ARCHITECTURES or not type(net).__module__.startswith("transformers."):
        return False
    config: Any = net.config
    layers: Any = net.model.layers
    matrices = [m for layer in layers for m in (*_projections(layer.self_attn), *_linears(layer.mlp))]
    unbiased = [m for layer in layers for m in (layer.self_attn.o_proj, *_linears(layer.mlp))]
    return (
        all(is_plain(matrix) for matrix in (*matrices, net.get_output_embeddings()))
        and type(net.get_input_embeddings()) is nn.Embedding
        and all(matrix.bias is None for matrix in unbiased)
        and all(p.dtype == torch.float32 and p.device.type == "cpu" for p in net.parameters())
        and config.hidden_act == "silu"
        and config._attn_implementation == NAME
        and set(getattr(config, "layer_types", None) or ["full_attention"]) == {"full_attention"}
        and not (net.training and config.attention_dropout)
        and not net.is_gradient_checkpointing
        and not getattr(net, MARK, False)
    )


def _projections(attention: Any) -> tuple[nn.Linear, nn.Linear, nn.Linear, nn.Linear]:
    return attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj


def _linears(mlp: Any) -> tuple[nn.Linear, nn.Linear, nn.Linear]:
    return mlp.gate_proj, mlp.up_proj, mlp.down_proj


def hidden_at(net: Any, ids_N: Tensor, position_N: Tensor, rows: Rows, asked: Tensor) -> Tensor:
    """(S, D): what enters the LM head at S of N tokens, with gradient where it is on.

    Args:
        ids_N, position_N: int64, each token and its place in its sequence, counted from 0.
        asked: int64 (S), the tokens from which something is predicted, each once.
    """
    body = net.model
    x = embedding(ids_N, body.embed_tokens.weight, body.embed_tokens.padding_idx)  # whose gradient is zero
    cos, sin = body.rotary_emb(x[None], position_N[None])
    half = cos.shape[-1] // 2  # the halves are equal
    cos, sin = cos[0, :, None, :half].contiguous(), sin[0, :, None, :half].contiguous()
    for number, layer in enumerate(body.layers, 1):
        said = _before(layer, x, cos, sin)
        cells = rows.cell_N
        if number == len(body.layers):
            x, cells = x.index_select(0, asked), cells.index_select(0, asked)
        x = _after(layer, x, _attend(layer.self_attn, said, rows, cells))
    return LastNorm.apply(x, body.norm.weight, body.norm.variance_epsilon)


def _before(layer: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    attention, size = layer.self_attn, layer.self_attn.head_dim
    parts = _projections(attention)[:3]
    heads, key_heads = (part.out_features // size for part in parts[:2])
    head_norm = None
    if hasattr(attention, "q_norm"):
        q_norm, k_norm = attention.q_norm.weight, attention.k_norm.weight
        head_norm = torch.cat([q_norm.expand(heads, size), k_norm.expand(key_heads, size)])
    bias = None if parts[0].bias is None else torch.cat([part.bias for part in parts])
    norm = layer.input_layernorm
    return BeforeAttention.apply(
        x, norm.weight, torch.cat([part.weight for part in parts]), bias, head_norm, cos, sin, heads + key_heads,
        norm.variance_epsilon,
    )  # fmt: skip


def _after(layer: Any, x: Tensor, attended: Tensor) -> Tensor:
    gate, up, down = _linears(layer.mlp)
    norm = layer.post_attention_layernorm
    gate_up = torch.cat([gate.weight, up.weight])
    out = layer.self_attn.o_proj.weight
    return AfterAttention.apply(x, attended, out, norm.weight, gate_up, down.weight, norm.variance_epsilon)


def _attend(attention: Any, said: Tensor, rows: Rows, cells: Tensor) -> Tensor:
    """(len(cells), heads x d): what the tokens in these cells see."""
    count, width = rows.token_RW.shape
    size = attention.head_dim
    heads, key_heads = attention.q_proj.out_features // size, attention.k_proj.out_features // size
    laid = said.index_select(0, rows.token_RW.flatten()).view(count, width, -1, size).transpose(1, 2)
    query, key, value = laid.split([heads, key_heads, key_heads], 1)
    seen = scaled_dot_product_attention(
        query, key, value, attn_mask=rows.mask, is_causal=rows.mask is None, scale=attention.scaling,
        enable_gqa=heads != key_heads,
    )  # fmt: skip
    return seen.transpose(1, 2).reshape(count * width, -1).index_select(0, cells)
