"""`--common`: the problems of each benchmark that all evaluations have which are compared, and what the others could
change.

Raises, everywhere in this module: DataError where no problem is left.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from harness.records import DataError, ImportRecord, LeftOut, RunFolder
from harness.records.left_out import sentences
from reports.data.load import Run, count, where
from reports.data.scores import AVERAGE, Scores, complete, final
from reports.words import signed

if TYPE_CHECKING:
    from reports.data.analysis import Analysis

Ids = Mapping[str, Collection[str]]
"""benchmark -> problems"""


def shared(asked: Sequence[tuple[str, str, Collection[str]]]) -> dict[str, set[str]]:
    """Benchmark -> the problems that all its evaluations have.

    Args:
        asked: who, benchmark and problems of each evaluation.
    """
    found: dict[str, set[str]] = {}
    for _, benchmark, ids in asked:
        found[benchmark] = found.get(benchmark, set(ids)) & set(ids)
    for benchmark, ids in found.items():
        if not ids:
            sizes = {who: len(mine) for who, name, mine in asked if name == benchmark}
            least, most = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
            raise DataError(
                f"{benchmark}: no problem was answered by all of {', '.join(list(sizes)[:4])}"
                f"{', ...' if len(sizes) > 4 else ''} ({least} has {sizes[least]:,}, {most} {sizes[most]:,}).\n"
                "There is nothing in common to compare: evaluate them on the same problems."
            )
    return found


def asked(evals: pd.DataFrame, problems: pd.DataFrame, name: str = "") -> list[tuple[str, str, list[str]]]:
    """Of each evaluation: who, benchmark, problems.

    Args:
        name: of the side; None: the arm's.
    """
    rows, ids = problems.groupby("eval", sort=False).indices, problems["problem_id"].to_numpy()
    seeds = zip(evals.index, evals["arm"], evals["seed"], evals["benchmark"], strict=True)
    return [
        (f"{name or arm}{f' seed {seed}' if seed >= 0 else ''}", str(benchmark), list(ids[rows[index]]))
        for index, arm, seed, benchmark in seeds
    ]


def asked_of(evals: pd.DataFrame, problems: pd.DataFrame) -> dict[str, set[str]]:
    """Benchmark -> the problems that any of its evaluations has."""
    return union_of(asked(evals, problems))


def only(problems: pd.DataFrame, evals: pd.DataFrame, keep: Ids) -> pd.DataFrame:
    """`Run.problems` less what is not kept of these evaluations; a benchmark that is not named keeps all."""
    names = dict(zip(evals.index, evals["benchmark"], strict=True))
    benchmarks = (names.get(e, "") for e in problems["eval"])
    there = [name not in keep or i in keep[name] for name, i in zip(benchmarks, problems["problem_id"], strict=True)]
    return where(problems, np.array(there, bool))


def left_of(evals: pd.DataFrame, problems: pd.DataFrame, keep: Ids, union: Ids) -> list[LeftOut]:
    """Of each evaluation of a benchmark that loses problems.

    Args:
        union: the problems that any of those that are compared has.
    """
    share = (problems["correct"] / problems["attempts"]).to_numpy(dtype=float)
    rows, ids = problems.groupby("eval", sort=False).indices, problems["problem_id"].to_numpy()
    found = []
    for row in evals.reset_index(names="index").to_dict("records"):
        index, benchmark = row["index"], str(row["benchmark"])
        gone = set(union[benchmark]) - set(keep[benchmark])
        if not gone:
            continue
        # what is known of them counts as it is; each one that is missing may be 0 or 1
        mine = [place for place in rows[index] if ids[place] in gone]
        low, lacks = float(share[mine].sum()), len(gone) - len(mine)
        seed = int(row["seed"])
        found.append(
            LeftOut(
                arm=str(row["arm"]),
                seed=None if seed < 0 else seed,
                step=int(row["step"]),
                benchmark=benchmark,
                kept=len(keep[benchmark]),
                problems=len(gone),
                lacks=lacks,
                low=low,
                high=low + lacks,
            )
        )
    return found


def union_of(all_asked: Sequence[tuple[str, str, Collection[str]]]) -> dict[str, set[str]]:
    """Benchmark -> the problems that any of its evaluations has."""
    found: dict[str, set[str]] = {}
    for _, benchmark, ids in all_asked:
        found.setdefault(benchmark, set()).update(ids)
    return found


def restrict(run: Run) -> Run:
    """The run with the problems that all evaluations of the headline have, under every decoding and reading; another
    evaluation that lacks one of them is left out, and noted."""
    evals = final(run)
    everyone = asked(evals, run.problems)
    keep = shared(everyone)
    notes = list(run.notes)
    decoded = {name: _keep(other, keep, notes, f", {name}") for name, other in run.decoded.items()}
    left = left_of(evals, run.problems, keep, union_of(everyone))
    return replace(_keep(run, keep, notes), notes=notes, left_out=tuple(left), decoded=decoded)


def _keep(run: Run, keep: Ids, notes: list[str], decoding: str = "") -> Run:
    """
    Args:
        notes: is added to.
        decoding: after the step, in a note.
    """
    stays = []
    for e, (_, row) in enumerate(run.evals.iterrows()):
        lacks = set(keep.get(str(row["benchmark"]), ())) - set(run.attempts[e].ids)
        stays.append(not lacks)
        if lacks:
            notes.append(
                f"{row['arm']} seed {row['seed']}, step {row['step']}{decoding}: left out on {row['benchmark']}, for "
                f"it lacks {len(lacks):,} of the problems that all have at the end."
            )
    kept = [e for e, stay in enumerate(stays) if stay]
    names = run.evals["benchmark"].astype(str)
    attempts = [run.attempts[e].only(keep.get(names.iloc[e], run.attempts[e].ids)) for e in kept]
    table = where(run.evals, np.array(stays, bool)).reset_index(drop=True)
    table["problems"] = [len(one.ids) for one in attempts]
    return replace(run, evals=table, attempts=attempts, problems=count(attempts))


def restrict_tables(
    sides: Sequence[tuple[str, pd.DataFrame, pd.DataFrame]],
) -> tuple[list[tuple[pd.DataFrame, pd.DataFrame]], list[list[LeftOut]]]:
    """Evaluations and problems of each side with the problems that all sides have, and what is left out of each.

    A benchmark that is not on every side in one version stays as it is.

    Args:
        sides: name, `Run.evals` and `Run.problems` of each.
    """
    versions = [dict(zip(evals["benchmark"], evals["benchmark_hash"], strict=True)) for _, evals, _ in sides]
    names = [name for name in versions[0] if all(seen.get(name) == versions[0][name] for seen in versions)]
    parts = [where(evals, evals["benchmark"].isin(names)) for _, evals, _ in sides]
    everyone = [one for (name, _, table), evals in zip(sides, parts, strict=True) for one in asked(evals, table, name)]
    keep, union = shared(everyone), union_of(everyone)
    found, left = [], []
    for (_, evals, problems), part in zip(sides, parts, strict=True):
        left.append(left_of(part, problems, keep, union))
        # once the problems are the same ones, how many were to be asked is no difference any more
        changed = evals.assign(
            problems=[
                len(keep[b]) if b in keep else n for b, n in zip(evals["benchmark"], evals["problems"], strict=True)
            ],
            limit=[None if b in keep else n for b, n in zip(evals["benchmark"], evals["limit"], strict=True)],
        )
        found.append((changed, only(problems, evals, keep)))
    return found, left


def of_import(root: Path, evals: pd.DataFrame) -> list[LeftOut]:
    """What the import left out of these evaluations, of the run folder that `root` is or is in."""
    records = (RunFolder(folder).imported for folder in (root, root.parent, root.parent.parent))
    path = next((path for path in records if path.exists()), None)
    return _of(evals, ImportRecord.read(path).left_out) if path else []


def left_out(run: Run) -> list[LeftOut]:
    """Of the headline's evaluations, whether it was left out by an import or here."""
    return _of(final(run), [*(run.imported.left_out if run.imported else []), *run.left_out])


