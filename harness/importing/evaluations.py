"""From rows to evaluations, and what would make their comparison a wrong one.

Raises, everywhere in this module: DataError.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from harness.importing import common
from harness.importing.names import folder_name
from harness.importing.rows import NO_SEED, Facts, FoundRows
from harness.importing.sources import ImportSource
from harness.records import DataError, EvalRecord, LeftOut
from harness.records.schema import COLUMNS

WHO = ["arm", "seed", "step", "benchmark"]
"""what one evaluation is of"""
PROBLEM = [*WHO, "problem_id"]
WORDS = tuple(n for n, column in COLUMNS.items() if column.word and n in EvalRecord.__dataclass_fields__)
"""what all attempts of an evaluation share: they stand in its header too"""
MOST_NAMED = 3


@dataclass(frozen=True)
class ImportedEvaluation:
    """One arm with one seed at one step, asked one benchmark."""

    arm: str
    seed: int | None
    step: int
    benchmark: str
    rows: pd.DataFrame
    """ordered by problem and sample; samples are 0..k-1"""
    k: int
    problems: int
    template: str
    engine: str
    grader_version: str
    facts: Facts

    @property
    def correct(self) -> float:
        """Share of the attempts."""
        return float(np.mean(self.rows["mark"] == "correct"))

    @property
    def coarse(self) -> bool:
        """Whether of the marks only correct or not is known."""
        return bool(np.any(self.rows["coarse"]))

    @property
    def who(self) -> str:
        return describe((self.arm, self.seed, self.step, self.benchmark))


@dataclass(frozen=True)
class SplitRows:
    """The evaluations, and what was not kept of them."""

    evaluated: list[ImportedEvaluation]
    """in the order in which arms and benchmarks first appear, then by seed and step"""
    left: list[LeftOut]
    notes: list[str]


def split(found: FoundRows, only_common: bool = False) -> SplitRows:
    """
    Args:
        only_common: keep the problems that all evaluations of a benchmark have, instead of refusing what is incomplete.
    """
    rows = _ordered(found.rows)
    _no_repeats(rows, found.sources)
    kept = common.keep(rows) if only_common else common.CommonRows(rows, [], [])
    rows = kept.rows
    _same_k(rows)
    rows = rows.assign(sample=rows.groupby(PROBLEM, sort=False, observed=True).cumcount())
    _same_problems(rows)
    return SplitRows([_evaluated(key, part, found) for key, part in _parts(rows, WHO)], kept.left, kept.notes)


def _parts(rows: pd.DataFrame, by: list[str]) -> Iterator[tuple[tuple[Any, ...], pd.DataFrame]]:
    """In the order in which they stand."""
    yield from cast(Iterator[tuple[tuple[Any, ...], pd.DataFrame]], iter(rows.groupby(by, sort=False, observed=True)))


def benchmarks(evaluated: Sequence[ImportedEvaluation]) -> list[str]:
    return list(dict.fromkeys(one.benchmark for one in evaluated))


def describe(key: tuple[Any, ...]) -> str:
    """`grpo seed 0, step 100, on gsm8k`"""
    arm, seed, step, benchmark = key
    seed_words = "" if seed in (None, NO_SEED) else f" seed {seed}"
    return f"{arm}{seed_words}{f', step {step},' if step else ''} on {benchmark}"


def _ordered(rows: pd.DataFrame) -> pd.DataFrame:
    """By arm, seed, step, benchmark, problem, sample; arms and benchmarks as they first appear."""
    names = {name: folder_name(name) for name in rows["benchmark"].unique()}
    _one_folder_each(names)
    ordered = rows.assign(
        arm=pd.Categorical(rows["arm"], rows["arm"].unique()),
        benchmark=pd.Categorical([names[name] for name in rows["benchmark"]], list(names.values())),
        problem_id=pd.Categorical(rows["problem_id"]),
    )
    return ordered.sort_values([*PROBLEM, "sample"], kind="stable", ignore_index=True)


def _one_folder_each(names: Mapping[str, str]) -> None:
    seen: dict[str, str] = {}
    for name, folder in names.items():
        if folder in seen:
            raise DataError(
                f"the benchmarks `{seen[folder]}` and `{name}` would share the folder `{folder}`. Rename one."
            )
        seen[folder] = name


def _no_repeats(rows: pd.DataFrame, sources: Sequence[ImportSource]) -> None:
    twice = rows.duplicated([*PROBLEM, "sample"]).to_numpy()
    if not twice.any():
        return
    second = int(twice.argmax())
    first = second - 1  # sorted by what is equal
    here, there = (sources[rows["source"].iat[row]].at(int(rows["line"].iat[row])) for row in (first, second))
    row = rows.iloc[second]
    others = int(twice.sum()) - 1
    raise DataError(
        f"{here} and {there} are the same attempt: {describe(tuple(row[WHO]))}, problem {row['problem_id']}, sample "
        f"{row['sample']}{f' (and {others:,} more such pairs)' if others else ''}.\n"
        "Are they of two seeds or arms? Name them before the path, as in grpo/seed0=PATH grpo/seed1=PATH."
    )


def _same_k(rows: pd.DataFrame) -> None:
    """Every problem of an evaluation as often as the others: nothing is averaged over what is there."""
    for key, part in _parts(rows, WHO):
        ids, counts = np.unique(part["problem_id"].cat.codes.to_numpy(), return_counts=True)
        most, fewer = int(counts.max()), counts < counts.max()
        if not fewer.any():
            continue
        names = part["problem_id"].cat.categories
        few, full = names[ids[int(fewer.argmax())]], names[ids[int(counts.argmax())]]
        raise DataError(
            f"{describe(key)}: the problem {few} has {counts[int(fewer.argmax())]} attempts, but {full} has {most}; "
            f"{int(fewer.sum()):,} of {len(ids):,} problems have fewer than others.\n"
            f"What is missing is not filled in, nor averaged away: complete the source. {common.NEXT}."
        )


def _same_problems(rows: pd.DataFrame) -> None:
    """Every evaluation of a benchmark has the problems of its first."""
    first: dict[str, tuple[tuple[Any, ...], set[str]]] = {}
    for key, part in _parts(rows, WHO):
        problems = set(part["problem_id"].unique())
        key_before, before = first.setdefault(key[-1], (key, problems))
        if problems != before:
            raise DataError(_different(key_before, before, key, problems))


def _different(one: tuple[Any, ...], problems: set[str], other: tuple[Any, ...], others: set[str]) -> str:
    a, b = describe(one), describe(other)
    return (
        f"{one[-1]} was asked with different problems, so answers cannot be paired: {len(problems & others):,} are "
        f"in both, {_only(problems - others)} only in {a}, {_only(others - problems)} only in {b}.\n"
        f"Another version of the data, other prompts or another limit? {common.NEXT}."
    )


def _only(ids: set[str]) -> str:
    named = sorted(ids)[:MOST_NAMED]
    more = ", ..." if len(ids) > len(named) else ""
    return f"{len(ids):,} ({', '.join(named)}{more})" if ids else "none"


def _evaluated(key: tuple[Any, ...], rows: pd.DataFrame, found: FoundRows) -> ImportedEvaluation:
    arm, seed, step, benchmark = key
    who = describe(key)
    words = {name: _one(rows, name, who, found.sources) for name in WORDS}
    problems = len(rows["problem_id"].unique())
    return ImportedEvaluation(
        arm=str(arm),
        seed=None if seed == NO_SEED else int(seed),
        step=int(step),
        benchmark=str(benchmark),
        rows=rows,
        k=len(rows) // problems,
        problems=problems,
        facts=found.facts[int(rows["source"].iat[0])],
        **words,
    )


def _one(rows: pd.DataFrame, column: str, who: str, sources: Sequence[ImportSource]) -> str:
    """What all rows of an evaluation say."""
    seen = rows[column].unique()
    if len(seen) > 1:
        row = int((rows[column] != seen[0]).to_numpy().argmax())
        place = sources[int(rows["source"].iat[row])].at(int(rows["line"].iat[row]))
        raise DataError(
            f"{place}: `{column}` is `{seen[1]}`, but `{seen[0]}` in other attempts of {who}. One evaluation has one."
        )
    return str(seen[0])


def unknown_lengths(evaluated: Sequence[ImportedEvaluation]) -> bool:
    return any(bool(np.isnan(one.rows["tokens"].to_numpy(dtype=float)).any()) for one in evaluated)
