"""From rows to evaluations, and what would make their comparison a wrong one.

Raises, everywhere in this module: DataError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from harness.base import reserved
from harness.importing import common
from harness.importing.measuring import MeasuredRows, Problems, ordered
from harness.importing.names import check_benchmarks, folder_name
from harness.importing.rows import NO_SEED, Facts, FoundRows
from harness.importing.spool import Spool, Who
from harness.records import DataError, LeftOut

MOST_NAMED = 3


@dataclass(frozen=True)
class ImportedEvaluation:
    """One arm with one seed at one step, asked one benchmark. Its attempts are on disk, and only there."""

    arm: str
    seed: int | None
    step: int
    benchmark: str
    measured: MeasuredRows
    facts: Facts

    @property
    def k(self) -> int:
        return self.measured.attempts // self.problems

    @property
    def problems(self) -> int:
        return len(self.measured.problems.ids)

    @property
    def attempts(self) -> int:
        return self.measured.attempts

    @property
    def template(self) -> str:
        return self.measured.words["template"]

    @property
    def engine(self) -> str:
        return self.measured.words["engine"]

    @property
    def grader_version(self) -> str:
        return self.measured.words["grader_version"]

    @property
    def correct(self) -> float:
        """Share of the attempts."""
        return self.measured.correct / self.measured.attempts

    @property
    def coarse(self) -> bool:
        """Whether of the marks only correct or not is known."""
        return self.measured.coarse

    @property
    def who(self) -> str:
        return describe((self.arm, self.seed, self.step, self.benchmark))


Write = Callable[[ImportedEvaluation, pa.Table], None]
"""what is done with an evaluation and its rows, ordered by problem and sample, as columns of `Attempt`"""


@dataclass(frozen=True)
class SplitRows:
    """The evaluations, and what was not kept of them."""

    evaluated: Sequence[ImportedEvaluation]
    """in the order in which arms and benchmarks first appear, then by seed and step"""
    left: Sequence[LeftOut] = ()
    notes: Sequence[str] = ()


def split(found: FoundRows, spool: Spool, write: Write, only_common: bool = False) -> SplitRows:
    """
    Args:
        spool: an empty one, for rows on their way.
        write: called for each evaluation, in any order, before it is known whether all can be put together.
        only_common: keep the problems that all evaluations of a benchmark have, instead of refusing what is incomplete.
    """
    for rows in found.parts:
        check_benchmarks(rows, found.sources)
        spool.add(rows)
    names = {name: folder_name(name) for name in spool.benchmarks}
    _one_folder_each(names)
    kept = _common(found, spool, names) if only_common else None
    known: dict[Problems, Problems] = {}
    made = {}
    for who, rows in spool.take():
        one, table = _evaluation(who, rows, found, names)
        if kept:
            one, table = _evaluation(who, kept.of(who, table), found, names)
        # most evaluations of a benchmark have the same problems: they are kept once
        problems = one.measured.problems
        one = replace(one, measured=one.measured.with_problems(known.setdefault(problems, problems)))
        write(one, table)
        made[who] = one
        del rows, table  # before the next evaluation is read
    evaluated = [made[who] for who in spool.found]
    _arms_apart(evaluated)
    _no_repeats(evaluated)
    _same_k(evaluated)
    _same_problems(evaluated)
    _same_words(evaluated)
    return SplitRows(evaluated, kept.left, kept.notes) if kept else SplitRows(evaluated)


def _evaluation(
    who: Who, rows: pa.Table, found: FoundRows, names: Mapping[str, str]
) -> tuple[ImportedEvaluation, pa.Table]:
    """With its rows as `ordered` gives them."""
    arm, seed, step, benchmark = who
    table, measured = ordered(rows, found.sources)
    seed = None if seed == NO_SEED else seed
    return ImportedEvaluation(arm, seed, step, names[benchmark], measured, found.facts[measured.source]), table


def _common(found: FoundRows, spool: Spool, names: Mapping[str, str]) -> common.KeptRows:
    """What all have; rows are gone through once more for it, of which no more than counts are held."""
    numbers: dict[str, int] = {}
    tallies, repeated = {}, {}
    for who, rows in spool.take(again=True):
        one, table = _evaluation(who, rows, found, names)
        problems = [numbers.setdefault(name, len(numbers)) for name in one.measured.problems.ids]
        tallies[who] = common.tally(one.benchmark, problems, table)
        if one.measured.repeats:
            repeated[who] = one
    _no_repeats(repeated[who] for who in spool.found if who in repeated)
    return common.keep({who: tallies[who] for who in spool.found})


def benchmarks(evaluated: Sequence[ImportedEvaluation]) -> list[str]:
    return list(dict.fromkeys(one.benchmark for one in evaluated))


def describe(key: tuple[Any, ...]) -> str:
    """`grpo seed 0, step 100, on gsm8k`"""
    arm, seed, step, benchmark = key
    seed_words = "" if seed is None else f" seed {seed}"
    return f"{arm}{seed_words}{f', step {step},' if step else ''} on {benchmark}"


def _one_folder_each(names: Mapping[str, str]) -> None:
    seen: dict[str, str] = {}
    for name, folder in names.items():
        if (first := seen.setdefault(reserved.same_on_disk(folder), name)) != name:
            raise DataError(f"the benchmarks `{first}` and `{name}` would share the folder `{folder}`. Rename one.")


def _arms_apart(evaluated: Iterable[ImportedEvaluation]) -> None:
    if found := reserved.alike(one.arm for one in evaluated):
        raise DataError(
            f"the arms `{found[0]}` and `{found[1]}` differ in case alone, and would share a folder. Rename one."
        )


def _no_repeats(evaluated: Iterable[ImportedEvaluation]) -> None:
    repeated = [(one, one.measured.repeats) for one in evaluated if one.measured.repeats]
    if not repeated:
        return
    one, first = repeated[0]
    others = sum(repeats.count for _, repeats in repeated if repeats) - 1
    assert first
    raise DataError(
        f"{first.here} and {first.there} are the same attempt: {one.who}, problem {first.problem}, sample "
        f"{first.sample}{f' (and {others:,} more such pairs)' if others else ''}.\n"
        "Are they of two seeds or arms? Name them before the path, as in grpo/seed0=PATH grpo/seed1=PATH. Of two ways "
        "to sample? Import each into a run of its own."
    )


def _same_k(evaluated: Iterable[ImportedEvaluation]) -> None:
    """Every problem of an evaluation as often as the others: nothing is averaged over what is there."""
    for one in evaluated:
        uneven = one.measured.uneven
        if uneven:
            raise DataError(
                f"{one.who}: the problem {uneven.few} has {uneven.least} attempts, but {uneven.full} has "
                f"{uneven.most}; {uneven.problems:,} of {one.problems:,} problems have fewer than others.\n"
                f"What is missing is not filled in, nor averaged away: complete the source. {common.NEXT}."
            )


def _same_problems(evaluated: Iterable[ImportedEvaluation]) -> None:
    """Every evaluation of a benchmark has the problems of its first."""
    first: dict[str, ImportedEvaluation] = {}
    for one in evaluated:
        before = first.setdefault(one.benchmark, one)
        if one.measured.problems is not before.measured.problems:
            problems, others = set(before.measured.problems.ids), set(one.measured.problems.ids)
            if problems != others:
                raise DataError(_different(before, problems, one, others))


def _different(one: ImportedEvaluation, problems: set[str], other: ImportedEvaluation, others: set[str]) -> str:
    a, b = one.who, other.who
    return (
        f"{one.benchmark} was asked with different problems, so answers cannot be paired: "
        f"{len(problems & others):,} are in both, {_only(problems - others)} only in {a}, "
        f"{_only(others - problems)} only in {b}.\n"
        f"Another version of the data, other prompts or another limit? {common.NEXT}."
    )


def _only(ids: set[str]) -> str:
    named = sorted(ids)[:MOST_NAMED]
    more = ", ..." if len(ids) > len(named) else ""
    return f"{len(ids):,} ({', '.join(named)}{more})" if ids else "none"


def _same_words(evaluated: Iterable[ImportedEvaluation]) -> None:
    """What all rows of an evaluation say."""
    for one in evaluated:
        mixed = one.measured.mixed
        if mixed:
            raise DataError(
                f"{mixed.place}: `{mixed.column}` is `{mixed.second}`, but `{mixed.first}` in other attempts of "
                f"{one.who}. One evaluation has one."
            )


def unknown_lengths(evaluated: Sequence[ImportedEvaluation]) -> bool:
    return any(one.measured.unknown_lengths for one in evaluated)
