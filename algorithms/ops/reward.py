"""Shaped rewards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algorithms.rollouts import Rollouts

if TYPE_CHECKING:
    from torch import Tensor


def overlong_penalty(length_B: Tensor, max_tokens: int, buffer: float) -> Tensor:
    """DAPO's soft punishment (arXiv 2503.14476, eq. 13): 0 up to L_max - L_cache, then linear down to -1 at L_max.

    In the paper's terms L_max is the hard limit with the cache L_cache included; verl's `overlong_buffer.len` is
    L_cache and its `max_resp_len` is L_max. No response is longer, so the paper's third branch never differs.

    Args:
        max_tokens: L_max.
        buffer: L_cache as a share of L_max, in (0, 1].
    """
    cache = buffer * max_tokens
    return ((max_tokens - cache - length_B) / cache).clamp(-1.0, 0.0)


def less_overlong(reward_B: Tensor, batch: Rollouts, factor: float, buffer: float) -> Tensor:
    """Rewards less the punishment, weighted; a factor of 0 leaves them as they are."""
    if factor == 0:
        return reward_B
    return reward_B + factor * overlong_penalty(batch.length_B, batch.max_tokens, buffer)


def overlong_words(factor: float, buffer: float) -> str:
    """What a spec says after the reward."""
    return f" - {factor:g} × overlong (last {100 * buffer:g}% of the limit)" if factor else ""
