"""The table people look for first: arms x benchmarks, and the average."""

from __future__ import annotations

from harness.records import START
from reports.analysis import Analysis, Score
from reports.document import Block, Cell, Column, Figure, Row, Section, Table, Text, text
from reports.figures.intervals import Entry, intervals
from reports.figures.svg import MUTED, colour
from reports.load import MARKS
from reports.scores import AVERAGE
from reports.verdict import COVERS, matched, planned, span
from reports.words import GAP, capital, listing, p_text, percent

DAGGERS = ("†", "‡", "§", "¶", "‖")


def section(a: Analysis) -> Section:
    blocks: list[Block] = [table(a), *_shares(a), *_dots(a)]
    return Section("scores", "Scores", blocks)


def _dots(a: Analysis) -> list[Figure]:
    entries = [
        Entry(
            a.label(arm),
            100 * score.estimate.value,
            _percent(score.estimate.interval),
            [] if arm == START else [100 * value for value in a.by_seed(arm).values()],
            MUTED if arm == START else colour(a.rows.index(arm) - 1),
            strong=arm in a.best[AVERAGE],
        )
        for arm in a.rows
        if (score := a.scores.get((arm, AVERAGE))) is not None
    ]
    caption = (
        "The average of each arm: its mean (tick), its interval (band) and every seed (dots). Bold as in the table."
    )
    return [Figure("scores", intervals("scores", entries, "percent correct", zero=False), caption)] if entries else []


def _percent(interval: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if interval is None else (100 * interval[0], 100 * interval[1])


def table(a: Analysis) -> Table:
    columns = [Column("", numeric=False), *(Column(name) for name in a.benchmarks), Column("Average"), Column("Seeds")]
    rows = [
        Row([text(a.label(arm)), *(_cell(a, arm, column) for column in a.columns), _seeds(a, arm)], quiet=arm == START)
        for arm in a.rows
    ]
    return Table("scores", columns, rows, caption(a))


def _cell(a: Analysis, arm: str, column: str) -> Cell:
    score = a.scores.get((arm, column))
    if score is None:
        return Cell(GAP)
    half = score.estimate.half_width
    return Cell(
        percent(score.estimate.value),
        value=score.estimate.value,
        spread=f"± {percent(half)}" if half is not None else "",
        mark=_daggers(a) if (arm, column) == (a.target, AVERAGE) else "",
        bold=arm in a.best[column],
    )


def _seeds(a: Analysis, arm: str) -> Cell:
    if arm == START:
        return Cell(GAP)
    score = a.scores.get((arm, AVERAGE))
    got, planned = len(score.seeds) if score else 0, len(a.run.plan.seeds)
    return Cell(str(got) if got == planned else f"{got} of {planned}", value=got)


def _daggers(a: Analysis) -> str:
    return "".join(dagger(i) for i, pair in enumerate(a.family("primary")) if pair.direction)


def dagger(place: int) -> str:
    """A symbol for each baseline, in the plan's order; doubled after five."""
    return DAGGERS[place % len(DAGGERS)] * (1 + place // len(DAGGERS))


def caption(a: Analysis) -> str:
    """Everything a reader needs to know what the numbers mean: target, n, k, seeds, budget, template, marker."""
    plan, final = a.run.plan, a.run.evals
    sentences = [
        f"Share of correct answers in percent (avg@k) ± half-width of the {100 * (1 - a.alpha):g} % interval, which "
        f"covers {COVERS[a.estimand]}; that of the untrained model covers new problems.",
        _sizes(a),
        f"{len(plan.seeds)} seeds an arm; {plan.budget_rollouts:,} rollouts a trial; template {plan.template}; "
        f"marker {listing(sorted(set(final['grader_version']))) or GAP}; model {plan.model}.",
        f"Bold: not significantly below the column's best (multiple comparisons with the best, {100 * a.alpha:g} %).",
        *_legend(a),
        f"{capital(matched(a))}; {planned(a)}.",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _sizes(a: Analysis) -> str:
    sizes = []
    for benchmark in a.benchmarks:
        found = [a.scores[arm, benchmark] for arm in a.rows if (arm, benchmark) in a.scores]
        if found:
            ks = sorted({k for score in found for k in score.k})
            sizes.append((benchmark, f"{found[0].n_problems} × {span(ks)}"))
    if len({size for _, size in sizes}) == 1 and len(sizes) > 1:
        return f"n × k (problems × attempts): {sizes[0][1]} on each benchmark."
    listed = ", ".join(f"{benchmark} {size}" for benchmark, size in sizes)
    return f"n × k (problems × attempts): {listed}." if sizes else ""


def _legend(a: Analysis) -> list[str]:
    primary = a.family("primary")
    marks = [
        f"{dagger(i)} {a.label(pair.b)} (p {p_text(pair.p_adjusted)})"
        for i, pair in enumerate(primary)
        if pair.direction
    ]
    if not primary:
        return []
    if not marks:
        return [f"{a.label(a.target)} does not differ significantly from any baseline on the average."]
    return [f"{a.label(a.target)}'s average differs from: {', '.join(marks)}; Holm-adjusted."]


def _shares(a: Analysis) -> list[Text]:
    if not a.shares or len(a.benchmarks) < 2:
        return []
    shares = [f"{name} {100 * share:.0f} %" for name, share in a.shares.items()]
    weighted = [f"{a.label(arm)} {percent(mean)}" for arm, mean in a.weighted.items()]
    return [
        Text(
            f"The average weighs {len(a.benchmarks)} benchmarks alike, small ones too: of the variance it has from the "
            f"choice of problems, {listing(shares)}. With all problems weighed alike: {listing(weighted)}."
        )
    ]


def tidy(a: Analysis) -> Table:
    """`results.csv`: a row for each arm and column, fractions unrounded, an empty cell where there is a gap."""
    titles = ["arm", "benchmark", "mean", "se", "df", "ci_low", "ci_high", "n_problems", "k", "seeds", *MARKS]
    columns = [Column(title, numeric=i > 1) for i, title in enumerate(titles)]
    return Table("results", columns, [Row(_tidy_row(a, arm, column)) for arm in a.rows for column in a.columns])


def _tidy_row(a: Analysis, arm: str, column: str) -> list[Cell]:
    score = a.scores.get((arm, column))
    if score is None:
        return [text(arm), text(column), *[Cell("")] * 13]
    counts = [str(a.marks[arm, column][mark]) if (arm, column) in a.marks else "" for mark in MARKS]
    return [text(arm), text(column), *_numbers(score), *map(Cell, counts)]


def _numbers(score: Score) -> list[Cell]:
    e = score.estimate
    low, high = e.interval or (None, None)
    values = [e.value, e.se or None, e.df if e.se else None, low, high, score.n_problems]
    k = score.k[0] if len(score.k) == 1 else " ".join(map(str, score.k))
    return [Cell("" if value is None else repr(value)) for value in values] + [text(k), text(len(score.seeds))]
