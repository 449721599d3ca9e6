"""What else the arms could have been measured by: choices, and of each its alternatives to what was planned.

To add a choice is to make its alternatives by `measured`, from scores of the same seeds on the same problems, and to
name it in `choices`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from reports.data import decoded, readings
from reports.data.analysis import Analysis
from reports.data.load import where
from reports.data.scores import Cells, complete, final, matrices
from reports.statistics import ROUNDING, Estimand, Floats
from reports.statistics.dependence import Matrices, change, checkpoint_left_out, seed_left_out

LEFT_OUT = {
    "truncated": "truncated left out",
    "no_answer": "no answer left out",
    "grader_failed": "marker failed left out",
}
READING, DECODING, BENCHMARKS, SEED, BUDGET = "reading of answers", "decoding", "benchmarks", "seed", "budget"


@dataclass(frozen=True)
class Alternative:
    """One way in which the arms could have been measured instead. An arm that has no average under it is missing."""

    name: str
    """as a row of a table calls it"""
    averages: Mapping[str, float]
    """arm -> its average under it, a fraction"""
    changes: Mapping[str, Matrices]
    """arm -> what it changes in the arm, seed by seed and problem by problem (`statistics/dependence.py`); missing
    where that cannot be told"""
    estimand: Estimand | None = None
    """what the interval of a change covers; None: what the plan says"""
    against: Mapping[str, float] | None = None
    """arm -> its average as planned on what the alternative is about, where that is not all of the headline"""


@dataclass(frozen=True)
class MeasuringChoice:
    """What the plan chose, and its alternatives: one family of tests."""

    name: str
    """after `depends on the`"""
    alternatives: tuple[Alternative, ...]


def average(found: Matrices) -> float:
    """Unweighted mean over benchmarks."""
    return float(np.mean([matrix.mean() for matrix in found]))


def _averages(found: Mapping[str, Matrices]) -> dict[str, float]:
    return {arm: average(matrices) for arm, matrices in found.items()}


def minus(averages: Mapping[str, float], one: str, other: str) -> float | None:
    """Of two arms' averages, a fraction: 0 where they differ by rounding alone; None if either has none."""
    if one not in averages or other not in averages:
        return None
    difference = averages[one] - averages[other]
    return difference if abs(difference) > ROUNDING else 0.0


def planned(a: Analysis) -> Mapping[str, Matrices]:
    """Trained arm -> its matrices at the headline, on all benchmarks; one without an average is missing."""
    return _whole(a.cells, [arm.name for arm in a.arms], a.benchmarks)


def choices(a: Analysis) -> list[MeasuringChoice]:
    """Every choice of which these results have an alternative. Fewer than two arms have no difference: empty."""
    base = planned(a)
    if len(base) < 2:
        return []
    found = [
        MeasuringChoice(READING, tuple(_readings(a))),
        MeasuringChoice(DECODING, tuple(_decodings(a))),
        *of_scores(
            base, [a.benchmark_title(name) for name in a.benchmarks], {arm: tuple(a.by_seed(arm)) for arm in base},
            fixed=a.estimand == "checkpoints",
        ),
        MeasuringChoice(BUDGET, tuple(_half(a))),
    ]  # fmt: skip
    return [choice for choice in found if choice.alternatives]


def of_scores(
    base: Mapping[str, Matrices], titles: Sequence[str], seeds: Mapping[str, Sequence[int]], fixed: bool
) -> list[MeasuringChoice]:
    """The choices that scores alone have alternatives of: benchmarks and seeds.

    Args:
        base: arm -> for each benchmark, seeds x problems.
        titles: of the benchmarks.
        seeds: arm -> of the rows.
        fixed: whether the question is about these checkpoints.
    """
    found = [
        MeasuringChoice(BENCHMARKS, tuple(_benchmarks(base, titles))),
        MeasuringChoice(SEED, tuple(_seeds(base, seeds, fixed))),
    ]
    return [choice for choice in found if choice.alternatives]


