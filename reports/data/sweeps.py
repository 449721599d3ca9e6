"""What a sweep shows: the effect of each factor's levels, interactions of pairs, and the best arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from harness.records import DataError, Sweep
from reports.data.analysis import Analysis
from reports.data.pairs import difference_json
from reports.data.scores import AVERAGE, Scores, complete
from reports.statistics import Estimate, contrast
from reports.statistics.best import CrossFit, cross_fit
from reports.statistics.draws import generator
from reports.statistics.multiple import adjusted, simultaneous

Group = list[Scores]
"""an arm's scores on each benchmark"""


@dataclass(frozen=True)
class Effect:
    """A level of a factor less the base's, on the average; the mean over the other factors' levels where a sweep has
    all combinations. Of an interaction: how much more the second factor's level does at the first's than at the base's.
    """

    factor: str
    level: str
    reference: str
    estimate: Estimate | None
    """None where no combination is complete on both sides"""
    mean: float | None
    """of the arms at this level"""
    used: int
    """combinations that are complete on both sides"""
    planned: int
    p_adjusted: float | None = None
    """Bonferroni, within the effects of its sweep"""
    simultaneous: tuple[float, float] | None = None
    """the interval that belongs to it"""

    def finding(self, alpha: float) -> str:
        """In the words of a table."""
        if self.estimate is None:
            return "no complete result"
        return {1: "higher", -1: "lower", 0: "not separated"}[self.direction(alpha)]

    def direction(self, alpha: float) -> int:
        """1 or -1 if the effect is significant after adjustment, 0 if not separated."""
        if self.estimate is None or self.p_adjusted is None or self.p_adjusted >= alpha:
            return 0
        return 1 if self.estimate.value > 0 else -1


@dataclass(frozen=True)
class Effects:
    """Of one sweep."""

    sweep: Sweep
    references: dict[str, float | None]
    """factor -> mean at the base's level: of a full grid over all arms that have it, otherwise of the base"""
    main: list[Effect]
    interactions: list[Effect]
    """of factors with two levels each, in a full grid"""


@dataclass(frozen=True)
class Best:
    """The best of the sweeps' arms."""

    arms: list[str]
    """those that have a complete result"""
    base: str
    naive: str
    """the arm with the highest average"""
    naive_score: float
    naive_gain: float
    """over the base"""
    seeds: int
    """that all arms have"""
    honest: CrossFit | None
    """None where there is nothing to split"""
    missing: list[str]

    def chosen(self, arm: str) -> float | None:
        """Share of the choices that fell on an arm."""
        return None if self.honest is None else self.honest.picked[self.arms.index(arm)]


def effects(a: Analysis) -> list[Effects]:
    """The effects of each sweep, in the plan's order; those without a result are there, with an estimate of None."""
    return [_effects(a, sweep, _groups(a, list(sweep.cells))) for sweep in a.run.plan.sweeps]


def best(a: Analysis) -> Best | None:
    """None without a sweep, or with fewer than two arms that have a complete result, or without the base's."""
    sweeps = a.run.plan.sweeps
    names = [arm.name for arm in a.arms if any(arm.name in sweep.cells for sweep in sweeps)]
    groups = _groups(a, names)
    base = a.target if a.target in names else sweeps[0].base if sweeps else ""
    if len(groups) < 2 or base not in groups:
        return None
    score = {arm: a.scores[arm, AVERAGE].estimate.value for arm in groups}
    top = max(score, key=score.__getitem__)
    shared = tuple(sorted(set.intersection(*(set(group[0].seeds) for group in groups.values()))))
    honest = None
    if shared and all(len(scores.problems) > 1 for scores in groups[base]):
        values = [[scores.only(shared).values for scores in group] for group in groups.values()]
        honest = cross_fit(values, list(groups).index(base), generator(a.run.plan.lock, "best arm"))
    return Best(
        arms=list(groups),
        base=base,
        naive=top,
        naive_score=score[top],
        naive_gain=score[top] - score[base],
        seeds=len(shared),
        honest=honest,
        missing=[arm for arm in names if arm not in groups],
    )


def to_json(a: Analysis) -> dict[str, Any]:
    """For `verdict.json`."""
    found = best(a)
    return {
        "effects": [
            {
                "design": one.sweep.kind,
                "base": one.sweep.base,
                "main": [_effect_json(effect, a.alpha) for effect in one.main],
                "interactions": [_effect_json(effect, a.alpha) for effect in one.interactions],
            }
            for one in effects(a)
        ],
        "best_arm": found and _best_json(found),
    }


def _effect_json(effect: Effect, alpha: float) -> dict[str, Any]:
    return {
        "factor": effect.factor,
        "level": effect.level,
        "reference": effect.reference,
        **difference_json(effect.estimate, effect.p_adjusted, effect.simultaneous, effect.direction(alpha)),
        "combinations": effect.used,
        "combinations_planned": effect.planned,
    }


