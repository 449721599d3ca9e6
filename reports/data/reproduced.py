"""Does our result reproduce a published one? Of every cell of a published table, with the noise that both sides have.

What a published score stands for (its k, its seeds, how it was decoded) comes from the file, never from a guess that
nobody sees: what is not stated is named, with what is taken for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import pandas as pd

from harness.records import START, ArmRecord, Published
from reports.data.analysis import Analysis
from reports.data.load import where
from reports.data.printed import decimals, half_digit, written
from reports.data.scores import AVERAGE, Scores, complete
from reports.statistics.reproduction import Noise, own_training, same_weights
from reports.words import listing, plural

SIGHT = 0.10
"""a test that could not have seen a difference of 10 points has no power worth the name"""
HAVE_ERRATA = ("gsm8k", "minerva_math", "olympiadbench")
"""benchmarks that are there with corrected golds too, under their name and `_errata`"""
_ERRATA = "_errata"


class PublishedFinding(StrEnum):
    """What setting a published score beside ours came to."""

    CONSISTENT = "consistent"
    DIFFERENT = "not consistent"
    NO_POWER = "no power"
    NOT_COMPARABLE = "not comparable"
    NOT_RUN = "not run"
    UNKNOWN = "not known"
    OTHER_AVERAGE = "over other benchmarks"


@dataclass(frozen=True)
class OwnResults:
    """What is set beside a published table."""

    cells: Mapping[tuple[str, str], Scores]
    benchmarks: list[str]
    arms: list[ArmRecord]
    model: str
    """what was trained, or is evaluated; `unknown` if nobody says"""
    evals: pd.DataFrame
    """headers of the evaluations"""

    @classmethod
    def of(cls, a: Analysis) -> OwnResults:
        """A run's, at the headline."""
        return cls(a.cells, a.benchmarks, a.arms, a.run.plan.model, a.run.evals)

    def name_of(self, theirs: str) -> str | None:
        """Our arm of that name; else the one whose algorithm has it, if it is one."""
        names = {arm for arm, _ in self.cells} | {arm.name for arm in self.arms}
        if theirs == START or theirs in names:
            return theirs
        same = [arm.name for arm in self.arms if arm.algorithm == theirs]
        return same[0] if len(same) == 1 else None

    def sampling(self, arm: str, benchmark: str) -> Mapping[str, Any]:
        """Of the last evaluation; empty if it is not known."""
        table = where(self.evals, (self.evals["arm"] == arm) & (self.evals["benchmark"] == benchmark))
        return list(table["sampling"])[-1] if len(table) else {}


@dataclass(frozen=True)
class Reproduced:
    """One published cell. Scores are fractions."""

    arm: str
    """theirs"""
    ours: str | None
    """our arm of that name or that algorithm; None if there is none"""
    benchmark: str
    published: float | None
    score: float | None
    noise: Noise | None
    finding: PublishedFinding
    rounding: float
    """half of the last printed digit"""
    decimals: int
    """of the published percent, as it is shown"""
    reasons: tuple[str, ...] = ()
    """why it is not comparable, or has no power"""
    tests: int = 1
    """of the table: p-values, ranges and power are for all of them together"""
    alpha: float = 0.05

    @property
    def difference(self) -> float | None:
        """Ours minus theirs."""
        return None if self.published is None or self.score is None else self.score - self.published

    @property
    def p_adjusted(self) -> float | None:
        """Of chance and rounding alone, times the table's tests (Bonferroni)."""
        if self.noise is None or self.difference is None:
            return None
        return min(1.0, self.tests * self.noise.p_value(self.difference, self.rounding))

    @property
    def half_width(self) -> float | None:
        """A published score no farther than this from ours is consistent with it."""
        return None if self.noise is None else self.noise.half_width(self.alpha / self.tests, self.rounding)

    @property
    def within(self) -> tuple[float, float] | None:
        """The published scores that are consistent with ours; on the scale."""
        if self.half_width is None or self.score is None:
            return None
        return max(0.0, self.score - self.half_width), min(1.0, self.score + self.half_width)

    @property
    def detectable(self) -> float | None:
        """The difference that the test finds with 80 % power."""
        return None if self.noise is None else self.noise.detectable(self.alpha / self.tests, self.rounding)

    def to_json(self) -> dict[str, Any]:
        """For `verdict.json` and `--json`; fractions, None where there is none."""
        return {
            "arm": self.arm,
            "ours": self.ours,
            "benchmark": self.benchmark,
            "published": self.published,
            "mean": self.score,
            "difference": self.difference,
            "finding": str(self.finding),
            "p_adjusted": self.p_adjusted,
            "half_width": self.half_width,
            "within": self.within,
            "detectable": self.detectable,
            "reasons": list(self.reasons),
        }


