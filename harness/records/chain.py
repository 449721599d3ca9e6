"""What the files of a run rest on, checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.base.errors import UserError


@dataclass(frozen=True)
class Break:
    file: Path
    what: str
    mend: str


@dataclass(frozen=True)
class Chain:
    state: Literal["sealed", "unsealed"]
    breaks: tuple[Break, ...]
    evidence: str


class BrokenSeal(UserError):
    """A file is not what others rest on."""


def check(root: Path, weights: bool = False) -> Chain:
    return Chain("unsealed", (), "")


def require(root: Path, accept: str | None = None) -> Chain:
    """Raises: BrokenSeal unless whole or accepted."""
    found = check(root)
    if found.breaks and accept is None:
        raise BrokenSeal("\n".join(f"{one.file} {one.what}. {one.mend}" for one in found.breaks[:8]))
    return found
