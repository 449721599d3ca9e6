"""Which device verl's processes run on: how a CPU run asks for it, and a check that a worker has it.

Light: importing this imports neither torch nor Ray nor verl. `cpu.py` holds the platform itself.
"""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass
from importlib.metadata import entry_points

from harness.base.errors import UserError

SWITCH = "RENCE_VERL_DEVICE"
"""environment variable; `cpu` turns the platform of `cpu.py` on, without it verl chooses among its own"""
GROUP, PLUGIN = "verl.plugins", "rence_cpu"
"""the entry point by which verl finds `cpu.py`"""

ENVIRONMENT = {
    SWITCH: "cpu",
    # verl registers its FSDP engine for accelerators only; this is the name it is looked up by (EngineRegistry).
    "VERL_ENGINE_DEVICE": "cuda",
    # GiB for vLLM's keys and values; by default it takes a large share of the machine's memory for each server.
    "VLLM_CPU_KVCACHE_SPACE": "1",
    # vLLM would bind its threads to cores of their own, and two servers on one machine to the same ones.
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    # Several processes share the cores, and one thread gives the same sums each time.
    "OMP_NUM_THREADS": "1",
    "TQ_NUM_THREADS": "1",  # TransferQueue's, which asks for eight
    "TOKENIZERS_PARALLELISM": "false",
    # Ray would start a Python process for every logical CPU, most of them for nothing.
    "RAY_prestart_worker_first_driver": "0",
}
"""What every process of a CPU run needs, before verl, vLLM or torch is imported there."""

NO_TELEMETRY = {"VLLM_NO_USAGE_STATS": "1", "RAY_USAGE_STATS_ENABLED": "0"}
"""Nothing about a run is sent to anybody, on any device."""


@dataclass(frozen=True)
class PlatformFound:
    """What verl sees in one process."""

    device: str
    """verl's platform: `cuda`, `cpu`, ..."""
    asked: str
    """value of `SWITCH`; empty if it is not set"""
    plugin: bool
    """whether the entry point is visible"""
    error: str
    """what went wrong when the plugin was loaded; empty if nothing did"""
    host: str
    python: str


def probe() -> PlatformFound:
    """Looks at this process; run it as a Ray task to look at a worker.

    verl hides what goes wrong in a plugin (`verl/__init__.py` logs it at DEBUG), so that it is loaded here once more.
    """
    from verl.plugin.platform import get_platform

    found = entry_points(group=GROUP, name=PLUGIN)
    error = ""
    for plugin in found:
        try:
            plugin.load()
        except Exception as cause:  # whatever it is, the driver has to say it
            error = f"{type(cause).__name__}: {cause}"
    return PlatformFound(
        get_platform().device_name, os.environ.get(SWITCH, ""), bool(found), error, socket.gethostname(), sys.executable
    )


def check(found: PlatformFound, device: str) -> None:
    """Before anything is built on it.

    Args:
        found: `probe`'s answer from a worker.
        device: what the run wants, `cpu` or `cuda`.

    Raises: UserError with the remedy if verl would run on another device there.
    """
    if found.device == device and not found.error:
        return
    raise UserError(
        f"verl runs on `{found.device}` in Ray's workers on {found.host}, but must run on `{device}` instead"
        f"{f' ({found.error})' if found.error else ''}.\n{_remedy(found, device)}"
    )


def _remedy(found: PlatformFound, device: str) -> str:
    if device != "cpu":
        return f"Unset {SWITCH} where Ray was started." if found.asked else "Set VERL_PLATFORM to what is there."
    if found.asked != "cpu":
        return f"{SWITCH}=cpu did not reach them: start Ray anew, or set it before `ray start` on every node."
    if not found.plugin:
        return f"rence-bench is not installed for {found.python}, or an older one is: install it there again."
    if found.error:
        return f"Its CPU platform did not load with {found.python}: `rence doctor` there says what is missing."
    return "VERL_USE_EXTERNAL_PLUGINS or VERL_PLATFORM decides otherwise: unset it where Ray was started."
