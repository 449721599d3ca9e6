"""Others' published scores beside ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from harness.records import START, Published
from reports.data.analysis import Analysis, Score
from reports.data.scores import AVERAGE
from reports.document import Block, Bullets, Cell, Column, Row, Section, Table, Text, text
from reports.verdict import covered
from reports.words import between, percent, plural, signed

PRINTED = 0.0005 + 1e-9
"""half of the last digit of a score that is printed in percent with one decimal, as a fraction"""


class PublishedFinding(StrEnum):
    """What setting a published score beside ours came to."""

    WITHIN = "within our interval"
    OUTSIDE = "outside our interval"
    NO_INTERVAL = "no interval of ours"
    NOT_RUN = "not run"
    UNKNOWN = "not known"
    OTHER_AVERAGE = "over other benchmarks"


@dataclass(frozen=True)
class Reproduced:
    """One published cell. Scores are fractions."""

    arm: str
    """theirs"""
    ours: str | None
    """our arm of that name or that algorithm; None if there is none"""
    benchmark: str
    published: float | None
    score: Score | None
    finding: PublishedFinding

    @property
    def difference(self) -> float | None:
        """Ours minus theirs."""
        return None if self.published is None or self.score is None else self.score.estimate.value - self.published

    def to_json(self) -> dict[str, Any]:
        """For `verdict.json`; scores are fractions, None where there is none."""
        return {
            "arm": self.arm,
            "ours": self.ours,
            "benchmark": self.benchmark,
            "published": self.published,
            "mean": self.score.estimate.value if self.score else None,
            "difference": self.difference,
            "finding": str(self.finding),
        }


def compare(a: Analysis, published: Published) -> list[Reproduced]:
    """Every cell, in the order of the file."""
    return [
        _cell(a, published, arm, benchmark, percent)
        for arm, row in published.percent.items()
        for benchmark, percent in row.items()
    ]


def _cell(a: Analysis, published: Published, arm: str, benchmark: str, percent: float | None) -> Reproduced:
    ours = _ours(a, arm)
    theirs = None if percent is None else percent / 100
    score = None if ours is None else a.scores.get((ours, benchmark))
    if theirs is None:
        finding = PublishedFinding.UNKNOWN
    elif benchmark == AVERAGE and set(published.percent[arm]) - {AVERAGE} != set(a.benchmarks):
        finding, score = PublishedFinding.OTHER_AVERAGE, None
    elif score is None:
        finding = PublishedFinding.NOT_RUN
    elif score.estimate.interval is None:
        finding = PublishedFinding.NO_INTERVAL
    else:
        low, high = score.estimate.interval
        finding = PublishedFinding.WITHIN if low - PRINTED <= theirs <= high + PRINTED else PublishedFinding.OUTSIDE
    return Reproduced(arm, ours, benchmark, theirs, score, finding)


def _ours(a: Analysis, theirs: str) -> str | None:
    """Our arm of that name; else the one whose algorithm has it, if it is one."""
    if theirs == START or any(arm.name == theirs for arm in a.arms):
        return theirs
    same = [arm.name for arm in a.arms if arm.algorithm == theirs]
    return same[0] if len(same) == 1 else None


def impossible(a: Analysis, published: Published) -> Iterator[tuple[str, str, float]]:
    """Arm, benchmark and percent of each printed score that no number of correct answers gives, had they been asked our
    problems k times each: their problems, or their k, are then others than they seem."""
    sizes = {benchmark: score.n_problems for (_, benchmark), score in a.scores.items() if benchmark != AVERAGE}
    for arm, row in published.percent.items():
        for benchmark, printed in row.items():
            answers = sizes.get(benchmark, 0) * published.attempts.get(benchmark, 0)
            if printed is not None and answers and not _possible(printed / 100, answers):
                yield arm, benchmark, printed


def _possible(score: float, answers: int) -> bool:
    return abs(round(score * answers) / answers - score) <= PRINTED


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
    known = [finding for finding in cells if finding is not PublishedFinding.UNKNOWN]
    counts = {finding: known.count(finding) for finding in PublishedFinding if finding in known}
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
    interval = cell.score.estimate.interval if cell.score else None
    ours = cell.score.estimate.value if cell.score else None
    return Row(
        [
            text(name),
            text("Average" if cell.benchmark == AVERAGE else a.benchmark_title(cell.benchmark)),
            Cell(percent(cell.published), cell.published),
            Cell(percent(ours), ours, spread=between(interval)),
            Cell(signed(cell.difference), cell.difference),
            Cell(str(cell.finding), bold=cell.finding is PublishedFinding.OUTSIDE),
        ],
        quiet=cell.arm == START,
    )


def _doubt(a: Analysis, published: Published, arm: str, benchmark: str, printed: float) -> str:
    problems = next(score.n_problems for (_, name), score in a.scores.items() if name == benchmark)
    return (
        f"{published.title}: {printed:.1f} of {arm} on {benchmark} is no share of {problems} problems × "
        f"{published.attempts[benchmark]}: their problems or their k must be others, or it is a misprint."
    )
