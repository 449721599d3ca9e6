"""The table people look for first: arms x benchmarks, and the average."""

from __future__ import annotations

from collections.abc import Mapping

from harness.records import START
from reports.data import decoded
from reports.data.analysis import Analysis, Score
from reports.data.load import MARKS
from reports.data.pairs import by_seed
from reports.data.scores import AVERAGE, complete
from reports.document import Block, Cell, Column, Figure, Row, Section, Table, Text, text
from reports.figures import arm_colours
from reports.figures.intervals import IntervalRow, intervals
from reports.figures.svg import MUTED, colour
from reports.verdict import covered, effort, span, standing
from reports.words import GAP, between, capital, listing, percent

DAGGER = "†"
NEAR = "≈"
"""not separated from the column's best"""


def section(a: Analysis) -> Section:
    blocks: list[Block] = [table(a), *_shares(a), *_dots(a)]
    return Section("scores", "Scores", blocks)


def _dots(a: Analysis) -> list[Figure]:
    entries = entries_of(a, AVERAGE)
    caption = (
        "The average of each arm: its mean (tick), its interval (band) and every seed (dots). Bold as in the table."
    )
    return [Figure("scores", intervals("scores", entries, "percent correct", zero=False), caption)] if entries else []


def entries_of(a: Analysis, column: str) -> list[IntervalRow]:
    """Each arm's mean, interval and seeds in one column, in percent, for a picture; without a score it is left out."""
    group = a.benchmarks if column == AVERAGE else [column]
    return [
        IntervalRow(
            a.label(arm) if arm == START or not a.run.plan.sweeps else arm_colours.short(a, arm),
            100 * score.estimate.value,
            _percent(score.estimate.interval),
            [] if arm == START else [100 * value for value in by_seed(complete(a.cells, arm, group) or []).values()],
            MUTED if arm == START else colour([one.name for one in a.arms].index(arm)),
            strong=arm in a.best[column],
        )
        for arm in a.rows
        if (score := a.scores.get((arm, column))) is not None
    ]


