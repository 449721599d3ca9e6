"""What binds a file of a run to those it rests on: SHA-256 of their bytes.

    plan.json      its lock is a hash of itself
    trial.json     holds the hashes of plan.json and data.json
    checkpoint     seal.json: of its files, and of the lines of steps.jsonl up to it
    evaluation     seal.json: of header, attempts and order, and of the file that the evaluation rests on
    done.json      of trial.json, steps.jsonl, and the attempts of every evaluation
    report/        seal.json: of its files, and of what it was made of

This finds slips: a file that was swapped, renamed, cut off, edited, or brought from another run. It finds no forger, who
can work all of it out anew. `chain.py` goes through it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from harness.base.fingerprint import fingerprint
from harness.records.fields import LATER, without
from harness.records.layout import SEAL, EvalFolder
from harness.records.record import Record

RUNTIME_KEYS = {
    "recipe": ("microbatch_tokens", "checkpoint_steps"),
    "verl": (
        *("nodes", "gpus_per_node", "tensor_parallel", "sequence_parallel", "gradient_checkpointing"),
        *("offload", "sampler_memory", "stall_seconds"),
    ),
}
"""what locks of rule 2 left out before plans said it themselves: how a thing is computed, not what"""


def file_hash(file: Path) -> str:
    """SHA-256 in hex, read in pieces."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def lock_of(plan: Mapping[str, Any], unlocked: Mapping[str, Sequence[str]]) -> str:
    """The lock of a plan of ours, by rule 2: a hash of what fixes a number's meaning.

    Args:
        plan: as its file has it.
        unlocked: keys that say how and where things are computed, of `recipe` and of the backend's settings.
    """
    recipe = tuple(unlocked.get("recipe", ()))
    data = {**plan, "recipe": without(plan["recipe"], recipe)}
    data["arms"] = [{**arm, "recipe_differences": without(arm["recipe_differences"], recipe)} for arm in plan["arms"]]
    backend = plan["backend"]
    if data.get(backend):
        data[backend] = without(data[backend], tuple(unlocked.get(backend, ())))
    return fingerprint(plan=without(data, ("lock", "lock_version", "seals", "unlocked")))


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
    before: list[dict[str, str]] = field(default_factory=list, metadata=LATER)
    """header and attempts as they were, oldest first, each time that marks were made again"""

    def again(self, header: str, attempts: str) -> Self:
        """For marks that are made again. It is written before them, so that a kill leaves nothing without a seal."""
        now = {"header": self.header, "attempts": self.attempts}
        if now == {"header": header, "attempts": attempts}:
            return self
        return replace(self, header=header, attempts=attempts, before=[*self.before, now])

    def half_made(self, header: str, attempts: str) -> bool:
        """Whether a file is still as it was before marks were made again, and the other that or what it is to be."""
        last = self.before[-1] if self.before else {}
        return header == last.get("header") and attempts in (last.get("attempts"), self.attempts)


def rests_on(folder: EvalFolder) -> Path | None:
    """The file that says what was evaluated: of a trial its header, of the untrained model and of imports the plan;
    None for `rence eval`."""
    evals = next(parent for parent in folder.root.parents if parent.name == "evals")
    trial, plans = evals.parent / "trial.json", [parent / "plan.json" for parent in list(evals.parents)[1:3]]
    return next((path for path in (trial, *plans) if path.exists()), None)


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
    rests_on: str = ""
    """of the lines of steps.jsonl up to this checkpoint; what the report was made of"""


def seal_folder(folder: Path, ground: str) -> None:
    """Of all files in it but hidden ones."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    found = {path.relative_to(folder).as_posix(): path for path in files}
    hashes = {name: file_hash(found[name]) for name in sorted(found) if name != SEAL}
    FolderSeal(hashes, ground).write(folder / SEAL)
