"""What others have published, to be set beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from harness.records.allowed import Count, Digits, Percent
from harness.records.fields import LATER, stated
from harness.records.files import SCHEMA, read_json, write_json
from harness.records.record import Record


@dataclass(frozen=True)
class Published(Record):
    """An entry of `expected.json`: scores that others have published, to be set beside ours."""

    title: str
    """what tables call it, such as `Dr. GRPO, table 4`"""
    source: str
    """authors, year, paper and table"""
    url: str
    """where it stands"""
    model: str
    """what they trained"""
    protocol: str
    """how it was measured, as far as it is known"""
    percent: dict[str, dict[str, Percent | None]]
    """arm (`start`: their untrained model) -> benchmark or `average` -> percent, as printed; null: not known"""
    attempts: dict[str, Count] = field(default_factory=dict)
    """benchmark -> k, attempts a problem, where it is known: a printed score must then be a possible one"""
    weights: Literal["same", "own training"] | None = field(default=None, metadata=LATER)
    """whether ours is to be the very checkpoint, or a training of our own; null: not stated"""
    seeds: Count | None = field(default=None, metadata=LATER)
    """training seeds that each score is the mean of; null: not stated"""
    decoding: dict[str, float | int | str] = field(default_factory=dict, metadata=LATER)
    """temperature, top_p, max_tokens and others, as far as they are stated"""
    golds: Literal["raw", "errata"] | None = field(default=None, metadata=LATER)
    """whether answers were marked by the benchmark's own golds or by corrected ones; null: not stated"""
    decimals: Digits | None = field(default=None, metadata=LATER)
    """of the printed percent; null: not stated"""


@dataclass(frozen=True)
class _Expected:
    """`expected.json`."""

    published: list[Published]


def read_published(path: Path) -> list[Published]:
    """What `expected.json` holds; no file, nothing. Raises: DataError."""
    if not path.exists():
        return []
    return read_json(path, _Expected, "Delete it; `rence report RUN --expected FILE` writes it anew.").published


def add_published(path: Path, published: Sequence[Published]) -> None:
    """Add to `expected.json`; an entry of the same title is replaced. Writes only what changes something."""
    old = read_published(path)
    new = {entry.title: entry for entry in [*old, *published]}
    if list(new.values()) != old:
        write_json(path, {"schema": SCHEMA, "published": [stated(entry) for entry in new.values()]})
