"""One step of decoding: a token of each row in, the logits of the next out.

`LeanDecoder` runs the layers of Llama, Mistral, Qwen2 and Qwen3 themselves. It calls the model's own linear layers
where anything is hooked into these (adapters), else their products with packed weights (`models/linear.py`), and does
the rest in few operations: transformers' forward spends half of a small batch's time between them (8 rows of a model of
9 M parameters: docs/LOG.md). `PlainDecoder` calls the forward of any other model. Both give the same logits, to the
last digits; tests compare them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from harness.base.errors import UserError
from harness.models.attention import NAME
from harness.models.fused import rotated
from harness.models.linear import packed
from harness.models.slots import Slots

LEAN = ("llama", "mistral", "qwen2", "qwen3")
"""`model_type` of decoders whose layers are: norm, attention with rotary positions, norm, gated MLP"""
FIXED_ROPE = ("default", "linear", "llama3", "yarn")
"""kinds of rotary positions that depend on nothing but the position"""
KINDS = ("full_attention", "sliding_attention")
Product = Callable[[Tensor], Tensor]


def decoder_of(net: PreTrainedModel, columns: int) -> LeanDecoder | PlainDecoder:
    """
    Args:
        columns: most tokens of a row, prompt and response together.
    Raises: UserError if a layer's attention is of a kind that is not known.
    """
    return LeanDecoder(net, columns) if _is_lean(net) else PlainDecoder(net)


def _is_lean(net: PreTrainedModel) -> bool:
    config = net.config
    rope = getattr(config, "rope_parameters", None) or {}
    return (
        config.model_type in LEAN
        and config._attn_implementation == NAME
        and set(kinds_of(config)) == {"full_attention"}
        and window_of(config) is None
        and rope.get("rope_type", "default") in FIXED_ROPE
    )


def kinds_of(config: Any) -> list[str]:
    """Of each layer how far its attention sees."""
    return getattr(config, "layer_types", None) or ["full_attention"] * config.num_hidden_layers


def window_of(config: Any) -> int | None:
    """Tokens that a layer with a sliding window sees, the own one included; None where there is none."""
    kinds = getattr(config, "layer_types", None)
    return None if kinds and "sliding_attention" not in kinds else getattr(config, "sliding_window", None)


class LeanDecoder:
    """Of a model of `LEAN`, with its weights as they are when it is made."""

    def __init__(self, net: PreTrainedModel, columns: int) -> None:
        base: Any = net.model
        self._net, self._base = net, base
        self._heads, self._size = net.config.num_attention_heads, base.layers[0].self_attn.head_dim
        weight = base.embed_tokens.weight
        position = torch.arange(columns, device=weight.device)
        cos, sin = base.rotary_emb(weight[:1, None], position[None])
        half = self._size // 2
        # Of each position (1, d / 2), for all heads alike.
        self._cos, self._sin = cos[0, :, None, :half].contiguous(), sin[0, :, None, :half].contiguous()
        self._columns = torch.arange(columns, device=weight.device)
        self._layers = [_Layer.of(net, layer) for layer in base.layers]
        self._head = packed(net, net.lm_head)

    def step(self, token_R: Tensor, slots: Slots) -> Tensor:
        """(R, V): logits after these tokens, whose keys go where `slots.place` said."""
        column_R, width = slots.column_R, slots.width
        hidden = (self._columns[:width] > column_R[:, None])[:, None, None]
        cos, sin = self._cos[column_R], self._sin[column_R]
        x = self._base.embed_tokens(token_R)
        for layer, kept in zip(self._layers, slots.layers, strict=True):
            own = layer.own
            x = x + self._attend(layer, _norm(own.input_layernorm, x), kept, cos, sin, hidden)
            y = _norm(own.post_attention_layernorm, x)
            x = x + layer.down(own.mlp.act_fn(layer.gate(y)).mul_(layer.up(y)))
        return self._head(_norm(self._base.norm, x))

    def _attend(self, layer: _Layer, x: Tensor, kept: Any, cos: Tensor, sin: Tensor, hidden: Tensor) -> Tensor:
        """Attention's part of a layer.

        Args:
            x: (R, hidden size).
            hidden: bool (R, 1, 1, width): what a row must not see.
        """
        rows, size, own = len(x), self._size, layer.own.self_attn
        query, key = layer.query(x).view(rows, -1, size), layer.key(x).view(rows, -1, size)
        if hasattr(own, "q_norm"):
            query, key = _norm(own.q_norm, query), _norm(own.k_norm, key)
        query, key = _rotate(query, cos, sin), _rotate(key, cos, sin)
        keys, values = kept.update(key[:, :, None], layer.value(x).view(rows, -1, 1, size))
        grouped = query.view(rows, keys.shape[1], -1, size).mul_(own.scaling)
        weight = (grouped @ keys.transpose(2, 3)).masked_fill_(hidden, -torch.inf).softmax(-1)
        return layer.out((weight @ values).view(rows, -1))


@dataclass(frozen=True)
class _Layer:
    """A layer of a model, and the products with its matrices."""

    own: Any
    query: Product
    key: Product
    value: Product
    out: Product
    gate: Product
    up: Product
    down: Product

    @classmethod
    def of(cls, net: PreTrainedModel, layer: Any) -> _Layer:
        attention, mlp = layer.self_attn, layer.mlp
        matrices = (
            *(attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj),
            *(mlp.gate_proj, mlp.up_proj, mlp.down_proj),
        )
        return cls(layer, *(packed(net, one) for one in matrices))


def _norm(own: Any, x: Tensor) -> Tensor:
    """RMS norm by the model's weight: torch's, which is one kernel on a GPU."""
    return torch.nn.functional.rms_norm(x, own.weight.shape, own.weight, own.variance_epsilon)


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    turned = torch.empty_like(x)
    rotated(x, cos, sin, turned)
    return turned


class PlainDecoder:
    """Of any model of transformers that keeps keys and values."""

    def __init__(self, net: PreTrainedModel) -> None:
        self._net, self._window = net, window_of(net.config)
        self._kinds = set(kinds_of(net.config))
        odd = sorted(self._kinds - {*KINDS})
        if odd:
            raise UserError(
                f"The local engine knows layers with {' and '.join(KINDS)}, but {net.config.model_type} has "
                f"{', '.join(odd)}. The engine `hf` evaluates it."
            )

    def step(self, token_R: Tensor, slots: Slots) -> Tensor:
        """(R, V): logits after these tokens, whose keys go where `slots.place` said."""
        return self._net(
            input_ids=token_R[:, None],
            attention_mask=self._mask(slots),
            position_ids=slots.column_R[:, None],
            past_key_values=slots,
            use_cache=True,
        ).logits[:, -1]

    def _mask(self, slots: Slots) -> Any:
        """What each row sees, in the form that the model's attention takes."""
        column = torch.arange(slots.width, device=slots.column_R.device)
        seen = column <= slots.column_R[:, None]
        how = self._net.config._attn_implementation
        if how not in (NAME, "sdpa", "eager"):
            return seen.long()
        near = seen & (column > slots.column_R[:, None] - self._window) if self._window is not None else seen
        full, sliding = (self._as_taken(one[:, None, None], how) for one in (seen, near))
        if self._kinds == {*KINDS}:
            return {"full_attention": full, "sliding_attention": sliding}
        return sliding

    def _as_taken(self, seen: Tensor, how: str) -> Tensor:
        if how != "eager":  # eager adds its mask
            return seen
        lowest = torch.finfo(self._net.dtype).min
        return torch.zeros(seen.shape, dtype=self._net.dtype, device=seen.device).masked_fill_(~seen, lowest)
