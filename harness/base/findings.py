"""What an examination found of a part: rows with a state."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FindingState(StrEnum):
    OK = "ok"
    NOTE = "note"
    """works; worth knowing"""
    NOT_CHECKED = "not checked"
    """whether it works could not be found out; says why"""
    LACKS = "lacks"
    """this part does not work until it is mended"""


@dataclass(frozen=True)
class Finding:
    """One row."""

    part: str
    """what it is about, such as `backend verl`"""
    state: FindingState
    found: str
    mend: str = ""
    """the command, or the step, that mends it"""
