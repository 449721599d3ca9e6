"""Others' published scores beside ours."""

from __future__ import annotations

from collections.abc import Iterator

from harness.records import START, Published
from reports.data.analysis import Analysis
from reports.data.printed import half_digit
from reports.data.reproduced import OwnResults, PublishedFinding, Reproduced, reproduce, summary, unstated
from reports.data.scores import AVERAGE
from reports.document import Block, Bullets, Cell, Column, Row, Section, Table, Text, text
from reports.words import percent, plural, signed


def compare(a: Analysis, published: Published) -> list[Reproduced]:
    """Every cell, in the order of the file, as `rence reproduce` finds it."""
    return reproduce(OwnResults.of(a), published, a.alpha)


def impossible(a: Analysis, published: Published) -> Iterator[tuple[str, str, float]]:
    """Arm, benchmark and percent of each printed score that no number of correct answers gives, had they been asked our
    problems k times each: their problems, or their k, are then others than they seem."""
    sizes = {benchmark: score.n_problems for (_, benchmark), score in a.scores.items() if benchmark != AVERAGE}
    for arm, row in published.percent.items():
        for benchmark, printed in row.items():
            answers = sizes.get(benchmark, 0) * published.attempts.get(benchmark, 0)
            half = half_digit(published)
            if printed is not None and answers and abs(round(printed / 100 * answers) / answers - printed / 100) > half:
                yield arm, benchmark, printed


def section(a: Analysis) -> Section | None:
    if not a.run.published:
        return None
    blocks: list[Block] = []
    for number, published in enumerate(a.run.published, 1):
        if not _known(published):
            blocks.append(Text(_none(published)))
            continue
        cells = compare(a, published)
        said = unstated(OwnResults.of(a), published)
        blocks += [Text(f"{published.title}. {summary(cells, a.alpha)}{f' {said}' if said else ''}")]
        blocks.append(_table(a, published, number, cells))
        why = list(dict.fromkeys(reason for cell in cells for reason in cell.reasons))
        if why:
            blocks.append(Bullets([f"{reason[0].upper()}{reason[1:]}." for reason in why]))
        doubts = [_doubt(a, published, *cell) for cell in impossible(a, published)]
        if doubts:
            blocks.append(Bullets(doubts))
    return Section("published", "Published scores", blocks)


def _known(published: Published) -> bool:
    return any(percent is not None for row in published.percent.values() for percent in row.values())


def _none(published: Published) -> str:
    """Instead of a table of gaps."""
    cells = sum(len(row) for row in published.percent.values())
    return f"{published.title}: none of its {plural(cells, 'score')} is known. {_source(published)}."


def _source(published: Published) -> str:
    return f"{published.source} ({published.url})"


def _table(a: Analysis, published: Published, number: int, cells: list[Reproduced]) -> Table:
    columns = ["", "Benchmark", "Published", "Ours", "Ours − published", "Within", "Could see", "Finding"]
    numeric = set(columns[2:7])
    rows = [_row(a, cell) for cell in cells]
    return Table(
        f"published-{number}", [Column(c, numeric=c in numeric) for c in columns], rows, _caption(a, published)
    )


def _caption(a: Analysis, published: Published) -> str:
    same = "" if published.model == a.run.plan.model else f" Ours is {a.run.plan.model}."
    return (
        f"{_source(published)}. Their model: {published.model}.{same} How they measured: {published.protocol}. "
        "Percent. Within: the published scores that chance and rounding alone bring beside ours, with the noise of "
        "both, on these problems, for all tests of this table together; could see: the true difference that the test "
        "finds with 80 % power. "
        "Consistent is no more than that."
    )


def _row(a: Analysis, cell: Reproduced) -> Row:
    name = cell.arm if cell.ours is None else a.label(cell.ours)
    return Row(
        [
            text(name),
            text("Average" if cell.benchmark == AVERAGE else a.benchmark_title(cell.benchmark)),
            Cell(percent(cell.published, cell.decimals), cell.published),
            Cell(percent(cell.score), cell.score),
            Cell(signed(cell.difference), cell.difference),
            Cell("—" if cell.within is None else " to ".join(map(percent, cell.within)), cell.half_width),
            Cell(percent(cell.detectable), cell.detectable),
            Cell(str(cell.finding), bold=cell.finding is PublishedFinding.DIFFERENT),
        ],
        quiet=cell.arm == START,
    )


def _doubt(a: Analysis, published: Published, arm: str, benchmark: str, printed: float) -> str:
    problems = next(score.n_problems for (_, name), score in a.scores.items() if name == benchmark)
    return (
        f"{published.title}: {printed} of {arm} on {benchmark} is no share of {problems} problems × "
        f"{published.attempts[benchmark]}: their problems or their k must be others, or it is a misprint."
    )