def _of(evals: pd.DataFrame, left: Sequence[LeftOut]) -> list[LeftOut]:
    """Those of these evaluations."""
    seeds = zip(evals["arm"], evals["seed"], evals["step"], evals["benchmark"], strict=True)
    there = {(str(arm), int(seed), int(step), str(benchmark)) for arm, seed, step, benchmark in seeds}
    return [one for one in left if (one.arm, _seed(one), one.step, one.benchmark) in there]


def _seed(one: LeftOut) -> int:
    """As tables have it."""
    return -1 if one.seed is None else one.seed


def extremes(
    a: Sequence[Scores], b: Sequence[Scores], left: Sequence[Sequence[LeftOut]], names: Sequence[str]
) -> tuple[float, float]:
    """The least and the most that the difference of the averages can be on all problems, given what is known.

    Args:
        a, b: each side's kept scores, a benchmark each.
        left: what was left out of each side.
        names: of the benchmarks.
    """
    ends = [
        [_ends(scores, own, name) for scores, name in zip(side, names, strict=True)]
        for side, own in zip((a, b), left, strict=True)
    ]
    (a_low, a_high), (b_low, b_high) = (np.mean(side, axis=0) for side in ends)
    return float(a_low - b_high), float(a_high - b_low)


def _ends(scores: Scores, left: Sequence[LeftOut], benchmark: str) -> tuple[float, float]:
    """Least and most of one side's score on all problems of a benchmark."""
    found = []
    for seed, sum_kept in zip(scores.seeds, scores.values.sum(axis=1), strict=True):
        mine = [one for one in left if one.benchmark == benchmark and _seed(one) == seed]
        problems = len(scores.problems) + sum(one.problems for one in mine)
        found.append([(sum_kept + sum(getattr(one, end) for one in mine)) / problems for end in ("low", "high")])
    low, high = np.mean(found, axis=0)
    return float(low), float(high)


