"""The links of the chain that `chain.py` goes along: what each file of a run must say, and be, for those beside it.

Files from before there were seals are held to what they say of themselves: whose they are, and where they belong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.records.decoded import named_so, sampled_otherwise
from harness.records.evaluations import EvalRecord
from harness.records.files import last_line, read_json, read_jsonl
from harness.records.layout import SEAL, EvalFolder, RunFolder, TrialFolder
from harness.records.origins import ImportRecord
from harness.records.plans import Plan
from harness.records.seals import EvalSeal, FolderSeal, file_hash, import_lock, lock_in, rests_on
from harness.records.trials import DoneRecord, StepRecord, Timing, TrialRecord

_PLAN = "Bring the plan back from a copy, or run what it says now under another `name`"
_IMPORT = "Import again with --clean"
_COUNTERS = {"step": "steps", "rollouts": "rollouts", "tokens": "tokens", "updates": "updates"}
"""of the last line of steps.jsonl -> of done.json"""
_FROM_PLAN = {"initial_weights": "model_hash", "budget_rollouts": "budget_rollouts", "backend": "backend"}
"""of trial.json -> of plan.json"""


@dataclass(frozen=True)
class Break:
    """A file that is not what it was when another came to rest on it."""

    file: Path
    what: str
    """follows the file's name"""
    mend: str
    """what to do"""
    missing: bool = False
    """whether it is not there at all"""
    unfinished: bool = False
    """whether it is what an interrupted run leaves, which the same command finishes"""

    def __str__(self) -> str:
        return f"{self.file} {self.what}. {self.mend}."


@dataclass
class EvidenceLog:
    """What was looked at, each file hashed once."""

    root: Path
    plan: Plan | None
    """of the run, if it is in one"""
    unsealed: bool = False
    """whether something was made before there were seals"""
    _seen: dict[str, str] = field(default_factory=dict)

    def hash(self, file: Path) -> str:
        """Of a file below `root`, worked out when it is first asked for."""
        name = file.absolute().relative_to(self.root.absolute()).as_posix()
        if name not in self._seen:
            self._seen[name] = file_hash(file)
        return self._seen[name]

    @property
    def files(self) -> int:
        return len(self._seen)

    @property
    def digest(self) -> str:
        """Over names and hashes, whatever their order."""
        lines = (f"{name}\0{digest}\n" for name, digest in sorted(self._seen.items()))
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def plan_breaks(run: RunFolder, log: EvidenceLog) -> Iterator[Break]:
    """The lock is worked out from the plan it stands in; an import's, from the files that were read, too."""
    plan = log.plan
    assert plan is not None
    log.hash(run.plan)
    log.unsealed |= not plan.seals
    data = read_json(run.plan)
    if not plan.imported:
        if lock_in(data) not in (None, plan.lock):
            yield Break(run.plan, "is not the plan that was locked: its lock does not follow from it", _PLAN)
        return
    if not run.imported.exists():
        yield Break(run.imported, "is missing", _IMPORT, missing=True)
        return
    if plan.import_hash and log.hash(run.imported) != plan.import_hash:
        yield Break(run.imported, "is not what plan.json was made with", _IMPORT)
    if import_lock(data, ImportRecord.read(run.imported)) != plan.lock:
        yield Break(run.plan, "is not the plan that was locked: its lock does not follow from it", _IMPORT)


def trial_breaks(place: TrialFolder, arm: str, seed: int, log: EvidenceLog, weights: bool = False) -> Iterator[Break]:
    """Of one trial, begun or complete; of an import, which has no trials, its evaluations.

    Args:
        arm, seed: whose the folder is.
    """
    plan, folders = log.plan, place.evals()
    if not place.trial.exists():
        if plan and not plan.imported and (folders or place.done.exists()):
            yield Break(place.trial, "is missing, and the trial has results", _again(place.root), missing=True)
        for folder in folders:
            said = {"arm": arm, "seed": seed, "step": _step(folder)}
            yield from evaluation(folder, said, log, must=bool(plan and plan.seals))
        return
    header = TrialRecord.read(place.trial)
    done = DoneRecord.read(place.done) if place.done.exists() else None
    log.hash(place.trial)
    log.unsealed |= not header.plan
    yield from _header(place, header, arm, seed, log)
    yield from timing_breaks(place.timing, place.trial, log)
    if done is not None:
        log.hash(place.done)
        yield from _done(place, header, done, log) if header.plan or done.trial else ()
    steps = {row.step: row.rollouts for row in read_jsonl(place.steps, StepRecord)} if header.plan else {}
    for folder in folders:
        said: dict[str, Any] = {"arm": arm, "seed": seed, "step": _step(folder)}
        if header.plan:
            if steps:  # else it has been said that they are missing
                said["rollouts"] = steps.get(_step(folder))
            if done is not None and done.final_weights and _step(folder) == done.steps:
                said["model_hash"] = done.final_weights
        # done.json counts on each: one alone cannot be asked anew
        yield from evaluation(folder, said, log, bool(header.plan), _again(place.root) if done else "")
    for checkpoint in sorted(place.checkpoints.glob("step_*")) if weights else ():
        yield from checkpoint_breaks(checkpoint, log, must=bool(header.plan))


