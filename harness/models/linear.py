"""Matrix products with weights on a processor, by oneDNN.

torch multiplies matrices in fp32 with MKL, which on processors that are not Intel's leaves half of their arithmetic
unused; oneDNN, which torch has on board for convolutions and compiled models, does not. From 128 rows on a product is
twice as fast on an AMD EPYC, forward and backward together 1.6 times (docs/LOG.md). The sums are fp32 all the same, in
another order.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor

LEAST_PRODUCTS = 2**20
"""multiplications from which on it pays: oneDNN needs some microseconds to begin"""
LEAST_PACKED = 2**16
"""numbers of a matrix from which on it is worth packing: smaller ones stay in the processor's nearest caches anyway"""
MOST_PACKED = 2**26
"""numbers of a model up to which it is packed: a second copy of 268 MB"""
PACKED_FOR = 8
"""rows that oneDNN is told of when it packs"""


def use_fast_linear(net: torch.nn.Module) -> None:
    """Give the linear layers of a model this product; their weights, names and gradients stay what they are."""
    if not available():
        return
    for module in net.modules():
        if type(module) is torch.nn.Linear:
            module.__class__ = FastLinear


@cache
def available() -> bool:
    """Whether this torch has oneDNN's product for an x86 processor. Its gain was measured on AMD's, not on Intel's."""
    return (
        platform.machine() in ("x86_64", "AMD64")
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )


class FastLinear(torch.nn.Linear):
    """torch's own, whose forward and backward go another way in fp32 on a processor."""

    def forward(self, input: Tensor) -> Tensor:
        """(..., out) of (..., in), with the gradients of torch's."""
        x, weight = input, self.weight
        single = x.dtype == weight.dtype == torch.float32 and x.device.type == "cpu"
        if not single or x.numel() * len(weight) < LEAST_PRODUCTS or torch.is_autocast_enabled("cpu"):
            return super().forward(x)
        if torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad):
            return _Linear.apply(x, weight, self.bias)  # type: ignore[no-any-return]
        return _product(x, weight, self.bias)


def is_plain(module: object) -> bool:
    """Whether it is a matrix and a bias and no more: torch's own or ours, without adapters."""
    return type(module) in (torch.nn.Linear, FastLinear)


def packed(net: torch.nn.Module, linear: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """A linear layer of this net that is called often before its weights change: the same product, bit for bit, of a
    copy of the weights of now in the order that oneDNN reads them in.

    A product of 8 rows takes half of its time otherwise putting weights into that order (256 x 1152: 92 and 50 us, 128
    rows: 632 and 373). The layer itself where that does not pay, would need much memory, or is not all that it does.
    """
    if (
        not isinstance(linear, FastLinear)
        or linear._forward_hooks
        or linear._forward_pre_hooks
        or linear.weight.dtype != torch.float32
        or linear.weight.device.type != "cpu"
        or linear.weight.numel() < LEAST_PACKED
        or sum(one.numel() for one in net.parameters()) > MOST_PACKED
        or not hasattr(torch.ops.mkldnn, "_reorder_linear_weight")
    ):
        return linear
    ordered = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), PACKED_FOR)
    outer, bias = len(linear.weight), linear.bias

    def run(x: Tensor) -> Tensor:
        return linear(x) if x.numel() * outer < LEAST_PRODUCTS else _product(x, ordered, bias)

    return run


def product(x: Tensor, weight: Tensor) -> Tensor:
    """(n, out) of (n, in) and (out, in), without gradient: by oneDNN where that is here and pays, else by torch."""
    single = x.dtype == weight.dtype == torch.float32 and x.device.type == "cpu"
    if not single or x.numel() * len(weight) < LEAST_PRODUCTS or not available():
        return x @ weight.T
    return _product(x, weight)


def _product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """(..., out) of (..., in) and (out, in)."""
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")  # type: ignore[no-any-return]


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:  # type: ignore[override]
        x, weight = ctx.saved_tensors
        grad_x = grad_weight = grad_bias = None
        rows = grad.reshape(-1, grad.shape[-1])
        if ctx.needs_input_grad[0]:
            grad_x = _product(rows, weight.t()).view_as(x)
        if ctx.needs_input_grad[1]:
            grad_weight = _product(rows.t(), x.reshape(-1, x.shape[-1]).t())
        if ctx.needs_input_grad[2]:
            grad_bias = rows.sum(0)
        return grad_x, grad_weight, grad_bias
