"""What became of each arm's seeds: collapses and their rate, the worst, their spread, and whose seed is better.

No interval of a mean covers what no seed drew. So collapses are counted by the plan's definition, with a bound of their
rate that is exact however few seeds there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median, stdev
from typing import Any

from harness.records import START
from reports.data import unhealthy
from reports.data.analysis import Analysis
from reports.data.scores import AVERAGE, complete
from reports.statistics import contrast
from reports.statistics.collapse import ROUNDING, collapse_level, rate_bound
from reports.statistics.improvement import Improvement, improvement
from reports.words import capital, listing, percent

MOST_SEEDS, MOST_ARMS = 3, 3
"""that a sentence names; more are counted"""


@dataclass(frozen=True)
class Stability:
    """One arm's seeds at the headline, each scored by its average over the benchmarks."""

    arm: str
    scores: Mapping[int, float]
    """seed -> average; a seed without one is missing"""
    diverged: tuple[int, ...]
    """seeds whose training ended by itself before its budget and that have no average: they count as collapsed"""
    level: float | None
    """a seed below this collapsed; None where the definition cannot be used"""
    fallen: tuple[int, ...]
    """seeds below the level"""
    sure: tuple[int, ...]
    """of these, the ones that fell by more than the choice of problems and answers explains"""
    confidence: float
    why_not: str = ""
    """why collapses are not counted; empty where they are"""

    @property
    def collapsed(self) -> tuple[int, ...] | None:
        """Seeds, ascending; None where they are not counted."""
        return None if self.why_not else tuple(sorted({*self.fallen, *self.diverged}))

    @property
    def seeds(self) -> int:
        """That are known: with an average, or diverged."""
        return len(self.scores) + len(self.diverged)

    @property
    def high(self) -> float | None:
        """Exact one-sided upper bound of the rate of collapses; None where they are not counted."""
        return None if self.collapsed is None else rate_bound(len(self.collapsed), self.seeds, self.confidence)

    @property
    def median(self) -> float | None:
        """Of the averages."""
        return median(self.scores.values()) if self.scores else None

    @property
    def worst(self) -> int | None:
        """The seed with the lowest average, the first of equals; None below two seeds, of which one is the worst."""
        return min(self.scores, key=lambda seed: (self.scores[seed], seed)) if len(self.scores) > 1 else None

    @property
    def sd(self) -> float | None:
        """Between the seeds' averages, what the choice of answers adds to it included; None below two seeds."""
        return stdev(self.scores.values()) if len(self.scores) > 1 else None


def stabilities(a: Analysis) -> list[Stability]:
    """Of each arm with a seed that has an average or diverged, as planned."""
    return [found for arm in a.arms if (found := stability(a, arm.name)).seeds]


def stability(a: Analysis, arm: str) -> Stability:
    """Of one trained arm; `seeds` is 0 where nothing is known of any."""
    scores, rule, start = a.by_seed(arm), a.run.plan.comparison.collapse, start_score(a)
    diverged = tuple(seed for seed in health(a, arm)["diverged"] if seed not in scores)
    middle = median(scores.values()) if scores else None
    level = None if rule is None else collapse_level(middle, start, rule.below_start, rule.towards_start)
    fallen = () if level is None else tuple(seed for seed, score in scores.items() if score < level - ROUNDING)
    if not scores and not diverged:
        why_not = "no seed has a complete result"
    elif rule is None:
        why_not = "the plan counts none"
    elif start is None:
        why_not = "no complete result of the untrained model, which each part of the definition needs"
    elif level is None and scores:
        why_not = "the seeds' median is not above the untrained model, so there is no way down to it"
    else:
        why_not = ""
    return Stability(arm, scores, diverged, level, fallen, _sure(a, arm, fallen), 1 - a.alpha, why_not)


def start_score(a: Analysis) -> float | None:
    """The untrained model's average."""
    score = a.scores.get((START, AVERAGE))
    return score.estimate.value if score else None


def health(a: Analysis, arm: str) -> dict[str, list[int]]:
    """State -> seeds of an arm: `finished`, `diverged`, `unfinished`, `not_run`. All are empty for an import, which has
    no trials."""
    states: dict[str, list[int]] = {"finished": [], "diverged": [], "unfinished": [], "not_run": []}
    for seed in a.run.plan.seeds if a.run.trials else []:
        trial = a.run.trials.get((arm, seed))
        if trial is None:
            state = "not_run"
        elif trial.done is None:
            state = "unfinished"
        else:
            state = "finished" if trial.finished else "diverged"
        states[state].append(seed)
    return states


def improvements(a: Analysis) -> list[tuple[str, Improvement | None]]:
    """Each baseline, and the chance that a new seed of the target is above one of it; None where seeds are too few."""
    ours, baselines = list(a.by_seed(a.target).values()), a.run.plan.comparison.baselines
    return [(b, improvement(ours, list(a.by_seed(b).values()), 1 - a.alpha)) for b in baselines]


