"""What binds a file of a run to those it rests on: SHA-256 of their bytes.

    plan.json      its lock is a hash of itself
    trial.json     holds the hashes of plan.json and data.json
    checkpoint     seal.json: of its files, and of the lines of steps.jsonl up to it
    evaluation     seal.json: of header, attempts and order, and of the file that the evaluation rests on
    done.json      of trial.json, steps.jsonl, and the attempts of every evaluation
    report/        seal.json: of its files, and of what it was made of

This finds slips: a file that was swapped, renamed, cut off, edited, or brought from another run. It finds no forger,
who can work all of it out anew. `chain.py` goes through it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypedDict

from harness.base.fingerprint import fingerprint
from harness.records.fields import LATER, without
from harness.records.files import opened
from harness.records.layout import SEAL, START, EvalFolder
from harness.records.origins import ImportRecord
from harness.records.record import Record

_NOT_LOCKED = ("lock", "lock_version", "seals", "unlocked")
_UNLOCKED = {
    "recipe": ("microbatch_tokens", "checkpoint_steps"),
    "local": (),
    "verl": (
        *("nodes", "gpus_per_node", "tensor_parallel", "sequence_parallel", "gradient_checkpointing"),
        *("offload", "sampler_memory", "stall_seconds"),
    ),
}
"""what locks of rule 2 left out before plans said so themselves"""


def file_hash(file: Path) -> str:
    """SHA-256 in hex, read in pieces. Raises: DataError if it is not there, or no file: a pipe would be waited for."""
    with opened(file, "Bring it back from a copy, or make it again.") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def lock_of(plan: Mapping[str, Any], keys: Mapping[str, Sequence[str]]) -> str:
    """The lock by rule 2: a hash of what fixes a number's meaning. Keys that came later are not in a plan at the value
    that means the old behaviour, so old locks stay.

    Args:
        plan: as its file has it.
        keys: of `recipe` and of the backend's settings, those that say how and where a thing is computed: left out.
    """
    recipe, backend = tuple(keys.get("recipe", ())), plan["backend"]
    data = {**plan, "recipe": without(plan["recipe"], recipe)}
    data["arms"] = [{**arm, "recipe_differences": without(arm["recipe_differences"], recipe)} for arm in plan["arms"]]
    if data.get(backend):
        data[backend] = without(data[backend], tuple(keys.get(backend, ())))
    return fingerprint(plan=without(data, _NOT_LOCKED))


def lock_in(plan: Mapping[str, Any]) -> str | None:
    """The lock that follows from a plan of ours, as its file has it, by the rule that it names; None where that cannot
    be told, for it was locked before plans said which settings of a plug-in's backend the lock leaves out."""
    if plan.get("lock_version", 1) == 1:
        return fingerprint(plan={**without(plan, _NOT_LOCKED), "lock": ""})
    if plan.get("seals"):
        return lock_of(plan, plan.get("unlocked", {}))
    return lock_of(plan, _UNLOCKED) if plan["backend"] in _UNLOCKED else None


def import_lock(plan: Mapping[str, Any], record: ImportRecord) -> str:
    """An import's: a hash of its plan, and of what was read."""
    return fingerprint(plan={**plan, "lock": ""}, files=read_hashes(record))


def read_hashes(record: ImportRecord) -> dict[str, Any]:
    """Of an import: the files that were read, and the options that decided what was read of them."""
    return {"files": [file["sha256"] for file in record.files], "options": record.options}


class SealedBefore(TypedDict):
    """What an evaluation was before marks were made again."""

    header: str
    attempts: str


@dataclass(frozen=True)
class EvalSeal(Record):
    """`seal.json` of an evaluation, written when it is complete."""

    header: str
    """of eval.json"""
    attempts: str
    """of attempts.parquet"""
    rests_on: str
    """of the trial.json or plan.json that says what was evaluated; empty for `rence eval`, where the header says all"""
    order: str = field(default="", metadata=LATER)
    """of order.json, where there is one"""
    before: list[SealedBefore] = field(default_factory=list, metadata=LATER)
    """header and attempts as they were, oldest first, each time that marks were made again"""

    def again(self, header: str, attempts: str) -> Self:
        """For marks that are made again. It is written before them, so that a kill leaves nothing without a seal."""
        now = SealedBefore(header=self.header, attempts=self.attempts)
        if (self.header, self.attempts) == (header, attempts):
            return self
        return replace(self, header=header, attempts=attempts, before=[*self.before, now])

    def half_made(self, header: str, attempts: str) -> bool:
        """Whether a file is still as it was before marks were made again, and the other that or what it is to be."""
        last = self.before[-1] if self.before else None
        # One marker can give other marks a second time, where it ran out of time: then only the attempts differ.
        if last is None or (header, attempts) == (self.header, self.attempts):
            return False
        return header == last["header"] and attempts in (last["attempts"], self.attempts)


def rests_on(folder: EvalFolder) -> Path | None:
    """The file that says what was evaluated: of a trial its header, of the untrained model and of imports the plan;
    None for `rence eval`."""
    place = next((parent.parent for parent in folder.root.parents if parent.name == "evals"), None)
    return ground_of(place) if place else None


def ground_of(place: Path) -> Path | None:
    """What a trial's folder, or the untrained model's, rests on: see `rests_on`."""
    run = place.parent if place.name == START else place.parent.parent
    if (place / "trial.json").exists():
        return place / "trial.json"
    ours = place.name == START or place.name.startswith("seed")
    return run / "plan.json" if ours and (run / "plan.json").exists() else None


def seal(folder: EvalFolder) -> None:
    """Of a complete evaluation, from the bytes that are there."""
    ground = rests_on(folder)
    EvalSeal(
        header=file_hash(folder.header),
        attempts=file_hash(folder.attempts),
        rests_on=file_hash(ground) if ground else "",
        order=file_hash(folder.order) if folder.order.exists() else "",
    ).write(folder.seal)


@dataclass(frozen=True)
class FolderSeal(Record):
    """`seal.json` of a checkpoint or a report."""

    files: dict[str, str]
    """path in the folder -> its hash"""
    rests_on: str
    """of a checkpoint the hash of the lines of steps.jsonl up to it; of a report that of what it was made of"""
    passing: list[str] = field(default_factory=list, metadata=LATER)
    """of a checkpoint, files that only training needs: they may be gone"""


def seal_folder(folder: Path, ground: str, passing: Collection[str] = (), without: Collection[str] = ()) -> None:
    """Of the files in it.

    Args:
        ground: what `rests_on` is.
        passing: files that may be gone later.
        without: folders in it that are left out.
    """
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    hashes = {name: file_hash(folder / name) for name in names if name != SEAL and name.split("/")[0] not in without}
    FolderSeal(hashes, ground, [name for name in passing if name in hashes]).write(folder / SEAL)
