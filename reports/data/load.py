"""A run folder as tidy tables. What is missing becomes a note; what is broken or newer is refused.

Raises, everywhere in this module: records.DataError, which ends a command with exit code 3.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from harness.records import (
    START,
    DataError,
    DataRecord,
    DoneRecord,
    EvalFolder,
    EvalRecord,
    ImportRecord,
    LeftOut,
    Mark,
    Plan,
    Published,
    RunFolder,
    StepRecord,
    Timing,
    TrialFolder,
    TrialRecord,
    eval_name,
    read_jsonl,
    read_published,
)
from reports.data import by_decoding, columns, packed

MARKS = [mark.value for mark in Mark]
READINGS = ("mark_box", "mark_anywhere")
"""columns of marks by other readings than the benchmark's rule"""


@dataclass(frozen=True)
class TrialData:
    """What one arm with one seed left behind; `done` and `timing` are None while it is unfinished."""

    record: TrialRecord
    done: DoneRecord | None
    timing: Timing | None

    @property
    def finished(self) -> bool:
        return self.done is not None and self.done.status == "finished"


@dataclass(frozen=True)
class Attempts:
    """One complete evaluation's attempts, but for their texts (`answers.py`). Arrays are problems x samples."""

    ids: list[str]
    """problems, ascending: as in `Scores.problems`"""
    marks: np.ndarray
    """place in MARKS"""
    tokens: np.ndarray
    """int32, or int64 where one is larger; NaN where an import does not know them"""
    rows: np.ndarray
    """which row of attempts.parquet it is"""
    readings: Mapping[str, np.ndarray] = field(default_factory=dict)
    """column of READINGS -> place in MARKS; a missing key is a gap"""

    def only(self, keep: Collection[str]) -> Attempts:
        """Those at these problems, of which it has all."""
        if len(keep) == len(self.ids):
            return self
        there = np.array([name in keep for name in self.ids], bool)
        ids = [name for name in self.ids if name in keep]
        readings = {name: marks[there] for name, marks in self.readings.items()}
        return Attempts(ids, self.marks[there], self.tokens[there], self.rows[there], readings)


@dataclass(frozen=True)
class Run:
    """A run folder, read. The tables:

    - evals: one row for each complete evaluation, the fields of its header; `seed` is -1 for the untrained model
    - problems: one row for each evaluation and problem: `eval` (row of `evals`), `problem_id`, a count for each of the
      five marks, `attempts`, `tokens` (sum; NaN in an imported run that does not know them), and one for each of
      READINGS: how many are correct by it, NaN where that is not known
    - steps: one row for each trial and step: arm, seed, the counters, one column for each metric
    """

    root: Path
    plan: Plan
    trials: dict[tuple[str, int], TrialData]
    evals: pd.DataFrame
    problems: pd.DataFrame
    steps: pd.DataFrame
    notes: list[str] = field(default_factory=list)
    data: DataRecord | None = None
    """None in a folder of an older rence"""
    published: list[Published] = field(default_factory=list)
    """others' scores, to be set beside ours"""
    attempts: Sequence[Attempts] = ()
    """one for each row of `evals`"""
    imported: ImportRecord | None = None
    """where an imported run's results come from"""
    left_out: tuple[LeftOut, ...] = ()
    """what was put aside here to keep the problems that all have (`common.restrict`)"""
    decoded: Mapping[str, Run] = field(default_factory=dict)
    """each decoding after the first: this run with the evaluations of that one alone"""

    def folder(self, e: int) -> EvalFolder:
        """Where row `e` of `evals` is."""
        row = self.evals.iloc[e]
        place, name = RunFolder(self.root), eval_name(str(row["benchmark"]), str(row["decoding"]))
        if row["arm"] == START:
            return place.start_eval(name)
        return place.trial(str(row["arm"]), int(row["seed"])).eval(int(row["step"]), name)

    def column(self, e: int, name: str) -> np.ndarray | None:
        """A column of the attempts of row `e` of `evals`, read from disk: problems x samples as in `attempts[e]`.

        Numbers are floats, NaN where a cell is empty; texts are objects, None where it is. None where the file does not
        have the column, as one that was made before there was such a column, or no cell of it is filled.

        Raises: DataError; ValueError for a name that is no column of `harness.records.schema`.
        """
        return columns.values(self.folder(e).attempts, name, self.attempts[e].rows)


def load(root: Path) -> Run:
    """Read a run folder, finished or not."""
    folder = RunFolder(root)
    if not root.is_dir():
        raise DataError(f"{root} is not a folder. `rence list runs` shows the runs there are.")
    plan = Plan.read(folder.plan)
    trials, evals, steps, notes = {}, [], [], []
    # The plan says what there should be, and folders are looked for by it: one that nobody planned is not read.
    evals += _complete((folder.start_eval(name) for name, _, _ in plan.headline), notes)
    for arm in plan.arms:
        for seed in plan.seeds:
            place = folder.trial(arm.name, seed)
            trial = read_trial(place)
            # an import has evaluations and no trials; of ours without a trial there is nothing to read
            if trial is None and not plan.imported:
                continue
            if trial is not None:
                trials[arm.name, seed] = trial
                steps += _steps(place, arm.name, seed)
            evals += _complete(place.evals(), notes)
    by = by_decoding.split(plan, evals, notes)
    headers, attempts = read_attempts(by.pop(""))
    data = DataRecord.read(folder.data) if folder.data.exists() else None
    run = Run(
        root,
        plan,
        trials,
        headers,
        count(attempts),
        pd.DataFrame(steps),
        notes,
        data,
        read_published(folder.expected),
        attempts,
        ImportRecord.read(folder.imported) if plan.imported else None,
    )
    return replace(run, decoded={name: _asked_by(run, folders) for name, folders in by.items()})


