"""What other packages add, and what of it cannot be used. Imports all of it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from typing import Any

from harness.base.findings import Finding, FindingState
from harness.base.installing import pip
from harness.base.plugins import Plugins


def findings(kinds: Iterable[Plugins[Any]]) -> Iterator[Finding]:
    """One row for each plug-in, by kind and name."""
    for plugins in kinds:
        for name in plugins.usable():
            yield Finding("plug-in", FindingState.OK, f"{plugins.what} `{name}` of {plugins.origin(name)}")
        for name, error in plugins.broken().items():
            packages = shlex.join(plugins.versions(name))
            found = f"{plugins.what} `{name}` of {error.origin}: {error.reason}"
            yield Finding("plug-in", FindingState.LACKS, found, f"mend it, or {pip()} uninstall {packages}")
