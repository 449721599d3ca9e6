"""Sampling responses. Every row has a seed of its own, so what it draws does not depend on who its neighbours are.

Each prompt is read once and its cache copied to all of its samples; finished rows leave the batch; the log-probs
that a learner needs are caught on the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from harness.engines.base import Request, Sampling, check_room, positions

MAX_ROWS = 512
"""samples generated together; more gain nothing on a processor"""
CACHE_BYTES = 2**31
"""keys and values of the samples generated together stay below it"""
DROP_AT = 0.15
"""finished rows leave once they are this share of the batch: leaving copies the cache, staying costs their forward"""


@dataclass(frozen=True)
class Samples:
    """B responses, on the CPU: each request's samples in the order of its seeds."""

    tokens_BT: Tensor
    """int64, 0 after the end"""
    logp_BT: Tensor
    """float: log-probs at the sampling temperature, before top_p; 0 after the end"""
    length_B: Tensor
    """int64: response tokens, the end-of-sequence token included"""
    stopped_B: Tensor
    """bool: ended by a stop token, not by the limit"""


def sample(
    net: PreTrainedModel,
    requests: Sequence[Request],
    sampling: Sampling,
    stop: tuple[int, ...],
    drop_at: float = DROP_AT,
) -> Samples:
    """Draw the samples of all requests, as many together as is sensible.

    Results are a function of the arguments: fp32 matrix products depend on the number of rows in their last
    digits, so callers who need equal bits ask for equal batches.

    Raises: UserError if a prompt and its response would not fit the model's positions.
    """
    longest = check_room(requests, sampling, positions(net.config))
    rows = rows_together(net, longest + sampling.max_tokens)
    parts = [_sample_together(net, part, sampling, stop, drop_at) for part in split(requests, rows)]
    return Samples(*(torch.cat([getattr(part, f.name) for part in parts]).cpu() for f in fields(Samples)))


