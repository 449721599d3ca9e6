"""`rence compare A B`: two arms, two checkpoints or two evaluated models, paired by problem."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from harness.records import SCHEMA, DataError
from harness.records.files import real_path
from harness.records.left_out import sentences
from reports.compared_side import ComparedSide, again, find, in_one_version
from reports.data import common, same_problems
from reports.data.alternatives import of_readings
from reports.data.asked import check_asked
from reports.data.checked import UNCHECKED, Checked
from reports.data.dependence import NOT_STUDIED, DependsOn, Question, of_pair
from reports.data.matching import Mismatch, Unmatched, grouped, listed, refused
from reports.data.pairs import Groups, Pair, compare_all
from reports.data.readings import BESIDE, LACKING, TITLES, FormatPart, of_groups
from reports.data.scores import AVERAGE, complete, matrices
from reports.data.source_marks import UNMARKED, MarkerPart, came_with
from reports.data.titles import titles
from reports.document import Cell, Column, Row, Table, text
from reports.imported import MATCHING_UNKNOWN
from reports.render import plain
from reports.statistics.dependence import MARGIN
from reports.statistics.power import LARGEST
from reports.verdict import COVERS, within
from reports.verdict_json import pair_json
from reports.words import GAP, detectable, p_text, percent, plural, reaching, signed


@dataclass(frozen=True)
class ComparedPair:
    """The result. The average is one test; the benchmarks are a second family, adjusted together."""

    a: str
    b: str
    means: dict[tuple[str, str], float]
    """(a or b, benchmark or `average`) -> mean score"""
    pairs: list[Pair]
    notes: list[str]
    titles: Mapping[str, str] = field(default_factory=dict)
    """benchmark -> what the table calls it"""
    common: dict[str, Any] | None = None
    """what was left out to keep the problems that both have, and the least and most the average could be with it"""
    checked: Checked = UNCHECKED
    """whether the files are sealed, and what was let through"""
    differs: Sequence[str] = ()
    """what is not the same on both sides, and may differ"""
    parts: Mapping[str, FormatPart | MarkerPart] = field(default_factory=dict)
    """benchmark or `average` -> what of the difference is format; a missing key is a gap"""
    depends: DependsOn = NOT_STUDIED
    """what the sign of the average's difference depends on"""
    sourced: bool = False
    """whether the marks are those that the source of an import gave"""

    @property
    def average(self) -> Pair:
        """The difference on the average; `compare` puts it before the benchmarks'."""
        return self.pairs[0]

    def to_json(self) -> dict[str, Any]:
        """For `rence compare --json`; scores and differences are fractions."""
        scores = {name: {c: mean for (n, c), mean in self.means.items() if n == name} for name in (self.a, self.b)}
        return {
            "schema": SCHEMA,
            "a": self.a,
            "b": self.b,
            "verdict": self.verdict,
            "scores": scores,
            "pairs": [pair_json(pair, self.checked.accepted, self.parts.get(pair.benchmark)) for pair in self.pairs],
            "matched": False if self.checked.accepted else self.average.matched,
            **self.checked.to_json(),
            "differs": list(self.differs),
            "depends_on": list(self.depends.found),
            **({"common": self.common} if self.common else {}),
            "notes": self.notes,
        }

    def text(self) -> str:
        """For a terminal: the two names, a table in percent and points, the verdict, the notes."""
        return "\n\n".join([f"A  {self.a}\nB  {self.b}", plain.table(self.table()), *self.sentences()])

    def table(self) -> Table:
        """In percent and points: the average, then the benchmarks."""
        columns = ["", "A", "B", "A − B", "95 % interval", "adjusted p", "raw p", "MDE"]
        rows = [self._row(pair) for pair in self.pairs]
        return Table("compare", [Column(c, numeric=i > 0) for i, c in enumerate(columns)], rows)

    def sentences(self) -> list[str]:
        """The verdict first, then what it depends on and rests on."""
        told = [f"Differs, which is not refused: {'; '.join(self.differs)}."] if self.differs else []
        found = self.parts.get(AVERAGE)
        unknown = UNMARKED if self.sourced else f"Which part is format is not known: {LACKING}."
        format_ = [found.sentence("A − B") if found else unknown]
        first = [self.verdict, *format_, *self.checked.sentences, *self.depends.sentences]
        return [*first, *self._families(), *told, *self.notes]

    def _families(self) -> list[str]:
        """What is adjusted for what."""
        benchmarks = len(self.pairs) - 1
        if benchmarks < 2:
            return []
        return [
            f"This pair alone: the average is one test, and the {benchmarks} benchmarks are adjusted for each other. "
            "A plan with more comparisons adjusts for all of them: see its report."
        ]

    def _row(self, pair: Pair) -> Row:
        e = pair.estimate
        means = [Cell(percent(self.means[name, pair.benchmark])) for name in (self.a, self.b)]
        name = text(self.titles.get(pair.benchmark, pair.benchmark))
        if e is None:
            return Row([name, *means, *[Cell(GAP)] * 5])
        ps = [Cell(p_text(pair.p_adjusted)), Cell(p_text(e.p_value))]
        interval = Cell(reaching(pair.simultaneous))
        return Row([name, *means, Cell(signed(e.value)), interval, *ps, Cell(detectable(pair.mde, LARGEST))])

    @property
    def verdict(self) -> str:
        """A sentence on the average: finding, points with interval and p, what it covers, whether matched."""
        e = self.average.estimate
        assert e is not None
        equivalent, direction = self.average.equivalent, self.average.direction
        even = "is equivalent to" if equivalent else "is not separated from"
        yet = ", yet equivalent to," if equivalent else ""
        words = {1: f"is above{yet}", -1: f"is below{yet}", 0: even}[direction]
        how = within(self.average) if equivalent else ""
        sentence = f"A {words} B{how} on the average of {plural(len(self.pairs) - 1, 'benchmark')}"
        if e.interval is None:
            return f"{sentence}: {signed(e.value)} points, and these data give no interval."
        p = self.average.p_equivalence
        same = "" if p is None else f", equivalence{within(self.average)} p {p_text(p)}"
        matched = "matched" if self.average.matched else MATCHING_UNKNOWN
        if self.checked.accepted:
            matched = self.checked.words
        matched = "; ".join([*self.checked.unsealed, matched])
        return (
            f"{sentence}: {signed(e.value)} points, {reaching(e.interval)}, p {p_text(e.p_value)}{same}; "
            f"the interval covers {COVERS[e.estimand]}; {matched}."
        )


