"""`verdict.json` of a run with scores alone: the keys of every verdict, null where problems would be needed."""

from __future__ import annotations

from typing import Any

from harness.records import SCHEMA
from harness.records.seed_scores import arm_fingerprint
from reports.data.pairs import Pair, difference_json
from reports.seed_scores import best_step
from reports.seed_scores.compared import PAIRED, UNPAIRED, ComparedScores
from reports.seed_scores.sentences import sentences
from reports.statistics import Estimate
from reports.statistics.power import LARGEST

_OF_PROBLEMS = ("n_problems", "k", "wrong", "truncated", "no_answer", "grader_failed", "attempts")


def to_json(a: ComparedScores) -> dict[str, Any]:
    """The content of `verdict.json`. Scores are fractions, but of `unit: raw` as they were imported."""
    plan = a.run.plan
    return {
        "schema": SCHEMA,
        "experiment": plan.experiment,
        "plan": plan.lock,
        "scores_only": True,
        "unit": "raw" if a.run.raw else "fraction",
        "step": plan.step,
        "verdict": " ".join(sentences(a)),
        "comparison": {
            "target": a.target,
            "baselines": plan.comparison.baselines,
            "estimand": plan.comparison.estimand,
            "alpha": a.alpha,
            "margin": plan.comparison.margin,
            "pair_seeds": a.paired,
        },
        "imported": plan.imported,
        "as_planned": None,
        **a.run.checked.to_json(),
        "arms": [_arm(a, name) for name in plan.arms],
        "pairs": [pair_json(pair, a.paired, a.run.checked.accepted, a.run.raw) for pair in a.pairs],
        "ranking": a.ranking,
        # nothing was tried that it could depend on: no decoding, no reading, no other step
        "depends_on": [],
        "best_checkpoint": best_step.to_json(a),
        "published": [],
        "differs": [],
        "notes": list(a.run.record.notes),
    }


def _arm(a: ComparedScores, name: str) -> dict[str, Any]:
    average = a.scores.get((name, a.run.headline))
    seeds = sorted({seed for (arm, _), side in a.run.by_seed.items() if arm == name for seed in side})
    return {
        "arm": name,
        "title": name,
        "fingerprint": arm_fingerprint(name, a.run.record),
        "seeds": seeds,
        "failed_seeds": None,
        "health": None,
        "updates": None,
        "collapse": None,
        "per_benchmark": {b: _score(a, name, b) for b in a.run.plan.benchmarks if (name, b) in a.scores},
        "average": None if average is None else _score(a, name, a.run.headline),
    }


def _score(a: ComparedScores, arm: str, column: str) -> dict[str, Any]:
    return {
        **estimate_json(a.scores[arm, column]),
        "seeds": len(a.run.by_seed[arm, column]),
        "best": arm in _highest(a, column),
        **dict.fromkeys(_OF_PROBLEMS),
    }


def _highest(a: ComparedScores, column: str) -> set[str]:
    mine = {arm: e.value for (arm, name), e in a.scores.items() if name == column}
    return {arm for arm, value in mine.items() if value == max(mine.values())}


def estimate_json(e: Estimate) -> dict[str, Any]:
    """A mean; None where there is no interval."""
    low, high = e.interval or (None, None)
    known = e.interval is not None
    return {
        "mean": e.value,
        "se": (e.se or None) if known else None,
        "df": e.stated_df if known else None,
        "ci_low": low,
        "ci_high": high,
        "covers": e.estimand if known else None,
    }


def pair_json(pair: Pair, paired: bool, accepted: bool, raw: bool) -> dict[str, Any]:
    """A difference with its test; an MDE beyond a third of the scale, where there is one, is no number."""
    e = pair.estimate
    found = difference_json(e, pair.p_adjusted, pair.simultaneous, pair.direction)
    if e is None or e.interval is None:
        found |= {"se": None, "df": None, "covers": None}
    most = float("inf") if raw else LARGEST
    low, high = (None if one > most else one for one in pair.mde) if pair.mde else (None, None)
    return {
        "a": pair.a,
        "b": pair.b,
        "benchmark": pair.benchmark,
        **found,
        "family": pair.family,
        "target": pair.asked,
        "test": PAIRED if paired else UNPAIRED,
        "matched": False if accepted else None,
        "unmatched": [],
        "mde": low,
        "mde_high": high,
        "seed_correlation": pair.correlation,
        "margin": pair.margin,
        "equivalent": pair.equivalent,
        "p_equivalence": pair.p_equivalence,
    }
