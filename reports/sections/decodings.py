"""The scores under each decoding of the plan: the first one's are the headline's, the others show what rests on it."""

from __future__ import annotations

from harness.records import START
from reports.data import decoded
from reports.data.analysis import Analysis
from reports.data.decoded import DecodedScores
from reports.data.scores import AVERAGE
from reports.document import Block, Cell, Column, Folded, Row, Section, Table, text
from reports.words import GAP, between, percent


def section(a: Analysis) -> Section | None:
    """None where the plan has one way to sample."""
    found = decoded.found(a)
    if not found:
        return None
    blocks: list[Block] = [_averages(a, found)]
    if len(a.benchmarks) > 1:
        blocks.append(Folded("By benchmark", [_by_benchmark(a, found)]))
    return Section("decodings", "The same checkpoints, sampled in other ways", blocks)


def _averages(a: Analysis, found: list[DecodedScores]) -> Table:
    columns = [Column("", numeric=False), *(Column(one.name) for one in found)]
    rows = [
        Row([text(a.label(arm)), *(_cell(a, one, arm, AVERAGE) for one in found)], quiet=arm == START) for arm in a.rows
    ]
    settings = "; ".join(f"{one.name}: {one.words}" for one in found)
    caption = (
        f"Average of the benchmarks in percent, with the {100 * (1 - a.alpha):g} % interval of each score, not "
        f"adjusted. {settings}. {found[0].name} is the plan's first: its scores are those of the headline, of every "
        "curve and of every test. What the ranking rests on says which differences depend on the decoding."
    )
    return Table("decodings", columns, rows, caption)


def _by_benchmark(a: Analysis, found: list[DecodedScores]) -> Table:
    titles = map(a.benchmark_title, a.benchmarks)
    columns = [Column("", numeric=False), Column("decoding", numeric=False), *map(Column, [*titles, "Average"])]
    rows = [
        Row(
            [text(a.label(arm)), text(one.name), *(_cell(a, one, arm, column) for column in a.columns)],
            quiet=arm == START,
        )
        for arm in a.rows
        for one in found
    ]
    return Table("decodings-benchmarks", columns, rows, "As above, benchmark by benchmark.")


def _cell(a: Analysis, one: DecodedScores, arm: str, column: str) -> Cell:
    score = one.scores.get((arm, column))
    if score is None:
        return Cell(GAP)
    spread, seeds = between(score.estimate.interval), len(a.by_seed(arm))
    if arm != START and len(score.seeds) < seeds:
        spread = f"{spread}, {len(score.seeds)} of {seeds} seeds"
    return Cell(percent(score.estimate.value), value=score.estimate.value, spread=spread)
