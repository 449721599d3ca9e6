"""The cases that ship, as data. `version()` is a hash of the file: cite it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

NAME = "rence-adversarial"
FILE = Path(__file__).parent / "suite.jsonl"


@dataclass(frozen=True, slots=True)
class SuiteRow:
    """One case of the file."""

    id: str
    """`<kind>/<number>`"""
    kind: str
    group: str
    gold: str
    pred: str
    """a whole response"""
    expected: bool
    reason: str
    rule: str = "maths"
    tolerance: float = 0.0


@cache
def load() -> Sequence[SuiteRow]:
    """All cases, in the order of the file."""
    found = (json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines())
    return tuple(SuiteRow(**{**row, "expected": bool(row["expected"])}) for row in found)


@cache
def version() -> str:
    """`1-` and the first twelve digits of the file's SHA-256."""
    return f"1-{hashlib.sha256(FILE.read_bytes()).hexdigest()[:12]}"
