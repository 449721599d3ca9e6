"""Sampling responses. Every row has random numbers of its own, so what it draws does not depend on who its neighbours
are, nor on when it began.

Each prompt is read once and its keys and values copied to all of its samples. A row that ends gives its place to the
next sample that waits; once none waits, the batch shrinks. The log-probs that a learner needs are caught on the way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from harness.engines.base import Request, Sampling, check_room, positions
from harness.engines.drawing import uniforms
from harness.engines.steps import Steps

MAX_ROWS = 512
"""samples generated together; more gain nothing on a processor"""
CACHE_BYTES = 2**31
"""on a processor, keys and values of the samples generated together stay below it"""
CUDA_SHARE = 0.5
"""of the GPU's memory that is free when a call begins: its keys and values stay below it"""
FIRST_COLUMNS = 256
"""room for so many tokens of a response at first; it grows by half, with the longest row"""
READ_TOKENS = 2**14
"""of prompts that are read in one forward pass, padding included"""
DROP_AT = 0.15
"""ended rows leave, and others come in, once they are this share of the batch"""


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
    """Draw the samples of all requests, as many together as is sensible, on the device of the net.

    On a processor, results are a function of the arguments: fp32 matrix products depend on the number of rows in their
    last digits, so callers who need equal bits ask for equal batches. On a GPU, which rows share a step depends on the
    memory that is free, too.

    Memory: rows at work x columns of the longest of them, at most `CACHE_BYTES` (on a GPU `CUDA_SHARE`). Where the
    longest row outgrows that, the rows with the fewest tokens wait until there is room, and are read again then.

    Args:
        stop: tokens that end a response.
        drop_at: ended rows leave once they are this share of the batch; above 1, not before all have ended.
    Raises: UserError if a prompt and its response would not fit the model's positions, or if the model has layers of a
        kind that is not known.
    """
    check_room(requests, sampling, positions(net.config))
    with torch.inference_mode():
        batch = _Batch(net, requests, sampling, stop, drop_at)
        while batch.waiting or batch.working:
            batch.admit()
            batch.run()
            batch.leave()
    # Outside, for its results are learnt from: tensors of inference mode may not be.
    return _cut(batch.steps.tokens_BT[:-1].cpu(), batch.steps.logp_BT[:-1].cpu(), stop)


def _cut(tokens_BT: Tensor, logp_BT: Tensor, stop: tuple[int, ...]) -> Samples:
    """What was drawn up to each response's end; its row may have drawn on."""
    limit = tokens_BT.shape[1]
    ends_BT = torch.isin(tokens_BT, torch.tensor(stop))
    stopped_B = ends_BT.any(1)
    length_B = torch.where(stopped_B, ends_BT.int().argmax(1) + 1, limit)
    live_BT = torch.arange(limit) < length_B[:, None]
    return Samples(tokens_BT * live_BT, logp_BT.where(live_BT, 0.0), length_B, stopped_B)


@dataclass
class _Row:
    """A sample that waits or is at work."""

    sample: int
    prompt: tuple[int, ...]
    drawn: int = 0
    """tokens of the response; more than 0 while it waits: it was sent back"""

    @property
    def columns(self) -> int:
        """Tokens whose keys and values are there: the last one drawn is yet to be read."""
        return len(self.prompt) + self.drawn - 1


