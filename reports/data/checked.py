"""What a result rests on: whether its files were sealed, and what was let through by `--accept REASON`.

Raises, everywhere in this module: ValueError for a reason without words.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from harness.records import chain
from harness.records.foreign import visible

NOT_GIVEN = "not given (--allow-unmatched)"
"""the reason where the option of older versions was used, which asks for none"""


@dataclass(frozen=True)
class Checked:
    """Of all that a result was made from."""

    state: Literal["sealed", "unsealed"] = "unsealed"
    """unsealed: a part of it was made before files had seals"""
    evidence: str = ""
    """SHA-256 over what was checked"""
    reason: str = ""
    """in the user's words; empty where nothing was let through"""
    what: tuple[str, ...] = ()
    """what was let through: broken seals and mismatches, in words"""

    @property
    def accepted(self) -> bool:
        """Whether anything was let through: then nothing may be called matched, or as planned."""
        return bool(self.what)

    @property
    def sealed(self) -> Literal["sealed", "accepted", "unsealed"]:
        """In one word."""
        return "accepted" if self.accepted else self.state

    @property
    def words(self) -> str:
        """In the place of `matched`: `accepted: REASON`"""
        return f"accepted: {self.reason.rstrip('.')}"

    @property
    def sentences(self) -> list[str]:
        """For the eyes of whoever reads the verdict; none where nothing was let through."""
        if not self.accepted:
            return []
        return [f"Accepted: {self.reason.rstrip('.')}. Let through: {'; '.join(self.what)}."]

    @property
    def unsealed(self) -> list[str]:
        """For the fine print."""
        return ["unsealed (made before files had seals)"] if self.state == "unsealed" else []

    def letting(self, what: Iterable[str], accept: str | None) -> Checked:
        """With more that was let through.

        Args:
            accept: why, where nothing was before.
        """
        found = tuple(dict.fromkeys([*self.what, *what]))
        return replace(self, reason=reason(accept) or self.reason, what=found) if found else self

    def beside(self, other: Checked) -> Checked:
        """Of both."""
        state = "unsealed" if "unsealed" in (self.state, other.state) else "sealed"
        what = tuple(dict.fromkeys([*self.what, *other.what]))
        return Checked(state, " ".join([self.evidence, other.evidence]).strip(), self.reason or other.reason, what)

    def to_json(self) -> dict[str, Any]:
        """The keys `sealed` and `accepted` of verdict.json and of what commands print."""
        accepted = {"reason": self.reason, "what": list(self.what)} if self.accepted else None
        return {"sealed": self.sealed, "accepted": accepted}


UNCHECKED = Checked()
"""of what nobody looked at"""


def check(root: Path, accept: str | None) -> Checked:
    """The chain of seals of a run, an arm, a trial, or a folder of `rence eval`.

    Args:
        accept: why a broken seal does not matter; None: it does.

    Raises: BrokenSeal.
    """
    why = reason(accept)
    found = chain.require(root, why)
    broken = tuple(f"{_inside(one.file, root)} {one.what}" for one in found.breaks)
    return Checked(found.state, found.evidence, why or "" if broken else "", broken)


def reason(accept: str | None) -> str | None:
    """On one line, and nothing in it that acts unseen."""
    if accept is None:
        return None
    words = visible(" ".join(accept.split()))
    if not words:
        raise ValueError("`--accept` needs a reason, in words: it is printed with the result.")
    return words


def _inside(file: Path, root: Path) -> str:
    """Its name as seen from the folder, so that a report does not depend on where that is."""
    return Path(os.path.relpath(file, root)).as_posix()
