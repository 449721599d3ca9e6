"""Log-probs of chosen tokens without the table of all: logits are made chunk by chunk, and made again going back.

At 16,384 tokens and a vocabulary of 152,000 the logits are 10 GB in single precision, and a plain cross-entropy with
its gradient holds them three times. Here only a chunk of them is ever there.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from harness.models.linear import product

CHUNK = 2**22
"""logits that are held at once on a processor: 16 MB in single precision, which its caches like"""
DEVICE_CHUNK = 2**25
"""on a GPU: 134 MB, 220 rows of a vocabulary of 152,000, so that the head's matrix is read for many rows at once"""


def chosen_logprobs(
    hidden_nD: Tensor, head_VD: Tensor, token_n: Tensor, temperature: float, entropy: bool = False
) -> tuple[Tensor, Tensor | None]:
    """Log-probs of shape n, and the entropy of the whole distribution in nats if asked for, both single precision at
    least whatever the model computes in, both with gradient to `hidden_nD` and `head_VD`.

    Args:
        hidden_nD: what enters the LM head where a token was predicted.
        head_VD: the head's matrix.
        token_n: int64, the token that was chosen there.
    """
    logp, unsure = _Chosen.apply(hidden_nD, head_VD, token_n, temperature, entropy)
    return logp, unsure if entropy else None


class _Chosen(Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, head: Tensor, token: Tensor, temperature: float, entropy: bool
    ) -> tuple[Tensor, Tensor]:
        """Log-probs, and entropies or nothing; as `chosen_logprobs` has them. What is kept is of size n."""
        rows = max(1, (CHUNK if hidden.device.type == "cpu" else DEVICE_CHUNK) // len(head))
        weight = head.to(hidden.dtype)  # under autocast the parameters are of another precision than what they give
        logp, log_sum, unsure = [], [], []
        for part, chosen in zip(hidden.split(rows), token.split(rows), strict=True):
            logits = _logits(part, weight, temperature)
            log_sum.append(logits.logsumexp(-1))
            logp.append(logits.gather(1, chosen[:, None])[:, 0] - log_sum[-1])
            if entropy:
                log_prob = logits.sub_(log_sum[-1][:, None])
                unsure.append(-torch.linalg.vecdot(log_prob.exp(), log_prob))
        whole, total = torch.cat(logp), torch.cat(log_sum)
        means = torch.cat(unsure) if entropy else whole.new_zeros(0)
        ctx.save_for_backward(hidden, head, token, total, means)
        ctx.temperature, ctx.rows = temperature, rows
        return whole, means

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        """With p the probabilities: d logp / d logit = [chosen] - p, d entropy / d logit = -p (log p + entropy)."""
        of_logp, of_entropy = grad_outputs
        hidden, head, token, log_sum, entropy = ctx.saved_tensors
        weight, rows = head.to(hidden.dtype), ctx.rows
        of_hidden = torch.empty_like(hidden)
        of_head = torch.zeros_like(head, dtype=torch.promote_types(head.dtype, log_sum.dtype))
        for at in range(0, len(hidden), rows):
            here = slice(at, at + rows)
            log_prob = _logits(hidden[here], weight, ctx.temperature).sub_(log_sum[here, None])
            pull = of_logp[here, None]
            if len(entropy):
                prob = log_prob.exp()
                slope = log_prob.add_(entropy[here, None]).mul_(of_entropy[here, None]).add_(pull).mul_(prob).neg_()
            else:
                slope = log_prob.exp_().mul_(-pull)
            slope.scatter_add_(1, token[here, None], pull)
            if ctx.temperature != 1:
                slope.div_(ctx.temperature)
            slope = slope.to(hidden.dtype)
            of_hidden[here] = product(slope, weight.T)
            of_head += product(slope.T, hidden[here].T)
        return of_hidden, of_head.to(head.dtype), None, None, None


def _logits(hidden: Tensor, weight: Tensor, temperature: float) -> Tensor:
    """Single precision at least, a tensor of its own."""
    logits = product(hidden, weight)
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return logits if temperature == 1 else logits.div_(temperature)