def rows_together(net: PreTrainedModel, tokens: int) -> int:
    """How many samples of so many tokens, prompts included, are generated together."""
    config = net.config
    heads = getattr(config, "num_key_value_heads", None) or getattr(config, "num_attention_heads", None)
    if heads is None:  # a recurrent state, of one size however many tokens went into it
        return MAX_ROWS
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    row_bytes = tokens * config.num_hidden_layers * 2 * heads * size * net.dtype.itemsize
    return max(1, min(MAX_ROWS, CACHE_BYTES // row_bytes))


def split(requests: Sequence[Request], max_rows: int) -> Iterator[list[Request]]:
    """The requests in their order, at most `max_rows` samples a part; a request may be cut between two parts."""
    part: list[Request] = []
    free = max_rows
    for request in requests:
        seeds = request.seeds
        while seeds:
            part.append(Request(request.prompt, seeds[:free]))
            seeds, free = seeds[free:], free - len(seeds[:free])
            if free == 0:
                yield part
                part, free = [], max_rows
    if part:
        yield part


@torch.inference_mode()
def _sample_together(
    net: PreTrainedModel, requests: Sequence[Request], sampling: Sampling, stop: tuple[int, ...], drop_at: float
) -> Samples:
    """The samples of a batch of B rows, on the net's device: a token a step for every row, at most T = `max_tokens`.

    Args:
        stop: tokens that end a response.
        drop_at: finished rows leave once they are this share of the batch.
    """
    device = net.device
    row_B = torch.tensor([i for i, request in enumerate(requests) for _ in request.seeds], device=device)
    rows, limit = len(row_B), sampling.max_tokens
    # All random numbers beforehand, each row's from its own seed: who else is in the batch, and when rows leave it,
    # changes no draw.
    uniform_BT = uniforms([seed for request in requests for seed in request.seeds], limit).to(device)
    stop_S = torch.tensor(stop, device=device)
    tokens_BT = torch.zeros(rows, limit, dtype=torch.int64, device=device)
    logp_BT = torch.zeros(rows, limit, device=device)
    length_B = torch.full((rows,), limit, device=device)
    stopped_B = torch.zeros(rows, dtype=torch.bool, device=device)

    ids, prompt_mask = padded([request.prompt for request in requests], device)
    cache, logits = read_prompts(net, ids, prompt_mask)
    # A prompt is read once, however many samples it has.
    cache.batch_select_indices(row_B)
    logits = logits[row_B]
    # Whole from the start, and cut to what has been written at each step. Prompts are padded on the left, so positions
    # count their tokens and not the columns.
    mask = torch.cat([prompt_mask[row_B], prompt_mask.new_ones(rows, limit)], dim=1)
    position = prompt_mask.sum(1)[row_B, None]
    width = prompt_mask.shape[1]
    index = torch.arange(rows, device=device)  # which sample each row of the shrinking batch is

    for t in range(limit):
        token, logp = draw(logits, uniform_BT[index, t], sampling)
        tokens_BT[index, t], logp_BT[index, t] = token, logp
        # A finished row may stay for a while and draw on; what it draws is never looked at, and cleared at the end.
        ended = torch.isin(token, stop_S) & ~stopped_B[index]
        stopped_B[index[ended]], length_B[index[ended]] = True, t + 1
        alive = ~stopped_B[index]
        living = int(alive.sum())
        # After the last token there is nothing to predict.
        if living == 0 or t + 1 == limit:
            break
        if living <= (1 - drop_at) * len(index):
            keep = torch.nonzero(alive)[:, 0]
            cache.batch_select_indices(keep)
            index, token, mask, position = index[keep], token[keep], mask[keep], position[keep]
        logits = net(
            input_ids=token[:, None],
            attention_mask=mask[:, : width + t + 1],
            position_ids=position + t,
            past_key_values=cache,
            use_cache=True,
        ).logits[:, -1]

    live_BT = torch.arange(limit, device=device) < length_B[:, None]
    return Samples(tokens_BT * live_BT, logp_BT * live_BT, length_B, stopped_B)


def draw(logits_BV: Tensor, uniform_B: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor]:
    """One token a row by inverting the cumulative distribution at `uniform_B`, and its log-prob.

    Args:
        uniform_B: in (0, 1]: the first token whose cumulative probability reaches it has a probability above 0.
    """
    if sampling.temperature == 0:
        logp_BV = torch.log_softmax(logits_BV.float(), dim=-1)
        token_B = logp_BV.argmax(dim=-1)
    else:
        logp_BV = torch.log_softmax(logits_BV.float() / sampling.temperature, dim=-1)
        token_B = _invert(logp_BV.exp(), uniform_B, sampling.top_p)
    return token_B, logp_BV.gather(1, token_B[:, None])[:, 0]


def _invert(prob_BV: Tensor, uniform_B: Tensor, top_p: float) -> Tensor:
    if top_p == 1:
        return _first_at(prob_BV, uniform_B)
    prob_BV, order_BV = prob_BV.sort(dim=-1, descending=True, stable=True)
    before_BV = prob_BV.cumsum(dim=-1) - prob_BV
    rank_B = _first_at(prob_BV * (before_BV < top_p), uniform_B)
    return order_BV.gather(1, rank_B[:, None])[:, 0]


def _first_at(prob_BV: Tensor, uniform_B: Tensor) -> Tensor:
    total_BV = prob_BV.cumsum(dim=-1)
    token_B = torch.searchsorted(total_BV, uniform_B[:, None] * total_BV[:, -1:])[:, 0]
    return token_B.clamp(max=prob_BV.shape[1] - 1)  # only reached by logits that are not numbers


def uniforms(seeds: Sequence[int], count: int) -> Tensor:
    """(seeds, count) in (0, 1]: one generator for each seed."""
    generator = torch.Generator()
    return torch.stack([1 - torch.rand(count, generator=generator.manual_seed(seed)) for seed in seeds])


def padded(prompts: Sequence[tuple[int, ...]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Token ids and mask, one row for each prompt, padded on the left."""
    width = max(len(prompt) for prompt in prompts)
    ids = torch.zeros(len(prompts), width, dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(prompt)
        mask[row, width - len(prompt) :] = 1
    return ids.to(device), mask.to(device)


def read_prompts(net: PreTrainedModel, ids: Tensor, mask: Tensor) -> tuple[DynamicCache, Tensor]:
    """Cache and next-token logits of padded prompts."""
    cache = DynamicCache(config=net.config)
    logits = net(
        input_ids=ids,
        attention_mask=mask,
        position_ids=(mask.cumsum(1) - 1).clamp(min=0),
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    ).logits[:, -1]
    return cache, logits
