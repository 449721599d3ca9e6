"""Answers of a recognised shape as rows of attempts: cells by role become numbers, words and marks, or are refused."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from harness.importing import cells, common
from harness.importing.names import folder_name
from harness.importing.raw import Raw
from harness.importing.rows import NO_SEED, UNKNOWN, frame
from harness.importing.shapes import judging, repeats
from harness.importing.shapes.known_texts import NamesByText
from harness.importing.sources import check_arm
from harness.records import START, DataError, identity

_ABOVE = (
    ".\nIf all are in one unit, --correct-above X says above which number an answer is correct; write a mixture of "
    "shares and per cent in one unit."
)
_WITH_TEXT = ("response", "answer", "gold")


@dataclass(frozen=True)
class FileRoles:
    """What all rows of one file share, and how their result is told."""

    place: int
    """among the sources"""
    arm: str | None
    seed: int | None
    step: int | None
    benchmark: str | None
    grader: str
    by_text: bool
    above: float | None
    """a result above it is correct; None: it says so itself"""
    check_texts: bool
    """whether an id must have one text everywhere"""
    marked: bool
    nameless: bool = False
    """whether nothing names the arm, and nothing numbers the samples"""
    engine: str = UNKNOWN
    template: str = UNKNOWN
    inverted: bool = False
    """whether the result says which answers are wrong"""
    two: tuple[float, ...] = ()
    """the only numbers that a result may be, if it was taken for one of two by itself"""


@dataclass
class Converter:
    """Raw cells with roles for names -> tables of attempts; what was seen is kept, so that files are seen together."""

    arm_names: Mapping[str, str]
    common: bool = False
    known: NamesByText | None = None
    """what names benchmarks by the texts of problems"""
    texts: dict[Hashable, int] = field(default_factory=dict)
    """benchmark and id -> hash of the problem's text"""
    seen: dict[Hashable, int] = field(default_factory=dict)
    """evaluation and problem -> answers so far"""
    short: dict[str, str] = field(default_factory=dict)
    """arm -> what rows call it"""
    numbers: dict[tuple[int, str], dict[Any, int]] = field(default_factory=dict)
    """file and problem -> the numbers that it has in its set -> which of them came first, second and so on"""
    models: dict[int, Any] = field(default_factory=dict)
    """file -> what its rows call its model"""
    without: int = 0
    """rows that have no result and were left out"""

    def rows(self, raw: Raw, file: FileRoles) -> pd.DataFrame:
        """
        Raises: DataError with the place of a cell that is not what its role needs.
        """
        raw = self._with_result(raw, file)
        if not file.marked:
            _check_markable(raw)
        if counts := "num_samples" in raw:
            raw = _counted(raw)
        found: dict[str, Any] = {
            "arm": self._arms(raw, file),
            "step": _whole(raw, "step", file.step or 0),
            "benchmark": self._benchmarks(raw, file),
            "problem_id": self._told_apart(raw, file, _problem_ids(raw, file)),
            "engine": file.engine,
            "template": file.template,
        }
        found["seed"] = _seeds(raw, found["arm"], file.seed or 0)
        for name in _WITH_TEXT:
            if name in raw:
                found[name] = cells.written_or_none(raw[name])
        if file.check_texts and "question" in raw and not file.by_text:
            self._check_texts(raw, found)
        if "tokens" in raw:
            found["tokens"] = cells.where_there(raw, "tokens", cells.whole)
        if "finish_reason" in raw:
            found["finish_reason"] = [UNKNOWN if cells.is_missing(one) else str(one) for one in raw["finish_reason"]]
        if {"mark", "correct"} & set(raw.cells.columns):  # beside marks of ours the source's are kept
            found["mark"] = _marks(raw, file)
        if file.marked:
            found |= {"coarse": "mark" not in raw, "grader_version": file.grader}
        found["sample"] = self._samples(raw, found, counts)
        return frame(file.place, raw.lines, found)

    def most_of_a_problem(self, files: int) -> int:
        """Answers to one problem, if all of them are from one file; else 0."""
        return max(self.seen.values(), default=0) if files == 1 else 0

    def _with_result(self, raw: Raw, file: FileRoles) -> Raw:
        """Of `--common` without rows that have no result."""
        if not self.common:
            return raw
        names = [name for name in ("correct", "mark", "num_correct", "pass_rate") if name in raw] or ["response"]
        there = ~cells.is_empty(raw[names[0]]) if file.marked else ~cells.each(raw[names[0]], cells.is_missing, bool)
        if not file.marked and "gold" in raw:
            there &= ~cells.is_empty(raw["gold"])
        self.without += int(np.sum(~there))
        return raw.only(there)

    def _arms(self, raw: Raw, file: FileRoles) -> Any:
        if file.arm is not None:
            if "arm" in raw:
                self._one_arm(raw, file)
            return file.arm
        names = cells.names(raw, "arm", raw["arm"])
        return cells.each(names, self._arm, object)

    def _one_arm(self, raw: Raw, file: FileRoles) -> None:
        """Rows of a file that has its arm from its name. Raises: DataError if they are of several models."""
        for row, name in enumerate(raw["arm"]):
            if self.models.setdefault(file.place, name) != name:
                raise DataError(
                    f"{raw.at(row)}: the rows are of `{self.models[file.place]}` and of `{name}`.\n"
                    "Add --column arm=KEY, with the key that says so, to take these for arms."
                )

    def _arm(self, name: str) -> str:
        made = check_arm(self.arm_names.get(name) or folder_name(name))
        if self.short.setdefault(made, name) != name:
            raise DataError(f"the arms `{self.short[made]}` and `{name}` would share the name `{made}`. Rename one.")
        return made

    def _told_apart(self, raw: Raw, file: FileRoles, ids: Any) -> Any:
        """Equal problems that a set has twice are two: `id` and `id-2`. Rows of one number are answers to one."""
        if "number" not in raw:
            return ids
        made = []
        for name, number in zip(ids, raw["number"], strict=True):
            seen = self.numbers.setdefault((file.place, name), {})
            again = seen.setdefault(number, len(seen))
            made.append(f"{name}-{again + 1}" if again else name)
        return np.array(made, dtype=object)

    def _benchmarks(self, raw: Raw, file: FileRoles) -> Any:
        by_text = self.known.of(raw) if self.known and "question" in raw else None
        if file.benchmark is not None:
            return file.benchmark
        if by_text is not None:
            return by_text
        return cells.names(raw, "benchmark", raw["benchmark"])

    def _check_texts(self, raw: Raw, found: Mapping[str, Any]) -> None:
        """One id has one text. Raises: DataError with the command that takes the texts for the ids."""
        seen = pd.DataFrame({"b": found["benchmark"], "id": found["problem_id"], "q": raw["question"].map(hash)})
        first = seen.drop_duplicates()
        columns = (first.index.tolist(), first["b"].tolist(), first["id"].tolist(), first["q"].tolist())
        for row, benchmark, problem, text in zip(*columns, strict=True):
            if self.texts.setdefault((benchmark, problem), text) != text:
                raise DataError(
                    f"{raw.at(row)}: the problem `{problem}` has another text than before, so its id does not tell "
                    "which problem it is.\nAdd --column problem_id=question to know problems by their text."
                )

    def _samples(self, raw: Raw, found: Mapping[str, Any], counts: bool) -> np.ndarray:
        """As the rows say, or numbered in their order over all files.

        Args:
            counts: whether the rows were made of counts, all of a problem of one.
        """
        if "sample" in raw:
            return cells.whole(raw, "sample", raw["sample"])
        names = ["arm", "seed", "step", "benchmark", "problem_id"]
        rows = pd.DataFrame({name: found[name] for name in names}, index=range(len(raw.lines)))
        groups = rows.groupby(names, sort=False)
        sizes = groups.size()
        if counts and len(rows):
            repeats.check_counted_once(groups, raw, self.seen)
        before = np.array([self.seen.get(key, 0) for key in sizes.index], dtype=np.int64)
        for key, count in zip(sizes.index, sizes.tolist(), strict=True):
            self.seen[key] = self.seen.get(key, 0) + count
        return groups.cumcount().to_numpy() + before[groups.ngroup().to_numpy()] if len(rows) else np.zeros(0, np.int64)


