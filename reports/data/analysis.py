"""One run, analysed: every score, difference and test that a report shows, computed once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from harness.records import START, ArmRecord, DataError
from reports.data import deviations
from reports.data.checked import UNCHECKED, Checked
from reports.data.load import Run, where
from reports.data.matching import Side
from reports.data.pairs import Family, Groups, Pair, Test, by_seed, compare_all, difference
from reports.data.scores import AVERAGE, Cells, Scores, complete, final, headline, marks
from reports.data.titles import titles
from reports.statistics import ESTIMANDS, ROUNDING, Estimand, Estimate, contrast
from reports.statistics.multiple import adjusted
from reports.words import benchmark_title

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Score:
    """A cell of the main table."""

    estimate: Estimate
    n_problems: int
    k: tuple[int, ...]
    """distinct numbers of attempts a problem"""
    seeds: tuple[int, ...]
    """empty for the untrained model"""


@dataclass(frozen=True)
class Analysis:
    """What sections are made from: a run's files, its scores and its paired differences."""

    run: Run
    arms: list[ArmRecord]
    benchmarks: list[str]
    cells: Cells
    scores: dict[tuple[str, str], Score]
    """(arm, benchmark or `average`); a missing key is a gap"""
    weighted: dict[str, float]
    """arm -> mean over all problems, whatever their benchmark"""
    shares: dict[str, float]
    """benchmark -> share in the problem variance of the average, mean over arms; empty if there is none"""
    best: dict[str, set[str]]
    """column -> the arms with its highest score"""
    near: dict[str, set[str]]
    """column -> the other arms that are not separated from its best: in the planned family where the pair is in one,
    else in that of all pairs of the column"""
    pairs: list[Pair]
    marks: dict[tuple[str, str], dict[str, int]]
    """(arm, benchmark) -> counts of the five marks, of attempts and tokens"""
    deviations: list[str]
    """where the files differ from the locked plan; empty means as planned"""
    checked: Checked
    """whether the files are sealed, and what was let through"""

    @property
    def target(self) -> str:
        """Name of the arm that the plan's comparison is about."""
        return self.run.plan.comparison.target

    @property
    def alpha(self) -> float:
        """Level of each family of tests; intervals are at 1 - alpha."""
        return self.run.plan.comparison.alpha

    @property
    def estimand(self) -> Estimand:
        """What the plan wants intervals to cover; an arm of one seed may only allow `checkpoints`."""
        return cast(Estimand, self.run.plan.comparison.estimand)

    @property
    def rows(self) -> list[str]:
        """Names of the table's rows: the untrained model, then the arms as planned."""
        return rows(self.run, self.cells)

    @property
    def columns(self) -> list[str]:
        """The planned benchmarks, then `average`."""
        return [*self.benchmarks, AVERAGE]

    @property
    def sizes_differ(self) -> bool:
        """Whether benchmarks have different numbers of problems, so that pooling them differs from averaging them."""
        sizes = {score.n_problems for (_, column), score in self.scores.items() if column != AVERAGE}
        return len(sizes) > 1

    def family(self, name: Family) -> list[Pair]:
        """The pairs of one family, in the order of its tests; gaps are among them."""
        return [pair for pair in self.pairs if pair.family == name]

    def by_seed(self, arm: str) -> dict[int, float]:
        """Each seed's average over the benchmarks; empty if there is none."""
        group = complete(self.cells, arm, self.benchmarks)
        return by_seed(group) if group else {}

    @cached_property
    def kept(self) -> dict[tuple[Any, ...], Any]:
        """What functions that are asked by several sections found: see `once`."""
        return {}

    @cached_property
    def _titles(self) -> Mapping[str, str]:
        return titles(self.run.evals)

    def benchmark_title(self, name: str) -> str:
        """What tables call a benchmark."""
        return self._titles.get(name) or benchmark_title(name)

    @cached_property
    def rules(self) -> Mapping[str, str]:
        """Benchmark -> what counted as equal to a gold, in words, of those whose evaluations say it."""
        said = zip(self.run.evals["benchmark"], self.run.evals["rule"], strict=True)
        return {name: rule for name, rule in said if rule and name in self.benchmarks}

    def label(self, arm: str) -> str:
        """What tables call an arm: its title, with its name where two arms share one."""
        if arm == START:
            return "start (untrained)"
        titles = [a.title for a in self.arms]
        title = next(a.title for a in self.arms if a.name == arm)
        return title if titles.count(title) == 1 else f"{title} [{arm}]"


def once(function: Callable[Concatenate[Analysis, P], T]) -> Callable[Concatenate[Analysis, P], T]:
    """A function of an analysis that several sections ask, called once for each analysis and the same further words: a
    quarter of a report's time was the same numbers again. What it returns is shared, and nobody may change it."""

    @wraps(function)
    def kept(a: Analysis, *words: P.args, **named: P.kwargs) -> T:
        key = (function, words, *named.items())
        if key not in a.kept:
            a.kept[key] = function(a, *words, **named)
        return a.kept[key]

    return kept


def rows(run: Run, cells: Cells) -> list[str]:
    """Of an imported run without the untrained model the arms alone: it was not to be there."""
    start = not run.plan.imported or any(arm == START for arm, _ in cells)
    return [*([START] if start else []), *(arm.name for arm in run.plan.arms)]