class _Batch:
    """Rows at work, each in its slot, and rows that wait. `Steps` does the work on the device; this says when."""

    def __init__(
        self, net: PreTrainedModel, requests: Sequence[Request], sampling: Sampling, stop: Sequence[int], drop_at: float
    ) -> None:
        samples = [(request.prompt, seed) for request in requests for seed in request.seeds]
        self._net, self._limit, self._drop_at = net, sampling.max_tokens, drop_at
        self.waiting = deque(_Row(number, prompt) for number, (prompt, _) in enumerate(samples))
        self.working: list[_Row] = []
        longest = max(len(prompt) for prompt, _ in samples)
        self._most_columns = longest + self._limit
        # All random numbers beforehand, each row's from its own seed.
        drawn = uniforms([seed for _, seed in samples], self._limit)
        self.steps = Steps(net, drawn, sampling, stop, min(MAX_ROWS, len(samples)), self._most_columns)
        self._room = cache_bytes(self.steps.device) // token_bytes(net)
        self._make_room(longest + min(self._limit, FIRST_COLUMNS))

    def _make_room(self, columns: int) -> None:
        """For longer rows. Those that have no place then go back to those that wait."""
        self._columns = min(columns, self._most_columns)
        self._rows = max(1, min(self.steps.slots, self._room // self._columns))
        used = max((row.columns for row in self.working), default=0)
        # Those that lose least by it.
        by_work = sorted(range(len(self.working)), key=lambda slot: -self.working[slot].drawn)
        back = {*by_work[self._rows :]}
        self.waiting.extendleft(self.working[slot] for slot in sorted(back, reverse=True))
        self._remove(back)
        self.steps.make_room(self._net.config.num_hidden_layers, self._rows, self._columns, used)

    def admit(self) -> None:
        """Give free slots to rows that wait, in their order, once enough are free; read what they begin with."""
        free = self._rows - len(self.working)
        if not self.waiting or (self.working and free < self._share(self._rows)):
            return
        new = [self.waiting.popleft() for _ in range(min(free, len(self.waiting)))]
        # Rows that begin alike are read once.
        alike: dict[tuple[int, ...], list[_Row]] = {}
        for row in new:
            alike.setdefault(self._begun(row), []).append(row)
        part: dict[tuple[int, ...], list[_Row]] = {}
        for tokens, rows in alike.items():
            if part and max(map(len, (*part, tokens))) * (len(part) + 1) > READ_TOKENS:
                self._read(part)
                part = {}
            part[tokens] = rows
        self._read(part)

    def _begun(self, row: _Row) -> tuple[int, ...]:
        """Its prompt, and what it has drawn of its response if it was sent back."""
        return (*row.prompt, *self.steps.tokens_BT[row.sample, : row.drawn].tolist()) if row.drawn else row.prompt

    def _read(self, part: Mapping[tuple[int, ...], list[_Row]]) -> None:
        """Read what rows begin with in one pass, and draw a token of each."""
        ids, mask = padded([*part], self.steps.device)
        read, logits = read_prompts(self._net, ids, mask, DynamicCache())
        begun = [row for rows in part.values() for row in rows]
        takers, slot = [], len(self.working)
        for rows in part.values():
            takers.append(range(slot, slot := slot + len(rows)))
        self.steps.begin(read, logits, takers, [(row.sample, row.drawn, row.columns) for row in begun])
        for row in begun:
            row.drawn += 1
        self.working += begun

    def run(self) -> None:
        """Steps, until enough rows have ended, one is at its limit, or one has filled its slot."""
        left = min(self._limit - row.drawn for row in self.working)
        width = 1 + max(row.columns for row in self.working)
        if left and width > self._columns:
            self._make_room(self._columns + self._columns // 2)
        left, rows, done = min(left, self._columns - width + 1), len(self.working), 0
        while done < left and sum(self.steps.look(rows)) < self._share(rows):
            for _ in range(min(self.steps.look_every, left - done)):
                self.steps.run(rows, width + done)
                done += 1
        for row in self.working:
            row.drawn += done

    def leave(self) -> None:
        """Rows that have ended, or are at their limit, give their slots back."""
        ended = self.steps.look(len(self.working))
        at_limit = (row.drawn == self._limit for row in self.working)
        self._remove({slot for slot, (one, other) in enumerate(zip(ended, at_limit, strict=True)) if one or other})

    def _remove(self, slots: set[int]) -> None:
        """The rows of these slots; rows at the end move into slots before it, so that the first ones are in use."""
        if not slots:
            return
        left, used = len(self.working) - len(slots), max(row.columns for row in self.working)
        target = sorted(slot for slot in slots if slot < left)
        source = [slot for slot in range(left, len(self.working)) if slot not in slots]
        for here, there in zip(source, target, strict=True):
            self.working[there] = self.working[here]
        del self.working[left:]
        self.steps.leave(source, target, left, used)

    def _share(self, rows: int) -> float:
        """So many ended rows, or free slots, of these are worth a change of the batch."""
        return min(rows, max(1, self._drop_at * rows))


def cache_bytes(device: torch.device) -> int:
    """Of keys and values that a call may have."""
    if device.type != "cuda":
        return CACHE_BYTES
    free, _ = torch.cuda.mem_get_info(device)
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)  # by torch, and to be had again
    return int(CUDA_SHARE * (free + unused))


def token_bytes(net: PreTrainedModel) -> int:
    """Of the keys and values of one token."""
    config = net.config
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return config.num_hidden_layers * 2 * heads * size * net.dtype.itemsize


def padded(prompts: Sequence[tuple[int, ...]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Token ids and mask, one row for each prompt, padded on the left."""
    width = max(len(prompt) for prompt in prompts)
    ids = torch.zeros(len(prompts), width, dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(prompt)
        mask[row, width - len(prompt) :] = 1
    return ids.to(device), mask.to(device)


def read_prompts(net: PreTrainedModel, ids: Tensor, mask: Tensor, cache: DynamicCache) -> tuple[DynamicCache, Tensor]:
    """Cache and next-token logits of padded prompts.

    Args:
        cache: empty.
    """
    logits = net(
        input_ids=ids,
        attention_mask=mask,
        position_ids=(mask.cumsum(1) - 1).clamp(min=0),
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    ).logits[:, -1]
    return cache, logits
