"""How long the answers are: of all, of the correct ones and of the others."""

from __future__ import annotations

from collections.abc import Mapping

from harness.records import START
from reports import shown
from reports.analysis import Analysis
from reports.document import Block, Cell, Column, Figure, Folded, Row, Section, Table, text
from reports.figures.intervals import Entry, intervals
from reports.figures.svg import MUTED
from reports.lengths import Answers, Lengths, collect, measure, pooled
from reports.words import GAP, benchmark_title, count, listing, percent

MOST_GROUPS = 6
"""with more arms than this correct answers and others are folded away"""
Measured = dict[tuple[str, str], dict[str, Lengths]]
"""(arm, benchmark or `all`) -> which answers -> lengths; what there is none of is missing"""


def section(a: Analysis) -> Section | None:
    """None where no lengths were recorded."""
    found = collect(a)
    if not found:
        return None
    common = [b for b in a.benchmarks if all((arm, b) in found for arm in _arms(a, found))]
    whole = {(arm, "all"): _kinds(pooled(found, arm, common)) for arm in _arms(a, found) if common}
    each = {key: _kinds(answers) for key, answers in found.items()}
    blocks: list[Block] = []
    if whole:
        short = whole if len(a.arms) <= MOST_GROUPS else {key: {"all": kinds["all"]} for key, kinds in whole.items()}
        blocks += [_table(a, "lengths", short, ["all"], _caption(a, found, common)), _picture(a, whole)]
        if short is not whole:
            blocks.append(Folded("Correct or not", [_table(a, "lengths-by-mark", whole, ["all"], "")]))
    if len(a.benchmarks) > 1 or not whole:
        blocks.append(Folded("By benchmark", [_table(a, "lengths-by-benchmark", each, a.benchmarks, "")]))
    return Section("lengths", "Length of the answers", blocks)


def _arms(a: Analysis, found: Mapping[tuple[str, str], Answers]) -> list[str]:
    return [arm for arm in a.rows if any(name == arm for name, _ in found)]


def _kinds(answers: Answers | None) -> dict[str, Lengths]:
    if answers is None:
        return {}
    parts = {"all": answers, "correct": answers.only(answers.correct), "not correct": answers.only(~answers.correct)}
    return {kind: lengths for kind, part in parts.items() if (lengths := measure(part)) is not None}


def _caption(a: Analysis, found: Mapping[tuple[str, str], Answers], common: list[str]) -> str:
    limits = sorted({e["max_tokens"] for e in a.run.evals["sampling"] if e.get("max_tokens")})
    limit = f" ({listing([count(one) for one in limits])} tokens)" if limits else ""
    some = f" Only {listing(common)}, which all of these models answered." if len(common) < len(a.benchmarks) else ""
    return (
        "Tokens of an answer at the headline, all attempts of all seeds and benchmarks together: the length that 10, "
        f"50 and 90 % do not exceed, and the longest. At the limit: share with as many tokens as allowed{limit}.{some}"
    )


def _table(a: Analysis, name: str, measured: Measured, benchmarks: list[str], caption: str) -> Table:
    by_benchmark = benchmarks != ["all"]
    columns = [
        Column("", numeric=False),
        *([Column("Benchmark", numeric=False)] if by_benchmark else []),
        Column("Answers", numeric=False),
        *map(Column, ("Number", "10 %", "Median", "90 %", "Longest", "At the limit")),
    ]
    rows = [
        Row(
            [
                text(a.label(arm)),
                *([text(benchmark_title(benchmark))] if by_benchmark else []),
                text(kind),
                *_cells(a, lengths),
            ],
            quiet=arm == START,
        )
        for arm in a.rows
        for benchmark in benchmarks
        for kind, lengths in measured.get((arm, benchmark), {}).items()
    ]
    return Table(name, columns, rows, caption)


def _cells(a: Analysis, lengths: Lengths) -> list[Cell]:
    numbers = [lengths.attempts, *lengths.quantiles, lengths.longest]
    known = any(sampling.get("max_tokens") for sampling in a.run.evals["sampling"])
    share = Cell(f"{percent(lengths.at_limit)} %", lengths.at_limit) if known else Cell(GAP)
    return [*(Cell(count(number), number) for number in numbers), share]


def _picture(a: Analysis, whole: Measured) -> Figure:
    tints = {START: MUTED, **shown.tints(a)}
    arms = [arm for arm in a.rows if whole.get((arm, "all"))]
    if len(a.arms) > MOST_GROUPS:
        entries = [_entry(a.label(arm), tints[arm], whole[arm, "all"]["all"], 0) for arm in arms]
    else:
        entries = []
        for arm in arms:
            entries += [*([Entry("")] if entries else []), Entry(a.label(arm), strong=True)]
            entries += [_entry(kind, tints[arm], lengths, 1) for kind, lengths in whole[arm, "all"].items()]
    caption = (
        "Length of the answers: the band holds the middle 80 %, the tick is the median, dots are the medians of the "
        "seeds."
    )
    return Figure("lengths", intervals("lengths", entries, "tokens", zero=False), caption)


def _entry(label: str, colour: str, lengths: Lengths, indent: int) -> Entry:
    low, middle, high = lengths.quantiles
    seeds = [float(median) for seed, median in sorted(lengths.medians.items()) if seed >= 0]
    return Entry(label, float(middle), (float(low), float(high)), seeds, colour, indent=indent)
