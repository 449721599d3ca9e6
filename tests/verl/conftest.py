"""verl's own trainer and vLLM's CPU build at work: `make test-verl`, in an environment of its own.

Where that environment is not, these tests fail instead of being skipped; `pytest` without arguments leaves them out.
"""

from __future__ import annotations

import os
import platform
from importlib.metadata import entry_points, packages_distributions, version

import pytest

from harness.backends.verl.platform import ENVIRONMENT, GROUP, NO_TELEMETRY, PLUGIN

NEEDED = {"verl": "verl", "ray": "ray", "transfer_queue": "TransferQueue", "vllm": "vllm"}
"""module -> the distribution that verl asks for its version"""


def lacking() -> list[str]:
    """What the environment would have to have."""
    modules = packages_distributions()
    problems = [f"{name} is not installed" for name in NEEDED.values() if not _installed(name)]
    if "vllm" in modules and _installed("vllm") and "+cpu" not in version("vllm"):
        problems.append(f"vllm is {version('vllm')}, not the CPU build")
    if _installed("torch") and platform.machine() == "x86_64" and "+cpu" not in version("torch"):
        problems.append(f"torch {version('torch')} is not PyTorch's CPU build (see README, PIP_ARGS)")
    if "trl" in modules:
        problems.append("trl is installed, of which verl 0.9.1 imports what newer ones no longer have")
    if not entry_points(group=GROUP, name=PLUGIN):
        problems.append(f"rence-bench is not installed with its entry point {GROUP}: {PLUGIN}")
    return problems


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except ModuleNotFoundError:
        return False


if problems := lacking():
    raise pytest.UsageError(f"tests/verl cannot run here: {'; '.join(problems)}. `make test-verl` sets it up.")

os.environ.update({**ENVIRONMENT, **NO_TELEMETRY, "HF_HUB_OFFLINE": "1"})