def analyse(run: Run, checked: Checked = UNCHECKED) -> Analysis:
    """
    Args:
        checked: of the run's files.

    Raises: DataError if the files contradict each other or the plan names an unknown estimand.
    """
    plannable = [one for one in ESTIMANDS if one != "answers"]
    if run.plan.comparison.estimand not in plannable:
        raise DataError(
            f"plan.json: `estimand` must be one of {', '.join(plannable)}, "
            f"but is `{run.plan.comparison.estimand}` instead."
        )
    cells = headline(run)
    benchmarks = list(run.plan.benchmarks)
    names = rows(run, cells)
    # what is not complete has no key here, and is a gap in all that follows
    groups = {
        (arm, column): found
        for arm in names
        for column in [*benchmarks, AVERAGE]
        if (found := complete(cells, arm, benchmarks if column == AVERAGE else [column])) is not None
    }
    scores = {(arm, column): score_of(run, arm, group) for (arm, column), group in groups.items()}
    averages = [scores[arm, AVERAGE].estimate for arm in names if (arm, AVERAGE) in scores]
    pairs = _pairs(run, groups)
    planned = {(frozenset((p.a, p.b)), p.benchmark): p.direction != 0 for p in pairs if p.estimate}
    tops = {column: _best(run, column, names, groups, planned) for column in [*benchmarks, AVERAGE]}
    return Analysis(
        run=run,
        arms=run.plan.arms,
        benchmarks=benchmarks,
        cells=cells,
        scores=scores,
        weighted={arm: _weighted(groups[arm, AVERAGE]) for arm in names if (arm, AVERAGE) in groups},
        shares=_shares(averages, benchmarks),
        best={column: best for column, (best, _) in tops.items()},
        near={column: near for column, (_, near) in tops.items()},
        pairs=pairs,
        marks=marks(run),
        deviations=deviations.find(run, cells),
        checked=checked,
    )


def score_of(run: Run, arm: str, group: list[Scores]) -> Score:
    """An arm's on one benchmark, or the average of several."""
    comparison = run.plan.comparison
    # The untrained model has one checkpoint and no seeds to be new: its interval is over problems.
    estimand = "checkpoints" if arm == START else cast(Estimand, comparison.estimand)
    return Score(
        estimate=contrast(
            [[s.values for s in group]], (1.0,), estimand, 1 - comparison.alpha, attempts=[[s.k for s in group]]
        ),
        n_problems=sum(len(s.problems) for s in group),
        k=tuple(sorted({k for s in group for k in s.k})),
        seeds=() if arm == START else group[0].seeds,
    )


def _weighted(group: list[Scores]) -> float:
    return float(sum(s.values.mean(axis=0).sum() for s in group) / sum(len(s.problems) for s in group))


def _shares(averages: list[Estimate], benchmarks: list[str]) -> dict[str, float]:
    known = [estimate.parts.problem_shares for estimate in averages if estimate.parts.problem_shares]
    if not known:
        return {}
    return {name: sum(shares[i] for shares in known) / len(known) for i, name in enumerate(benchmarks)}


def _best(
    run: Run, column: str, rows: list[str], groups: Groups, planned: Mapping[tuple[frozenset[str], str], bool]
) -> tuple[set[str], set[str]]:
    """The arms with a column's highest score, and the others that are not separated from it.

    A pair that was planned has its answer from its own family, and no other one is given. Of the rest any arm might
    have been the best, so their family is all pairs of the column.

    Args:
        planned: two arms and a column -> whether their difference is significant
    """
    present = {arm: groups[arm, column] for arm in rows if (arm, column) in groups}
    if len(present) < 2:
        return set(), set()
    mean = {arm: sum(s.values.mean() for s in group) / len(group) for arm, group in present.items()}
    top = max(mean, key=mean.__getitem__)
    best = {arm for arm in present if mean[top] - mean[arm] < ROUNDING}
    comparison, pairs = run.plan.comparison, len(present) * (len(present) - 1) // 2
    near = set()
    for arm in present.keys() - best:
        answer = planned.get((frozenset((top, arm)), column))
        if answer is not None:
            near |= set() if answer else {arm}
            continue
        gap = difference(present[top], present[arm], comparison.estimand, comparison.alpha)
        p = adjusted([gap.p_value, *[None] * (pairs - 1)])[0]
        if p is None or p >= comparison.alpha:
            near.add(arm)
    return best, near


def _pairs(run: Run, groups: Groups) -> list[Pair]:
    """The three families of tests, each adjusted within itself. An import that lacks the untrained model has two."""
    comparison, benchmarks = run.plan.comparison, list(run.plan.benchmarks)
    target, baselines = comparison.target, comparison.baselines
    families: dict[Family, list[Test]] = {
        "primary": [(target, b, AVERAGE) for b in baselines],
        "per_benchmark": [(target, b, column) for b in baselines for column in benchmarks],
        "start": [(arm.name, START, AVERAGE) for arm in run.plan.arms],
    }
    if run.plan.imported and not any(arm == START for arm, _ in groups):
        families["start"] = []
    sides = {arm: side(run, arm) for arm in [START, *(arm.name for arm in run.plan.arms)]}
    return [
        pair
        for family, tests in families.items()
        for pair in compare_all(
            groups,
            family,
            tests,
            sides,
            comparison.estimand,
            comparison.alpha,
            # the margin was stated for the arms of the comparison, not for what training brings
            None if family == "start" else comparison.margin,
            comparison.pair_seeds,
        )
    ]


def side(run: Run, arm: str) -> Side:
    """What matching looks at, of one arm of a run."""
    trials = {seed: trial.record for (name, seed), trial in run.trials.items() if name == arm}
    evals = final(run)
    own, factor = where(evals, evals["arm"] == arm), run.plan.comparison.factor
    return Side(arm, trials, own, imported=bool(run.plan.imported), factor=factor)
