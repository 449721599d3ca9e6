"""The primary differences by other tests than the t test that the verdict rests on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from reports.analysis import Analysis
from reports.pairs import Pair
from reports.scores import Scores, complete
from reports.statistics import Estimate
from reports.statistics.bootstrap import crossed_bootstrap
from reports.statistics.draws import generator
from reports.statistics.permutation import McNemar, Permutation, mcnemar, seed_labels, sign_flip


@dataclass(frozen=True)
class Check:
    """One difference. What does not apply, or where nothing varies, is None."""

    pair: Pair
    bootstrap: tuple[float, float] | None
    exchanged: str
    """what the permutation exchanges: seeds, or answers within problems; empty where neither applies"""
    permutation: Permutation | None
    mcnemar: McNemar | None

    @property
    def signs(self) -> list[int]:
        """What each test finds at level alpha, before adjustment: 1 or -1, and 0 for not separated."""
        estimate = self.pair.estimate
        if estimate is None:
            return []
        way = 1 if estimate.value > 0 else -1
        found = [0 if low <= 0 <= high else way for low, high in filter(None, (estimate.interval, self.bootstrap))]
        return found + ([way * (self.permutation.p_value < self.pair.alpha)] if self.permutation else [])

    @property
    def agree(self) -> bool:
        return len(set(self.signs)) <= 1


def checks(a: Analysis) -> list[Check]:
    """Of the primary family, in its order; those without a result are left out."""
    return [_check(a, pair) for pair in a.family("primary") if pair.estimate is not None]


def _check(a: Analysis, pair: Pair) -> Check:
    assert pair.estimate is not None
    one, other = (complete(a.cells, arm, a.benchmarks) or [] for arm in (pair.a, pair.b))
    identity = (a.run.plan.lock, pair.a, pair.b, pair.benchmark)
    exchanged, permutation = _permutation(one, other, identity)
    return Check(
        pair=pair,
        bootstrap=_bootstrap(one, other, pair.estimate, generator(*identity, "bootstrap")),
        exchanged=exchanged,
        permutation=permutation,
        mcnemar=_mcnemar(one, other),
    )


def _bootstrap(
    one: list[Scores], other: list[Scores], estimate: Estimate, rng: np.random.Generator
) -> tuple[float, float] | None:
    """Where there is no t interval there is none of this kind: one problem drawn again and again shows no variation."""
    if estimate.interval is None:
        return None
    sides = [[s.values for s in side] for side in (one, other)]
    return crossed_bootstrap(sides, (1.0, -1.0), rng, estimate.estimand, estimate.confidence)


def _permutation(one: list[Scores], other: list[Scores], identity: tuple[str, ...]) -> tuple[str, Permutation | None]:
    if not _same_k(one, other):
        return "", None
    rng = generator(*identity, "permutation")
    if _checkpoints(one, other):
        differences = [(a.values - b.values)[0] / a.values.size / len(one) for a, b in zip(one, other, strict=True)]
        return "answers within problems", sign_flip(np.concatenate(differences), rng)
    means = [np.mean([s.values.mean(axis=1) for s in side], axis=0) for side in (one, other)]
    found = seed_labels(means[0], means[1], rng)
    return ("seeds" if found else ""), found


def _mcnemar(one: list[Scores], other: list[Scores]) -> McNemar | None:
    """On one benchmark: over several it would weigh problems, where the average weighs benchmarks."""
    if len(one) > 1 or not _checkpoints(one, other) or {*one[0].k, *other[0].k} != {1}:
        return None
    a, b = one[0].values, other[0].values
    return mcnemar(int((a > b).sum()), int((a < b).sum()))


def _checkpoints(one: list[Scores], other: list[Scores]) -> bool:
    return len(one[0].seeds) == 1 and len(other[0].seeds) == 1


def _same_k(one: list[Scores], other: list[Scores]) -> bool:
    return all(len({*a.k, *b.k}) == 1 for a, b in zip(one, other, strict=True))


def disagreements(found: list[Check]) -> Iterator[Check]:
    return (check for check in found if not check.agree)
