"""The page of a run with scores alone."""

from __future__ import annotations

from collections.abc import Sequence

from reports import imported
from reports.data.pairs import Pair
from reports.document import Block, Bullets, Cell, Column, Document, Folded, Row, Section, Table, Text, text
from reports.figures.arm_colours import MOST as MOST_COLOURS
from reports.seed_scores import best_step, pictures
from reports.seed_scores.best_step import BestCheckpoint
from reports.seed_scores.compared import PAIRED, ComparedScores
from reports.seed_scores.found import AVERAGE
from reports.seed_scores.numbers import ScoreWords
from reports.seed_scores.sentences import ABSENT, COVERS, on, sentences, why_no_interval
from reports.statistics.power import LARGEST
from reports.words import GAP, count, detectable, listing, p_text, plural

MOST_SEED_ROWS = 400
"""of the table of every seed; CSV has all"""
MOST_ROWS_OF_PICTURE = 24


def document(a: ComparedScores) -> Document:
    """All sections in their order."""
    parts = [scores(a), differences(a), curves(a), best_checkpoint(a), absent(), provenance(a), notes(a)]
    there = [part for part in parts if part is not None]
    return Document(a.run.plan.experiment, sentences(a), there, a.run.checked.sentences)


def title(a: ComparedScores, column: str) -> str:
    """Of a column."""
    return "Average" if column == AVERAGE else column


def scores(a: ComparedScores) -> Section:
    """Means, and every seed."""
    blocks: list[Block] = [score_table(a)]
    if len(a.run.plan.arms) <= MOST_ROWS_OF_PICTURE:
        blocks.append(pictures.seeds(a))
    return Section("scores", "Scores", [*blocks, Folded("Every seed", [seed_table(a)])])


def score_table(a: ComparedScores) -> Table:
    """Arms x benchmarks."""
    words, columns = ScoreWords(a.run.raw), a.run.columns
    best_of = {c: max((e.value for (_, k), e in a.scores.items() if k == c), default=None) for c in columns}
    rows = []
    for arm in a.run.plan.arms:
        cells = []
        for column in columns:
            e = a.scores.get((arm, column))
            if e is None:
                cells.append(Cell(GAP))
                continue
            cells.append(
                Cell(words.value(e.value), e.value, words.between(e.interval), bold=e.value == best_of[column])
            )
        seeds = len(a.run.by_seed.get((arm, a.run.headline), {}))
        rows.append(Row([text(arm), *cells, Cell(str(seeds), seeds)]))
    heads = [Column("", numeric=False), *(Column(title(a, column)) for column in columns), Column("Seeds")]
    return Table("scores", heads, rows, _score_caption(a))


def _score_caption(a: ComparedScores) -> str:
    plan = a.run.plan
    what = "Scores as they were imported, of no known scale" if a.run.raw else "Scores in percent"
    step = f" at step {plan.step}" if plan.step is not None else " at the last step of each" if a.run.has_curves else ""
    average = ""
    if a.run.headline == AVERAGE:
        average = f" Average: unweighted over {len(plan.benchmarks)} benchmarks, of seeds that have all."
    single = why_no_interval(a)
    return (
        f"{what}{step}: means over seeds, each with its {100 * (1 - a.alpha):g} % t interval, not adjusted, which "
        f"covers {COVERS}.{average} Bold: the column's highest.{f' {single}.' if single else ''} {GAP}: no score."
    )


def seed_table(a: ComparedScores) -> Table:
    """Every seed's score on every benchmark."""
    words, rows = ScoreWords(a.run.raw), []
    every = [(arm, seed) for arm in a.run.plan.arms for seed in _seeds(a, arm)]
    for arm, seed in every[:MOST_SEED_ROWS]:
        values = [a.run.by_seed.get((arm, column), {}).get(seed) for column in a.run.columns]
        rows.append(Row([text(arm), Cell(str(seed), seed), *(Cell(words.value(v), v) for v in values)]))
    heads = [Column("Arm", numeric=False), Column("Seed"), *(Column(title(a, column)) for column in a.run.columns)]
    caption = "Seeds have no names of their own: numbers are in the order of the rows." if a.run.plan.numbered else ""
    if len(every) > MOST_SEED_ROWS:
        caption += f" {len(every) - MOST_SEED_ROWS:,} more are in results.csv."
    return Table("every-seed", heads, rows, caption.strip())


def _seeds(a: ComparedScores, arm: str) -> list[int]:
    return sorted({seed for (name, _), side in a.run.by_seed.items() if name == arm for seed in side})


