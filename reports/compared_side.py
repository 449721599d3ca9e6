"""One side of a comparison, a gate or a question: an arm, a trial, a run of one arm, an evaluated model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from harness.records import START, DataError, EvalFolder, EvalRecord, LeftOut, Plan, RunFolder, TrialFolder
from harness.records.scores_alone import refusal, scores_only
from reports.data import by_decoding, common, decoded, same_problems
from reports.data.checked import UNCHECKED, Checked, check
from reports.data.load import TrialData, read_evaluations, read_trial, where
from reports.data.matching import Mismatch, Side, as_the_first
from reports.data.stopped import stopped_notes
from reports.words import listing

_HEADERS = ("evals/*/eval.json", "evals/step_*/*/eval.json", "seed*/evals/step_*/*/eval.json")
"""of an evaluated model, a trial, an arm"""


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
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """of an arm of a run of ours, its own settings among the run's"""
    factor: str = "algorithm"
    """what its plan says that arms differ in"""
    checked: Checked = UNCHECKED
    """whether its files are sealed, and what was let through"""

    def read_by(self, reading: str) -> ComparedSide:
        """With what is correct by a reading of the answers, one of `load.READINGS`; NaN where that is not known."""
        return replace(self, problems=self.problems.assign(correct=self.problems[reading]))

    @property
    def side(self) -> Side:
        """The part of it that matching looks at."""
        records = {seed: trial.record for seed, trial in self.trials.items()}
        return Side(self.name, records, self.evals, self.imported, self.recipe, self.factor)


def find(name: str, accept: str | None = None) -> ComparedSide:
    """A side, with what an import left out of it.

    Args:
        accept: why a broken seal does not matter; None: it does.

    Raises: BrokenSeal; ValueError for a reason without words; else as `_found`.
    """
    checked = check(path, accept) if (path := Path(name)).is_dir() else UNCHECKED
    side = _found(name)
    return replace(side, left_out=tuple(common.of_import(path, side.evals)), checked=checked)


def _found(name: str) -> ComparedSide:
    """A run folder of one arm, an arm's folder, a trial's folder, or a folder with `evals/<benchmark>/`.

    Raises: DataError if there is nothing to compare there; ValueError if there are several arms.
    """
    path = Path(name)
    if only := scores_only(path):
        raise DataError(refusal(only))
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
    Raises: as `_answered`.
    """
    side = _answered(name, path, plan)
    return replace(side, notes=(*side.notes, *_decoding(name, path, plan)))


def _decoding(name: str, path: Path, plan: Plan | None) -> list[str]:
    """Whose answers these are, where they were sampled in several ways."""
    if plan is not None and plan.decodings:
        first, *others = plan.decodings
        which = f"{first}, the first decoding of its plan ({decoded.words(plan.decodings[first])})"
    else:
        which = "the first decoding"
        folders = [EvalFolder(p.parent) for p in chain.from_iterable(map(path.glob, _HEADERS))]
        others = sorted({EvalRecord.read(one.header).decoding for one in folders if one.complete} - {""})
    lacks = f"{listing(others)} {'is' if len(others) == 1 else 'are'} not compared"
    return [f"{name}: answers under {which}; {lacks}."] if others else []


def _answered(name: str, path: Path, plan: Plan | None) -> ComparedSide:
    """
    Args:
        plan: as `_arm`'s.

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
    recipe, factor = _recipe(plan, str(evals["arm"].iloc[0])), plan.comparison.factor if plan else "algorithm"
    return ComparedSide(name, trials, evals, problems, tuple(notes), recipe=recipe, factor=factor)


def _recipe(plan: Plan | None, arm: str) -> dict[str, Any]:
    own = [one.recipe_differences for one in plan.arms if one.name == arm] if plan else []
    return {**plan.recipe, **own[0]} if plan and own else {}


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
    return by_decoding.first(folder for folder in folders if folder.complete)


def in_one_version(one: ComparedSide, other: ComparedSide) -> ComparedSide:
    """The other side, where a benchmark was asked in two versions and that is accepted: as the first, if its problems
    have the same ids on both. Others cannot be put together."""
    ours, theirs = (same_problems.of_each(side.evals) for side in (one, other))
    ids = [common.asked_of(side.evals, side.problems) for side in (one, other)]
    same = {b: ours[b] for b in ours.keys() & theirs.keys() if ours[b] != theirs[b] and ids[0][b] == ids[1][b]}
    return replace(other, evals=same_problems.adopt(other.evals, same))


def again(a: ComparedSide, b: ComparedSide, found: Sequence[Mismatch]) -> str:
    """What can be done about mismatches: to ask B as A was, where a command does that, or to say why not."""
    options = as_the_first(found)
    accept = "ay why that does not matter: --accept REASON, which is printed with the result"
    if not options or a.trials or b.trials or b.imported:
        return f"S{accept}"
    return f"Evaluate {b.name} anew as {a.name} was: rence eval ... {options} --out NEW; or s{accept}"