def _header(place: TrialFolder, header: TrialRecord, arm: str, seed: int, log: EvidenceLog) -> Iterator[Break]:
    """The trial's, against its place, the plan and what it was trained on."""
    if (header.arm, header.seed) != (arm, seed):
        yield Break(place.trial, f"is of {header.arm} seed {header.seed}, not {arm} seed {seed}", _again(place.root))
    plan, run = log.plan, RunFolder(log.root)
    if plan is None:
        return
    if header.experiment != plan.experiment:
        what = f"is of the experiment `{header.experiment}`, not `{plan.experiment}`"
        yield Break(place.trial, what, _again(place.root))
    if not header.plan:
        return
    if header.plan != log.hash(run.plan):
        yield Break(run.plan, f"is not the plan that {arm} seed {seed} was trained by", _PLAN)
    if not run.data.exists():
        yield Break(run.data, "is missing", _again(run.root), missing=True)
    elif header.data != log.hash(run.data):
        yield Break(run.data, f"is not of the problems that {arm} seed {seed} was trained on", _again(run.root))
    for ours, theirs in _FROM_PLAN.items():
        if getattr(header, ours) != getattr(plan, theirs):
            yield Break(place.trial, f"has another `{ours}` than plan.json", _again(place.root))


def _done(place: TrialFolder, header: TrialRecord, done: DoneRecord, log: EvidenceLog) -> Iterator[Break]:
    """What a complete trial was made of: its header, its steps, its evaluations; and that its numbers agree."""
    with_done = "is not what done.json was made with"
    if done.trial != log.hash(place.trial):
        yield Break(place.trial, with_done, _again(place.root))
    if not place.steps.exists():
        if done.steps:
            yield Break(place.steps, "is missing", _again(place.root), missing=True)
    elif done.step_lines != log.hash(place.steps):
        yield Break(place.steps, with_done, _again(place.root))
    else:
        last = last_line(place.steps, StepRecord)
        pairs = _COUNTERS.items() if last else ()
        wrong = [theirs for ours, theirs in pairs if getattr(last, ours) != getattr(done, theirs)]
        if wrong:
            yield Break(place.done, f"and steps.jsonl differ in {', '.join(wrong)}", _again(place.root))
    if done.status == "finished" and done.rollouts < header.budget_rollouts:
        what = f"says finished after {done.rollouts} rollouts of {header.budget_rollouts}"
        yield Break(place.done, what, _again(place.root))
    # a trial that diverged has no final weights and a reason, and one that finished the other way round
    if not (bool(done.final_weights) == (done.status == "finished") == (not done.reason)):
        what = f"says {done.status}, which its final weights and its reason do not"
        yield Break(place.done, what, _again(place.root))
    there = {f"step_{_step(folder)}/{folder.root.name}": folder for folder in place.evals()}
    for name, digest in done.evaluations.items():
        folder = there.get(name)
        if folder is not None and folder.attempts.exists() and folder.open_attempts.exists():
            yield Break(folder.open_attempts, "is there again beside complete attempts", "Move it away")
        elif folder is None or not folder.complete:
            where = place.root / "evals" / name
            yield Break(where, "is missing, and done.json counts on it", _again(place.root), missing=True)
        elif digest not in _known_attempts(folder, log):
            yield Break(folder.attempts, with_done, _again(place.root))
    for name in sorted(there.keys() - done.evaluations.keys()):
        yield Break(there[name].root, "was put there after the trial was done", "Move it away")