def compare(
    a: str,
    b: str,
    accept: str | None,
    estimand: str,
    alpha: float,
    margin: float | None = None,
    only_common: bool = False,
) -> ComparedPair:
    """A minus B, paired by problem, on the benchmarks that both answered in the same version.

    Args:
        a, b: folders, as `find` takes them.
        accept: why a mismatch or a broken seal does not matter; None: it does.
        estimand, alpha: what intervals shall cover (`statistics.ESTIMANDS`); level of each family of tests.
        margin: differences smaller than it do not matter, a fraction; None: equivalence is not tested.
        only_common: keep the problems that both have, where they were asked different ones.

    Raises: ValueError if A and B are one folder, or as `check_asked` and `find`; Unmatched if they share no benchmark,
        or are not matched where that is not accepted; BrokenSeal; DataError if a side lacks a result.
    """
    check_asked(alpha, margin, estimand)
    one, other = _found(a, b, accept)
    alike = _alike(one, other)
    if only_common:
        one, other = _only_common(one, replace(other, evals=same_problems.adopt(other.evals, alike)))
    reasons = refused(one.side, other.side)
    if reasons and accept is None:
        raise Unmatched(
            f"{a} and {b} are not matched: {'; '.join(grouped(reasons))}.\n"
            f"{again(one, other, reasons)}{_other_way(reasons, bool(alike), only_common)}."
        )
    seals = one.checked.beside(other.checked).letting(grouped(reasons), accept)
    differs = listed(one.side, other.side)
    if accept is not None:
        other = in_one_version(one, other)
    benchmarks, notes = _shared(one, other)
    groups = _groups((one, other), benchmarks)
    sides = {one.name: one.side, other.name: other.side}
    # who sets two checkpoints side by side asks about these checkpoints
    if all(len(group[0].seeds) == 1 for group in groups.values()):
        estimand = "checkpoints"
    # two families: the question is about the average, and the benchmarks only say where an answer comes from
    pairs = [
        *compare_all(groups, "primary", [(a, b, AVERAGE)], sides, estimand, alpha, margin),
        *compare_all(groups, "per_benchmark", [(a, b, name) for name in benchmarks], sides, estimand, alpha, margin),
    ]
    left = [(side.name, groups[side.name, AVERAGE], side.left_out) for side in (one, other)]
    put_aside = common.of_pair(left[0], left[1], benchmarks)
    means = {key: sum(float(s.values.mean()) for s in group) / len(group) for key, group in groups.items()}
    known = titles(pd.concat([one.evals, other.evals]))
    said = list(sentences([*one.left_out, *other.left_out]))
    if put_aside and pairs[0].estimate:
        said.append(common.said("A", "B", pairs[0].estimate.value, put_aside["low"], put_aside["high"]))
    notes = [*one.notes, *other.notes, *notes, *said]
    read = {reading: _groups([side.read_by(reading) for side in (one, other)], benchmarks) for reading in TITLES}
    sourced = came_with(pd.concat([one.evals, other.evals]))
    parts = of_groups(groups, read, (a, b), sourced)
    depends = _depends(groups, pairs[0], [known.get(name, name) for name in benchmarks], alpha, read, sourced)
    return ComparedPair(a, b, means, pairs, notes, known, put_aside, seals, differs, parts, depends, sourced)


