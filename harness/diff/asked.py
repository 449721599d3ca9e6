"""The words of the command: `grpo`, `grpo:clip_high=0.4,kl_coef=0`, or `all`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from algorithms.base import Algorithm
from harness.base import registry
from harness.base.errors import UserError
from harness.base.plugins import PluginError
from harness.config import manifest

ALL = "all"
_COMMA = re.compile(r",(?![^\[]*\])")
"""one that is not inside a list"""


@dataclass(frozen=True)
class NamedAlgorithm:
    """One algorithm of the comparison."""

    label: str
    """the word of the command, which tells variants of one algorithm apart"""
    name: str
    """in the catalogue"""
    algorithm: Algorithm


def parse(words: Sequence[str]) -> list[NamedAlgorithm]:
    """Raises: UserError for a name or a hyper-parameter that does not exist, a value out of range, the same word
    twice, or fewer than two algorithms."""
    found = [one for word in words for one in _all(word)]
    labels = [one.label for one in found]
    twice = [label for i, label in enumerate(labels) if label in labels[:i]]
    if twice:
        raise UserError(
            f"`{twice[0]}` is named twice. A variant differs in a setting, such as `{found[0].name}:NAME=VALUE`; "
            f"`rence show {found[0].name}` lists them."
        )
    if len(found) < 2:
        raise UserError(
            f"`rence diff` sets at least two algorithms side by side, but only `{labels[0]}` is named. "
            f"`rence show {found[0].name}` describes one; `rence diff {ALL}` takes every one."
        )
    return found


def _all(word: str) -> Iterator[NamedAlgorithm]:
    if word != ALL:
        yield _one(word)
        return
    for name in registry.algorithm_names():
        yield _one(name)


def _one(word: str) -> NamedAlgorithm:
    name, colon, settings = word.partition(":")
    try:
        return NamedAlgorithm(word, name, registry.algorithm(name, **(_settings(word, settings) if colon else {})))
    except (registry.UnknownAlgorithm, PluginError) as error:
        raise UserError(str(error)) from None
    except ValueError as error:
        raise UserError(f"`{word}`: {error}") from None


def _settings(word: str, text: str) -> dict[str, Any]:
    """Values as in an experiment file."""
    pairs = [pair.partition("=") for pair in _COMMA.split(text)]
    if not all(key.strip() and equals for key, equals, _ in pairs):
        raise UserError(f"`{word}` must be ALGORITHM:NAME=VALUE,NAME=VALUE, such as `grpo:clip_high=0.4,kl_coef=0`.")
    lines = "\n".join(f"{key.strip()}: {value.strip()}" for key, _, value in pairs)
    return manifest.parse(lines, f"`{word}`").data
