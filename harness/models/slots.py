"""Keys and values of rows that are generated together: a slot for each row, with room for the tokens that follow.

Nothing is concatenated. A token's keys are written into the next column of its row's slot, so a step costs what is
read, and rows of different length stand beside each other. The rows in use are always the first ones: a row that
leaves is replaced by the last, and only that one is copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import Cache
from transformers.cache_utils import CacheLayerMixin


class Slots(Cache):
    """The cache of a model, as transformers' layers ask for it when they read one token a row.

    Before each step `place` says where the tokens go.
    """

    layers: list[SlotLayer]

    def __init__(self, layers: int, rows: int, columns: int, device: torch.device) -> None:
        """
        Args:
            columns: tokens of a row there is room for; see `grow`.
        """
        self.rows, self.columns = rows, columns
        self.width = 0
        self.column_R = self._row_S = torch.arange(rows, device=device)
        super().__init__(layers=[SlotLayer(self) for _ in range(layers)])

    def place(self, column_R: Tensor, width: int) -> None:
        """Where the next token of each of the first R rows goes, and how many columns are in use with them.

        Args:
            column_R: int64, on the device; below `width`.
        """
        self.column_R, self.width = column_R, width

    @property
    def at(self) -> tuple[Tensor, slice, Tensor]:
        """The place of the step's tokens among (rows, heads, columns, d)."""
        return self._row_S[: len(self.column_R)], slice(None), self.column_R

    def fill(self, read: Cache, takers: Sequence[Sequence[int]], lengths: Sequence[int]) -> None:
        """Copy prompts that were read, padded on the left, into the slots of their samples.

        Args:
            takers: of each prompt, the slots that begin with it.
            lengths: of each prompt, its tokens.
        """
        device = read.layers[0].keys.device  # type: ignore[union-attr]
        parts = []  # prompts of one length are one copy
        for length in sorted(set(lengths)):
            pairs = [(slot, p) for p, slots in enumerate(takers) if lengths[p] == length for slot in slots]
            slot, prompt = torch.tensor(pairs, device=device).T
            parts.append((length, slot, prompt))
        for layer, source in zip(self.layers, read.layers, strict=True):
            layer.make_room(source.keys, source.values)  # type: ignore[arg-type]
            for length, slot, prompt in parts:
                layer.keys[slot, :, :length] = source.keys[prompt, :, -length:]  # type: ignore[index]
                layer.values[slot, :, :length] = source.values[prompt, :, -length:]  # type: ignore[index]

    def move(self, source: Sequence[int], target: Sequence[int], used: int) -> None:
        """Copy rows to other slots.

        Args:
            used: columns that hold something; more than the last step's where rows have been filled since.
        """
        device = self.layers[0].keys.device
        here, there = torch.tensor(source, device=device), torch.tensor(target, device=device)
        for layer in self.layers:
            layer.keys[there, :, :used] = layer.keys[here, :, :used]
            layer.values[there, :, :used] = layer.values[here, :, :used]

    def grow(self, rows: int, columns: int, used: int) -> None:
        """Make room for more columns, or for fewer rows, which are the first ones.

        Args:
            used: columns that hold something.
        """
        kept, self.rows, self.columns = min(rows, self.rows), rows, columns
        for layer in self.layers:
            if layer.is_initialized:
                layer.regrow(kept, used)

    # What transformers' masks ask for, where a model does not take ours.

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return max(0, self.width - 1)

    def get_mask_sizes(self, query_length: int, layer_idx: int) -> tuple[int, int]:
        return self.width, 0


class SlotLayer(CacheLayerMixin):
    """Of one layer: keys and values (rows, heads, columns, d)."""

    keys: Tensor
    values: Tensor
    is_sliding = False

    def __init__(self, slots: Slots) -> None:
        super().__init__()
        self._slots = slots

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Write one token a row, (rows, heads, 1, d), and give all columns in use, (rows, heads, width, d)."""
        rows, at, width = len(key_states), self._slots.at, self._slots.width
        self.keys[at], self.values[at] = key_states[:, :, 0], value_states[:, :, 0]
        return self.keys[:rows, :, :width], self.values[:rows, :, :width]

    def make_room(self, key: Tensor, value: Tensor) -> None:
        """Once, in the shape of what goes in. Zeros: a column beyond a row's own is hidden by a mask, and must be a
        number all the same, since a weight of 0 times NaN is NaN."""
        if not self.is_initialized:
            rows, columns = self._slots.rows, self._slots.columns
            self.keys = key.new_zeros(rows, key.shape[1], columns, key.shape[3])  # pyright: ignore[reportIncompatibleVariableOverride]
            self.values = value.new_zeros(rows, value.shape[1], columns, value.shape[3])  # pyright: ignore[reportIncompatibleVariableOverride]
            self.is_initialized = True

    def regrow(self, kept: int, used: int) -> None:
        """Copy what is kept into the room that there is now: so many of the first rows, as far as they are used."""
        old_keys, old_values, self.is_initialized = self.keys, self.values, False
        self.make_room(old_keys, old_values)
        self.keys[:kept, :, :used], self.values[:kept, :, :used] = (
            old_keys[:kept, :, :used],
            old_values[:kept, :, :used],
        )

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        self.make_room(key_states, value_states)

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self._slots.width, 0

    def get_seq_length(self) -> int:
        return self._slots.get_seq_length()

    def get_max_cache_shape(self) -> int:
        return -1
