"""A data set of the hub, pinned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Hub:
    """A data set of the hub at one commit."""

    id: str
    revision: str
    split: str
    rows: int
    question: str = "problem"
    """column"""
    answer: str = "answer"
    """column"""
    extract: Callable[[Any], str] = str
    """the raw answer from what the column holds"""
    config: str | None = None

    @property
    def origin(self) -> str:
        """Set and commit, short."""
        return f"{self.id}@{self.revision[:7]}"

    def fetch(self) -> Iterable[Mapping[str, Any]]:
        """Its rows, from the cache or over the network.

        Raises: ImportError without the library; OSError, ValueError or RuntimeError if it cannot be had.
        """
        from datasets import load_dataset

        return load_dataset(self.id, self.config, split=self.split, revision=self.revision)  # type: ignore[return-value]