def _percent(interval: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if interval is None else (100 * interval[0], 100 * interval[1])


def table(a: Analysis) -> Table:
    """Arms x benchmarks and the average, in percent with intervals; a gap where an arm has no complete result."""
    # the average comes first: a narrow screen shows no more than that
    titles = ["Average", *(["Pooled"] if a.sizes_differ else []), *map(a.benchmark_title, a.benchmarks), "Seeds"]
    rows = []
    for arm in a.rows:
        pooled = [Cell(percent(a.weighted.get(arm)), a.weighted.get(arm))] if a.sizes_differ else []
        cells = [_cell(a, arm, AVERAGE), *pooled, *(_cell(a, arm, column) for column in a.benchmarks)]
        rows.append(Row([text(a.label(arm)), *cells, _seeds(a, arm)], quiet=arm == START))
    return Table("scores", [Column("", numeric=False), *map(Column, titles)], rows, caption(a))


def _cell(a: Analysis, arm: str, column: str) -> Cell:
    score = a.scores.get((arm, column))
    if score is None:
        return Cell(GAP)
    return Cell(
        percent(score.estimate.value),
        value=score.estimate.value,
        spread=between(score.estimate.interval),
        mark=(NEAR if arm in a.near[column] else "") + (DAGGER if column == AVERAGE and arm in differing(a) else ""),
        bold=arm in a.best[column],
    )


def _seeds(a: Analysis, arm: str) -> Cell:
    if arm == START:
        return Cell(GAP)
    score = a.scores.get((arm, AVERAGE))
    got, planned = len(score.seeds) if score else 0, len(a.run.plan.seeds)
    return Cell(str(got) if got == planned else f"{got} of {planned}", value=got)


def differing(a: Analysis) -> set[str]:
    """The baselines that differ significantly from the target arm, on the average."""
    return {pair.b for pair in a.family("primary") if pair.direction}


def caption(a: Analysis) -> str:
    """Everything a reader needs to know what the numbers mean: target, n, k, seeds, budget, template, marker."""
    plan, final = a.run.plan, a.run.evals
    untrained = "; that of the untrained model covers new problems" if START in a.rows else ""
    had = sorted({len(score.seeds) for (arm, _), score in a.scores.items() if arm != START}) or [0]
    seeds = f"{span(had)} {'seed' if had == [1] else 'seeds'} an arm"
    if not plan.imported and had != [len(plan.seeds)]:
        seeds += f" of {len(plan.seeds)} planned"
    sentences = [
        f"Share of correct answers in percent (avg@k), with the {100 * (1 - a.alpha):g} % interval of each score, not "
        f"adjusted; it covers {covered(a)}{untrained}.",
        _sizes(a),
        _decoding(a),
        _rules(a),
        f"{'; '.join([seeds, *effort(a)])}; template {plan.template}; marker "
        f"{listing(sorted(set(final['grader_version']))) or GAP}; model {plan.model}.",
        f"Bold: the column's highest score. {NEAR}: not separated from it at {100 * a.alpha:g} %, in the planned "
        "family where the pair is in one, else in that of all pairs of the column (Bonferroni); an arm whose interval "
        "is wide is hard to separate from anything.",
        *_legend(a),
        f"{capital(standing(a))}.",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _sizes(a: Analysis) -> str:
    sizes = []
    for benchmark in a.benchmarks:
        found = [a.scores[arm, benchmark] for arm in a.rows if (arm, benchmark) in a.scores]
        if found:
            ks = sorted({k for score in found for k in score.k})
            sizes.append((a.benchmark_title(benchmark), f"{found[0].n_problems:,} × {span(ks)}"))
    if len({size for _, size in sizes}) == 1 and len(sizes) > 1:
        return f"n × k (problems × attempts): {sizes[0][1]} on each benchmark."
    listed = ", ".join(f"{benchmark} {size}" for benchmark, size in sizes)
    return f"n × k (problems × attempts): {listed}." if sizes else ""


def _decoding(a: Analysis) -> str:
    """By which of several the answers were sampled."""
    decodings = a.run.plan.decodings
    return next((f"Decoding {name}: {decoded.words(one)}." for name, one in decodings.items()), "")


def _rules(a: Analysis) -> str:
    """What counted as equal to a gold, by rule; empty where no evaluation says it."""
    asked: dict[str, list[str]] = {}
    for benchmark in a.benchmarks:
        if benchmark in a.rules:
            asked.setdefault(a.rules[benchmark], []).append(a.benchmark_title(benchmark))
    if len(asked) == 1:
        return f"Answers are compared as {next(iter(asked))}."
    return f"Answers are compared as {'; '.join(f'{r} ({listing(b)})' for r, b in asked.items())}." if asked else ""


def _legend(a: Analysis) -> list[str]:
    if not a.family("primary"):
        return []
    if not any(pair.simultaneous for pair in a.family("primary")):
        return []
    if not differing(a):
        return [f"On the average, no baseline differs significantly from {a.label(a.target)}."]
    return [f"{DAGGER}: differs significantly from {a.label(a.target)} on the average (primary family, Bonferroni)."]


def _shares(a: Analysis) -> list[Text]:
    if not a.shares or len(a.benchmarks) < 2:
        return []
    shares = [f"{a.benchmark_title(name)} {100 * share:.0f} %" for name, share in a.shares.items()]
    pooled = " Pooled weighs all problems alike." if a.sizes_differ else ""
    return [
        Text(
            f"The average weighs {len(a.benchmarks)} benchmarks alike, small ones too: of the variance it has from the "
            f"choice of problems, {listing(shares)}.{pooled}"
        )
    ]


def tidy(a: Analysis) -> Table:
    """`results.csv`: a row for each arm and column, fractions unrounded, an empty cell where there is a gap. Where
    something was let through, a last column says why. Where the plan has several decodings a column says whose the row
    is, the first one's rows first: rows of different decodings are never to be averaged."""
    asked = decoded.found(a)
    titles = ["arm", "benchmark", "mean", "se", "df", "ci_low", "ci_high", "n_problems", "k", "seeds", *MARKS]
    titles += ["title", "rule", *(["accepted"] if a.checked.accepted else []), *(["decoding"] if asked else [])]
    columns = [Column(title, numeric=i > 1) for i, title in enumerate(titles)]
    keys = [(arm, column) for arm in a.rows for column in a.columns]
    if not asked:
        return Table("results", columns, [Row(_tidy_row(a, key, a.scores.get(key), a.marks)) for key in keys])
    under = [(one, decoded.counts(one)) for one in asked]
    rows = [[*_tidy_row(a, key, one.scores.get(key), found), text(one.name)] for one, found in under for key in keys]
    return Table("results", columns, [Row(row) for row in rows])


def _tidy_row(
    a: Analysis, key: tuple[str, str], score: Score | None, marks: Mapping[tuple[str, str], Mapping[str, int]]
) -> list[Cell]:
    arm, column = key
    about = [text(column if column == AVERAGE else a.benchmark_title(column)), text(a.rules.get(column, ""))]
    about += [text(a.checked.reason)] if a.checked.accepted else []
    if score is None:
        return [text(arm), text(column), *[Cell("")] * 13, *about]
    counts = [str(marks.get(key, {}).get(mark, "")) for mark in MARKS]
    return [text(arm), text(column), *_numbers(score), *map(Cell, counts), *about]


def _numbers(score: Score) -> list[Cell]:
    e = score.estimate
    low, high = e.interval or (None, None)
    values = [e.value, e.se or None, e.stated_df, low, high, score.n_problems]
    k = score.k[0] if len(score.k) == 1 else " ".join(map(str, score.k))
    return [Cell("" if value is None else repr(value)) for value in values] + [text(k), text(len(score.seeds))]