def _best_json(found: Best) -> dict[str, Any]:
    honest = found.honest
    return {
        "arm": found.naive,
        "base": found.base,
        "mean": found.naive_score,
        "delta": found.naive_gain,
        "cross_fitted": honest
        and {
            "mean": honest.score,
            "delta": honest.gain,
            "chosen": dict(zip(found.arms, honest.picked, strict=True)),
            "seeds_apart": honest.seeds_apart,
        },
        "missing": found.missing,
    }


def _groups(a: Analysis, arms: list[str]) -> dict[str, Group]:
    found = {arm: complete(a.cells, arm, a.benchmarks) for arm in arms}
    groups = {arm: group for arm, group in found.items() if group is not None}
    for group in groups.values():
        for one, first in zip(group, next(iter(groups.values())), strict=True):
            if one.problems != first.problems:
                raise DataError("Two arms were asked different problems of one benchmark; they cannot be paired.")
    return groups


def _effects(a: Analysis, sweep: Sweep, groups: dict[str, Group]) -> Effects:
    """Main effects of all levels but the base's, and in a full grid the interactions of factors with two levels."""
    place = {tuple(levels[name] for name in sweep.factors): arm for arm, levels in sweep.cells.items()}
    base = tuple(sweep.cells[sweep.base][name] for name in sweep.factors)
    main, interactions = [], []
    for i, (name, levels) in enumerate(sweep.factors.items()):
        for level in levels:
            if level != base[i]:
                # each combination with this level, beside the one that differs in nothing but this level
                without = {key: (*key[:i], base[i], *key[i + 1 :]) for key in place if key[i] == level}
                terms = [((1.0, place[key]), (-1.0, place[other])) for key, other in without.items() if other in place]
                main.append(_effect(a, groups, name, level, base[i], terms))
    if sweep.kind == "full":
        two = [i for i, levels in enumerate(sweep.factors.values()) if len(levels) == 2]
        interactions = [_interaction(a, groups, sweep, place, base, i, j) for i, j in combinations(two, 2)]
    whole = sweep.kind == "full"
    return Effects(
        sweep,
        {
            name: _mean(groups, _at(place, i, base[i]) if whole else [sweep.base])
            for i, name in enumerate(sweep.factors)
        },
        _adjusted(main, a.alpha),
        _adjusted(interactions, a.alpha),
    )


Term = Sequence[tuple[float, str]]
"""signed arms of one combination of the other factors' levels"""


def _effect(
    a: Analysis, groups: dict[str, Group], name: str, level: str, reference: str, terms: Sequence[Term]
) -> Effect:
    used = [term for term in terms if all(arm in groups for _, arm in term)]
    weights: dict[str, float] = {}
    for term in used:
        for sign, arm in term:
            weights[arm] = weights.get(arm, 0.0) + sign / len(used)
    estimate = None
    if used:
        matrices = [[scores.values for scores in groups[arm]] for arm in weights]
        attempts = [[scores.k for scores in groups[arm]] for arm in weights]
        estimate = contrast(matrices, list(weights.values()), a.estimand, 1 - a.alpha, attempts=attempts)
    mean = _mean(groups, [term[0][1] for term in used])
    return Effect(name, level, reference, estimate, mean, len(used), len(terms))


def _interaction(
    a: Analysis,
    groups: dict[str, Group],
    sweep: Sweep,
    place: dict[tuple[str, ...], str],
    base: tuple[str, ...],
    i: int,
    j: int,
) -> Effect:
    """(11 - 10) - (01 - 00), where 1 is a factor's level that is not the base's, that of place i before that of j; the
    mean over the other factors' levels."""
    names = list(sweep.factors)
    one, two = (next(level for level in sweep.factors[names[k]] if level != base[k]) for k in (i, j))

    def arm(key: tuple[str, ...], first: str, second: str) -> str:
        return place[tuple({i: first, j: second}.get(k, level) for k, level in enumerate(key))]

    # from the base's level of both, so that each combination of the other factors is counted once
    terms = [
        (
            (1.0, arm(key, one, two)),
            (-1.0, arm(key, one, base[j])),
            (-1.0, arm(key, base[i], two)),
            (1.0, arm(key, base[i], base[j])),
        )
        for key in place
        if key[i] == base[i] and key[j] == base[j]
    ]
    words = f"{names[i]} {one} × {names[j]} {two}"
    return replace(_effect(a, groups, words, "", "", terms), mean=None)


def _at(place: dict[tuple[str, ...], str], i: int, level: str) -> list[str]:
    return [arm for key, arm in place.items() if key[i] == level]


def _mean(groups: dict[str, Group], arms: Sequence[str]) -> float | None:
    values = [float(np.mean([scores.values.mean() for scores in groups[arm]])) for arm in arms if arm in groups]
    return float(np.mean(values)) if values else None


def _adjusted(found: list[Effect], alpha: float) -> list[Effect]:
    ps = adjusted([effect.estimate.p_value if effect.estimate else None for effect in found])
    return [
        replace(effect, p_adjusted=p, simultaneous=simultaneous(effect.estimate, alpha, len(found)))
        for effect, p in zip(found, ps, strict=True)
    ]
