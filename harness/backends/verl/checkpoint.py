"""What verl adds to a checkpoint, and how to take it away again.

step_<n>/  verl/            the learner's weights and optimiser, a part for each rank
           reference/       a reference that follows the sampler, likewise
           algorithm.json   what the algorithm carries from one update to the next
"""

from __future__ import annotations

import shutil
from pathlib import Path

SHARDS, REFERENCE, STATE = "verl", "reference", "algorithm.json"


def drop_state(checkpoint: Path) -> None:
    """Training is over: what is left is a model. May be called again after a kill."""
    (checkpoint / STATE).unlink(missing_ok=True)
    for name in (SHARDS, REFERENCE):
        shutil.rmtree(checkpoint / name, ignore_errors=True)


def is_dropped(checkpoint: Path) -> bool:
    """Whether training was over when this was written, evaluations included."""
    return not (checkpoint / STATE).exists()