def reproduce(own: OwnResults, published: Published, alpha: float, accept: bool = False) -> list[Reproduced]:
    """Every cell, in the order of the file.

    Args:
        alpha: of all tests of the table together.
        accept: compare what was not decoded alike, marked by other golds, or is of another model, all the same.
    """
    cells = [
        _cell(own, published, arm, benchmark, percent, accept)
        for arm, row in published.percent.items()
        for benchmark, percent in row.items()
    ]
    tests = sum(cell.noise is not None for cell in cells)
    return [_found(replace(cell, tests=max(1, tests), alpha=alpha)) for cell in cells]


def _found(cell: Reproduced) -> Reproduced:
    """With the finding of its test, which depends on how many there are."""
    p, detectable = cell.p_adjusted, cell.detectable
    if p is None or detectable is None:
        return cell
    if p < cell.alpha:
        return replace(cell, finding=PublishedFinding.DIFFERENT)
    if detectable > SIGHT:
        return replace(cell, finding=PublishedFinding.NO_POWER)
    return replace(cell, finding=PublishedFinding.CONSISTENT)


def _cell(
    own: OwnResults, published: Published, arm: str, benchmark: str, percent: float | None, accept: bool
) -> Reproduced:
    """One cell, as far as it can be found without the number of tests; with noise if it can be tested."""
    ours = own.name_of(arm)
    columns = _columns(own, published, arm, benchmark)
    group = complete(own.cells, ours, columns) if ours is not None and columns else None
    score = float(sum(s.values.mean() for s in group) / len(group)) if group else None
    shown = max(published.decimals or 0, 0 if percent is None else written(percent))
    bare = Reproduced(
        arm,
        ours,
        benchmark,
        None if percent is None else percent / 100,
        score,
        None,
        PublishedFinding.UNKNOWN,
        half_digit(published),
        shown,
    )
    if percent is None:
        return bare
    if not columns:
        return replace(bare, finding=PublishedFinding.OTHER_AVERAGE, score=None)
    if ours is None or group is None:
        return replace(bare, finding=PublishedFinding.NOT_RUN)
    # facts first: what differs in settings is no failure to reproduce, and is tested only where the user says so
    reasons = tuple(mismatches(own, published, arm, ours, columns))
    same = _same(published, arm)
    if same and len(group[0].seeds) > 1:
        several = f"`weights: same` is about one checkpoint, and {ours} has {len(group[0].seeds)} seeds"
        return replace(bare, finding=PublishedFinding.NOT_COMPARABLE, reasons=(*reasons, several))
    if reasons and not accept:
        return replace(bare, finding=PublishedFinding.NOT_COMPARABLE, reasons=reasons)
    noise = _noise(published, columns, group, same)
    if noise is None:
        one = "one seed of ours: how much seeds differ is not known"
        return replace(bare, finding=PublishedFinding.NO_POWER, reasons=(*reasons, one))
    return replace(bare, noise=noise, reasons=reasons)


