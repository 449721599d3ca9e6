"""Are reports right about real training? One arm against itself (A/A): how often is it called different from itself.

    rence run configs/calibration/aa.yaml
    python bench/calibration.py runs/calibration-aa [--splits 4000] [--sizes 3 5] [--seed 0]

The seeds of the run's target arm are split at random into two disjoint groups, many times, and each split is asked
whether its groups differ, through the code that a report uses. Whoever is asked at level .05 should say yes in 5 % of
the splits. Prints Markdown: these rates, the distribution of p-values, and where the variance comes from.

The splits share problems, and both sides are drawn from one set of seeds. What is tried is whether the formulas hold
for seeds as they really scatter; not whether new problems would have agreed, which bench/coverage.py tries.

Splits overlap, so they say less than as many trainings would. The rate is an incomplete U-statistic of the seeds; its
standard error is a jackknife over seeds (Efron & Stein 1981, Annals of Statistics 9(3), 586-596: biased upwards) less
what the number of splits adds to that, plus the noise of drawing splits. Resampling seeds with replacement would put
one seed on both sides of a split.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import special

from reports.data.load import load
from reports.data.pairs import difference
from reports.data.scores import AVERAGE, Scores, complete, headline
from reports.statistics import ESTIMANDS, Floats

LEVELS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9)
"""where the distribution of p-values is looked at"""

Group = list[Scores]
"""one arm's scores on the benchmarks of a column, over the same seeds"""
Test = Callable[[Group, Group], float]
"""the p-value of two groups of seeds; NaN where there is no test, which claims nothing"""


def target(estimand: str, alpha: float, a: Group, b: Group) -> float:
    """As in a report."""
    p_value = difference(a, b, estimand, alpha).p_value
    return np.nan if p_value is None else p_value


def clustered(alpha: float, a: Group, b: Group) -> float:
    """z of the paired difference, clustered by problem: what one trained model against another is often asked."""
    estimate = difference(a, b, "checkpoints", alpha)
    return normal(estimate.value, estimate.se or 0.0)


def seeds_only(a: Group, b: Group) -> float:
    """Student's t of the two groups' scores, of equal variance, as if these were all the problems there are."""
    x, y = (np.mean([s.values.mean(axis=1) for s in side], axis=0) for side in (a, b))
    df = len(x) + len(y) - 2
    pooled = (x.var(ddof=1) * (len(x) - 1) + y.var(ddof=1) * (len(y) - 1)) / df
    t = (x.mean() - y.mean()) / np.sqrt(pooled * (1 / len(x) + 1 / len(y)))
    return float(2 * special.stdtr(df, -abs(t)))


def nested(a: Group, b: Group) -> float:
    """z with the variance of a bootstrap that draws pairs of seeds and then problems within each, in closed form."""
    rows = [x.values - y.values for x, y in zip(a, b, strict=True)]
    per_seed = np.mean([d.mean(axis=1) for d in rows], axis=0)
    within = sum(d.var(axis=1).mean() / d.shape[1] for d in rows) / len(rows) ** 2
    return normal(float(per_seed.mean()), float(np.sqrt((per_seed.var() + within) / len(per_seed))))


def normal(value: float, se: float) -> float:
    return float(2 * special.ndtr(-abs(value) / se)) if se else np.nan


def tests(alpha: float) -> dict[str, Test]:
    ours = {f"target {estimand}": partial(target, estimand, alpha) for estimand in ESTIMANDS[:3]}
    return {
        **ours,
        "z, problems clustered": partial(clustered, alpha),
        "t, seeds only": seeds_only,
        "z, nested": nested,
    }


@dataclass(frozen=True)
class Splits:
    """Random disjoint halves of the seeds."""

    first: NDArray[np.int64]
    """splits x size: places of seeds"""
    second: NDArray[np.int64]
    seeds: int

    @staticmethod
    def draw(rng: np.random.Generator, seeds: int, size: int, count: int) -> Splits:
        """Raises: SystemExit if there are too few seeds."""
        if seeds < 2 * size:
            raise SystemExit(f"{seeds} seeds cannot be split {size} against {size}.")
        order = np.array([rng.permutation(seeds)[: 2 * size] for _ in range(count)])
        return Splits(order[:, :size], order[:, size:], seeds)

    @property
    def without(self) -> NDArray[np.bool_]:
        """splits x seeds: whether the seed is in neither half."""
        out = np.ones((len(self.first), self.seeds), dtype=bool)
        for half in (self.first, self.second):
            np.put_along_axis(out, half, False, axis=1)
        return out


def p_values(group: Group, splits: Splits, test: Test) -> Floats:
    """One for each split."""

    def half(places: NDArray[np.int64]) -> Group:
        seeds = tuple(sorted(group[0].seeds[place] for place in places))
        return [scores.only(seeds) for scores in group]

    return np.array([test(half(a), half(b)) for a, b in zip(splits.first, splits.second, strict=True)])


