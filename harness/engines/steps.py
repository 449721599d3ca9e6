"""What a batch of rows is on its device, and a step of it: every row's last token is read and its next one drawn.

On a GPU a step at one size is recorded once as a CUDA graph and replayed, so that the processor starts it by one call,
and whether rows have ended is read while the steps that follow are already running.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import Cache, PreTrainedModel

from harness.engines.base import Sampling
from harness.engines.drawing import draw
from harness.models.decoding import LeanDecoder, decoder_of
from harness.models.slots import Slots

LOOK_EVERY = 16
"""steps between looks at which rows have ended, on a GPU; an ended row draws on for at most twice as many"""
WIDTH_MULTIPLE = 128
"""a graph is recorded for columns in use rounded up to it"""
SAMPLE, TIME, COLUMN, TOKEN = range(4)
"""of each slot's state: which sample it draws, how many tokens of it are drawn, the last of these, and the column where
its keys go"""


def graph_rows(rows: int) -> int:
    """Rows of the graph that runs so many: rounded up by at most a seventh, or to 8."""
    step = max(8, 2 ** max(0, rows.bit_length() - 4))
    return -(-rows // step) * step


class Steps:
    """Up to S slots, the first R of which are in use."""

    def __init__(
        self,
        net: PreTrainedModel,
        uniform_BT: Tensor,
        sampling: Sampling,
        stop: Sequence[int],
        slots: int,
        columns: int,
    ) -> None:
        """
        Args:
            uniform_BT: each sample's random numbers.
            columns: most tokens of a row, prompt and response together.
        """
        self.device = next(net.parameters()).device
        self._on_gpu = self.device.type == "cuda"
        samples, limit = uniform_BT.shape
        self.slots = graph_rows(slots) if self._on_gpu else slots
        self._sampling, self._stop_S = sampling, torch.tensor(stop, device=self.device)
        # One sample more than there are is nobody's: the rows of a graph that are not in use write there.
        self._nobody = samples
        self._uniform_BT = torch.cat([uniform_BT, uniform_BT.new_ones(1, limit)]).to(self.device)
        self.tokens_BT = torch.zeros(samples + 1, limit, dtype=torch.int64, device=self.device)
        self.logp_BT = torch.zeros(samples + 1, limit, device=self.device)
        self._state = torch.zeros(4, self.slots, dtype=torch.int64, device=self.device)
        self._state[SAMPLE] = self._nobody
        self._ended_S = torch.zeros(self.slots, dtype=torch.bool, device=self.device)
        self._decoder = decoder_of(net, columns)
        self.cache: Slots | None = None
        self._flags = torch.zeros(self.slots, dtype=torch.bool, pin_memory=self._on_gpu)
        self._looked: torch.cuda.Event | None = None
        self._graphs: dict[tuple[int, int], torch.cuda.CUDAGraph | None] = {}

    def begin(
        self, read: Cache, logits_PV: Tensor, takers: Sequence[range], rows: Sequence[tuple[int, int, int]]
    ) -> None:
        """Fill slots with prompts that were read, and draw a token of each.

        Args:
            read, logits_PV: cache of P prompts and the logits after them.
            takers: of each prompt its slots, which follow those of the prompt before.
            rows: of each of these slots its sample, the tokens that this has drawn, and the last column that is read.
        """
        assert self.cache is not None
        place = slice(takers[0].start, takers[-1].stop)
        self.cache.fill(read, takers, [rows[slots.start - place.start][COLUMN] + 1 for slots in takers])
        self._state[:TOKEN, place] = torch.tensor(rows, device=self.device).T
        self._ended_S[place] = False
        prompt_R = torch.tensor([p for p, slots in enumerate(takers) for _ in slots], device=self.device)
        self._draw(logits_PV[prompt_R], place)
        self._looked = None

    def run(self, rows: int, width: int) -> None:
        """A step of the first rows.

        Args:
            width: columns in use, with those of this step.
        """
        assert self.cache is not None
        if not self._on_gpu:
            self._step(rows, width)
            return
        key = (self._rounded(rows), min(self.cache.columns, -(-width // WIDTH_MULTIPLE) * WIDTH_MULTIPLE))
        if not isinstance(self._decoder, LeanDecoder):
            self._step(*key)
        elif key not in self._graphs:
            self._step(*key)  # as it is, which also warms up what a graph must not set up
            self._graphs[key] = None
        else:
            graph = self._graphs[key]
            if graph is None:
                graph = self._graphs[key] = torch.cuda.CUDAGraph()
                with torch.cuda.graph(graph):
                    self._step(*key)
            graph.replay()

    def _rounded(self, rows: int) -> int:
        return min(self.slots, graph_rows(rows))

    def _step(self, rows: int, width: int) -> None:
        assert self.cache is not None
        self.cache.place(self._state[COLUMN, :rows], width)
        self._draw(self._decoder.step(self._state[TOKEN, :rows], self.cache), slice(0, rows))

    def _draw(self, logits_RV: Tensor, place: slice) -> None:
        """Draw a token of each of these slots, and note it."""
        state = self._state[:, place]
        sample_R, time_R = state[SAMPLE], state[TIME]
        token_R, logp_R = draw(logits_RV, self._uniform_BT[sample_R, time_R], self._sampling)
        self.tokens_BT[sample_R, time_R] = token_R
        self.logp_BT[sample_R, time_R] = logp_R
        self._ended_S[place] |= (token_R[:, None] == self._stop_S).any(1)
        state[TOKEN] = token_R
        state[TIME : COLUMN + 1] += 1

    def look(self, rows: int) -> list[bool]:
        """Which of the first rows have drawn a stop token: now, or on a GPU as far as it is known without waiting."""
        if not self._on_gpu:
            return self._ended_S[:rows].tolist()
        known = [False] * rows
        if self._looked is not None:
            self._looked.synchronize()  # of steps before the last ones that were started: the GPU stays busy
            known = self._flags[:rows].tolist()
        self._flags.copy_(self._ended_S, non_blocking=True)
        self._looked = torch.cuda.Event()
        self._looked.record()
        return known

    @property
    def look_every(self) -> int:
        return LOOK_EVERY if self._on_gpu else 1

    def leave(self, source: Sequence[int], target: Sequence[int], rows: int, used: int) -> None:
        """Move rows into the slots of rows that left, so that the first ones are in use again.

        Args:
            rows: how many these are.
            used: columns that hold something.
        """
        assert self.cache is not None
        if source:
            self.cache.move(source, target, used)
            here, there = torch.tensor(source, device=self.device), torch.tensor(target, device=self.device)
            self._state[:, there] = self._state[:, here]
            self._ended_S[there] = self._ended_S[here]
        self._state[:, rows:] = 0
        self._state[SAMPLE, rows:] = self._nobody
        self._looked = None

    def make_room(self, layers: int, rows: int, columns: int, used: int) -> None:
        """For so many rows with so many columns.

        Args:
            used: columns that hold something.
        """
        if self.cache is None:
            self.cache = Slots(layers, rows, columns, self.device)
        else:
            self.cache.grow(rows, columns, used)
        self._graphs.clear()  # they write to what was there before