def _found(a: str, b: str, accept: str | None) -> tuple[ComparedSide, ComparedSide]:
    if real_path(Path(a)) == real_path(Path(b)):
        raise ValueError(f"A and B are the same folder: {a}.")
    return find(a, accept), find(b, accept)


def _depends(
    groups: Groups, average: Pair, titles: Sequence[str], alpha: float, read: Mapping[str, Groups], sourced: bool
) -> DependsOn:
    """Of the difference on the average.

    Args:
        read: reading -> the same groups by it, NaN where they are not known.
        sourced: whether the groups' own marks are those of an import's source.
    """
    a, b, estimate = average.a, average.b, average.estimate
    estimand = estimate.estimand if estimate else "checkpoints"
    asked = Question(a, [b], {a: "A", b: "B"}, alpha, average.margin or MARGIN, estimand)
    base = {side: [scores.values for scores in groups[side, AVERAGE]] for side in (a, b)}
    ways = {
        (BESIDE if sourced else TITLES)[name]: {side: [s.values for s in found[side, AVERAGE]] for side in (a, b)}
        for name, found in read.items()
    }
    seeds = {side: groups[side, AVERAGE][0].seeds for side in (a, b)}
    return of_pair(base, titles, seeds, asked, [of_readings(base, ways)])


def _groups(subjects: Iterable[ComparedSide], benchmarks: list[str]) -> Groups:
    """By the names as given and not by arm: two checkpoints of one arm have the same."""
    groups: Groups = {}
    for subject in subjects:
        cells = matrices(subject.evals, subject.problems)
        arm = str(subject.evals["arm"].iloc[0])
        for column in [AVERAGE, *benchmarks]:
            found = complete(cells, arm, benchmarks if column == AVERAGE else [column])
            if found is None:
                raise DataError(f"{subject.name}: no seed has a result on every benchmark ({', '.join(benchmarks)}).")
            groups[subject.name, column] = found
    return groups


def _other_way(reasons: Sequence[Mismatch], alike: bool, only_common: bool) -> str:
    """What `--common` could do, or why it could not."""
    keys = {one.key for one in reasons}
    if not only_common:
        return ", or use --common, which keeps the problems that both have" if alike or "limit" in keys else ""
    if "benchmark_hash" not in keys:
        return ""
    return ". --common cannot help: that the problems of one id are the same in both versions is not known"


def _alike(one: ComparedSide, other: ComparedSide) -> dict[str, str]:
    """Benchmark -> the first's hash, where the hashes differ and are over the ids and golds that were asked, which
    agree."""
    ours, theirs = same_problems.of_each(one.evals), same_problems.of_each(other.evals)
    return {
        name: ours[name]
        for name in ours.keys() & theirs.keys()
        if ours[name] != theirs[name]
        and same_problems.agree(
            (ours[name], same_problems.golds(Path(one.name), name)),
            (theirs[name], same_problems.golds(Path(other.name), name)),
        )
    }


def _only_common(one: ComparedSide, other: ComparedSide) -> tuple[ComparedSide, ComparedSide]:
    """With the problems that both have."""
    tables, left = common.restrict_tables([(side.name, side.evals, side.problems) for side in (one, other)])
    found = [
        replace(side, evals=evals, problems=problems, left_out=(*side.left_out, *new))
        for side, (evals, problems), new in zip((one, other), tables, left, strict=True)
    ]
    return found[0], found[1]


def _shared(one: ComparedSide, other: ComparedSide) -> tuple[list[str], list[str]]:
    """Benchmarks that both answered in the same version, and what was left out."""
    ours, theirs = same_problems.of_each(one.evals), same_problems.of_each(other.evals)
    both = [name for name in ours if theirs.get(name) == ours[name]]
    if not both:
        raise Unmatched(f"{one.name} and {other.name} have no benchmark in common.")
    left = sorted((ours.keys() | theirs.keys()) - set(both))
    return both, [f"Left out, for only one side has it in this version: {', '.join(left)}."] if left else []
