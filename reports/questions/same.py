"""`rence same A B`: are these two checkpoints the same model, as far as their answers to these problems tell?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from harness.records import SCHEMA, DataError
from reports.compared_side import ComparedSide, again, find, in_one_version
from reports.data.checked import Checked
from reports.data.load import where
from reports.data.matching import Side, Unmatched, grouped, listed, refused
from reports.data.scores import AVERAGE, Scores, matrices
from reports.data.titles import titles
from reports.questions.responses import SameTexts, same_texts
from reports.statistics.draws import generator
from reports.statistics.exchange import (
    AnswerCounts,
    Exchanged,
    detectable,
    interval,
    least_p,
    mean_test,
    pattern_test,
)
from reports.words import listing

GREEDY = (
    "Greedy decoding: one model on one engine gives one text to each problem. The tests take answers as draws, and are "
    "then too cautious; the share of equal texts says more."
)
TESTS = 2
"""that decide, of the mean and of the pattern, both over all benchmarks: each p is multiplied by it"""


@dataclass(frozen=True)
class SameCell:
    """A benchmark, or the average over them. Scores and differences are fractions."""

    benchmark: str
    problems: int
    k: tuple[str, str]
    a: float
    b: float
    low: float
    high: float
    """interval of a - b, over answers drawn anew to these problems"""
    mean: Exchanged
    pattern: Exchanged | None
    """None where it cannot be told: one answer on each side, or nothing that varies"""
    mde: float | None
    """what the test of the mean finds with 80 % power; None if nothing"""

    def to_json(self) -> dict[str, Any]:
        """For `rence same --json`."""
        return {
            "benchmark": self.benchmark,
            "problems": self.problems,
            "k": list(self.k),
            "a": self.a,
            "b": self.b,
            "delta": self.a - self.b,
            "ci_low": self.low,
            "ci_high": self.high,
            "p_mean": self.mean.p_value,
            "p_pattern": self.pattern.p_value if self.pattern else None,
            "mde": self.mde,
        }


@dataclass(frozen=True)
class SameModel:
    """The result. Two tests decide, on the average; benchmarks say where an answer comes from."""

    a: str
    b: str
    cells: list[SameCell]
    """the average first"""
    texts: SameTexts | None
    """None where a side's files hold no texts"""
    alpha: float
    notes: list[str]
    titles: Mapping[str, str]
    same_marks: bool
    """whether each problem has as many correct answers on both sides"""
    least_p: float
    """the smallest p-value that so many answers can have, whatever they are"""
    left_out: list[str]
    """benchmarks that were not compared, and why, in words"""
    checked: Checked
    """whether the files are sealed, and what was let through"""
    listed: list[str]
    """what is not the same on both sides, and may differ"""

    @property
    def average(self) -> SameCell:
        """Over the benchmarks, unweighted."""
        return self.cells[0]

    @property
    def identical(self) -> bool:
        """Every answer, text by text, and marked alike."""
        return self.same_marks and self.texts is not None and self.texts.identical

    @property
    def p_value(self) -> float:
        """The smaller of the two, times two (Bonferroni)."""
        found = [self.average.mean, *([self.average.pattern] if self.average.pattern else [])]
        return min(1.0, TESTS * min(one.p_value for one in found))

    @property
    def differs(self) -> bool:
        """Whether one of the two tests says so, with both counted."""
        return self.p_value < self.alpha

    @property
    def too_few(self) -> bool:
        """Whether no answers at all could have been called different."""
        return self.least_p >= self.alpha

    @property
    def finding(self) -> str:
        """For programs; of the benchmarks that were compared."""
        if self.identical:
            return "identical"
        if self.too_few:
            return "cannot tell"
        return "differs" if self.differs else "no difference found"

    @property
    def answered(self) -> bool:
        """Whether the question was answered on all benchmarks: one that differs answers it for all."""
        return self.finding == "differs" or (self.finding != "cannot tell" and not self.left_out)

    def to_json(self) -> dict[str, Any]:
        """For `rence same --json`."""
        return {
            "schema": SCHEMA,
            "a": self.a,
            "b": self.b,
            "finding": self.finding,
            "estimand": "answers",
            "p_value": self.p_value,
            "least_p": self.least_p,
            "alpha": self.alpha,
            "confidence": 1 - self.alpha / TESTS,
            "cells": [cell.to_json() for cell in self.cells],
            "texts": asdict(self.texts) if self.texts else None,
            "left_out": self.left_out,
            **self.checked.to_json(),
            "differs": self.listed,
            "notes": self.notes,
        }


