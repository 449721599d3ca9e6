"""`verdict.json`: what the run shows, for programs. Scores are fractions; no times here: same files, same bytes."""

from __future__ import annotations

from typing import Any

from harness.records import SCHEMA
from reports.data import (
    agreement,
    common,
    decoded,
    dependence,
    failed_rewards,
    pass_at_k,
    pass_family,
    readings,
    stability,
    sweeps,
)
from reports.data.analysis import Analysis, Score
from reports.data.pairs import TEST, Pair, difference_json
from reports.data.readings import FormatPart
from reports.data.scores import AVERAGE
from reports.data.source_marks import MarkerPart
from reports.sections import notes, published
from reports.statistics.power import LARGEST
from reports.verdict import ranking, sentences


def to_json(a: Analysis) -> dict[str, Any]:
    """The content of `verdict.json`."""
    plan, parts = a.run.plan, readings.parts(a)
    return {
        "schema": SCHEMA,
        "experiment": plan.experiment,
        "plan": plan.lock,
        "verdict": " ".join(sentences(a)),
        "comparison": {
            "target": a.target,
            "baselines": plan.comparison.baselines,
            "estimand": a.estimand,
            "alpha": a.alpha,
            "margin": plan.comparison.margin,
            **({"factor": "reward"} if plan.comparison.factor == "reward" else {}),
        },
        "imported": plan.imported or None,
        "as_planned": None if plan.imported else not a.deviations and not a.checked.accepted,
        **a.checked.to_json(),
        "arms": [_arm(a, name) for name in a.rows],
        "pairs": [pair_json(p, a.checked.accepted, parts.get((p.a, p.b, p.benchmark))) for p in a.pairs],
        # keys that only some runs have are left out of the others: absence is not an empty finding
        **common.to_json(a),
        "ranking": ranking(a),
        "depends_on": dependence.found(a),
        **({"decodings": _decodings(a)} if plan.decodings else {}),
        **({"pass_at_k": pass_family.to_json(a)} if pass_at_k.is_asked(a) else {}),
        "improvement": stability.improvements_json(a),
        **({"sweeps": sweeps.to_json(a)} if plan.sweeps else {}),
        "published": [
            {"title": entry.title, "cells": [cell.to_json() for cell in published.compare(a, entry)]}
            for entry in a.run.published
        ],
        "problem_variance_shares": a.shares,
        "differs": agreement.differing(a.run),
        "notes": notes.collect(a),
    }


def _decodings(a: Analysis) -> list[dict[str, Any]]:
    """Every decoding with its settings, and each arm's scores under it; the first's are those of `arms`."""
    return [
        {
            "name": one.name,
            "headline": one.first,
            **vars(one.settings),
            "arms": [
                {
                    "arm": arm,
                    "per_benchmark": {
                        b: score_json(one.scores[arm, b]) for b in a.benchmarks if (arm, b) in one.scores
                    },
                    "average": score_json(one.scores[arm, AVERAGE]) if (arm, AVERAGE) in one.scores else None,
                }
                for arm in a.rows
            ],
        }
        for one in decoded.found(a)
    ]


def _arm(a: Analysis, name: str) -> dict[str, Any]:
    record = next((arm for arm in a.arms if arm.name == name), None)
    average = a.scores.get((name, AVERAGE))
    return {
        "arm": name,
        "title": a.label(name),
        "fingerprint": record.fingerprint if record else a.run.plan.model_hash,
        "seeds": sorted(seed for arm, seed in a.run.trials if arm == name),
        "failed_seeds": [
            seed for (arm, seed), t in a.run.trials.items() if arm == name and t.done is not None and not t.finished
        ],
        **stability.to_json(a, name),
        **failed_rewards.to_json(a, name),
        "per_benchmark": {b: _cell(a, name, b, a.scores[name, b]) for b in a.benchmarks if (name, b) in a.scores},
        "average": None
        if average is None
        else score_json(average) | _standing(a, name, AVERAGE) | {"problem_weighted": a.weighted[name]},
    }


def _cell(a: Analysis, arm: str, benchmark: str, score: Score) -> dict[str, Any]:
    counts = a.marks[arm, benchmark]
    names = ("wrong", "no_answer", "truncated", "grader_failed", "attempts")
    return score_json(score) | _standing(a, arm, benchmark) | {name: counts.get(name) for name in names}


def _standing(a: Analysis, arm: str, column: str) -> dict[str, bool]:
    return {"best": arm in a.best[column], "not_separated_from_best": arm in a.near[column]}


def score_json(score: Score) -> dict[str, Any]:
    """A score, as a fraction; None where there is no standard error or interval."""
    estimate = score.estimate
    low, high = estimate.interval or (None, None)
    return {
        "mean": estimate.value,
        "se": estimate.se or None,
        "df": estimate.stated_df,
        "ci_low": low,
        "ci_high": high,
        "covers": estimate.estimand,
        "n_problems": score.n_problems,
        "k": score.k[0] if len(score.k) == 1 else list(score.k),
        "seeds": len(score.seeds),
    }


def pair_json(pair: Pair, accepted: bool = False, part: FormatPart | MarkerPart | None = None) -> dict[str, Any]:
    """A difference with its test; `mde` and `mde_high` are fractions too.

    Args:
        accepted: whether something was let through: then no pair is matched.
        part: what of it is format, or what it is by our marker where the source's marks count; None where that is not
            known, and no key then.
    """
    return {
        "a": pair.a,
        "b": pair.b,
        "benchmark": pair.benchmark,
        **difference_json(pair.estimate, pair.p_adjusted, pair.simultaneous, pair.direction),
        **({"readings": part.to_json()} if part else {}),
        "family": pair.family,
        "target": pair.asked,
        "test": TEST,
        "matched": False if accepted else pair.matched,
        "unmatched": list(pair.unmatched),
        "mde": _detectable(pair.mde and pair.mde[0]),
        "mde_high": _detectable(pair.mde and pair.mde[1]),
        "seed_correlation": pair.correlation,
        "margin": pair.margin,
        "equivalent": pair.equivalent,
        "p_equivalence": pair.p_equivalence,
    }


def _detectable(effect: float | None) -> float | None:
    """Beyond a third of the scale it is no number: the design can detect nothing."""
    return None if effect is None or effect > LARGEST else effect
