"""What rows mean for the exit code."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from harness.base.errors import FAILED, OK
from harness.base.findings import Finding, FindingState
from harness.records import SCHEMA

LOCAL = "backend and engine local"
NEEDED = ("python", "rence", LOCAL, "machine", "shipped model")
"""what `rence run` needs with the local backend"""


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
        """What `rence doctor --json` prints."""
        findings = [asdict(finding) for finding in self.findings]
        return {"schema": SCHEMA, "local_backend_works": self.exit_code == OK, "findings": findings}
