"""What rows mean for the exit code."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from harness.base.errors import FAILED, INCOMPLETE, OK
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


@dataclass(frozen=True)
class TriedCheckup:
    """All rows of what was tried."""

    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """0 if all is well, 1 if something lacks or is wrong, 3 if something could not be tried."""
        states = {finding.state for finding in self.findings}
        return FAILED if FindingState.LACKS in states else INCOMPLETE if FindingState.NOT_CHECKED in states else OK

    def _as_json(self, key: str) -> dict[str, Any]:
        findings = [asdict(finding) for finding in self.findings]
        return {"schema": SCHEMA, key: self.exit_code == OK, "findings": findings}


class ClusterCheckup(TriedCheckup):
    """Of a cluster."""

    def to_json(self) -> dict[str, Any]:
        """What `rence doctor --cluster --json` prints."""
        return self._as_json("cluster_works")


class GpuCheckup(TriedCheckup):
    """Of the GPUs of this machine."""

    def to_json(self) -> dict[str, Any]:
        """What `rence doctor --gpu --json` prints."""
        return self._as_json("gpu_works")
