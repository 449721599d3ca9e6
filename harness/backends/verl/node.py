"""What one machine has of what a trial takes besides CPUs and GPUs by number, which `room.py` counts. Imports neither
torch nor verl: it is asked before anything starts, here or, as a Ray task, on a node of a cluster.
"""

from __future__ import annotations

import os
import resource
import shutil
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.base.machine_memory import lines_of, memory

SHARED_MEMORY = Path("/dev/shm")
PROC = Path("/proc")
RAY_RAISES_TO = 65536
"""descriptors: a Ray that is started by `ray.init` raises the soft limit so far, as far as the hard one lets it (Ray
2.60, `_private/worker.py`); `ray start` raises nothing"""


@dataclass(frozen=True)
class Space:
    """A folder's file system, in bytes."""

    folder: str
    free: int
    total: int

    @classmethod
    def of(cls, folder: Path) -> Space:
        """Of a folder that need not exist yet."""
        there = next(place for place in (folder, *folder.parents) if place.exists())
        usage = shutil.disk_usage(there)
        return cls(str(folder), usage.free, usage.total)


@dataclass(frozen=True)
class NodeFound:
    """What a process finds on its machine."""

    host: str
    descriptors: int
    """that a process of Ray there may have open"""
    memory_free: int
    """bytes, of the machine or of the container that this is"""
    memory_total: int
    shared_memory: Space | None
    """None where there is none, as on macOS"""
    scratch: tuple[Space, ...]
    """where Ray and vLLM keep sessions, sockets and logs"""
    gpus: tuple[str, ...]
    """models of those that may be used, as far as they can be known without asking torch"""


def probe() -> NodeFound:
    """Looks at this machine; run it as a Ray task to look at a node."""
    worker = _in_a_worker()
    free, total = memory()
    folders = (_ray_folder(), Path(tempfile.gettempdir()))
    spaces = {os.stat(_there(folder)).st_dev: Space.of(folder) for folder in reversed(folders)}
    # A worker sees no GPU unless it asked for one; the process that started it, Ray's, was told which to use.
    environment = _environment_of(os.getppid()) if worker else os.environ
    return NodeFound(
        socket.gethostname(),
        descriptors(raised=not worker),
        free,
        total,
        Space.of(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None,
        tuple(spaces.values()),
        visible(gpu_models(), environment.get("CUDA_VISIBLE_DEVICES")),
    )


def descriptors(raised: bool) -> int:
    """
    Args:
        raised: count what `ray.init` will make of it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = sys.maxsize if hard == resource.RLIM_INFINITY else hard
    soft = most if soft == resource.RLIM_INFINITY else soft
    return max(soft, min(most, RAY_RAISES_TO)) if raised else soft


def gpu_models(proc: Path = PROC) -> tuple[tuple[str, str], ...]:
    """(UUID, model) of NVIDIA's, in the order of their bus."""
    found = []
    for info in sorted((proc / "driver/nvidia/gpus").glob("*/information")):
        rows = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines_of(info))}
        found.append((rows.get("GPU UUID", ""), rows.get("Model", "")))
    return tuple(found)


def visible(models: Sequence[tuple[str, str]], chosen: str | None) -> tuple[str, ...]:
    """Models of the GPUs that a process may use.

    Args:
        models: of `gpu_models`.
        chosen: CUDA_VISIBLE_DEVICES, numbers or UUIDs, of which a beginning is enough; None: all.
    """
    if chosen is None:
        return tuple(model for _, model in models)
    names = [name.strip() for name in chosen.split(",") if name.strip()]
    by_number = [models[int(name)][1] for name in names if name.isdigit() and int(name) < len(models)]
    by_uuid = [model for name in names for uuid, model in models if not name.isdigit() and uuid.startswith(name)]
    return (*by_number, *by_uuid)


def _in_a_worker() -> bool:
    """Of Ray, without importing it."""
    ray = sys.modules.get("ray")
    return bool(ray and ray.is_initialized() and ray.get_runtime_context().get_task_id())


def _ray_folder() -> Path:
    """Where Ray keeps its sessions: in a worker that of its cluster, else where one would be made."""
    worker = sys.modules.get("ray._private.worker")
    node = getattr(worker, "_global_node", None)
    if node is not None:
        return Path(node.get_session_dir_path()).parent
    return Path(os.environ.get("RAY_TMPDIR", tempfile.gettempdir())) / "ray"


def _there(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())


def _environment_of(process: int) -> Mapping[str, str]:
    """That it was started with; empty if it may not be read."""
    try:
        text = (PROC / str(process) / "environ").read_bytes().decode(errors="replace")
    except OSError:
        return {}
    return dict(part.split("=", 1) for part in text.split("\0") if "=" in part)
