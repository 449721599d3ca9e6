"""How long the answers are: of all, of the correct ones and of the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
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
    """Attempts of one arm on one benchmark, counted: so many of a seed have a length and are correct or not. What is
    kept grows with the lengths there are, not with the attempts."""

    tokens: np.ndarray
    """of each group of attempts"""
    correct: np.ndarray
    seed: np.ndarray
    at_limit: np.ndarray
    """whether they have as many tokens as the evaluation allowed, or more"""
    number: np.ndarray
    """of attempts in each group"""

    def only(self, mask: np.ndarray) -> AnswerLengths:
        """Some of the groups.

        Args:
            mask: bool, for each group.
        """
        return AnswerLengths(*(getattr(self, name)[mask] for name in AnswerLengths.__dataclass_fields__))

    @property
    def attempts(self) -> int:
        return int(self.number.sum())

    def quantiles(self, at: Sequence[float]) -> list[int]:
        """Each the length of an attempt: the shortest that is not exceeded by this share (numpy's `inverted_cdf`)."""
        order = np.argsort(self.tokens)
        upto = np.cumsum(self.number[order])
        places = np.maximum(np.ceil(upto[-1] * np.array(at) - 1), 0)
        return self.tokens[order][np.searchsorted(upto, places, side="right")].tolist()


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
        limit = row["sampling"].get("max_tokens") or np.inf
        correct = attempts.marks == MARKS.index("correct")
        group, number = np.unique(2 * attempts.tokens.astype(np.int64) + correct, return_counts=True)
        tokens, seeds = group // 2, np.full(len(group), row["seed"])
        parts[row["arm"], row["benchmark"]].append((tokens, group % 2 == 1, seeds, tokens >= limit, number))
    return {key: AnswerLengths(*map(np.concatenate, zip(*found, strict=True))) for key, found in parts.items()}


def pooled(found: Mapping[tuple[str, str], AnswerLengths], arm: str, benchmarks: list[str]) -> AnswerLengths | None:
    """An arm's attempts on several benchmarks together; None if one of them is missing."""
    parts = [found.get((arm, benchmark)) for benchmark in benchmarks]
    present = [part for part in parts if part is not None]
    if not present or len(present) < len(parts):
        return None
    columns = ([getattr(part, name) for part in present] for name in AnswerLengths.__dataclass_fields__)
    return AnswerLengths(*map(np.concatenate, columns))


def measure(answers: AnswerLengths) -> Lengths | None:
    """None if there are no attempts."""
    if not len(answers.tokens):
        return None
    seeds = sorted(set(answers.seed.tolist()))
    return Lengths(
        attempts=answers.attempts,
        quantiles=tuple(answers.quantiles(QUANTILES)),
        longest=int(answers.tokens.max()),
        at_limit=int(answers.number[answers.at_limit].sum()) / answers.attempts,
        medians={seed: answers.only(answers.seed == seed).quantiles((0.5,))[0] for seed in seeds},
    )


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
    known = any(sampling.get("max_tokens") for sampling in a.run.evals["sampling"])
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
                *_cells(lengths, known),
            ],
            quiet=arm == START,
        )
        for arm in a.rows
        for benchmark in benchmarks
        for kind, lengths in measured.get((arm, benchmark), {}).items()
    ]
    return Table(name, columns, rows, caption)


def _cells(lengths: Lengths, known: bool) -> list[Cell]:
    """
    Args:
        known: whether there was a limit.
    """
    numbers = [lengths.attempts, *lengths.quantiles, lengths.longest]
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
