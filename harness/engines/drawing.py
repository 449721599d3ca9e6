"""How a token is drawn: by inverting the cumulative distribution at a random number of the sample's own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.engines.base import Sampling

BLOCK_BYTES = 2**20
"""of logits that are drawn from together on a processor: they stay in its cache from one pass to the next"""


def draw(logits_BV: Tensor, uniform_B: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor]:
    """One token a row by inverting the cumulative distribution at `uniform_B`, and its log-prob at the temperature,
    before top_p. What was in the logits is lost: they are worked on in place.

    Args:
        uniform_B: in (0, 1]: the first token whose cumulative probability reaches it has a probability above 0.
    """
    rows, vocabulary = logits_BV.shape
    together = max(1, BLOCK_BYTES // (4 * vocabulary))
    if logits_BV.is_cuda or rows <= together:
        return _draw(logits_BV, uniform_B, sampling)
    blocks = zip(logits_BV.split(together), uniform_B.split(together), strict=True)
    drawn = [_draw(logits, uniform, sampling) for logits, uniform in blocks]
    return torch.cat([token for token, _ in drawn]), torch.cat([logp for _, logp in drawn])


def _draw(logits_BV: Tensor, uniform_B: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor]:
    scores_BV = logits_BV.float()
    if sampling.temperature == 0:
        top_B, token_B = scores_BV.max(dim=-1)
        return token_B, top_B - scores_BV.logsumexp(dim=-1)
    if sampling.temperature != 1:
        scores_BV.div_(sampling.temperature)
    # Probabilities but for their sum, which the last cumulative one is.
    weight_BV = scores_BV.sub_(scores_BV.amax(dim=-1, keepdim=True)).exp_()
    if sampling.top_p == 1:
        token_B, total_B = _first_at(weight_BV, uniform_B)
    else:
        token_B, total_B = _within(weight_BV, uniform_B, sampling.top_p)
    return token_B, (weight_BV.gather(1, token_B[:, None])[:, 0] / total_B).log()


def _first_at(weight_BV: Tensor, uniform_B: Tensor) -> tuple[Tensor, Tensor]:
    """Of each row the first token at which the share of its sum reaches `uniform_B`, and the sum."""
    below_BV = weight_BV.cumsum(dim=-1)
    total_B = below_BV[:, -1]
    token_B = torch.searchsorted(below_BV, (uniform_B * total_B)[:, None])[:, 0]
    return token_B.clamp_(max=weight_BV.shape[1] - 1), total_B  # more is only reached by logits that are not numbers


def _within(weight_BV: Tensor, uniform_B: Tensor, top_p: float) -> tuple[Tensor, Tensor]:
    """As `_first_at`, among the likeliest tokens that together reach `top_p`; the sum is of all."""
    total_B = weight_BV.sum(dim=-1)
    sorted_BV, order_BV = weight_BV.sort(dim=-1, descending=True, stable=True)
    before_BV = sorted_BV.cumsum(dim=-1) - sorted_BV
    rank_B, _ = _first_at(sorted_BV * (before_BV < top_p * total_B[:, None]), uniform_B)
    return order_BV.gather(1, rank_B[:, None])[:, 0], total_B


def uniforms(seeds: Sequence[int], count: int) -> Tensor:
    """(seeds, count) in (0, 1]: one generator for each seed."""
    generator = torch.Generator()
    drawn = torch.empty(len(seeds), count)
    for row, seed in zip(drawn, seeds, strict=True):
        torch.rand(count, generator=generator.manual_seed(seed), out=row)
    return drawn.neg_().add_(1)
