"""How long the answers are, at the headline: tokens of every attempt, by arm and by whether it was correct."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reports.analysis import Analysis
from reports.load import MARKS
from reports.scores import final

QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class Answers:
    """Attempts of one arm on one benchmark."""

    tokens: np.ndarray
    """of each attempt"""
    correct: np.ndarray
    seed: np.ndarray
    at_limit: np.ndarray
    """whether it has as many tokens as the evaluation allowed, or more"""

    def only(self, mask: np.ndarray) -> Answers:
        return Answers(self.tokens[mask], self.correct[mask], self.seed[mask], self.at_limit[mask])


@dataclass(frozen=True)
class Lengths:
    """Of some attempts, at least one; lengths in tokens."""

    attempts: int
    quantiles: tuple[int, ...]
    """at QUANTILES: each is the length of an attempt"""
    longest: int
    at_limit: float
    """share that has as many tokens as the evaluation allowed"""
    medians: Mapping[int, int]
    """seed -> median"""


def collect(a: Analysis) -> dict[tuple[str, str], Answers]:
    """(arm, benchmark) -> its attempts of all seeds. An evaluation whose lengths are not known is left out."""
    evals = final(a.run)
    parts = defaultdict(list)
    for e, row in zip(evals.index, evals.to_dict("records"), strict=True):
        attempts = a.run.attempts[int(e)]
        if row["benchmark"] not in a.benchmarks or np.isnan(attempts.tokens).any():
            continue
        tokens = attempts.tokens.ravel()
        correct = attempts.marks.ravel() == MARKS.index("correct")
        limit = row["sampling"].get("max_tokens") or np.inf
        parts[row["arm"], row["benchmark"]].append(
            (tokens, correct, np.full(len(tokens), row["seed"]), tokens >= limit)
        )
    return {key: Answers(*map(np.concatenate, zip(*found, strict=True))) for key, found in parts.items()}


def pooled(found: Mapping[tuple[str, str], Answers], arm: str, benchmarks: list[str]) -> Answers | None:
    """An arm's attempts on several benchmarks together; None if one of them is missing."""
    parts = [found.get((arm, benchmark)) for benchmark in benchmarks]
    present = [part for part in parts if part is not None]
    if not present or len(present) < len(parts):
        return None
    columns = zip(*((p.tokens, p.correct, p.seed, p.at_limit) for p in present), strict=True)
    return Answers(*map(np.concatenate, columns))


def measure(answers: Answers) -> Lengths | None:
    """None if there are no attempts."""
    if not len(answers.tokens):
        return None
    seeds = sorted(set(answers.seed.tolist()))
    return Lengths(
        attempts=len(answers.tokens),
        quantiles=tuple(_quantiles(answers.tokens, QUANTILES)),
        longest=int(answers.tokens.max()),
        at_limit=float(answers.at_limit.mean()),
        medians={seed: _quantiles(answers.tokens[answers.seed == seed], (0.5,))[0] for seed in seeds},
    )


def _quantiles(tokens: np.ndarray, at: tuple[float, ...]) -> list[int]:
    return [int(value) for value in np.quantile(tokens, at, method="inverted_cdf")]