def _known_attempts(folder: EvalFolder, log: EvidenceLog) -> list[str]:
    """Hashes of what was there when the trial was done: marks may have been made again since."""
    if not folder.seal.exists():
        return [log.hash(folder.attempts)]
    seal = EvalSeal.read(folder.seal)
    return [seal.attempts, *(one["attempts"] for one in seal.before)]


def evaluation(
    folder: EvalFolder, said: Mapping[str, Any], log: EvidenceLog, must: bool = False, again: str = ""
) -> Iterator[Break]:
    """Of one evaluation, open or complete.

    Args:
        said: what its header must say, by where it is.
        must: whether it must have a seal when it is complete.
        again: what to do about it, if that is not to ask it anew.
    """
    again = again or (_IMPORT if log.plan and log.plan.imported else _again(folder.root))
    header, digest = EvalRecord.read(folder.header), log.hash(folder.header)
    for name, value in {**said, **named_so(folder, header, log.plan)}.items():
        if getattr(header, name) != value:
            belongs = "nothing" if value in ("", None) else value
            what = f"says `{name}: {getattr(header, name)}`, where {belongs} belongs"
            yield Break(folder.header, what, again)
    for name, here, planned in sampled_otherwise(folder, header, log.plan):
        what = f"says `{name}: {here}`, and the plan's decoding has {planned}"
        yield Break(folder.header, what, again)
    if not folder.complete:
        return
    attempts = log.hash(folder.attempts)
    if not folder.seal.exists():
        log.unsealed = True
        if must or header.seals:
            yield Break(folder.seal, "is missing", again, missing=True)
        return
    log.hash(folder.seal)
    seal = EvalSeal.read(folder.seal)
    # between two writes of `attempts.rewrite`: nothing is wrong that the next run does not finish
    if seal.half_made(digest, attempts):
        mend = "Run the same experiment or evaluation again, which finishes that"
        yield Break(folder.root, "was being marked again, and that was interrupted", mend, unfinished=True)
        return
    for path, held, found in (
        (folder.header, seal.header, digest),
        (folder.attempts, seal.attempts, attempts),
        (folder.order, seal.order, log.hash(folder.order) if folder.order.exists() else ""),
    ):
        if not found and held:
            yield Break(path, "is missing", again, missing=True)
        elif found != held:
            yield Break(path, f"is not what {SEAL} beside it was made with", again)
    ground = rests_on(folder)
    if seal.rests_on and (ground is None or log.hash(ground) != seal.rests_on):
        what = "was made with another plan or trial" if ground is None else f"was made with another {ground.name}"
        yield Break(folder.root, what, again)


def timing_breaks(timing: Path, ground: Path, log: EvidenceLog) -> Iterator[Break]:
    """Whether times are those of the trial, or of the untrained model, that they lie beside. What they say is bound by
    nothing: it differs between an uninterrupted run and a resumed one.

    Args:
        ground: the file that they rest on.
    """
    said = Timing.read(timing).rests_on if timing.exists() else ""
    if said and said != log.hash(ground):
        yield Break(timing, f"is of another {ground.name}", "Bring it back from a copy, or delete it")


def checkpoint_breaks(checkpoint: Path, log: EvidenceLog, must: bool = False) -> Iterator[Break]:
    """Of its files; those that only training needs may be gone.

    Args:
        must: whether it must have a seal.
    """
    if not (checkpoint / SEAL).exists():
        log.unsealed = True
        if must:
            yield Break(checkpoint / SEAL, "is missing", _again(checkpoint.parent.parent), missing=True)
        return
    seal = FolderSeal.read(checkpoint / SEAL)
    for name, held in seal.files.items():
        if not (checkpoint / name).is_file():
            if name not in seal.passing:
                yield Break(checkpoint / name, "is missing", _again(checkpoint.parent.parent), missing=True)
        elif log.hash(checkpoint / name) != held:
            what = f"is not what {SEAL} beside it was made with"
            yield Break(checkpoint / name, what, _again(checkpoint.parent.parent))


def _again(where: Path) -> str:
    return f"Bring it back from a copy, or delete {where} and run the same again"


def _step(folder: EvalFolder) -> int:
    return int(folder.root.parent.name.removeprefix("step_"))
