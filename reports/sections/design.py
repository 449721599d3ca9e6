"""Where the uncertainty of the primary differences comes from, and what would make it less."""

from __future__ import annotations

from dataclasses import dataclass

from reports.data.analysis import Analysis
from reports.data.pairs import Pair, sources
from reports.data.scores import AVERAGE, complete
from reports.document import Block, Cell, Column, Folded, Row, Section, Table, Text, text
from reports.statistics import design, sharpen
from reports.statistics.power import LARGEST
from reports.statistics.variance import VarianceSplit
from reports.words import GAP, count, detectable, listing

MOST_PAIRS = 4
"""with more baselines than this the table of what would sharpen them shows the least certain difference"""
PARTS = {"seed": "Training seed", "problem": "Problem", "interaction": "Seed × problem", "sampling": "Sampling"}


@dataclass(frozen=True)
class VarianceSource:
    """A difference, and what its variance is made of."""

    pair: Pair
    split: VarianceSplit


def section(a: Analysis) -> Section | None:
    average = _sources(a, [p for p in a.family("primary") if p.estimate])
    if not average:
        return None
    blocks: list[Block] = [*_largest(a, average), _table(a, average, "variance", CAPTION)]
    if len(a.benchmarks) > 1:
        each = _sources(a, [p for p in a.family("per_benchmark") if p.estimate])
        blocks.append(Folded("By benchmark", [_table(a, each, "variance-by-benchmark", "As above, on one benchmark.")]))
    return Section("design", "Where the uncertainty comes from", [*blocks, *_sharpen(a, average)])


CAPTION = (
    "Parts of the variance of each difference on the average, in percent of it; SE is its root, in points. Training "
    "seed: another seed would give another checkpoint. Problem: the true difference is not the same on all "
    "problems. Seed × problem: a seed is better on some problems and worse on others. Sampling: another answer to "
    "the same problem, p(1 − p) k/(k − 1) within problems. From the mean squares of seeds and problems as crossed; "
    "a part estimated below zero is shown as 0. Seed SD: of an arm's score between seeds, in points, the mean of "
    "both arms. A dash: not to be told from these data, with one seed an arm or one sample a problem; it is then in "
    "the part beside it."
)


def _sources(a: Analysis, pairs: list[Pair]) -> list[VarianceSource]:
    found = []
    for pair in pairs:
        columns = a.benchmarks if pair.benchmark == AVERAGE else [pair.benchmark]
        one, other = (complete(a.cells, arm, columns) or [] for arm in (pair.a, pair.b))
        found.append(VarianceSource(pair, sources(one, other)))
    return found


def _largest(a: Analysis, found: list[VarianceSource]) -> list[Text]:
    said = []
    for source in found:
        known = {name: part for name in PARTS if (part := getattr(source.split, name)) is not None}
        if source.split.total > 0 and source.split.sampling is not None:
            largest = max(known, key=known.__getitem__)
            said.append((PARTS[largest].lower(), _name(a, source.pair)))
    parts = {part for part, _ in said}
    if len(parts) == 1 and len(said) > 1:
        return [Text(f"The largest part of the variance of every difference: {parts.pop()}.")]
    named = [f"{part} for {name}" for part, name in said]
    return [Text(f"The largest part of the variance: {listing(named)}.")] if said else []


def _name(a: Analysis, pair: Pair) -> str:
    return f"{a.label(pair.a)} − {a.label(pair.b)}"


def _table(a: Analysis, found: list[VarianceSource], name: str, caption: str) -> Table:
    by_benchmark = any(source.pair.benchmark != AVERAGE for source in found)
    columns = [
        Column("Difference", numeric=False),
        *([Column("Benchmark", numeric=False)] if by_benchmark else []),
        Column("SE"),
        *map(Column, PARTS.values()),
        Column("Seed SD"),
    ]
    return Table(name, columns, [_row(a, source, by_benchmark) for source in found], caption)