def _check_markable(raw: Raw) -> None:
    """Rows that our marker marks. Raises: DataError for one without a text, or without what the text must say."""
    lacks = {"response": cells.each(raw["response"], cells.is_missing, bool), "gold": cells.is_empty(raw["gold"])}
    for name, empty in lacks.items():
        raw.check(
            empty,
            lambda _, name=name: f"`{name}` is empty, so rence's marker cannot mark this answer",
            f". Nothing is filled in: mend or leave out.\n{common.NEXT}.",
        )


def _whole(raw: Raw, name: str, said: int) -> Any:
    return cells.whole(raw, name, raw[name]) if name in raw else said


def _seeds(raw: Raw, arms: Any, said: int) -> np.ndarray:
    """`start` has none, and every other arm has one."""
    start = np.broadcast_to(np.asarray(arms) == START, len(raw.lines))
    seeds = np.where(start, NO_SEED, said)
    if "seed" in raw:
        raw.check(start & ~cells.is_empty(raw["seed"]), lambda _: f"`{START}` has no seed: its cell must be empty.")
        trained = raw.only(~start)
        seeds[~start] = cells.whole(trained, "seed", trained["seed"])
    return seeds


def _problem_ids(raw: Raw, file: FileRoles) -> Any:
    if not file.by_text:
        return cells.names(raw, "problem_id", raw["problem_id"])
    texts = cells.texts(raw, "question", raw["question"])
    golds = cells.written_or_none(raw["gold"]) if "gold" in raw else pd.Series([None] * len(texts), dtype=object)
    pairs = pd.Series(list(zip(texts, golds, strict=True)), dtype=object)
    codes, distinct = pd.factorize(pairs)
    return np.array([identity(text, gold) for text, gold in distinct], dtype=object)[codes]


