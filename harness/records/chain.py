"""Whether a folder is what was planned, trained and answered: whether every file rests on what it says (`seals.py`).

Standard library only: attempts are hashed here, and read where they are shown.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.base.errors import UserError
from harness.records.evaluations import EvalRecord
from harness.records.files import real_path
from harness.records.layout import START, EvalFolder, RunFolder, TrialFolder
from harness.records.links import Break, EvidenceLog, evaluation, plan_breaks, timing_breaks, trial_breaks
from harness.records.plans import Plan
from harness.records.scores_alone import scores_only
from harness.records.seed_scores import scores_breaks
from harness.records.trials import TrialRecord

__all__ = ["Break", "BrokenSeal", "Chain", "check", "require"]
_MOST_NAMED = 8


@dataclass(frozen=True)
class Chain:
    """What was found."""

    state: Literal["sealed", "unsealed"]
    """unsealed: made before there were seals, all or in part"""
    breaks: tuple[Break, ...]
    """empty: whole"""
    evidence: str
    """hash of the names and the contents of everything that was looked at: what a report rests on"""
    files: int
    """that were looked at"""

    @property
    def unfinished(self) -> bool:
        """Whether an interrupted run left something half made."""
        return any(one.unfinished for one in self.breaks)


class BrokenSeal(UserError):
    """Something is not what was planned, trained and answered. Ends a command with exit code 2."""

    def __init__(self, root: Path, breaks: tuple[Break, ...]) -> None:
        more = len(breaks) - _MOST_NAMED
        lines = [
            f"{root} is not as it was made:",
            *(f"  {one}" for one in breaks[:_MOST_NAMED]),
            *([f"  and {more} more"] if more > 0 else []),
            f"`rence verify {root}` shows all. Where a command has --accept REASON, that goes on and is printed.",
        ]
        super().__init__("\n".join(lines))
        self.breaks = breaks


def require(root: Path, accept: str | None = None, going_on: bool = False) -> Chain:
    """The chain of a folder.

    Args:
        accept: why breaks do not matter; None: they are refused.
        going_on: whether what an interrupted run left half made is about to be finished, and so no reason to refuse.
    Raises: BrokenSeal; DataError for a file that cannot be read.
    """
    found = check(root)
    broken = tuple(one for one in found.breaks if not (going_on and one.unfinished))
    if broken and accept is None:
        raise BrokenSeal(root, broken)
    return found


def check(root: Path, weights: bool = False) -> Chain:
    """
    Args:
        root: a run folder, an arm's or a trial's folder, or one of `rence eval`.
        weights: check the files of checkpoints, too, which takes about a second a gigabyte.
    Raises: DataError for a file that cannot be read.
    """
    if only := scores_only(root):
        log = EvidenceLog(only.root, None)
        return Chain("sealed", tuple(scores_breaks(only, log)), log.digest, log.files)
    run, root = _run_of(root)
    evidence = EvidenceLog(run.root if run else root, Plan.read(run.plan) if run else None)
    breaks = tuple(_of_run(root, run, evidence, weights) if run else _without_plan(root, evidence, weights))
    return Chain("unsealed" if evidence.unsealed else "sealed", breaks, evidence.digest, evidence.files)


def _run_of(root: Path) -> tuple[RunFolder | None, Path]:
    """The run that a folder is, or is an arm or a trial of, and the folder by a name without `..` or links, if those
    are in its way: however a folder is called, it is held to the same plan."""
    for name in (root, Path(os.path.abspath(root)), real_path(root)):
        for depth, path in enumerate((name, *list(name.absolute().parents)[:2])):
            run = RunFolder(path)
            if not run.plan.exists():
                continue
            plan = Plan.read(run.plan)
            arms = [run.root / arm for arm in (START, *(arm.name for arm in plan.arms))]
            places = {0: [run.root], 1: arms, 2: [arm / f"seed{seed}" for arm in arms for seed in plan.seeds]}[depth]
            if any(place.absolute() == name.absolute() for place in places):
                return run, name
            break
    return None, root


def _of_run(root: Path, run: RunFolder, evidence: EvidenceLog, weights: bool) -> Iterator[Break]:
    """The plan, and of the rest what is at or below `root`."""
    plan = evidence.plan
    assert plan is not None
    yield from plan_breaks(run, evidence)

    def within(place: Path) -> bool:
        return root.absolute() in (place.absolute(), *place.absolute().parents)

    if within(run.root / START):
        for header in sorted(run.root.glob(f"{START}/evals/*/eval.json")):
            known = {"model_hash": plan.model_hash} if plan.seals and not plan.imported else {}
            said = {"arm": START, "seed": None, "step": 0, **known}
            yield from evaluation(EvalFolder(header.parent), said, evidence, must=bool(plan.seals))
        yield from timing_breaks(run.root / START / "timing.json", run.plan, evidence)
    for arm in plan.arms:
        for seed in plan.seeds:
            place = run.trial(arm.name, seed)
            if within(place.root):
                yield from trial_breaks(place, arm.name, seed, evidence, weights)


def _without_plan(root: Path, evidence: EvidenceLog, weights: bool) -> Iterator[Break]:
    """Trials that were taken out of their run, or a folder of `rence eval`."""
    above = [RunFolder(path) for path in list(root.absolute().parents)[:2]]
    run = next((one for one in above if one.plan.exists()), None)
    for path in [*root.glob("trial.json"), *sorted(root.glob("seed*/trial.json"))]:
        header = TrialRecord.read(path)
        if run:
            what = f"is of {header.arm} seed {header.seed}, and {run.plan} has no trial here"
            yield Break(path, what, f"Move the folder out of {run.root}, or give it its own name again")
        yield from trial_breaks(TrialFolder(path.parent), header.arm, header.seed, evidence, weights)
    headers = sorted(root.glob("evals/*/eval.json"))
    # one model asked in one way: whose it is stands in every header, and in none more than in the others
    said = {"arm": (first := EvalRecord.read(headers[0])).arm, "model_hash": first.model_hash} if headers else {}
    for path in headers:
        yield from evaluation(EvalFolder(path.parent), said, evidence)
