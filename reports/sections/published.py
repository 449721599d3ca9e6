"""Others' published scores beside ours."""

from __future__ import annotations

from harness.records import START, Published
from reports.analysis import Analysis
from reports.document import Block, Bullets, Cell, Column, Row, Section, Table, Text, text
from reports.published import Finding, Reproduced, compare, impossible
from reports.scores import AVERAGE
from reports.verdict import covered
from reports.words import benchmark_title, percent, plural, signed


def section(a: Analysis) -> Section | None:
    if not a.run.published:
        return None
    blocks: list[Block] = [Text(_sentence(a, a.run.published))]
    for number, published in enumerate(a.run.published, 1):
        blocks.append(_table(a, published, number) if _known(published) else Text(_none(published)))
        doubts = [_doubt(a, published, *cell) for cell in impossible(a, published)]
        if doubts:
            blocks.append(Bullets(doubts))
    return Section("published", "Published scores", blocks)


def _sentence(a: Analysis, all_published: list[Published]) -> str:
    """`Of 13 published scores 4 are within our intervals, 3 outside; 6 were not run.`"""
    cells = [cell.finding for published in all_published for cell in compare(a, published)]
    known = [finding for finding in cells if finding is not Finding.UNKNOWN]
    counts = {finding: known.count(finding) for finding in Finding if finding in known}
    parts = ", ".join(f"{count} {finding}" for finding, count in counts.items())
    unknown = len(cells) - len(known)
    said = f"Of {plural(len(known), 'published score')}: {parts}." if known else "No score is published."
    return said + (f" Not known, and not made up: {unknown} more." if unknown else "")


def _known(published: Published) -> bool:
    return any(percent is not None for row in published.percent.values() for percent in row.values())


def _none(published: Published) -> str:
    """Instead of a table of gaps."""
    cells = sum(len(row) for row in published.percent.values())
    return f"{published.title}: none of its {plural(cells, 'score')} is known. {_source(published)}."


def _source(published: Published) -> str:
    return f"{published.source} ({published.url})"


def _table(a: Analysis, published: Published, number: int) -> Table:
    columns = ["", "Benchmark", "Published", "Ours", "Ours − published", "Finding"]
    rows = [_row(a, cell) for cell in compare(a, published)]
    numeric = {"Published", "Ours", "Ours − published"}
    return Table(
        f"published-{number}", [Column(c, numeric=c in numeric) for c in columns], rows, _caption(a, published)
    )


def _caption(a: Analysis, published: Published) -> str:
    same = "" if published.model == a.run.plan.model else f" Ours is {a.run.plan.model}."
    return (
        f"{published.title}. {_source(published)}. Their model: {published.model}.{same} "
        f"How they measured: {published.protocol}. Percent; our interval covers {covered(a)}. Theirs is not "
        "published, so a score outside ours is a difference to explain and not a test."
    )


def _row(a: Analysis, cell: Reproduced) -> Row:
    name = cell.arm if cell.ours is None else a.label(cell.ours)
    half = cell.score.estimate.half_width if cell.score else None
    ours = cell.score.estimate.value if cell.score else None
    return Row(
        [
            text(name),
            text("Average" if cell.benchmark == AVERAGE else benchmark_title(cell.benchmark)),
            Cell(percent(cell.published), cell.published),
            Cell(percent(ours), ours, spread=f"± {percent(half)}" if half is not None else ""),
            Cell(signed(cell.difference), cell.difference),
            Cell(str(cell.finding), bold=cell.finding is Finding.OUTSIDE),
        ],
        quiet=cell.arm == START,
    )


def _doubt(a: Analysis, published: Published, arm: str, benchmark: str, printed: float) -> str:
    problems = next(score.n_problems for (_, name), score in a.scores.items() if name == benchmark)
    return (
        f"{published.title}: {printed:.1f} of {arm} on {benchmark} is no share of {problems} problems × "
        f"{published.attempts[benchmark]}: their problems or their k must be others, or it is a misprint."
    )
