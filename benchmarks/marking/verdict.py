"""What a comparison found."""

from __future__ import annotations

from typing import NamedTuple


class Verdict(NamedTuple):
    """Whether an answer equals its gold, and why."""

    equal: bool | None
    """None: not decided"""
    reason: str
    """a short sentence for people, such as `the units differ: cm and kg`"""
