"""What the doctor found: rows with a state, and what they mean for the exit code."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from harness.base.errors import FAILED, OK
from harness.records import SCHEMA

LOCAL = "backend and engine local"
NEEDED = ("python", "rence", LOCAL, "machine", "shipped model")
"""what `rence run` needs with the local backend"""


class FindingState(StrEnum):
    OK = "ok"
    NOTE = "note"
    """works; worth knowing"""
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


@dataclass(frozen=True)
class Checkup:
    """All rows."""

    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """0 if the local backend works, 1 if something it needs is lacking."""
        lacking = {finding.part for finding in self.findings if finding.state is FindingState.LACKS}
        return FAILED if lacking & set(NEEDED) else OK

    def to_json(self) -> dict[str, Any]:
        findings = [asdict(finding) for finding in self.findings]
        return {"schema": SCHEMA, "local_backend_works": self.exit_code == OK, "findings": findings}
