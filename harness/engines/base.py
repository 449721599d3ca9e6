"""The protocol of an engine: token ids and seeds in, completions out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.errors import UserError


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn. Temperature 0 is greedy."""

    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0


@dataclass(frozen=True)
class Request:
    """One prompt, and one seed for each sample wanted."""

    prompt: tuple[int, ...]
    """token ids"""
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Completion:
    """One sample."""

    text: str
    tokens: int
    """response tokens, the end-of-sequence token included"""
    finish_reason: str
    """stop or length"""


class Engine(Protocol):
    """Results depend on (weights, prompt, sampling, seed) and, in their last digits, on which requests share a
    call: callers keep their chunks fixed."""

    name: str
    version: str

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
        """The completions of each request, in the order of its seeds."""
        ...


def check_room(requests: Sequence[Request], sampling: Sampling, positions: int | None) -> int:
    """The tokens of the longest prompt.

    Args:
        positions: tokens of prompt and response that the model can take; None if there is no limit.
    Raises: UserError if a prompt and its response would not fit.
    """
    longest = max(len(request.prompt) for request in requests)
    if positions is not None and longest + sampling.max_tokens > positions:
        raise UserError(
            f"`max_tokens` must be at most {positions - longest} for a prompt of {longest} tokens, but is "
            f"{sampling.max_tokens} instead: the model has {positions} positions."
        )
    return longest
