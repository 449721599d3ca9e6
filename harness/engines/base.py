"""The protocol of an engine: token ids and seeds in, completions out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from harness.base.errors import UserError


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
    """stop: the model ended it; length: it reached `max_tokens`; context: it filled the model's context before that"""
    measured: Mapping[str, str | float | None] = field(default_factory=dict, hash=False)
    """what the engine knows besides, by its column of attempts (`harness/records/schema.py`); empty: nothing"""


class Engine(Protocol):
    """Results depend on (weights, prompt, sampling, seed) and, in their last digits, on which requests share a
    call: callers keep their chunks fixed."""

    name: str
    version: str
    positions: int | None
    """tokens of prompt and response together that the model can take; None if there is no limit"""

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
        """The completions of each request, in the order of its seeds. Callers use `complete`, which sees to it that
        prompts and responses fit."""
        ...


def complete(engine: Engine, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
    """The completions of each request, in the order of its seeds, whether or not the model's context has room for them.

    A response gets as many tokens as its prompt leaves; where that is fewer than `max_tokens` and it uses them all, it
    ended by `context`. Where nothing is left it is empty, and the engine is not asked.
    """
    room = [sampling.max_tokens] * len(requests)
    if engine.positions is not None:
        room = [max(0, min(most, engine.positions - len(r.prompt))) for most, r in zip(room, requests, strict=True)]
    answers = [[Completion("", 0, "context") for _ in request.seeds] for request in requests]
    for limit in sorted(set(room) - {0}, reverse=True):
        places = [place for place, most in enumerate(room) if most == limit]
        found = engine.generate([requests[place] for place in places], replace(sampling, max_tokens=limit))
        for place, completions in zip(places, found, strict=True):
            answers[place] = completions if limit == sampling.max_tokens else [_in_context(c) for c in completions]
    return answers


def _in_context(completion: Completion) -> Completion:
    return replace(completion, finish_reason="context") if completion.finish_reason == "length" else completion


def positions(config: Any) -> int | None:
    """Of a model's configuration in transformers."""
    return getattr(config.get_text_config(), "max_position_embeddings", None)


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