def to_json(a: Analysis, arm: str) -> dict[str, Any]:
    """Of one arm, for `verdict.json`: scores and rates are fractions, seeds named; None where it is not known, as of
    the untrained model, which has no seeds."""
    if arm == START:
        nothing = {"seeds": 0, "collapsed": None, "high": None, "missing": "the untrained model has no seeds"}
        return {"collapse": nothing, "health": None, "worst_seed": None, "sd_seeds": None}
    one = stability(a, arm)
    fell = one.collapsed
    counts = {"seeds": one.seeds, "collapsed": None if fell is None else len(fell), "high": one.high}
    return {
        "collapse": counts | ({"missing": one.why_not} if one.why_not else {}),
        "health": _health_json(a, arm, fell) if a.run.trials else None,
        "worst_seed": None if one.worst is None else {"seed": one.worst, "mean": one.scores[one.worst]},
        "sd_seeds": one.sd,
    }


def _health_json(a: Analysis, arm: str, fell: tuple[int, ...] | None) -> dict[str, Any]:
    """`findings` is left out where there are none, as in runs from before they were looked for."""
    findings = unhealthy.to_json(a, arm)
    collapsed = {"collapsed": None if fell is None else list(fell)}
    return {**health(a, arm), **collapsed, **({"findings": findings} if findings else {})}


def improvements_json(a: Analysis) -> list[dict[str, Any]]:
    """The target's chance against each baseline; None where seeds are too few."""
    return [
        {
            "a": a.target,
            "b": baseline,
            "probability": found.value if found else None,
            "ci_low": found.interval[0] if found else None,
            "ci_high": found.interval[1] if found else None,
        }
        for baseline, found in improvements(a)
    ]


def sentence(a: Analysis) -> str | None:
    """For the verdict: which seeds collapsed; None where none did, or none by more than the noise of its answers."""
    found = [(one, named) for one in stabilities(a) if (named := _said(one))]
    if not found:
        return None
    if len(found) > MOST_ARMS:
        what = f"{sum(len(named) for _, named in found)} seeds of {len(found)} arms collapsed"
    else:
        # one arm makes a clause of its own; several are listed
        who = listing([f"{_share(a, one, named, len(found) > 1)} ({fates(one, named)})" for one, named in found])
        what = f"collapsed: {who}" if len(found) > 1 else who
    return f"{capital(what)}: intervals do not cover a collapse that was never drawn."


def _said(one: Stability) -> tuple[int, ...]:
    return tuple(seed for seed in one.collapsed or () if seed in one.diverged or seed in one.sure)


def _share(a: Analysis, one: Stability, seeds: tuple[int, ...], listed: bool) -> str:
    """`one of the 5 seeds of GRPO collapsed`; in a list of several without the verb."""
    arm, verb = a.label(one.arm), "" if listed else " collapsed"
    if one.seeds == 1:
        return f"the only seed of {arm}{verb}"
    number = "all" if len(seeds) == one.seeds else "one of the" if len(seeds) == 1 else f"{len(seeds)} of the"
    return f"{number} {one.seeds} seeds of {arm}{verb}"


def fates(one: Stability, seeds: Iterable[int]) -> str:
    """`seed 3: 12.1 % against a median of 57.2 %; seed 4 diverged`"""
    seeds = list(seeds)
    scored, diverged = [s for s in seeds if s in one.scores], [s for s in seeds if s not in one.scores]
    shown = [f"seed {seed}: {percent(one.scores[seed])} %" for seed in scored[:MOST_SEEDS]]
    more = [f"{len(scored) - MOST_SEEDS} more"] if len(scored) > MOST_SEEDS else []
    parts = [f"{listing([*shown, *more])} against a median of {percent(one.median)} %"] if scored else []
    if len(diverged) > MOST_SEEDS:
        parts.append(f"{len(diverged)} diverged")
    elif diverged:
        parts.append(f"{'seed' if len(diverged) == 1 else 'seeds'} {listing([str(s) for s in diverged])} diverged")
    return "; ".join(parts)


def _sure(a: Analysis, arm: str, fallen: tuple[int, ...]) -> tuple[int, ...]:
    """Whose fall is more than problems and answers explain: below the arm's other seeds, or below the untrained model
    where all others fell as well, in an interval at alpha over the number of planned seeds of all arms: each could have
    been the one that is pointed at."""
    group = complete(a.cells, arm, a.benchmarks) if fallen else None
    if not group:
        return ()
    stood = tuple(seed for seed in group[0].seeds if seed not in fallen)
    others = [s.only(stood) for s in group] if stood else complete(a.cells, START, a.benchmarks)
    if not others or any(o.problems != s.problems for o, s in zip(others, group, strict=True)):
        return ()
    rest = [o.values.mean(axis=0, keepdims=True) for o in others]
    confidence, of_rest = 1 - a.alpha / (len(a.arms) * len(a.run.plan.seeds)), [(sum(o.k),) for o in others]

    def below(seed: int) -> bool:
        own = [s.only((seed,)) for s in group]
        arms, attempts = ([s.values for s in own], rest), ([s.k for s in own], of_rest)
        interval = contrast(arms, (1.0, -1.0), "checkpoints", confidence, attempts=attempts).interval
        return interval is not None and interval[1] < 0

    return tuple(seed for seed in fallen if below(seed))