def differences(a: ComparedScores) -> Section | None:
    """None for one arm."""
    if not a.family("primary"):
        return None
    blocks: list[Block] = [difference_table(a)]
    if any(pair.simultaneous for pair in a.family("primary")) and len(a.family("primary")) <= MOST_ROWS_OF_PICTURE:
        blocks.append(pictures.forest(a))
    if by_benchmark := a.family("per_benchmark"):
        caption = (
            f"A second family of {len(by_benchmark)} tests, adjusted for each other; it says where the average's "
            "difference comes from."
        )
        table = _pair_table(a, "by-benchmark", by_benchmark, caption)
        blocks.append(Folded(f"By benchmark ({len(by_benchmark)} tests)", [table]))
    return Section("differences", "Differences between arms", blocks)


def difference_table(a: ComparedScores) -> Table:
    """The planned family."""
    pairs = a.family("primary")
    paired = (
        f"Seeds are paired: {PAIRED.partition(';')[0]}." if a.paired
        else "Seeds are not paired: an independent sample of each arm (Welch's t; with unequal numbers of seeds its "
        "degrees of freedom are at most those of equal variances)."
    )  # fmt: skip
    why = why_no_interval(a)
    caption = (
        f"{a.target} minus each baseline on {on(a.run.headline, len(a.run.plan.benchmarks))}"
        f"{'' if a.run.raw else ', in points'}. Interval and adjusted p are Bonferroni's within "
        f"{plural(len(pairs), 'test')}; raw p is not adjusted. {paired} MDE: the smallest true difference "
        f"found with 80 % power, at the variance estimated here and at its upper 80 % bound.{f' {why}.' if why else ''}"
    )
    return _pair_table(a, "differences", pairs, caption)


def _pair_table(a: ComparedScores, name: str, pairs: Sequence[Pair], caption: str) -> Table:
    level = f"{100 * (1 - a.alpha):g} % interval"
    heads = ["", *(["Benchmark"] if name != "differences" else []), "Difference", level, "adjusted p", "raw p",
             "df", "MDE", "Seed r", "Finding"]  # fmt: skip
    columns = [Column(head, numeric=head not in ("", "Benchmark", "Finding")) for head in heads]
    return Table(name, columns, [_pair_row(a, pair, name != "differences") for pair in pairs], caption)


def _pair_row(a: ComparedScores, pair: Pair, with_benchmark: bool) -> Row:
    words, e = ScoreWords(a.run.raw), pair.estimate
    head = [text(f"{pair.a} − {pair.b}"), *([text(pair.benchmark)] if with_benchmark else [])]
    if e is None:
        return Row([*head, *[Cell(GAP)] * 7, text(pair.finding)])
    mde = GAP if pair.mde is None else f"{words.extent(pair.mde)}" if a.run.raw else detectable(pair.mde, LARGEST)
    df = e.stated_df if e.interval else None
    r = pair.correlation
    cells = [
        Cell(words.signed(e.value), e.value),
        Cell(words.reaching(pair.simultaneous)),
        Cell(p_text(pair.p_adjusted), pair.p_adjusted),
        Cell(p_text(e.p_value), e.p_value),
        Cell(GAP if df is None else f"{df:.1f}", df),
        Cell(mde),
        Cell(GAP if r is None or a.run.plan.numbered else f"{r:.2f}".replace("-", "−"), r),
    ]
    return Row([*head, *cells, text(pair.finding, bold=pair.direction != 0)])


def curves(a: ComparedScores) -> Section | None:
    """None without several steps."""
    blocks = pictures.curve_blocks(a) if a.run.has_curves else []
    return Section("curves", "Learning curves", blocks) if blocks else None


def best_checkpoint(a: ComparedScores) -> Section | None:
    """What the choice of the best step adds; None without curves."""
    rows = best_step.found(a, a.run.headline) if a.run.has_curves else []
    if not rows:
        return None
    blocks: list[Block] = [Text(_best_words(a, rows)), best_table(a, rows, "best-checkpoint", _best_caption(a))]
    if apart := best_step.differences(a, rows):
        blocks.append(_best_differences(a, apart))
    if a.run.headline == AVERAGE:
        each = [row for column in a.run.plan.benchmarks for row in best_step.found(a, column)]
        blocks.append(Folded("By benchmark", [best_table(a, each, "best-by-benchmark", "", True)]))
    return Section("best-checkpoint", "Best checkpoint instead of the last", blocks)


