"""The two halves of a decoder layer with their gradients written out: what comes before attention, and what follows.

Autograd makes of a layer some hundred small operations, each with a pass over memory. Written by hand a norm is two
passes: its weight goes into the matrix behind it, and so does the weight's gradient come out of that matrix's. Matrices
that read the same input are one product. N tokens, D hidden, M = (heads + 2 key heads) x d, I intermediate.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import silu

from harness.models.linear import product

Gradients = tuple[Tensor | None, ...]


def normalised(x: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """x over its root mean square along the last dimension, and one over that root mean square."""
    inverse = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(x.shape[-1]).add_(eps).rsqrt_()
    return x * inverse, inverse


def through_norm(gradient: Tensor, normal: Tensor, inverse: Tensor) -> Tensor:
    """The gradient to x of what `normalised` gave, from the gradient to `normal`; may write into the latter."""
    along = (gradient * normal).sum(-1, keepdim=True).div_(-normal.shape[-1])
    return gradient.addcmul_(normal, along).mul_(inverse)


def rotated(x: Tensor, cos: Tensor, sin: Tensor, out: Tensor) -> None:
    """Rotary positions (Su et al. 2021, arXiv:2104.09864, eq. 34) with the halves of d as pairs, into `out`.

    Args:
        x, out: (N, heads, d), not the same memory; cos, sin: (N, 1, d / 2).
    """
    half = cos.shape[-1]
    a, b, out_a, out_b = x[..., :half], x[..., half:], out[..., :half], out[..., half:]
    torch.mul(a, cos, out=out_a).addcmul_(b, sin, value=-1)
    torch.mul(b, cos, out=out_b).addcmul_(a, sin)


class BeforeAttention(Function):
    """(N, D) -> (N, M): norm, queries, keys and values side by side, norms of queries and keys, positions."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        norm: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        head_norm: Tensor | None,
        cos: Tensor,
        sin: Tensor,
        turning: int,
        eps: float,
    ) -> Tensor:
        """
        Args:
            norm: (D), the norm's weight; weight: (M, D); bias: (M).
            head_norm: (heads + key heads, d), the weight of each query's and key's norm; None: they have none.
            cos, sin: (N, 1, d / 2).
            turning: heads + key heads.
        """
        normal, inverse = normalised(x, eps)
        scaled = weight * norm
        said = product(normal, scaled)
        if bias is not None:
            said += bias
        turned = _turned(said, turning, cos)
        # In the memory of queries and keys, behind which the values stay as they are.
        head_normal = head_inverse = None
        if head_norm is None:
            rotated(turned.clone(), cos, sin, turned)
        else:
            head_normal, head_inverse = normalised(turned, eps)
            rotated(head_normal * head_norm, cos, sin, turned)
        ctx.save_for_backward(normal, inverse, norm, weight, head_norm, head_normal, head_inverse, cos, sin)
        ctx.biased, ctx.turning = bias is not None, turning
        return said

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Gradients:
        """To x, the norm's weight, the matrix, its bias and the weights of the heads' norms, each of its shape."""
        (gradient,) = grad_outputs
        normal, inverse, norm, weight, head_norm, head_normal, head_inverse, cos, sin = ctx.saved_tensors
        of_said = gradient.clone()  # what is the value's is there, the rest is written over
        of_turned = _turned(of_said, ctx.turning, cos)
        of_head_norm = None
        if head_norm is None:
            rotated(_turned(gradient, ctx.turning, cos), cos, -sin, of_turned)
        else:
            back = torch.empty_like(head_normal)
            rotated(_turned(gradient, ctx.turning, cos), cos, -sin, back)
            of_head_norm = (back * head_normal).sum(0)
            of_turned.copy_(through_norm(back.mul_(head_norm), head_normal, head_inverse))
        of_x, of_norm, of_weight = _behind_norm(of_said, normal, inverse, norm, weight)
        of_bias = of_said.sum(0) if ctx.biased else None
        return of_x, of_norm, of_weight, of_bias, of_head_norm, None, None, None, None


class AfterAttention(Function):
    """(N, D) and what attention gave -> (N, D): output matrix, residual, norm, gated feed-forward layer, residual."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, attended: Tensor, out: Tensor, norm: Tensor, gate_up: Tensor, down: Tensor, eps: float
    ) -> Tensor:
        """
        Args:
            attended: (N, heads x d); out: (D, heads x d); norm: (D); gate_up: (2 I, D), the gate's first;
                down: (D, I).
        """
        middle = product(attended, out).add_(x)
        normal, inverse = normalised(middle, eps)
        both = product(normal, gate_up * norm)
        size = down.shape[1]
        gate = silu(both[:, :size])
        ctx.save_for_backward(attended, normal, inverse, both, gate, out, norm, gate_up, down)
        return product(gate * both[:, size:], down).add_(middle)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Gradients:
        """To x, what attention gave, and the four weights, each of its shape."""
        (gradient,) = grad_outputs
        attended, normal, inverse, both, gate, out, norm, gate_up, down = ctx.saved_tensors
        size = down.shape[1]
        up = both[:, size:]
        of_down = product(gradient.T, (gate * up).T)
        of_product = product(gradient, down.T)
        of_both = torch.empty_like(both)
        torch.mul(of_product, gate, out=of_both[:, size:])
        torch.ops.aten.silu_backward.grad_input(of_product.mul_(up), both[:, :size], grad_input=of_both[:, :size])
        of_middle, of_norm, of_gate_up = _behind_norm(of_both, normal, inverse, norm, gate_up)
        of_middle.add_(gradient)
        of_attended, of_out = product(of_middle, out.T), product(of_middle.T, attended.T)
        return of_middle, of_attended, of_out, of_norm, of_gate_up, of_down, None


class LastNorm(Function):
    """(N, D) -> (N, D): a norm with its weight, no matrix behind it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, norm: Tensor, eps: float) -> Tensor:
        """norm: (D)."""
        normal, inverse = normalised(x, eps)
        ctx.save_for_backward(normal, inverse, norm)
        return normal * norm

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Gradients:
        """To x and the norm's weight."""
        (gradient,) = grad_outputs
        normal, inverse, norm = ctx.saved_tensors
        return through_norm(gradient * norm, normal, inverse), (gradient * normal).sum(0), None


def _turned(said: Tensor, turning: int, cos: Tensor) -> Tensor:
    """(N, heads + key heads, d): queries and keys, which take positions, not the values behind them. A view."""
    size = 2 * cos.shape[-1]
    return said[:, : turning * size].view(len(said), turning, size)


def _behind_norm(
    of_said: Tensor, normal: Tensor, inverse: Tensor, norm: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients to x, to the norm's weight and to the matrix, of said = (normal * norm) @ weight.T."""
    of_x = through_norm(product(of_said, (weight * norm).T), normal, inverse)
    of_scaled = product(of_said.T, normal.T)
    return of_x, (of_scaled * weight).sum(0), of_scaled.mul_(norm)
