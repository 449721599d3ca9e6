"""Checkpoints: Hugging Face layout, with the trainer's own state beside it, written whole or not at all.

    step_<n>/  config.json  model.safetensors  tokenizer...   what every engine can load
               trainer.json                                   counters
               ...                                            the backend's state; dropped when training ends

The folder is written under another name and renamed, so its existence means that it is complete.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.backends.base import TrainingResult
from harness.base.errors import naming
from harness.records import TrialFolder, read_json, read_whole, to_disk, write_json
from harness.records.allowed import Whole
from harness.records.chain import BrokenSeal
from harness.records.layout import SEAL, is_step
from harness.records.links import Break, EvidenceLog, checkpoint_breaks
from harness.records.seals import FolderSeal, file_hash, seal_folder

if TYPE_CHECKING:
    from harness.backends.collect import Collected

PROGRESS = "trainer.json"


@dataclass(frozen=True)
class TrainingProgress:
    """Counters over the whole trial, after `step` steps."""

    step: Whole = 0
    rollouts: Whole = 0
    tokens: Whole = 0
    updates: Whole = 0
    cursor: Whole = 0
    discarded_rollouts: Whole = 0
    grid: Whole | None = None
    """the evaluation point that this step reached, if any"""

    def after(self, collected: Collected, updates: int, grid_rollouts: Sequence[int]) -> TrainingProgress:
        """One step later."""
        rollouts = self.rollouts + collected.rollouts
        reached = [point for point in grid_rollouts if self.rollouts < point <= rollouts]
        return TrainingProgress(
            step=self.step + 1,
            rollouts=rollouts,
            tokens=self.tokens + collected.tokens,
            updates=updates,
            cursor=self.cursor + len(collected.generated),
            discarded_rollouts=self.discarded_rollouts + collected.discarded,
            grid=max(reached, default=None),
        )

    def result(
        self, weights: str, diverged: str = "", generate_seconds: float = 0.0, train_seconds: float = 0.0
    ) -> TrainingResult:
        """Of a trial that ends here."""
        return TrainingResult(
            steps=self.step,
            rollouts=self.rollouts,
            tokens=self.tokens,
            updates=self.updates,
            discarded_rollouts=self.discarded_rollouts,
            final_weights=weights,
            diverged=diverged,
            generate_seconds=generate_seconds,
            train_seconds=train_seconds,
        )


def newest(folder: TrialFolder) -> Path | None:
    """The last complete checkpoint."""
    found = [path for path in folder.checkpoints.glob("step_*") if path.is_dir() and is_step(path)]
    return max(found, key=lambda path: int(path.name.removeprefix("step_")), default=None)


@contextmanager
def writing(
    folder: TrialFolder, progress: TrainingProgress, passing: Collection[str] = (), unsealed: Collection[str] = ()
) -> Iterator[Path]:
    """A new folder to write a checkpoint into. On leaving, it is sealed, on disk and in its place, and older ones are
    gone.

    Args:
        passing: files that only training needs: they are gone when it ends.
        unsealed: folders that only training needs, and that are too large to be hashed each time.
    """
    target = folder.checkpoint(progress.step)
    new = target.with_name(f".{target.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    with naming(target):
        yield new
    write_json(new / PROGRESS, asdict(progress))
    seal_folder(new, file_hash(folder.steps) if folder.steps.exists() else "", passing, unsealed)
    for path in [*new.rglob("*"), new]:
        to_disk(path)
    new.rename(target)
    _drop_others(target)


def _drop_others(checkpoint: Path) -> None:
    for path in checkpoint.parent.glob("step_*"):
        if path != checkpoint and is_step(path):
            shutil.rmtree(path)


def read_progress(checkpoint: Path) -> TrainingProgress:
    """Raises: BrokenSeal if a file of the checkpoint is not what was written; DataError."""
    evidence = EvidenceLog(checkpoint, None)
    breaks = tuple(checkpoint_breaks(checkpoint, evidence))
    if breaks:
        raise BrokenSeal(checkpoint, breaks)
    return read_json(checkpoint / PROGRESS, TrainingProgress, "Delete this checkpoint: the trial then starts anew.")


def cut_back(steps: Path, step: int, checkpoint: Path | None = None) -> None:
    """Keep the lines of steps 1 to `step`; what came after the checkpoint will be done again. Older checkpoints go.

    Args:
        checkpoint: of that step; None: there is none.
    Raises: BrokenSeal if they are not the lines that the checkpoint was written after.
    """
    if not steps.exists():
        return
    kept = read_whole(steps).splitlines(keepends=True)[:step]
    said = FolderSeal.read(checkpoint / SEAL).rests_on if checkpoint and (checkpoint / SEAL).exists() else ""
    if said and hashlib.sha256(b"".join(kept)).hexdigest() != said:
        what = f"does not hold the {step} lines that {checkpoint} was written after"
        mend = f"Bring it back from a copy, or delete {steps.parent} and run the same again"
        raise BrokenSeal(steps.parent, (Break(steps, what, mend),))
    new = steps.with_name(f".{steps.name}.new")
    with naming(steps):
        new.write_bytes(b"".join(kept))
    to_disk(new)
    new.replace(steps)
    if checkpoint:  # a kill may have come before they were gone
        _drop_others(checkpoint)
