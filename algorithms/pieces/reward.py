"""Shaped rewards."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