def _row(a: Analysis, source: VarianceSource, by_benchmark: bool) -> Row:
    found, e = source.split, source.pair.estimate
    se, total = e.se if e else None, found.total
    parts = [getattr(found, part) for part in PARTS]
    whole = total if total and found.problem is not None else None
    shares = [part / whole if part is not None and whole else None for part in parts]
    seeds = min((square.df + 1 for square in found.seeds), default=0)
    spread = None if found.seed is None else (found.seed * seeds / len(found.seeds)) ** 0.5
    return Row(
        [
            text(_name(a, source.pair)),
            *([text(a.benchmark_title(source.pair.benchmark))] if by_benchmark else []),
            Cell(f"{100 * se:.1f}", se) if se else Cell(GAP),
            *(Cell(GAP) if share is None else Cell(f"{100 * share:.0f} %", share) for share in shares),
            Cell(GAP) if spread is None else Cell(f"{100 * spread:.1f}", spread),
        ]
    )


def _sharpen(a: Analysis, found: list[VarianceSource]) -> list[Block]:
    shown = [source for source in found if source.pair.mde]
    if not shown:
        return [Text("Nothing varied, so nothing can be said of what a larger design would detect.")]
    if len(shown) > MOST_PAIRS:
        shown = [max(shown, key=lambda source: source.pair.mde or (0.0, 0.0))]
    several = all(len(source.split.seeds) == 2 for source in shown)
    about_seeds = several and all(s.pair.estimate and s.pair.estimate.estimand != "checkpoints" for s in shown)
    sampled = all(source.split.sampling is not None for source in shown)
    ways = sharpen.routes(_effort(a), about_seeds, sampled)
    columns = [
        Column("Design", numeric=False),
        *(Column(f"MDE, {_name(a, source.pair)}") for source in shown),
        *map(Column, ("further trials", "further rollouts", "further attempts")),
    ]
    rows = [Row([text(way.words), *(_mde(source, way) for source in shown), *_costs(a, way)]) for way in ways]
    return [Table("sharpen", columns, rows, _sharpen_caption(a, about_seeds, several, sampled))]


def _mde(source: VarianceSource, way: sharpen.Route) -> Cell:
    pair = source.pair
    assert pair.estimate is not None
    seen = design.sight(source.split, way.change, pair.estimate.estimand, pair.alpha)
    return Cell(detectable((seen.estimate, seen.upper), LARGEST), seen.estimate) if seen else Cell(GAP)


def _costs(a: Analysis, way: sharpen.Route) -> list[Cell]:
    trained = bool(a.run.trials)
    numbers = (way.trials, way.rollouts, way.attempts)
    return [
        Cell(GAP) if number is None else Cell(count(number), number)
        for number in (numbers if trained else (None, None, way.attempts))
    ]


def _effort(a: Analysis) -> sharpen.Effort:
    plan = a.run.plan
    problems = {name: a.scores[a.target, name].n_problems for name in a.benchmarks}
    sizes = {name: (problems[name], k) for name, k in plan.benchmarks.items()}
    curve = {name: (problems[name], k) for name, k in plan.curve_benchmarks.items() if name in problems}
    others = (one.benchmarks.items() for one in plan.other_decodings.values())
    beside = sum(problems[name] * k for each in others for name, k in each)
    arms = 1 + len(plan.comparison.baselines)
    return sharpen.effort(arms, len(plan.seeds), plan.budget_rollouts, len(plan.grid_rollouts), sizes, curve, beside)


def _sharpen_caption(a: Analysis, seeds: bool, several: bool, sampled: bool) -> str:
    arms = 1 + len(a.run.plan.comparison.baselines)
    return (
        "Minimum detectable effect on the average with 80 % power before adjustment, in points, at the variances "
        "estimated here and at their upper 80 % bound, if only what is named were more. Twice the problems: other "
        f"benchmarks as large and like these. Costs are beyond what was done, for the {arms} arms of the primary "
        "family; a trial also answers at the earlier points of its grid. Adding seeds until a difference is "
        "significant would void its p-value: a larger design is a new plan."
        + ("" if several else " With one seed an arm nothing is known of what more seeds would bring; two would tell.")
        + ("" if seeds or not several else " The plan's target holds the seeds fixed, so more of them are not shown.")
        + (" Other decodings are counted; more samples are of the first." if a.run.plan.other_decodings else "")
        + ("" if sampled else " With one sample a problem nothing is known of what more would bring; two would tell.")
    )
