"""`machines.json` in a folder of `rence eval`: what answered there, for who wants the same answers again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from harness.records.allowed import Count
from harness.records.environment import environment
from harness.records.files import DataError
from harness.records.record import Record

MACHINES = "machines.json"


class MachineRecord(TypedDict):
    """One that answered."""

    processor: str
    threads: Count


@dataclass(frozen=True)
class MachinesRecord(Record):
    """`machines.json`."""

    machines: list[MachineRecord]


def note_machine(folder: Path, threads: int) -> None:
    """Add this one, unless it is there; a folder may be gone on with elsewhere.

    Args:
        threads: of the engine's arithmetic.
    """
    path, here = folder / MACHINES, MachineRecord(processor=environment()["processor"], threads=threads)
    try:
        before = MachinesRecord.read(path).machines
    except DataError:
        before = []
    if here not in before:
        MachinesRecord([*before, here]).write(path)