def _best_words(a: ComparedScores, rows: Sequence[BestCheckpoint]) -> str:
    words = ScoreWords(a.run.raw)
    told = [row for row in rows if row.noise is not None]
    if not told:
        return f"How much of the gain is noise cannot be told: {rows[0].lacks}."
    beyond = [row.arm for row in told if row.beyond_noise]
    gain = listing([f"{words.signed(row.gain.value)} ({row.arm})" for row in told[:MOST_COLOURS]])
    expected = listing([f"{words.signed(row.noise.expected)} ({row.arm})" for row in told[:MOST_COLOURS] if row.noise])
    found = (
        f"That is more than noise explains for {listing(beyond)}: a real peak, or a curve that wanders."
        if beyond
        else "No arm gains more than curves without a peak would."
    )
    unit = "" if a.run.raw else " points"
    return (
        f"Reporting each seed's best step in place of the last would add {gain}{unit} to the scores. Noise alone, on a "
        f"curve that never falls, would add {expected}. {found} Scores of best checkpoints are no scores of a method "
        "unless the step was chosen on other data."
    )


def _best_caption(a: ComparedScores) -> str:
    return (
        "Best: mean over seeds of the highest of each seed's evaluations, up to the step that is compared. Gain: best "
        f"less last, with the {100 * (1 - a.alpha):g} % t interval over seeds. Noise alone: what the same would add on "
        "the same trend made to never fall (local lines over half of the steps to each side, isotonic) with "
        "independent normal noise of the size that second differences show; in small figures, where 95 % of the "
        "means of such curves lie. Share: noise alone over gain. Others' choice: what the step that is best on the "
        "other seeds adds to a seed that had no part in the choice."
    )


def best_table(
    a: ComparedScores, rows: Sequence[BestCheckpoint], name: str, caption: str, with_benchmark: bool = False
) -> Table:
    """A row for each arm, or for each arm and benchmark."""
    words = ScoreWords(a.run.raw)
    heads = ["", *(["Benchmark"] if with_benchmark else []), "Evaluations", "Last", "Best", "Gain", "Noise alone",
             "Share", "Others' choice"]  # fmt: skip
    lines = []
    for row in rows:
        noise, share = row.noise, row.share
        cells = [
            Cell(count(row.curve.values.shape[1]), row.curve.values.shape[1]),
            Cell(words.value(row.last), row.last),
            Cell(words.value(row.best), row.best),
            Cell(words.signed(row.gain.value), row.gain.value, words.between(row.gain.interval)),
            Cell(words.signed(noise.expected), noise.expected, words.extent((noise.low, noise.high))) if noise
            else Cell(GAP),
            Cell(GAP if share is None else f"{100 * share:.0f} %", share),
            Cell(words.signed(row.others), row.others),
        ]  # fmt: skip
        lines.append(Row([text(row.arm), *([text(row.column)] if with_benchmark else []), *cells]))
    return Table(name, [Column(head, numeric=head not in ("", "Benchmark")) for head in heads], lines, caption)


def _best_differences(a: ComparedScores, apart: Sequence[tuple[str, float, float]]) -> Table:
    words = ScoreWords(a.run.raw)
    rows = [
        Row([text(f"{a.target} − {other}"), Cell(words.signed(last), last), Cell(words.signed(top), top)])
        for other, last, top in apart
    ]
    caption = "The same differences by last and by best checkpoints. The test is of the last."
    return Table("best-differences", [Column("", False), Column("By the last"), Column("By the best")], rows, caption)


def absent() -> Section:
    """What these files cannot tell."""
    items = [
        "Problems gained and lost, agreement, hard problems: no answers to problems were imported.",
        "pass@k, majority votes, marks, truncated answers, lengths, cost: not known, which is not zero.",
        "Intervals over new problems: the benchmarks are as they were asked, and only seeds are new.",
        "Which problems or attempts a score rests on, and whether all arms were asked and marked alike.",
    ]
    return Section("absent", "What these scores cannot tell", [Text(ABSENT), Bullets(items)])


def provenance(a: ComparedScores) -> Section:
    """The files that were imported, by their hashes."""
    plan, record = a.run.plan, a.run.record
    said = {"lock": plan.lock, "imported from": plan.imported, "scores": count(plan.rows), "unit": plan.unit}
    for key, value in record.options.items():
        said[key] = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    table = Table("provenance", [Column("", False)] * 2, [Row([text(key), text(value)]) for key, value in said.items()])
    return Section("provenance", "Provenance", [table, Folded("Files", [imported.files_table(record.files)])])


def notes(a: ComparedScores) -> Section | None:
    """What was chosen when the scores were imported."""
    return Section("notes", "Notes", [Bullets(a.run.record.notes)]) if a.run.record.notes else None
