"""`rence compare A B`: two arms, two checkpoints or two evaluated models, paired by problem."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from harness.records import SCHEMA, START, DataError, EvalFolder, EvalRecord, LeftOut, Plan, RunFolder, TrialFolder
from harness.records.left_out import sentences
from reports.data import common
from reports.data.load import TrialData, read_evaluations, read_trial, where
from reports.data.matching import EVALUATION, Side, Unmatched, unmatched
from reports.data.pairs import Groups, Pair, compare_all
from reports.data.scores import AVERAGE, complete, matrices
from reports.data.stopped import stopped_notes
from reports.data.titles import titles
from reports.document import Cell, Column, Row, Table, text
from reports.imported import MATCHING_UNKNOWN
from reports.render import plain
from reports.verdict import COVERS, within
from reports.verdict_json import pair_json
from reports.words import GAP, detectable, p_text, percent, plural, reaching, signed


@dataclass(frozen=True)
class ComparedSide:
    """One side, as found on disk, at its headline: the last point of its plan, or the last there is."""

    name: str
    trials: dict[int, TrialData]
    evals: pd.DataFrame
    problems: pd.DataFrame
    notes: tuple[str, ...] = ()
    imported: bool = False
    left_out: tuple[LeftOut, ...] = ()
    """of its evaluations, what was left out to keep the problems that all have"""

    @property
    def side(self) -> Side:
        """The part of it that matching looks at."""
        records = {seed: trial.record for seed, trial in self.trials.items()}
        return Side(self.name, records, self.evals, self.imported)


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
            "pairs": [pair_json(pair) for pair in self.pairs],
            "matched": self.average.matched,
            **({"common": self.common} if self.common else {}),
            "notes": self.notes,
        }

    def text(self) -> str:
        """For a terminal: the two names, a table in percent and points, the verdict, the notes."""
        columns = ["", "A", "B", "A − B", "95 % interval", "adjusted p", "raw p", "MDE"]
        rows = [self._row(pair) for pair in self.pairs]
        table = Table("compare", [Column(c, numeric=i > 0) for i, c in enumerate(columns)], rows)
        head = f"A  {self.a}\nB  {self.b}"
        return "\n\n".join([head, plain.table(table), self.verdict, *self.notes])

    def _row(self, pair: Pair) -> Row:
        e = pair.estimate
        means = [Cell(percent(self.means[name, pair.benchmark])) for name in (self.a, self.b)]
        name = text(self.titles.get(pair.benchmark, pair.benchmark))
        if e is None:
            return Row([name, *means, *[Cell(GAP)] * 5])
        ps = [Cell(p_text(pair.p_adjusted)), Cell(p_text(e.p_value))]
        interval = Cell(reaching(pair.simultaneous))
        return Row([name, *means, Cell(signed(e.value)), interval, *ps, Cell(detectable(pair.mde))])

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
        if self.average.unmatched:
            matched = f"not matched: {'; '.join(self.average.unmatched)}"
        return (
            f"{sentence}: {signed(e.value)} points, {reaching(e.interval)}, p {p_text(e.p_value)}{same}; "
            f"the interval covers {COVERS[e.estimand]}; {matched}."
        )


def compare(
    a: str,
    b: str,
    allow_unmatched: bool,
    estimand: str,
    alpha: float,
    margin: float | None = None,
    only_common: bool = False,
) -> ComparedPair:
    """A minus B, paired by problem, on the benchmarks that both answered in the same version.

    Args:
        a, b: folders, as `find` takes them.
        estimand: what intervals shall cover, one of `statistics.ESTIMANDS`.
        alpha: of each family of tests, the average and the benchmarks.
        margin: differences smaller than it do not matter, a fraction above 0; None: equivalence is not tested.
        only_common: keep the problems that both have, where they were asked different ones.

    Raises: ValueError if A and B are one folder, or as `find` does; Unmatched if they have no benchmark in common, or
        are not matched where that is not allowed; DataError if a side lacks a result.
    """
    if Path(a).resolve() == Path(b).resolve():
        raise ValueError(f"A and B are the same folder: {a}.")
    one, other = find(a), find(b)
    if only_common:
        one, other = _only_common(one, other)
    reasons = unmatched(one.side, other.side)
    limited = any(EVALUATION["limit"] in reason for reason in reasons)
    if reasons and not allow_unmatched:
        raise Unmatched(
            f"{a} and {b} are not matched: {'; '.join(reasons)}.\nUse --allow-unmatched to compare them anyway"
            f"{', or --common, which keeps the problems that both have' if limited else ''}."
        )
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
    return ComparedPair(a, b, means, pairs, [*one.notes, *other.notes, *notes, *said], known, put_aside)


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
    versions = [dict(zip(s.evals["benchmark"], s.evals["benchmark_hash"], strict=True)) for s in (one, other)]
    both = [name for name in versions[0] if versions[1].get(name) == versions[0][name]]
    if not both:
        raise Unmatched(f"{one.name} and {other.name} have no benchmark in common.")
    left = sorted((versions[0].keys() | versions[1].keys()) - set(both))
    return both, [f"Left out, for only one side has it in this version: {', '.join(left)}."] if left else []


def find(name: str) -> ComparedSide:
    """A side, with what an import left out of it; raises as `_found`."""
    return replace(side := _found(name), left_out=tuple(common.of_import(Path(name), side.evals)))


def _found(name: str) -> ComparedSide:
    """A run folder of one arm, an arm's folder, a trial's folder, or a folder with `evals/<benchmark>/`.

    Raises: DataError if there is nothing to compare there; ValueError if there are several arms.
    """
    path = Path(name)
    if not path.is_dir():
        raise DataError(f"{name} is not a folder. `rence list runs` shows the runs there are.")
    if RunFolder(path).plan.exists():
        arms = [arm.name for arm in Plan.read(RunFolder(path).plan).arms]
        if len(arms) != 1:
            raise ValueError(f"{name} holds the arms {', '.join(arms)}: name one, such as {path / arms[0]}.")
        return _arm(name, path / arms[0], Plan.read(RunFolder(path).plan))
    for plan in (RunFolder(path.parent).plan, RunFolder(path.parent.parent).plan):
        if plan.exists():
            return _arm(name, path, Plan.read(plan))
    return _arm(name, path, None)


def _arm(name: str, path: Path, plan: Plan | None) -> ComparedSide:
    """An arm with all seeds that the plan has, or one trial of it; a folder without trials is an evaluated model.

    Args:
        plan: of the run that the folder is in; None if it is in none.

    Raises: DataError if a trial is not finished, or has no result at the headline.
    """
    if plan is not None and plan.imported and path.name != START:
        return _imported(name, path, plan)
    if (path / "trial.json").exists():
        places = [TrialFolder(path)]
    elif plan is not None and path.name != START:
        places = [TrialFolder(path / f"seed{seed}") for seed in plan.seeds]
    else:
        places = [TrialFolder(p.parent) for p in sorted(path.glob("seed*/trial.json"))]
    if not places:
        return _evaluated(name, path)
    trials: dict[int, TrialData] = {}
    notes = []
    for place in places:
        trial = read_trial(place)
        if trial is None or trial.done is None:
            raise DataError(f"{place.root} is not finished. `rence run` continues it.")
        trials[trial.record.seed] = trial
        if not trial.finished:
            notes.append(f"{place.root}: {trial.done.status} at step {trial.done.steps}. {trial.done.reason}".strip())
    evals, problems = read_evaluations(_complete(f for place in places for f in place.evals()))
    if evals.empty:
        raise DataError(f"{name} has no complete evaluation. `rence run` continues it.")
    last = plan.grid_rollouts[-1] if plan else evals["grid"].max()
    # all planned benchmarks or none: an average over fewer is another quantity
    evals = where(evals, evals["grid"] == last)
    gone = [] if plan is None else sorted(set(plan.benchmarks) - set(evals["benchmark"]))
    if evals.empty or gone:
        raise DataError(f"{name} has no result at the headline on {', '.join(gone) or 'any benchmark'}.")
    return ComparedSide(name, trials, evals, problems, tuple(notes))


def _imported(name: str, path: Path, plan: Plan) -> ComparedSide:
    """An arm, or one seed of it, that has no trials; seeds that are missing are noted."""
    is_arm = any(arm.name == path.name for arm in plan.arms)
    places = {seed: TrialFolder(path / f"seed{seed}") for seed in plan.seeds} if is_arm else {0: TrialFolder(path)}
    evals, problems = read_evaluations(_complete(f for place in places.values() for f in place.evals()))
    evals = where(evals, evals["grid"] == plan.grid_rollouts[-1])
    if evals.empty:
        raise DataError(f"{name} has no result at the step that is compared, {plan.grid_rollouts[-1]}.")
    missing = sorted(set(places) - set(evals["seed"])) if is_arm else []
    notes = [f"{name}: seed {', '.join(map(str, missing))} is missing."] if missing else []
    return ComparedSide(name, {}, evals, problems, tuple(notes), imported=True)


def _evaluated(name: str, path: Path) -> ComparedSide:
    folders = _complete(EvalFolder(p.parent) for p in sorted(path.glob("evals/*/eval.json")))
    evals, problems = read_evaluations(folders)
    if evals.empty:
        raise DataError(f"{name} has neither trials nor a complete evaluation. `rence list runs` shows all runs.")
    notes = stopped_notes(EvalRecord.read(folder.header) for folder in folders)
    return ComparedSide(name, {}, evals, problems, tuple(f"{name}: {note}" for note in notes))


def _complete(folders: Iterable[EvalFolder]) -> list[EvalFolder]:
    return [folder for folder in folders if folder.attempts.exists()]
