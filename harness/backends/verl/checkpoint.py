"""What verl adds to a checkpoint, and how to take it away again.

step_<n>/  verl/            the learner's weights and optimiser in fp32, for any number of ranks (`sharded.py`)
           sampler/         what a sampler that lags behind the learner holds, likewise
           reference/       a reference that follows the sampler, likewise
           algorithm.json   what the algorithm carries from one update to the next
"""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.base.errors import UserError

SHARDS, SAMPLER, REFERENCE, STATE = "verl", "sampler", "reference", "algorithm.json"


def drop_state(checkpoint: Path) -> None:
    """Training is over: what is left is a model. May be called again after a kill."""
    (checkpoint / STATE).unlink(missing_ok=True)
    for name in (SHARDS, SAMPLER, REFERENCE):
        shutil.rmtree(checkpoint / name, ignore_errors=True)


def check_ranks(checkpoint: Path, devices: int) -> None:
    """Raises: UserError if the checkpoint is of an earlier version, which left it to verl to write a file for each
    device, and there are not as many now."""
    written = len(list((checkpoint / SHARDS).rglob("model_world_size_*_rank_*.pt")))
    if written and written != devices:
        raise UserError(
            f"{checkpoint} was written by an earlier version of rence-bench on {written} devices (`verl.nodes` x "
            f"`verl.gpus_per_node`), which cannot go on on {devices}.\nGo on with {written} to its next checkpoint, "
            f"which any number can go on from, or start that trial over: remove {checkpoint.parent.parent}."
        )


def is_dropped(checkpoint: Path) -> bool:
    """Whether training was over when this was written, evaluations included."""
    return not (checkpoint / STATE).exists()
