"""Whether two arms differ in nothing but the algorithm: same data in the same order, weights, budget, evaluation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from harness.records import TrialRecord

if TYPE_CHECKING:
    import pandas as pd

TRAINING = {
    "data_order": "the order of the training data",
    "initial_weights": "the checkpoint to start from",
    "budget_rollouts": "the budget",
}
EVALUATION = {
    "benchmark_hash": "the version of the problems",
    "template": "the prompt template",
    "grader_version": "the marker's version",
    "sampling": "the sampling",
    "limit": "the limit of problems",
    "rule": "what counts as equal to a gold",
}
NO_SETTINGS = ("seed", "chunk_problems")
"""of the sampling: random numbers and how they are batched, which change no answer's distribution"""

_UNKNOWN = {"unknown", "[]", "None"}
"""what an import writes of a setting that its source does not tell"""


class Unmatched(ValueError):
    """Two arms differ in more than the algorithm. Ends a command with exit code 2."""


@dataclass(frozen=True)
class Side:
    """What matching looks at. `trials` is empty for a model that was not trained here, as the start."""

    name: str
    trials: Mapping[int, TrialRecord]
    evals: pd.DataFrame
    """headers of the evaluations that are compared"""
    imported: bool = False
    """whether nothing is known of its training"""

    @cached_property
    def settings(self) -> dict[str, dict[str, set[str]]]:
        """benchmark -> field of EVALUATION -> the values seen."""
        seen: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for field in EVALUATION:
            for benchmark, value in zip(self.evals["benchmark"], self.evals[field], strict=True):
                if isinstance(value, dict):
                    value = sorted(item for item in value.items() if item[0] not in NO_SETTINGS)
                seen[benchmark][field].add(str(value))
        return seen


def unmatched(a: Side, b: Side) -> list[str]:
    """Reasons why a difference between the two is not the algorithm's alone; empty if they are matched."""
    return _training(a, b) + [
        f"{benchmark}: {what} differs"
        for benchmark in sorted(a.settings.keys() & b.settings.keys())
        for field, what in EVALUATION.items()
        if _differ(a, b, a.settings[benchmark][field], b.settings[benchmark][field])
    ]


def _differ(a: Side, b: Side, ours: set[str], theirs: set[str]) -> bool:
    """An import may not know a setting, or only some of them; what is not known does not differ."""
    ours, theirs = ours - {""}, theirs - {""}  # of a file older than the field
    if not ours or not theirs:
        return False
    if (a.imported or b.imported) and any(one <= _UNKNOWN for one in (ours, theirs)):
        return False
    return ours != theirs


def _training(a: Side, b: Side) -> list[str]:
    if not a.trials or not b.trials:
        return []
    shared = sorted(a.trials.keys() & b.trials.keys())
    if not shared:
        return [f"{a.name} and {b.name} have no seed in common"]
    reasons = []
    for field, what in TRAINING.items():
        seeds = [seed for seed in shared if getattr(a.trials[seed], field) != getattr(b.trials[seed], field)]
        if seeds:
            reasons.append(f"{what} differs (seed {', '.join(map(str, seeds))})")
    return reasons