def _columns(own: OwnResults, published: Published, arm: str, benchmark: str) -> list[str]:
    """Our benchmarks that the cell is about; empty if it is an average over others than ours."""
    theirs = [name for name in published.percent[arm] if name != AVERAGE] if benchmark == AVERAGE else [benchmark]
    columns = [_of_golds(own, published, name) for name in theirs]
    return [] if benchmark == AVERAGE and set(columns) != set(own.benchmarks) else columns


def _of_golds(own: OwnResults, published: Published, name: str) -> str:
    """Our benchmark of that name, with corrected golds where theirs are."""
    corrected = f"{name}{_ERRATA}"
    return corrected if published.golds == "errata" and corrected in own.benchmarks else name


def _same(published: Published, arm: str) -> bool:
    """The untrained model is one checkpoint, whoever measures it."""
    return arm == START or published.weights == "same"


def _noise(published: Published, columns: list[str], group: list[Scores], same: bool) -> Noise | None:
    matrices = [s.values for s in group]
    k = [s.k for s in group]
    theirs = [published.attempts.get(name.removesuffix(_ERRATA), one[0]) for name, one in zip(columns, k, strict=True)]
    if same:
        return same_weights(matrices, [one[0] for one in k], theirs)
    return own_training(matrices, k, theirs, published.seeds or 1)


def mismatches(own: OwnResults, published: Published, arm: str, ours: str, columns: list[str]) -> Iterator[str]:
    """In what both sides state and differ, so that a difference of scores may be no failure to reproduce."""
    if own.model not in ("unknown", "", published.model):
        yield f"not the same model: {published.model}, ours {own.model}"
    for name in columns:
        ran = own.sampling(ours, name)
        differ = [
            f"{key} {value}, ours {ran[key]}"
            for key, value in sorted(published.decoding.items())
            if key in ran and ran[key] != value
        ]
        if differ:
            yield f"not the same decoding of {name}: {listing(differ)}"
        golds = "errata" if name.endswith(_ERRATA) else "raw"
        if published.golds == "raw" and golds == "errata":
            yield f"not the same golds of {name}: raw, ours errata"
        if published.golds == "errata" and golds == "raw" and name in HAVE_ERRATA:
            yield f"not the same golds of {name}: errata, ours raw"


def unstated(own: OwnResults, published: Published) -> str | None:
    """What the file does not say of the published scores, in one sentence with what is taken for it."""
    named = {name for row in published.percent.values() for name in row if name != AVERAGE}
    unknown_k = sorted(
        n for n in named if n not in published.attempts and _of_golds(own, published, n) in own.benchmarks
    )
    taken = ["what model ours is (taken: theirs)"] if own.model in ("unknown", "") else []
    if unknown_k:
        taken.append(f"k of the published cells on {listing(unknown_k)} (taken: ours)")
    if not published.decoding:
        taken.append("their decoding (taken: ours)")
    if published.golds is None:
        taken.append("their golds (taken: ours)")
    trained = any(arm != START for arm in published.percent)
    if trained and published.weights is None:
        taken.append("whether the weights are the same (taken: own training)")
    if trained and published.seeds is None and published.weights != "same":
        taken.append("how many seeds each score is the mean of (taken: 1)")
    if published.decimals is None:
        taken.append(f"to how many decimals they are printed (taken: {decimals(published)}, the most that one shows)")
    return f"Not known: {'; '.join(taken)}." if taken else None


def summary(cells: list[Reproduced], alpha: float) -> str:
    """`Of 4 published scores: 2 consistent, 1 not consistent, 1 not run; at 5 % for all 3 tests together.`"""
    tested = [cell for cell in cells if cell.noise is not None]
    found = [cell.finding for cell in cells]
    counts = [f"{found.count(finding)} {finding}" for finding in PublishedFinding if finding in found]
    how = f"at {100 * alpha:g} % for all {plural(len(tested), 'test')} together" if tested else "none could be tested"
    return f"Of {plural(len(cells), 'published score')}: {', '.join(counts)}; {how}."