def rate(rejected: NDArray[np.bool_], splits: Splits) -> tuple[float, float]:
    """Share of the splits that are called different, and its standard error over new seeds and new splits."""
    out, count = splits.without, len(rejected)
    overall, drawn = float(rejected.mean()), float(rejected.var()) / count
    left_out = rejected.astype(float) @ out / out.sum(axis=0)
    jackknife = (splits.seeds - 1) / splits.seeds * float(((left_out - left_out.mean()) ** 2).sum())
    # leaving a seed out also leaves out a share r = 2n/S of the splits: sum over seeds of r drawn / (1 - r)
    size = 2 * splits.first.shape[1]
    excess = size * drawn / (1 - size / splits.seeds)
    return overall, float(np.sqrt(max(0.0, jackknife - excess) + drawn))


def columns(root: Path) -> tuple[str, dict[str, Group]]:
    """The target arm's title, and its scores on each benchmark and on the average."""
    run = load(root)
    arm, names = run.plan.comparison.target, list(run.plan.benchmarks)
    cells = headline(run)
    found = {name: complete(cells, arm, names if name == AVERAGE else [name]) for name in [*names, AVERAGE]}
    title = next(a.title for a in run.plan.arms if a.name == arm)
    return title, {name: group for name, group in found.items() if group is not None}


def rates(groups: dict[str, Group], size: int, count: int, seed: int, alpha: float) -> Iterator[str]:
    seeds = len(groups[AVERAGE][0].seeds)
    splits = Splits.draw(np.random.default_rng([seed, size]), seeds, size, count)
    found = {
        (test, name): p_values(group, splits, asked)
        for test, asked in tests(alpha).items()
        for name, group in groups.items()
    }
    yield (
        f"Called different at level {alpha:g}, percent of {count:,} splits of {seeds} seeds {size} against {size} "
        f"(± a standard error; {seeds // (2 * size)} splits can be disjoint):\n"
    )
    yield from table(
        ["", *groups], [[test, *(cell(found[test, n] < alpha, splits) for n in groups)] for test in tests(alpha)]
    )
    yield f"\nShare of p-values up to a level, percent, {size} against {size}; the benchmarks are put together:\n"
    rows = []
    for test in tests(alpha):
        for where, names in (("average", [AVERAGE]), ("benchmarks", [n for n in groups if n != AVERAGE])):
            p = np.concatenate([found[test, name] for name in names])
            rows.append([f"{test}, {where}", *(f"{100 * np.mean(p <= level):.1f}" for level in LEVELS)])
    yield from table(["", *(f"{level:g}" for level in LEVELS)], rows)
    yield ""


def cell(rejected: NDArray[np.bool_], splits: Splits) -> str:
    share, se = rate(rejected, splits)
    return f"{100 * share:.1f} ± {100 * se:.1f}"


def variances(groups: dict[str, Group]) -> Iterator[str]:
    """Where scores vary, in standard deviations and points of percent."""
    yield "Standard deviations in points of percent (95 % interval of a normal variable's over seeds):\n"
    rows = []
    for name, group in groups.items():
        score = np.mean([s.values.mean(axis=1) for s in group], axis=0)
        sd, df = score.std(ddof=1), len(score) - 1
        low, high = sd * np.sqrt(df / special.chdtri(df, 0.025)), sd * np.sqrt(df / special.chdtri(df, 0.975))
        parts = split(group)
        rows.append(
            [name, f"{100 * score.mean():.1f}", f"{100 * sd:.2f} ({100 * low:.2f} to {100 * high:.2f})"]
            + [f"{100 * np.sqrt(max(0.0, part)):.2f}" for part in parts]
        )
    header = ["", "mean", "between seeds' scores", "of which the seed's own", "interaction", "sampling", "problems"]
    yield from table(header, rows)
    yield (
        "\nThe seed's own effect is the same for all problems; interaction (a seed is better at some problems) and "
        "sampling (k attempts a problem) are what a mean over problems leaves of them. All checkpoints sample by the "
        "same seeds, so part of the sampling is shared and the interaction is underestimated. Problems: what new ones "
        "would add to a score, not to a paired difference."
    )


def split(group: Group) -> tuple[float, float, float, float]:
    """Variances of a seed's score: the seed's own, interaction, sampling, and that of drawing the problems."""
    score = np.mean([s.values.mean(axis=1) for s in group], axis=0)
    residual = sampling = problems = 0.0
    for s in group:
        count, k = s.values.shape[1], s.k[0]
        rest = s.values - s.values.mean(axis=0) - s.values.mean(axis=1, keepdims=True) + s.values.mean()
        mean_square = float((rest**2).sum()) / (len(s.seeds) - 1) / (count - 1)
        weight = count * len(group) ** 2
        residual += mean_square / weight
        if k > 1:
            sampling += float((s.values * (1 - s.values)).mean()) / (k - 1) / weight
        problems += (float(s.values.mean(axis=0).var(ddof=1)) - mean_square / len(s.seeds)) / weight
    return float(score.var(ddof=1)) - residual, residual - sampling, sampling, problems


def table(header: list[str], rows: list[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|---|{'---:|' * (len(header) - 1)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--splits", type=int, default=4000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[3, 5])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--alpha", type=float, default=0.05)
    options = parser.parse_args()
    for root in options.runs:
        title, groups = columns(root)
        print(f"{title}, {len(groups[AVERAGE][0].seeds)} seeds of {root.name}\n")
        for size in options.sizes:
            print("\n".join(rates(groups, size, options.splits, options.seed, options.alpha)))
        print("\n".join(variances(groups)))


if __name__ == "__main__":
    main()
