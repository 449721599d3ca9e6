"""What another design could detect, from the variances of one that was run: more seeds, samples or problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.statistics.estimate import Estimand, MeanSquare, Parts
from reports.statistics.planned import paired
from reports.statistics.power import POWER, detectable_effect
from reports.statistics.satterthwaite import Floats, pool, upper_bound
from reports.statistics.variance import VarianceSplit


@dataclass(frozen=True)
class DesignChange:
    """How much more of each a design has than the one whose variances are known."""

    seeds: float = 1.0
    problems: Sequence[float] = (1.0,)
    """for each benchmark, or one for all"""
    samples: Sequence[float] = (1.0,)
    """answers a problem, for each benchmark, or one for all"""


AS_IT_IS = DesignChange()


@dataclass(frozen=True)
class Sight:
    """A minimum detectable effect."""

    estimate: float
    upper: float
    """at the upper 80 % confidence bound of the standard error"""


def sight(
    found: VarianceSplit,
    change: DesignChange,
    estimand: Estimand,
    alpha: float,
    stated: float | None = None,
    power: float = POWER,
    pairing: float | None = None,
) -> Sight | None:
    """What the changed design would detect between two arms with this power.

    Args:
        found: the split of a difference.
        stated: variance of an arm's score between seeds, over the number of seeds of `found`, summed over the two
            arms: in place of what one seed an arm could not tell.
        pairing: correlation of the arms' scores over seeds, where the changed design pairs them by seed.
    """
    parts = expected(found, change, stated)
    parts = parts if pairing is None else paired(parts, pairing)
    effect = detectable_effect(parts, estimand, alpha, power)
    if effect is None:
        return None
    variance = sum(part.variance for part in _parts(parts.seed, parts.problem, estimand))
    if estimand == "algorithm" and parts.residual:
        variance -= parts.residual.variance
    unknown = _upper(found, change, estimand) / variance
    return Sight(effect, effect * float(np.sqrt(1 + unknown)))


def expected(found: VarianceSplit, change: DesignChange, stated: float | None = None) -> Parts:
    """Expected mean squares of the changed design, each over its own S J."""
    fewer = 1 / change.seeds
    between, own, rest = _components(found, change, stated)
    problems = _inverse(change.problems, found)
    residual_df = [
        (r.df if r else _df(p)) * j / fewer
        for r, p, j in zip(found.residuals, found.problems, 1 / problems, strict=True)
    ]
    dfs = [max(1.0, (_df(p) + 1) / shrink - 1) for p, shrink in zip(found.problems, problems, strict=True)]
    return Parts(
        seeds=() if between is None else _seeds(found, fewer, between + float(rest.sum())),
        problem=None if own is None else _pooled(own + rest, dfs),
        residual=None if between is None else _pooled(rest, residual_df),
    )


def breakdown(
    found: VarianceSplit, change: DesignChange, estimand: Estimand, stated: float | None = None, pairing: float = 0.0
) -> dict[str, float]:
    """What the variance of the changed design is made of: `seeds`, `problems`, `samples`, the last with seed x problem.

    Args:
        stated, pairing: as of `sight`; `pairing` is 0 where seeds are not paired.
    """
    between, own, rest = _components(found, change, stated)
    # Arms that agree over seeds agree in their scores, of which single cells are a part.
    apart = 0.0 if between is None else max(0.0, between - pairing * (between + float(rest.sum())))
    return {
        "seeds": 0.0 if estimand == "checkpoints" else apart,
        "problems": 0.0 if estimand == "benchmark" or own is None else float(own.sum()),
        "samples": float(rest.sum()),
    }


def _components(
    found: VarianceSplit, change: DesignChange, stated: float | None
) -> tuple[float | None, Floats | None, Floats]:
    """Of seeds, of each benchmark's problems, and of each benchmark's cells; None where they are not known."""
    fewer, problems, samples = 1 / change.seeds, _inverse(change.problems, found), _inverse(change.samples, found)
    cells, own = np.array(found.cells), found.by_problem
    between = found.seed if found.seeds else stated
    return (
        None if between is None else fewer * between,
        None if own is None else np.array(own) * problems,
        fewer * problems * (cells[:, 0] + samples * cells[:, 1]),
    )


def _inverse(factors: Sequence[float], found: VarianceSplit) -> Floats:
    return np.broadcast_to(1 / np.asarray(factors, float), len(found.problems))


def _seeds(found: VarianceSplit, fewer: float, total: float) -> tuple[MeanSquare, ...]:
    """As unequal as those of the two arms that were found, or of one beside an arm without seeds; equal halves if more
    were found, or none."""
    known = found.seeds if len(found.seeds) in (1, 2) else (MeanSquare(1.0, _seed_df(found)),) * 2
    whole = sum(part.variance for part in known)
    shares = [part.variance / whole if whole > 0 else 0.5 for part in known]
    return tuple(
        MeanSquare(total * share, max(1.0, (part.df + 1) / fewer - 1))
        for part, share in zip(known, shares, strict=True)
    )


def _seed_df(found: VarianceSplit) -> float:
    return min((part.df for part in found.seeds), default=0.0)


def _parts(seed: MeanSquare | None, problem: MeanSquare | None, estimand: Estimand) -> list[MeanSquare]:
    wanted = (None if estimand == "checkpoints" else seed, None if estimand == "benchmark" else problem)
    return [part for part in wanted if part]


def _upper(found: VarianceSplit, change: DesignChange, estimand: Estimand) -> float:
    """How much the projected variance may be above its estimate: it is a sum of found mean squares, each with a factor,
    and is known as well as they are."""
    fewer, problems = 1 / change.seeds, np.broadcast_to(1 / np.asarray(change.problems, float), len(found.problems))
    seed = found.parts.seed
    plus = [(fewer * part.variance, part.df) for part in _parts(seed, None, estimand)]
    if estimand != "benchmark":
        plus += [(j * p.variance, p.df) for j, p in zip(problems, found.problems, strict=True) if p]
    minus = []
    if estimand == "algorithm" and seed:
        both = zip(problems, found.residuals, strict=True)
        minus = [((fewer + j - fewer * j) * r.variance, r.df) for j, r in both if r]
    total = sum(v for v, _ in plus) - sum(v for v, _ in minus)
    return max(0.0, float(upper_bound(plus, minus)) - total)


def _pooled(variances: np.ndarray, dfs: Sequence[float]) -> MeanSquare:
    variance, df = pool(list(variances), list(dfs))
    return MeanSquare(float(variance), float(df))


def _df(part: MeanSquare | None) -> float:
    return part.df if part else 1.0
