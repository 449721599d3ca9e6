"""Columns of attempts as arrays, in as little memory as they take."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pyarrow as pa


def rows(place: np.ndarray) -> np.ndarray:
    """Which row each attempt is. Files that are in order, as most are, share one array.

    Args:
        place: where the attempt of each row belongs.
    """
    in_order = _in_order(len(place))
    if (place == in_order).all():
        return in_order
    found = np.empty(len(place), np.int32)
    found[place] = in_order
    return found


@lru_cache
def _in_order(n: int) -> np.ndarray:
    found = np.arange(n, dtype=np.int32)
    found.flags.writeable = False
    return found


def tokens(column: pa.Array, rows: np.ndarray) -> np.ndarray:
    """In half the memory where they fit, and in none where nothing is known."""
    if column.null_count:
        return np.broadcast_to(np.nan, rows.shape)
    found = column.to_numpy()[rows]
    small = np.iinfo(np.int32)
    return found.astype(np.int32) if ((small.min <= found) & (found <= small.max)).all() else found


def codes(column: pa.DictionaryArray) -> tuple[list[str], np.ndarray]:
    """Sorted distinct words, and the place of each row's among them."""
    places, words = column.indices.to_numpy(), column.dictionary.to_pylist()
    there = np.flatnonzero(np.bincount(places, minlength=len(words))).tolist()
    order = sorted(there, key=words.__getitem__)
    rank = np.empty(len(words), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return [words[i] for i in order], rank[places]
