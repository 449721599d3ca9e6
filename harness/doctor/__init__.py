"""`rence doctor`: what is here, what each part lacks, and the command that mends it. Imports nothing heavy.

`findings.py` what rows of the table mean for the exit code
`packages.py` packages against what our own metadata asks for, and known traps
`machine.py`  processor, memory, disk, threads, GPU
`plugins.py`  what other packages add, and what of it cannot be used
`services.py` shipped models, MLflow's store, the Hugging Face hub, git
`gpu.py`      `rence doctor --gpu`: kernels, memory, and the largest micro-batch, tried; needs torch
`cluster.py`  `rence doctor --cluster`: nodes, and what backends try on them; needs Ray
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.base import packages as installation
from harness.base.findings import Finding, FindingState
from harness.base.plugins import Plugins
from harness.doctor import machine, packages, plugins, services
from harness.doctor.findings import Checkup

__all__ = ["Checkup", "Finding", "FindingState", "examine"]


def examine(folder: Path = Path(), probe: bool = False, kinds: Iterable[Plugins[Any]] = ()) -> Checkup:
    """Look at this Python, this machine, and the stores that the environment names.

    Args:
        folder: where `rence` works; its disk and its `runs` are looked at.
        probe: also import the big packages, each in a process of its own: slower, and finds broken installations.
        kinds: of plug-ins; those that are installed are imported.
    """
    installed, gpu = installation.installed(), machine.gpu()
    findings = [
        packages.python(),
        *packages.parts(installed, installation.requirements(), installation.tested(), bool(gpu)),
        *packages.traps(installed, gpu),
        *(packages.probes(installed) if probe else ()),
        *machine.findings(folder),
        *services.findings(folder),
        *plugins.findings(kinds),
    ]
    return Checkup(tuple(findings))
