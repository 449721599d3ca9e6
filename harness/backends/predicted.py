"""What a backend foresees of an experiment: memory, disk and hours, and what it assumes. No lock has any of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.models.shape import ModelShape


@dataclass(frozen=True)
class Workload:
    """What a backend is asked to foresee."""

    shape: ModelShape
    parameters: int
    asked: Sequence[tuple[str, int]]
    """decoding and answers of each benchmark at each point of one trial"""
    asked_start: Sequence[tuple[str, int]]
    """likewise, of the untrained model"""
    response_tokens: float | None = None
    """how long a response is expected to be, on average; None: not known, and nothing is expected"""
    folder: Path | None = None
    """of the initial weights; None: they are not on this machine"""


@dataclass(frozen=True)
class MemoryPhase:
    """Of a trial: what is in memory at once, at most."""

    name: str
    parts: Mapping[str, int]
    """what -> bytes"""

    @property
    def bytes(self) -> int:
        return sum(self.parts.values())


@dataclass(frozen=True)
class DeviceHours:
    """Of the whole experiment, on one type of device."""

    device: str
    memory: int
    """bytes that a device has"""
    needed: int
    """bytes that the largest phase takes"""
    at_most: Mapping[str, float]
    """what -> device-hours, with every response as long as it may be"""
    expected: Mapping[str, float] | None
    """the same at the expected length of a response; None where that is not known"""


@dataclass(frozen=True)
class Prediction:
    """Empty where a backend foresees nothing."""

    unit: str = ""
    memory: tuple[MemoryPhase, ...] = ()
    """of one device; what hangs on the device's own size is of the first type"""
    host: tuple[MemoryPhase, ...] = ()
    """of one machine"""
    checkpoint_bytes: int = 0
    """of one checkpoint that a trial can go on from"""
    hours: tuple[DeviceHours, ...] = ()
    assumed: tuple[str, ...] = ()
    """what the figures rest on and is not known, in sentences"""
    response_tokens: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Bytes and hours; `expected` is null where no length of a response is expected."""
        return {
            "unit": self.unit,
            "response_tokens": self.response_tokens,
            "memory": [_phase(one) for one in self.memory],
            "host_memory": [_phase(one) for one in self.host],
            "checkpoint_bytes": self.checkpoint_bytes,
            "hours": [
                {
                    "device": one.device,
                    "memory_bytes": one.memory,
                    "needed_bytes": one.needed,
                    "at_most": {**one.at_most, "all": total(one.at_most)},
                    "expected": {**one.expected, "all": total(one.expected)} if one.expected else None,
                }
                for one in self.hours
            ],
            "assumed": list(self.assumed),
        }


def total(parts: Mapping[str, float]) -> float:
    return sum(parts.values())


def _phase(one: MemoryPhase) -> dict[str, Any]:
    return {"phase": one.name, "bytes": one.bytes, "parts": dict(one.parts)}