def _marks(raw: Raw, file: FileRoles) -> Any:
    """Right or wrong of each row. Raises: DataError for a result that is neither, or empty."""
    if "mark" in raw:
        return cells.marks(raw, "mark", raw["mark"])
    if file.above is not None:
        numbers = cells.numbers(raw, "correct", raw["correct"])
        other = ~np.isin(numbers, file.two) if file.two else np.zeros(len(numbers), dtype=bool)
        said = " or ".join(f"{one:g}" for one in file.two)
        raw.check(other, lambda row: f"the result is {numbers[row]:g}, and {said} in rows before", _ABOVE)
        return np.where(numbers > file.above, "correct", "wrong")
    empty = cells.is_empty(raw["correct"])
    raw.check(
        empty,
        lambda _: "the result is empty",
        f". Nothing is filled in: mend or leave out.\n{common.NEXT}.",
    )
    found = cells.each(raw["correct"], judging.yes_or_no, object)
    wrong = np.array([one is None for one in found], dtype=bool)
    raw.check(wrong, lambda row: f"the result must be right or wrong, but is `{raw['correct'].iloc[row]}`", _hint(raw))
    right = found.astype(bool) != file.inverted
    return np.where(right, "correct", "wrong") if len(found) else np.zeros(0, object)


def _hint(raw: Raw) -> str:
    values = [number for value in raw["correct"] if (number := judging.number(value)) is not None]
    if len(values) < len(raw["correct"]):
        return "."
    if values and judging.are_mixed(values):
        return f".\n{judging.MIXED}"
    if values and max(values) > 1:
        return ".\nAre these per cent, or points? --correct-above X says above which number an answer is correct."
    return ".\n--correct-above X says above which number an answer is correct; shares of several answers are none."


def _counted(raw: Raw) -> Raw:
    """Counts as rows: as many as there were samples, the correct ones first."""
    totals = cells.whole(raw, "num_samples", raw["num_samples"], 1)
    if "pass_rate" in raw:
        rates = cells.numbers(raw, "pass_rate", raw["pass_rate"])
        right = np.rint(rates * totals)
        off = np.abs(rates * totals - right) > 1e-6 * totals + 1e-9
        raw.check(off, lambda row: f"the share {rates[row]:g} of {totals[row]} is no number of samples", ".")
    else:
        right = cells.whole(raw, "num_correct", raw["num_correct"])
    raw.check(right > totals, lambda row: f"{right[row]:g} of {totals[row]} samples cannot be correct", ".")
    which = np.repeat(np.arange(len(totals)), totals)
    sample = np.arange(len(which)) - np.repeat(np.cumsum(totals) - totals, totals)
    table = raw.cells.drop(columns=["num_samples", "num_correct", "pass_rate"], errors="ignore").iloc[which]
    table = table.reset_index(drop=True).assign(correct=(sample < right[which]).astype(object))
    return Raw(raw.source, table, raw.lines[which], raw.checks)