def of_readings(base: Mapping[str, Matrices], read: Mapping[str, Mapping[str, Matrices]]) -> MeasuringChoice:
    """The reading of answers, of sides that are no run's.

    Args:
        base: side -> for each benchmark, seeds x problems.
        read: title of a reading -> the same by it. One that is not known on all sides (NaN), or changes nothing, is no
            alternative.
    """
    found = [
        instead(name, under, base)
        for name, under in read.items()
        if all(np.isfinite(matrix).all() for side in under.values() for matrix in side)
        and any((one != other).any() for side in base for one, other in zip(under[side], base[side], strict=True))
    ]
    return MeasuringChoice(READING, tuple(found))


def measured(name: str, headline: Cells, scores: Cells, arms: list[str], benchmarks: list[str]) -> Alternative:
    """The arms measured in another way, by the same seeds and on the same problems of these benchmarks.

    An arm is missing where a seed, a benchmark or a score is, or where other problems were asked.
    """
    under, base = {}, {}
    for arm in arms:
        planned, other = complete(headline, arm, benchmarks), complete(scores, arm, benchmarks)
        if planned is None or other is None:
            continue
        same = all((x.seeds, x.problems) == (y.seeds, y.problems) for x, y in zip(planned, other, strict=True))
        if same and all(np.isfinite(s.values).all() for s in other):
            under[arm], base[arm] = [s.values for s in other], [s.values for s in planned]
    return instead(name, under, base)


def instead(name: str, under: Mapping[str, Matrices], base: Mapping[str, Matrices]) -> Alternative:
    """By an arm's matrices and those that they take the place of, in the same shapes."""
    return Alternative(name, _averages(under), {arm: change(under[arm], base[arm]) for arm in under})


def _whole(cells: Cells, arms: list[str], benchmarks: list[str]) -> dict[str, Matrices]:
    groups = {arm: complete(cells, arm, benchmarks) for arm in arms}
    return {arm: [s.values for s in group] for arm, group in groups.items() if group}


def _readings(a: Analysis) -> Iterator[Alternative]:
    """Of the same answers: found in another way, by the second marker, and without attempts that ended without a
    verdict on an answer."""
    evals, arms = _averaged(a, final(a.run)), [arm.name for arm in a.arms]
    problems = where(a.run.problems, a.run.problems["eval"].isin(list(evals.index)))
    attempts = problems["attempts"].to_numpy()

    def read(name: str, correct: Floats, attempts: Floats) -> Alternative:
        cells = matrices(evals, problems.assign(correct=correct, attempts=attempts))
        return measured(name, a.cells, cells, arms, a.benchmarks)

    for name, correct in readings.alternatives(a.run, evals, problems):
        yield read(name, correct, attempts)
    for mark, name in LEFT_OUT.items():
        lost = problems[mark].to_numpy()
        if lost.any():
            yield read(name, left_share(problems, attempts - lost), np.ones(len(problems)))


def _decodings(a: Analysis) -> Iterator[Alternative]:
    """The plan's decodings after the first, of the same checkpoints on the same problems."""
    for name, cells in list(decoded.cells(a).items())[1:]:
        found = measured(name, a.cells, cells, [arm.name for arm in a.arms], a.benchmarks)
        if len(found.averages) > 1:
            yield found


def left_share(problems: pd.DataFrame, left: np.ndarray) -> Floats:
    """Of each problem, what it brings to its evaluation's share correct of the attempts that are left: the share is a
    ratio of two sums, R = sum c / sum n, and has the spread of z = R + (c - R n) / mean n, whose mean it is (Cochran
    1977, Sampling Techniques, ch. 6). NaN where nothing is left."""
    table = pd.DataFrame({"eval": problems["eval"], "c": problems["correct"], "n": left}).astype(float)
    means = table.groupby("eval")[["c", "n"]].transform("mean")
    ratio = means["c"] / means["n"]  # 0 / 0 is NaN: the arm has no average
    return (ratio + (table["c"] - ratio * table["n"]) / means["n"]).to_numpy()


