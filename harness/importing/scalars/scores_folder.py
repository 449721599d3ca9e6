"""The run folder of an import of scores: `scores.json`, `scores.parquet`, `import.json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness.base import aside
from harness.base.errors import UserError, naming, nearest
from harness.importing.import_plan import LAST, ImportComparison
from harness.importing.scalars.checking import NO_STEP, CheckedScores
from harness.records import START, Comparison, DataError, ImportRecord, RunFolder, to_disk
from harness.records.files import real_path
from harness.records.origins import ImportedFile
from harness.records.seals import file_hash
from harness.records.seed_scores import COLUMN_TYPES, ScoresPlan, scores_lock

_NOT_YET = "?"
"""a lock that is not worked out"""
_SERIES = ["arm", "seed", "benchmark"]
"""what has a score at each step"""
_MOST_STEPS = 12
"""in a message"""


@dataclass(frozen=True)
class ScoresDesign:
    """What is compared, before anything is written."""

    comparison: Comparison
    step: int | None
    """the last of each where None"""
    final: Any
    """rows that are compared, with the columns of `CheckedScores.rows`"""
    notes: Sequence[str]


def design(checked: CheckedScores, wanted: ImportComparison, pair_seeds: bool) -> ScoresDesign:
    """
    Args:
        wanted: its estimand does not count: benchmarks are as they were asked.

    Raises: UserError for an arm or a step that is not there; DataError where no step is common.
    """
    rows: Any = checked.rows
    notes = list(checked.notes)
    if pair_seeds and checked.numbered:
        raise UserError("--pair-seeds: the seeds have no names of their own, so which belong together is not known.")
    step, final = _headline(rows, wanted.step)
    if step is None and rows["step"].nunique() > 1:
        notes.append("The last step of each arm and seed is compared.")
    elif step is not None and (later := int((rows["step"] > step).sum())):
        notes.append(f"Compared at step {step}; {later:,} later scores are kept and not compared.")
    notes += _gaps(checked, final)
    comparison = _comparison(checked.arms, wanted)
    return ScoresDesign(replace(comparison, pair_seeds=pair_seeds), step, final, notes)


def _headline(rows: Any, asked: str | None) -> tuple[int | None, Any]:
    """The step that is compared, and its rows."""
    steps = sorted(map(int, rows["step"].unique()))
    if steps == [NO_STEP]:
        if asked not in (None, LAST):
            raise UserError(f"--step {asked}: the source has no steps. Leave it out.")
        return None, rows
    if asked == LAST:
        return None, rows.loc[rows.groupby(_SERIES)["step"].idxmax()]
    if asked is not None:
        if not asked.isdecimal() or int(asked) not in steps:
            shown = ", ".join([*["..."] * (len(steps) > _MOST_STEPS), *map(str, steps[-_MOST_STEPS:])])
            raise UserError(f"--step {asked}: no score is of it. Allowed: {shown} or {LAST}.")
        return int(asked), rows[rows["step"] == int(asked)]
    common = rows.groupby("step").size()
    whole = common[common == rows.groupby(_SERIES).ngroups]
    if whole.empty:
        raise DataError(_no_step(rows))
    headline = int(whole.index.max())
    return headline, rows[rows["step"] == headline]


def _no_step(rows: Any) -> str:
    ends = rows.groupby(_SERIES)["step"].max()
    low, high = ends.idxmin(), ends.idxmax()
    return (
        f"no step is there for all arms, seeds and benchmarks, which end at {ends.min()} ({low[0]} seed {low[1]}) to "
        f"{ends.max()} ({high[0]} seed {high[1]}).\n--step N compares at one, where the others are gaps; --step {LAST} "
        "the last of each."
    )


def _gaps(checked: CheckedScores, final: Any) -> list[str]:
    """Seeds that lack a benchmark where things are compared."""
    there = set(map(tuple, final[["arm", "seed", "benchmark"]].to_numpy().tolist()))
    every: Any = checked.rows
    seeds = every.groupby("arm")["seed"].unique()
    missing = [
        f"{arm} seed {seed} on {benchmark}"
        for arm in checked.arms
        for seed in sorted(seeds[arm])
        for benchmark in checked.benchmarks
        if (arm, seed, benchmark) not in there
    ]
    if not missing:
        return []
    more = f" and {len(missing) - 6:,} more" if len(missing) > 6 else ""
    return [f"No score where it is compared, a gap and not a zero: {', '.join(missing[:6])}{more}."]


def _comparison(arms: Sequence[str], wanted: ImportComparison) -> Comparison:
    """As asked, else the first arm with all others."""
    asked = [("--target", arm) for arm in [wanted.target] if arm] + [("--baseline", arm) for arm in wanted.baselines]
    for option, arm in asked:
        if arm not in arms:
            raise UserError(f"{option} {arm}: there is no such arm in what is imported. {nearest(arm, arms)}")
    twice = [arm for arm, times in Counter(wanted.baselines).items() if times > 1]
    if twice:
        raise UserError(f"--baseline {twice[0]} is given twice. Name each baseline once.")
    # the untrained model is what others are compared with
    free = sorted((arm for arm in arms if arm not in wanted.baselines), key=lambda arm: arm == START)
    if not free and not wanted.target:
        raise UserError("all arms are baselines, so there is nothing to compare with them. Leave one --baseline out.")
    target = wanted.target or free[0]
    if target in wanted.baselines:
        raise UserError(f"--baseline {target}: the target cannot be its own baseline. Leave out one of the two.")
    return Comparison(target, list(wanted.baselines) or [arm for arm in arms if arm != target], "benchmark")


def write(
    checked: CheckedScores, made: ScoresDesign, options: Mapping[str, Any], files: Sequence[ImportedFile], out: Path
) -> ScoresPlan:
    """Whole or not at all; what was at `out` is gone only when the new folder is whole."""
    with aside.made_aside(out) as place:
        folder = RunFolder(aside.new(place))
        folder.root.mkdir()
        record = ImportRecord("scores", dict(options), list(files), [], list(made.notes))
        record.write(folder.imported)
        with naming(folder.scores):
            pq.write_table(_table(checked.rows), folder.scores, compression="zstd")
        to_disk(folder.scores)
        count = f"{len(files):,} {'file' if len(files) == 1 else 'files'}"
        plan = ScoresPlan(
            experiment=real_path(out).name,
            imported=f"scores, {count}",
            arms=list(checked.arms),
            benchmarks=list(checked.benchmarks),
            seeds=sorted(map(int, set(checked.rows["seed"]))),
            numbered=checked.numbered,
            unit=checked.unit,
            step=made.step,
            comparison=made.comparison,
            rows=len(checked.rows),
            import_hash=file_hash(folder.imported),
            scores_hash=file_hash(folder.scores),
            lock=_NOT_YET,
        )
        # last: where it is, what it speaks of is whole
        plan = replace(plan, lock=scores_lock(plan.to_json(), record))
        plan.write(folder.scores_plan)
    return plan


def _table(rows: pd.DataFrame) -> pa.Table:
    steps = rows["step"].to_numpy()
    # not by `to_numpy`, which makes an object of each text
    arrays = {name: pa.array(rows[name].array, type=pa.type_for_alias(kind)) for name, kind in COLUMN_TYPES.items()}
    arrays["step"] = pa.array(steps, type=pa.int64(), mask=np.asarray(steps == NO_STEP))
    return pa.table(arrays)
