"""Whether two arms differ in nothing but the algorithm: same data in the same order, weights, budget, evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from harness.records import TrialRecord


@dataclass(frozen=True)
class Side:
    """What matching looks at. `trials` is empty for a model that was not trained here, as the start."""

    name: str
    trials: Mapping[int, TrialRecord]
    evals: pd.DataFrame
    """headers of the evaluations that are compared"""


def unmatched(a: Side, b: Side) -> list[str]:
    """Reasons why a difference between the two is not the algorithm's alone; empty if they are matched."""
    return _training(a, b) + [
        f"{benchmark}: {what} differs"
        for benchmark in sorted(set(a.evals["benchmark"]) & set(b.evals["benchmark"]))
        for what in _evaluation(a.evals, b.evals, benchmark)
    ]


def _training(a: Side, b: Side) -> list[str]:
    if not a.trials or not b.trials:
        return []
    shared = sorted(a.trials.keys() & b.trials.keys())
    if not shared:
        return [f"{a.name} and {b.name} have no seed in common"]
    fields = {
        "data_order": "the order of the training data",
        "initial_weights": "the initial weights",
        "budget_rollouts": "the budget",
    }
    reasons = []
    for name, words in fields.items():
        seeds = [s for s in shared if getattr(a.trials[s], name) != getattr(b.trials[s], name)]
        if seeds:
            reasons.append(f"{words} differs (seed {', '.join(map(str, seeds))})")
    return reasons


def _evaluation(a: pd.DataFrame, b: pd.DataFrame, benchmark: str) -> list[str]:
    def settings(evals: pd.DataFrame) -> dict[str, set[str]]:
        rows = evals[evals["benchmark"] == benchmark]
        sampling = [{key: value for key, value in s.items() if key != "seed"} for s in rows["sampling"]]
        return {
            "the version of the problems": set(rows["benchmark_hash"]),
            "the prompt template": set(rows["template"]),
            "the marker's version": set(rows["grader_version"]),
            "the sampling": {repr(sorted(s.items())) for s in sampling},
        }

    ours, theirs = settings(a), settings(b)
    return [what for what in ours if ours[what] != theirs[what]]