def without(correct: Floats, left: Floats) -> Floats:
    """`left_share` of matrices: seeds x problems, of which a seed's row is an evaluation."""
    rows = np.repeat(np.arange(len(correct)), correct.shape[1])
    return left_share(pd.DataFrame({"eval": rows, "correct": correct.ravel()}), left.ravel()).reshape(correct.shape)


def _benchmarks(base: Mapping[str, Matrices], titles: Sequence[str]) -> Iterator[Alternative]:
    """Problems weighted alike, whatever their benchmark; and each benchmark left out, in all arms."""
    if len(titles) < 2:
        return
    sizes = np.array([matrix.shape[1] for matrix in next(iter(base.values()))])
    if len(set(sizes.tolist())) > 1:
        yield weighted("all problems weighted alike", base, sizes / sizes.sum())
    for place, title in enumerate(titles):
        weights = np.full(len(titles), 1 / (len(titles) - 1))
        weights[place] = 0.0
        yield weighted(f"without {title}", base, weights)


def weighted(name: str, base: Mapping[str, Matrices], weights: Floats) -> Alternative:
    """The same scores, and each benchmark by its weight in the average."""
    under = {
        arm: [weight * len(weights) * m for weight, m in zip(weights, found, strict=True)]
        for arm, found in base.items()
    }
    return instead(name, under, base)


def _seeds(base: Mapping[str, Matrices], seeds: Mapping[str, Sequence[int]], fixed: bool) -> Iterator[Alternative]:
    """Each seed left out, in all arms; an arm that has no other is then missing. Of two seeds the other one does not
    tell how much seeds differ, unless the question is about these checkpoints."""
    every = sorted(set().union(*seeds.values()))
    for seed in every if len(every) > 1 else []:
        averages, changes = {}, {}
        for arm, mine in base.items():
            if seed not in seeds[arm]:
                averages[arm], changes[arm] = average(mine), change(mine, mine)
            elif len(seeds[arm]) > 1:
                row = list(seeds[arm]).index(seed)
                checkpoints = checkpoint_left_out(mine, row)
                averages[arm] = average(mine) + average(checkpoints)
                if fixed:
                    changes[arm] = checkpoints
                elif len(seeds[arm]) > 2:
                    changes[arm] = seed_left_out(mine, row)
        yield Alternative(f"without seed {seed}", averages, changes, None if fixed else "benchmark")


def _half(a: Analysis) -> Iterator[Alternative]:
    """At half the budget, if that is a point of the grid: earlier checkpoints of the same seeds, on the benchmarks that
    were asked there and set against the headline on these."""
    plan = a.run.plan
    earlier, budget = plan.grid_rollouts[:-1], plan.grid_rollouts[-1]
    halves = [point for point in earlier if abs(2 * point - budget) <= 1]
    evals = _averaged(a, where(a.run.evals, a.run.evals["grid"].isin(halves)))
    asked = [benchmark for benchmark in a.benchmarks if benchmark in set(evals["benchmark"])]
    if not asked:
        return
    some = f", {', '.join(asked)} only" if len(asked) < len(a.benchmarks) else ""
    # of the headline the seeds of the average too, on these benchmarks as on all of them
    headline = matrices(_averaged(a, final(a.run)), a.run.problems)
    cells = matrices(evals, a.run.problems)
    arms = [arm.name for arm in a.arms]
    found = measured(f"half the budget{some}", headline, cells, arms, asked)
    if len(found.averages) > 1:
        yield replace(found, against=_averages(_whole(headline, arms, asked))) if some else found


def _averaged(a: Analysis, evals: pd.DataFrame) -> pd.DataFrame:
    """Those of trained arms, of the seeds that are in an arm's average, on the planned benchmarks."""
    seeds = {arm.name: a.by_seed(arm.name) for arm in a.arms}
    mine = [seed in seeds.get(arm, ()) for arm, seed in zip(evals["arm"], evals["seed"], strict=True)]
    return where(evals, np.array(mine, bool) & evals["benchmark"].isin(a.benchmarks).to_numpy())