def _asked_by(run: Run, folders: list[EvalFolder]) -> Run:
    """With these evaluations in the place of its own."""
    headers, attempts = read_attempts(folders)
    return replace(run, evals=headers, problems=count(attempts), attempts=attempts)


def where(table: pd.DataFrame, mask: Any) -> pd.DataFrame:
    """The rows where `mask` holds, with their index."""
    return cast(pd.DataFrame, table[mask])


def read_trial(place: TrialFolder) -> TrialData | None:
    """None if the trial was never begun."""
    if not place.trial.exists():
        return None
    return TrialData(
        record=TrialRecord.read(place.trial),
        done=DoneRecord.read(place.done) if place.done.exists() else None,
        timing=Timing.read(place.timing) if place.timing.exists() else None,
    )


def _steps(place: TrialFolder, arm: str, seed: int) -> Iterator[dict[str, object]]:
    for step in read_jsonl(place.steps, StepRecord, StepRecord.mend):
        counters = {key: value for key, value in vars(step).items() if key != "metrics"}
        yield {"arm": arm, "seed": seed, **counters, **step.metrics}


def _complete(folders: Iterable[EvalFolder], notes: list[str]) -> Iterator[EvalFolder]:
    """The complete ones; one that was begun and not completed is noted."""
    for folder in folders:
        if folder.complete:
            yield folder
        elif folder.header.exists():
            header = EvalRecord.read(folder.header)
            who = header.arm if header.seed is None else f"{header.arm} seed {header.seed}"
            notes.append(f"{who}, step {header.step}: the evaluation on {header.folder} is unfinished.")


def read_evaluations(folders: Iterable[EvalFolder]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`Run.evals` and `Run.problems` of complete evaluations."""
    evals, attempts = read_attempts(folders)
    return evals, count(attempts)


def read_attempts(folders: Iterable[EvalFolder]) -> tuple[pd.DataFrame, list[Attempts]]:
    """`Run.evals` and `Run.attempts` of complete evaluations."""
    folders = list(folders)
    headers = [EvalRecord.read(folder.header) for folder in folders]
    evals = pd.DataFrame([vars(header) for header in headers], columns=list(EvalRecord.__dataclass_fields__))
    evals["seed"] = evals["seed"].fillna(-1).astype(int)
    known: dict[tuple[str, ...], list[str]] = {}
    found = []
    for folder, header in zip(folders, headers, strict=True):
        one = _attempts(folder.attempts, header)
        found.append(replace(one, ids=known.setdefault(tuple(one.ids), one.ids)))  # most have the same: kept once
    return evals, found


def count(attempts: Sequence[Attempts]) -> pd.DataFrame:
    """`Run.problems`: attempts counted by problem."""
    problems = pd.DataFrame({"eval": np.repeat(np.arange(len(attempts)), [len(one.ids) for one in attempts])})
    problems["problem_id"] = np.array([name for one in attempts for name in one.ids], dtype=object)
    for place, mark in enumerate(MARKS):
        counts = [(one.marks == place).sum(axis=1) for one in attempts]
        problems[mark] = np.concatenate([np.empty(0, np.int64), *counts])
    problems["attempts"] = problems[MARKS].sum(axis=1)
    for name in READINGS:
        counts = [read_by(one, name) for one in attempts]
        problems[name] = np.concatenate([np.empty(0), *counts])
    problems["tokens"] = np.concatenate([np.empty(0, np.int64), *(one.tokens.sum(axis=1) for one in attempts)])
    return problems


def read_by(one: Attempts, name: str) -> np.ndarray:
    """How many attempts at each problem are correct by a reading, one of READINGS; NaN where that is not known."""
    marks = one.readings.get(name)
    return np.full(len(one.ids), np.nan) if marks is None else (marks == 0).sum(axis=1).astype(float)


def _attempts(path: Path, header: EvalRecord) -> Attempts:
    """Of one evaluation, whatever the order of its rows. Raises: DataError unless each problem has samples 0..k-1."""
    belongs = {name: getattr(header, name) for name in ("arm", "seed", "step", "benchmark")}
    readings = READINGS if header.readings else ()
    table = columns.read(path, also=[*belongs, *readings], plain=[columns.KEY])
    columns.check_scored(path, table)
    ids, problem = packed.codes(table["problem_id"])
    words, mark = packed.codes(table["mark"])
    sample = table["sample"].to_numpy()
    unknown = sorted(set(words) - set(MARKS))
    if unknown:
        raise DataError(f"{path} has the mark `{unknown[0]}`. Allowed: {', '.join(MARKS)}.")
    expected = header.problems * header.k
    inside = len(sample) == expected and ((sample >= 0) & (sample < header.k)).all()
    place = problem * header.k + sample
    if not inside or len(ids) != header.problems or (np.bincount(place, minlength=expected) != 1).any():
        raise DataError(
            f"{path} must hold each of {header.problems} problems x {header.k} samples once, as eval.json beside it "
            f"says, but holds {len(sample)} rows of {len(ids)} problems instead.\n"
            "Delete this evaluation's folder and run the experiment again."
        )
    columns.belong(path, table, belongs)
    rows = packed.rows(place)
    marks = np.array([MARKS.index(word) for word in words], dtype=np.int8)[mark]
    shape = (header.problems, header.k)
    tokens = packed.tokens(table["tokens"], rows).reshape(shape)
    rows = rows.reshape(shape)
    read = {name: columns.marks(table.get(name), rows) for name in readings}
    return Attempts(ids, marks[rows], tokens, rows, {name: found for name, found in read.items() if found is not None})
