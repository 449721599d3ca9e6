"""`machines.json` in a folder of `rence eval`: what answered there, for who wants the same answers again."""

from __future__ import annotations

from pathlib import Path

from harness.records.environment import environment
from harness.records.files import SCHEMA, DataError, read_json, write_json

MACHINES = "machines.json"


def note_machine(folder: Path, threads: int) -> None:
    """Add this one, unless it is there; a folder may be gone on with elsewhere.

    Args:
        threads: of the engine's arithmetic.
    """
    path, here = folder / MACHINES, {"processor": environment()["processor"], "threads": threads}
    try:
        before = read_json(path).get("machines", [])
    except DataError:
        before = []
    if here not in before:
        write_json(path, {"schema": SCHEMA, "machines": [*before, here]})