def same(a: str, b: str, accept: str | None = None, alpha: float = 0.05) -> SameModel:
    """
    Args:
        a, b: as `rence compare` takes them, with one checkpoint each.
        accept: why a mismatch or a broken seal does not matter; None: it does.

    Raises: ValueError if a side holds several checkpoints, or as `find` does; Unmatched if they were not asked in one
        way; BrokenSeal; DataError if they were asked different problems, or something is missing.
    """
    one, other = find(a, accept), find(b, accept)
    for side in (one, other):
        _check_single(side)
    # how the two were trained does not matter to whether they are the same
    asked = [Side(side.name, {}, side.evals, side.imported) for side in (one, other)]
    reasons = refused(*asked)
    if reasons and accept is None:
        raise Unmatched(
            f"{a} and {b} were not asked in one way: {'; '.join(grouped(reasons))}.\n{again(one, other, reasons)}."
        )
    checked = one.checked.beside(other.checked).letting(grouped(reasons), accept)
    pairs, left = _pairs(one, in_one_version(one, other) if accept is not None else other)
    tables = {name: _counts(*pair) for name, pair in pairs.items()}
    known = titles(pd.concat([one.evals, other.evals]))
    columns = [(AVERAGE, list(tables.values())), *((name, [table]) for name, table in tables.items())]
    cells = [_cell(name, some, alpha) for name, some in columns]
    notes = [*one.notes, *other.notes]
    if any(sampling.get("temperature") == 0 for side in (one, other) for sampling in side.evals["sampling"]):
        notes.append(GREEDY)
    texts = same_texts((a, one.evals), (b, other.evals), list(pairs))
    marks = all(np.array_equal(table.a, table.b) for table in tables.values())
    least = min(1.0, TESTS * least_p(list(tables.values())))
    return SameModel(a, b, cells, texts, alpha, notes, known, marks, least, left, checked, listed(*asked))


def _check_single(side: ComparedSide) -> None:
    seeds = sorted(set(side.evals["seed"]))
    if len(seeds) > 1:
        raise ValueError(
            f"{side.name} holds the seeds {listing([str(seed) for seed in seeds])}: `rence same` is about one "
            f"checkpoint.\nName one, such as {side.name.rstrip('/')}/seed{seeds[0]}."
        )


def _pairs(one: ComparedSide, other: ComparedSide) -> tuple[dict[str, tuple[Scores, Scores]], list[str]]:
    """Benchmark -> both sides, and what was left out and why."""
    versions = [dict(zip(s.evals["benchmark"], s.evals["benchmark_hash"], strict=True)) for s in (one, other)]
    common = [name for name in versions[0] if versions[1].get(name) == versions[0][name]]
    if not common:
        raise DataError(
            f"{one.name} and {other.name} have no benchmark in common, in one version.\n"
            "Evaluate both on one: rence eval --model ... --benchmarks ... --out ..."
        )
    found = {}
    for name in common:
        a, b = (_only(side, name) for side in (one, other))
        if a.problems != b.problems:
            raise DataError(
                f"{name}: {one.name} was asked {len(a.problems):,} problems and {other.name} {len(b.problems):,}, "
                f"{len(set(a.problems) & set(b.problems)):,} of them in common. Evaluate both with the same --limit."
            )
        found[name] = (a, b)
    left = sorted((versions[0].keys() | versions[1].keys()) - set(common))
    names = (one.name, other.name)
    return found, [
        _why_left(name, [side for side, seen in zip(names, versions, strict=True) if name in seen]) for name in left
    ]


def _why_left(benchmark: str, sides: Sequence[str]) -> str:
    return f"{benchmark} (only {sides[0]} has it)" if len(sides) == 1 else f"{benchmark} (asked in two versions)"


def _only(side: ComparedSide, benchmark: str) -> Scores:
    evals = where(side.evals, side.evals["benchmark"] == benchmark)
    return next(iter(matrices(evals, side.problems).values()))


def _counts(a: Scores, b: Scores) -> AnswerCounts:
    correct = [np.rint(side.values[0] * side.k[0]).astype(int) for side in (a, b)]
    return AnswerCounts(correct[0], correct[1], a.k[0], b.k[0])


def _cell(name: str, tables: Sequence[AnswerCounts], alpha: float) -> SameCell:
    level = alpha / TESTS
    low, high = interval(tables, 1 - level)
    # by content: the same answers draw the same numbers, wherever their folders are
    identity = [name, *(part.tobytes().hex() for table in tables for part in (table.a, table.b))]
    return SameCell(
        benchmark=name,
        problems=sum(len(table.a) for table in tables),
        k=(_span([table.k_a for table in tables]), _span([table.k_b for table in tables])),
        a=float(np.mean([table.a.mean() / table.k_a for table in tables])),
        b=float(np.mean([table.b.mean() / table.k_b for table in tables])),
        low=low,
        high=high,
        mean=mean_test(tables, generator(*identity, "mean")),
        pattern=pattern_test(tables, generator(*identity, "pattern")),
        mde=detectable(tables, level),
    )


def _span(ks: Sequence[int]) -> str:
    return str(ks[0]) if len(set(ks)) == 1 else f"{min(ks)} to {max(ks)}"
