"""Whether the evaluations of a run were made as its plan says, and all in one way.

A run of ours has a plan to agree with, so that what differs is a slip, and no report is made of it unless somebody says
why (`--accept REASON`). An import has none: there pairs that differ are marked as not matched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.records import START
from reports.data import analysis, checked, common, same_problems
from reports.data.load import Run, load, where
from reports.data.matching import (
    ABSENT,
    Mismatch,
    Side,
    Unmatched,
    canonical,
    evaluation,
    flat,
    grouped,
    listed,
    name_of,
    shown,
    training,
)
from reports.data.scores import final
from reports.words import plural

SAMPLING = ("temperature", "top_p", "max_tokens", "seed")
"""keys of a plan's evaluation that headers have among their sampling; `chunk_problems` may differ"""
_MOST_NAMED, _MOST_SAID = 3, 8
"""evaluations in a sentence, and sentences in a message"""


def analysed(root: Path, accept: str | None, only_common: bool = False) -> analysis.Analysis:
    """A run's files, checked, read and analysed.

    Args:
        accept: why a broken seal or a mismatch does not matter; None: it does.
        only_common: keep of each benchmark the problems that all have.

    Raises: BrokenSeal; Unmatched if evaluations of a run of ours do not agree with its plan, or with each other;
        DataError if files are missing or broken; ValueError for a reason without words.
    """
    seals = checked.check(root, accept) if root.is_dir() else checked.UNCHECKED
    run = load(root)
    if only_common:
        run = common.restrict(run)
    found = [] if run.plan.imported else mismatches(run)
    if accept is None:
        if found:
            raise Unmatched(_refusal(root, found))
        return analysis.analyse(run, seals)
    run = _one_version(run)
    found = [*found, *between_arms(run)]
    return analysis.analyse(run, seals.letting(found, accept))


def mismatches(run: Run) -> list[str]:
    """In what evaluations differ from the plan, and from each other, in words."""
    everyone = Side(run.plan.experiment, {}, run.evals)
    planned = dict(_unplanned(run))
    said = [f"{_who(who)}: {what}" for what, who in planned.items()]
    # what the plan has is told with the plan's value, and not a second time
    told = {key for row in run.evals.to_dict("records") for key in _wanted(run, {str(k): row[k] for k in row})}
    among = [one for one in evaluation(everyone) if not one.listed and one.key not in told]
    return [*said, *(f"{one} {_parts(run, one)}" for one in among)]


def between_arms(run: Run) -> list[str]:
    """In what arms that are compared differ, where no plan says what they should be: of training, and of an import."""
    comparison = run.plan.comparison
    pairs = [(comparison.target, other) for other in comparison.baselines]
    if run.plan.imported:
        pairs += [(arm.name, START) for arm in run.plan.arms]
    sides = {name: analysis.side(run, name) for pair in pairs for name in pair}
    found: list[Mismatch] = []
    for a, b in pairs:
        found += training(sides[a], sides[b])
        found += [one for one in evaluation(sides[a], sides[b]) if run.plan.imported and not one.listed]
    return grouped(dict.fromkeys(found))


def differing(run: Run) -> list[str]:
    """What differs among the evaluations and trials of the headline and may: it is told, and never refused."""
    trials = {i: trial.record for i, trial in enumerate(run.trials.values())}
    return listed(Side("", trials, final(run), bool(run.plan.imported)))


def _unplanned(run: Run) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """What is not as the plan says, with the evaluations of which that is so."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in run.evals.to_dict("records"):
        header = {str(key): value for key, value in row.items()}
        held = dict(flat(header))
        for key, planned in _wanted(run, header).items():
            value = held.get(key, ABSENT)
            if canonical(value) != canonical(planned):
                what = f"{name_of(key)} is {shown(key, value)}, but {shown(key, planned)} in the plan"
                found.setdefault(what, []).append(header)
    yield from found.items()


def _wanted(run: Run, header: Mapping[str, Any]) -> dict[str, Any]:
    """The plan's word on the fields of a header; without what the plan does not say."""
    plan = run.plan
    headline = header["arm"] == START or header["grid"] == plan.grid_rollouts[-1]
    k = (plan.benchmarks if headline else plan.curve_benchmarks).get(header["benchmark"])
    said = plan.evaluation
    return {
        "template": plan.template,
        "limit": said.get("limit"),
        **({} if k is None else {"k": k}),
        **({"engine": said["engine"]} if said.get("engine") else {}),
        **{f"sampling.{key}": said[key] for key in SAMPLING if key in said},
    }


def _parts(run: Run, found: Mismatch) -> str:
    """`(by grpo seed 1)`: the fewer ones, of those that differ."""
    table = where(run.evals, run.evals["benchmark"] == found.benchmark)
    rows = [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
    values = [canonical(dict(flat(row)).get(found.key)) for row in rows]
    usual = Counter(values).most_common(1)[0][0]
    return f"({_who([row for row, value in zip(rows, values, strict=True) if value != usual])})"


def _who(rows: Collection[Mapping[str, Any]]) -> str:
    """`grpo seed 1, step 8, mini_sums`"""
    seeds = ["" if int(row["seed"]) < 0 else f" seed {row['seed']}" for row in rows]
    names = [f"{row['arm']}{s}, step {row['step']}, {row['benchmark']}" for row, s in zip(rows, seeds, strict=True)]
    more = len(names) - _MOST_NAMED
    shown_names = names[:_MOST_NAMED] if more > 0 else names
    return "; ".join([*shown_names, *([f"{plural(more, 'more evaluation')}"] if more > 0 else [])])


def _refusal(root: Path, found: list[str]) -> str:
    more = [f"and {len(found) - _MOST_SAID} more"] if len(found) > _MOST_SAID else []
    return (
        f"{root}: evaluations are not as planned, or not all made in one way: "
        f"{'; '.join([*found[:_MOST_SAID], *more])}.\n"
        "Delete the folders of these evaluations and run the experiment again, which makes them anew; or say why it "
        "does not matter: --accept REASON, which the report prints."
    )


def _one_version(run: Run) -> Run:
    """Where a benchmark was asked in two versions and that is accepted: as the first, if its problems have the same
    ids. Others cannot be put together, and are refused as ever."""
    seen: dict[str, list[tuple[str, list[str]]]] = {}
    for e, (name, version) in enumerate(zip(run.evals["benchmark"], run.evals["benchmark_hash"], strict=True)):
        seen.setdefault(str(name), []).append((str(version), run.attempts[e].ids))
    first = {
        name: asked[0][0]
        for name, asked in seen.items()
        if len({version for version, _ in asked}) > 1 and all(ids == asked[0][1] for _, ids in asked)
    }
    return replace(run, evals=same_problems.adopt(run.evals, first)) if first else run
