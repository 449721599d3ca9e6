"""The protocol of an engine: token ids and seeds in, completions out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

from harness.base.errors import INCOMPLETE, UserError
from harness.base.plugins import PluginError, offered_by

ENDS = ("stop", "length", "context")
"""how an answer may end; anything else is none"""


class NotFinite(UserError):
    """The model's logits are not numbers, so what was drawn from them is no answer. Exit code 3; in training, the
    trial has diverged."""

    def __init__(self, engine: str, broken: int, answers: int) -> None:
        """
        Args:
            broken: of so many answers.
        """
        super().__init__(
            f"engine `{engine}`: the model's logits are not finite (NaN or infinity) in {broken} of {answers} answers, "
            "so these are none. Nothing of them is kept.\nIts weights are broken, or too large for the type that it "
            "computes in: float16 overflows where bfloat16 and float32 do not.",
            INCOMPLETE,
        )


class EngineFailed(UserError):
    """What answers broke down while it was asked. Exit code 3: what is missing is not there, and no score."""

    def __init__(self, engine: str, why: str) -> None:
        super().__init__(
            f"engine `{engine}` failed while it was asked: {why}\n"
            "What is answered is saved: run the same again to go on. `--debug` shows where it fails.",
            INCOMPLETE,
        )


@contextmanager
def answering(engine: str) -> Iterator[None]:
    """Raises: EngineFailed in the place of what is raised inside and no user could mend."""
    try:
        yield
    except (UserError, PluginError, OSError):
        raise
    except Exception as error:  # torch, CUDA and vLLM raise all kinds
        lines = str(error).strip().splitlines()
        raise EngineFailed(engine, f"{type(error).__name__}{f': {lines[0]}' if lines else ''}") from error


def require_finite(engine: str, logps: Iterable[float]) -> None:
    """
    Args:
        logps: of each answer the log-probs of its tokens, summed.
    Raises: NotFinite.
    """
    sums = list(logps)
    broken = sum(not math.isfinite(logp) for logp in sums)
    if broken:
        raise NotFinite(engine, broken, len(sums))


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


@runtime_checkable
class Engine(Protocol):
    """Results depend on (weights, prompt, sampling, seed) and, in their last digits, on which requests share a
    call: callers keep their chunks fixed. An engine may have `repeatable`, True where equal calls on equal machines
    give equal texts, byte by byte: `rence verify --regenerate` asks those alone. An engine may have `calls_at_once`, a
    number of calls of `generate` that may be under way together, from threads; without it, one."""

    name: str
    version: str
    positions: int | None
    """tokens of prompt and response together that the model can take; None if there is no limit"""

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
        """The completions of each request, in the order of its seeds. Callers use `complete`, which sees to it that
        prompts and responses fit."""
        ...


def calls_at_once(engine: Engine) -> int:
    """Of `generate`, which this engine may be asked from threads. Raises: UserError if it is no number of calls."""
    found = getattr(engine, "calls_at_once", 1)
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise UserError(f"the engine `{engine.name}`: `calls_at_once` must be a whole number from 1, but is {found!r}.")
    return found


def complete(engine: Engine, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
    """The completions of each request, in the order of its seeds, whether or not the model's context has room for them.

    A response gets as many tokens as its prompt leaves; where that is fewer than `max_tokens` and it uses them all, it
    ended by `context`. Where nothing is left it is empty, and the engine is not asked.

    Raises: UserError if the engine has not one completion for each seed; EngineFailed if one did not end; whatever it
    raises.
    """
    room = [sampling.max_tokens] * len(requests)
    if engine.positions is not None:
        room = [max(0, min(most, engine.positions - len(r.prompt))) for most, r in zip(room, requests, strict=True)]
    answers = [[Completion("", 0, "context") for _ in request.seeds] for request in requests]
    for limit in sorted(set(room) - {0}, reverse=True):
        places = [place for place, most in enumerate(room) if most == limit]
        asked = [requests[place] for place in places]
        if offered_by(engine):
            with answering(engine.name):
                found = engine.generate(asked, replace(sampling, max_tokens=limit))
        else:
            found = engine.generate(asked, replace(sampling, max_tokens=limit))
        _check_counts(engine, asked, found)
        _check_ends(engine, found)
        for place, completions in zip(places, found, strict=True):
            answers[place] = completions if limit == sampling.max_tokens else [_in_context(c) for c in completions]
    return answers


def _check_counts(engine: Engine, requests: Sequence[Request], found: Any) -> None:
    """Raises: UserError if what `generate` returned is not one list for each request, one completion for each seed."""
    wanted = [len(request.seeds) for request in requests]
    try:
        given = [len(completions) for completions in found]
    except TypeError:
        said = f"gave no lists of completions for {len(wanted)} requests"
    else:
        if given == wanted:
            return
        said = f"gave {sum(given)} in {len(given)} lists for the {sum(wanted)} seeds of {len(wanted)} requests"
        if len(given) == len(wanted):
            place = next(i for i, pair in enumerate(zip(given, wanted, strict=True)) if pair[0] != pair[1])
            said = f"gave {given[place]} for the {wanted[place]} seeds of request {place + 1} of {len(wanted)}"
    name, origin = offered_by(engine) or (engine.name, "")
    raise UserError(
        f"the engine `{engine.name}`{origin and f' of {origin}'} must give one completion for each seed, but {said}. "
        f"`rence check {name}` says what it does not keep."
    )


def _check_ends(engine: Engine, found: Sequence[Sequence[Completion]]) -> None:
    """Raises: EngineFailed if an answer was given up, which must not be marked as if it were one."""
    odd = sorted({one.finish_reason for completions in found for one in completions} - {*ENDS})
    if odd:
        raise EngineFailed(engine.name, f"an answer ended by `{odd[0]}` and by none of {', '.join(ENDS)}")


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
