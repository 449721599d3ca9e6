"""How long the answers are: of all, of the correct ones and of the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness.records import START
from reports.data.analysis import Analysis
from reports.data.load import MARKS
from reports.data.scores import final
from reports.document import Block, Cell, Column, Figure, Folded, Row, Section, Table, text
from reports.figures import arm_colours
from reports.figures.intervals import IntervalRow, intervals
from reports.figures.svg import MUTED
from reports.words import GAP, count, listing, percent

QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class AnswerLengths:
    """Attempts of one arm on one benchmark."""

    tokens: np.ndarray
    """of each attempt"""
    correct: np.ndarray
    seed: np.ndarray
    at_limit: np.ndarray
    """whether it has as many tokens as the evaluation allowed, or more"""

    def only(self, mask: np.ndarray) -> AnswerLengths:
        """Some of the attempts.

        Args:
            mask: bool, for each attempt.
        """
        return AnswerLengths(self.tokens[mask], self.correct[mask], self.seed[mask], self.at_limit[mask])


@dataclass(frozen=True)
class Lengths:
    """Of some attempts, at least one; lengths in tokens."""

    attempts: int
    quantiles: tuple[int, ...]
    """at QUANTILES: each is the length of an attempt"""
    longest: int
    at_limit: float
    """share that has as many tokens as the evaluation allowed"""
    medians: Mapping[int, int]
    """seed -> median"""


def collect(a: Analysis) -> dict[tuple[str, str], AnswerLengths]:
    """(arm, benchmark) -> its attempts of all seeds. An evaluation whose lengths are not known is left out."""
    evals = final(a.run)
    parts = defaultdict(list)
    for e, row in zip(evals.index, evals.to_dict("records"), strict=True):
        attempts = a.run.attempts[int(e)]
        if row["benchmark"] not in a.benchmarks or np.isnan(attempts.tokens).any():
            continue
        tokens = attempts.tokens.ravel()
        correct = attempts.marks.ravel() == MARKS.index("correct")
        limit = row["sampling"].get("max_tokens") or np.inf
        parts[row["arm"], row["benchmark"]].append(
            (tokens, correct, np.full(len(tokens), row["seed"]), tokens >= limit)
        )
    return {key: AnswerLengths(*map(np.concatenate, zip(*found, strict=True))) for key, found in parts.items()}


def pooled(found: Mapping[tuple[str, str], AnswerLengths], arm: str, benchmarks: list[str]) -> AnswerLengths | None:
    """An arm's attempts on several benchmarks together; None if one of them is missing."""
    parts = [found.get((arm, benchmark)) for benchmark in benchmarks]
    present = [part for part in parts if part is not None]
    if not present or len(present) < len(parts):
        return None
    columns = zip(*((p.tokens, p.correct, p.seed, p.at_limit) for p in present), strict=True)
    return AnswerLengths(*map(np.concatenate, columns))


def measure(answers: AnswerLengths) -> Lengths | None:
    """None if there are no attempts."""
    if not len(answers.tokens):
        return None
    seeds = sorted(set(answers.seed.tolist()))
    return Lengths(
        attempts=len(answers.tokens),
        quantiles=tuple(_quantiles(answers.tokens, QUANTILES)),
        longest=int(answers.tokens.max()),
        at_limit=float(answers.at_limit.mean()),
        medians={seed: _quantiles(answers.tokens[answers.seed == seed], (0.5,))[0] for seed in seeds},
    )


def _quantiles(tokens: np.ndarray, at: tuple[float, ...]) -> list[int]:
    return [int(value) for value in np.quantile(tokens, at, method="inverted_cdf")]


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


def _arms(a: Analysis, found: Mapping[tuple[str, str], AnswerLengths]) -> list[str]:
    return [arm for arm in a.rows if any(name == arm for name, _ in found)]


def _kinds(answers: AnswerLengths | None) -> dict[str, Lengths]:
    if answers is None:
        return {}
    parts = {"all": answers, "correct": answers.only(answers.correct), "not correct": answers.only(~answers.correct)}
    return {kind: lengths for kind, part in parts.items() if (lengths := measure(part)) is not None}


def _caption(a: Analysis, found: Mapping[tuple[str, str], AnswerLengths], common: list[str]) -> str:
    limits = sorted({e["max_tokens"] for e in a.run.evals["sampling"] if e.get("max_tokens")})
    limit = f" ({listing([count(one) for one in limits])} tokens)" if limits else ""
    some = f" Only {listing(common)}, which all of these models answered." if len(common) < len(a.benchmarks) else ""
    return (
        "Tokens of an answer at the headline, all attempts of all seeds and benchmarks together: the length that 10, "
        f"50 and 90 % do not exceed, and the longest. At the limit: share with as many tokens as allowed{limit}.{some}"
    )


def _table(a: Analysis, name: str, measured: Measured, benchmarks: list[str], caption: str) -> Table:
    """A row for each arm, benchmark and kind of answer that there is; lengths in tokens.

    Args:
        benchmarks: `all` alone has no column for them.
    """
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
                *([text(a.benchmark_title(benchmark))] if by_benchmark else []),
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
    tints = {START: MUTED, **arm_colours.tints(a)}
    arms = [arm for arm in a.rows if whole.get((arm, "all"))]
    if len(a.arms) > MOST_GROUPS:
        entries = [_entry(a.label(arm), tints[arm], whole[arm, "all"]["all"], 0) for arm in arms]
    else:
        entries = []
        for arm in arms:
            entries += [*([IntervalRow("")] if entries else []), IntervalRow(a.label(arm), strong=True)]
            entries += [_entry(kind, tints[arm], lengths, 1) for kind, lengths in whole[arm, "all"].items()]
    caption = (
        "Length of the answers: the band holds the middle 80 %, the tick is the median, dots are the medians of the "
        "seeds."
    )
    return Figure("lengths", intervals("lengths", entries, "tokens", zero=False), caption)


def _entry(label: str, colour: str, lengths: Lengths, indent: int) -> IntervalRow:
    low, middle, high = lengths.quantiles
    seeds = [float(median) for seed, median in sorted(lengths.medians.items()) if seed >= 0]
    return IntervalRow(label, float(middle), (float(low), float(high)), seeds, colour, indent=indent)