def bounds(a: Analysis) -> list[tuple[str, str, float, float]]:
    """Of each primary pair: the least and most its difference on the average can be on all problems. Empty where
    nothing was left out."""
    left = left_out(a.run)
    found = []
    for pair in a.family("primary") if left else []:
        sides = [complete(a.cells, arm, a.benchmarks) for arm in (pair.a, pair.b)]
        if sides[0] is None or sides[1] is None:
            continue
        own = [[one for one in left if one.arm == arm] for arm in (pair.a, pair.b)]
        found.append((pair.a, pair.b, *extremes(sides[0], sides[1], own, a.benchmarks)))
    return found


def of_pair(
    a: tuple[str, Sequence[Scores], Sequence[LeftOut]],
    b: tuple[str, Sequence[Scores], Sequence[LeftOut]],
    benchmarks: Sequence[str],
) -> dict[str, Any] | None:
    """The key `common` of a comparison: what was left out, and the least and most that the difference of the averages
    can be with it. None if nothing was.

    Args:
        a, b: name, kept scores of each benchmark, and what was left out.
    """
    if not a[2] and not b[2]:
        return None
    low, high = extremes(a[1], b[1], (a[2], b[2]), benchmarks)
    left = [{"side": name, **asdict(gone)} for name, _, gone_of in (a, b) for gone in gone_of]
    return {"left_out": left, "low": low, "high": high}


def notes(a: Analysis) -> Iterator[str]:
    """What was left out, and what it could change."""
    if a.run.left_out:
        yield from (f"Common problems only. {one}" for one in sentences(a.run.left_out))
    for one, other, low, high in bounds(a):
        estimate = next(p.estimate for p in a.family("primary") if (p.a, p.b) == (one, other))
        if estimate is not None:
            yield said(a.label(one), a.label(other), estimate.value, low, high)


def said(a: str, b: str, value: float, low: float, high: float) -> str:
    """What the problems left out could change, in words."""
    return (
        f"{a} minus {b} is {signed(value)} points on the problems that all have; whatever the missing answers to the "
        f"others would have been, it is between {signed(low)} and {signed(high)} on all problems."
    )


def to_json(a: Analysis) -> dict[str, Any]:
    """The key `common` of `verdict.json`, which is there only if something was left out; fractions."""
    left = left_out(a.run)
    if not left:
        return {}
    pairs = [
        {"a": one, "b": other, "benchmark": AVERAGE, "low": low, "high": high} for one, other, low, high in bounds(a)
    ]
    return {"common": {"left_out": [asdict(one) for one in left], "pairs": pairs}}
