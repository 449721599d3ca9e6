"""The backends there are. Listing them imports none of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from harness.base.errors import UserError, nearest

if TYPE_CHECKING:
    from harness.backends.base import Backend


@dataclass(frozen=True)
class BackendEntry:
    """Where a backend is, and what a list says of it."""

    description: str
    module: str
    class_name: str
    engine: str
    """what evaluates the untrained model: the engine that the backend samples with"""
    engines: tuple[str, ...]
    """what may evaluate the untrained model and the checkpoints"""
    alone: bool = False
    """a trial takes every device, so trials run one after the other unless the user says otherwise"""


BACKENDS: dict[str, BackendEntry] = {
    "local": BackendEntry(
        "one process, deterministic",
        "harness.backends.local.backend",
        "LocalBackend",
        engine="local",
        engines=("local", "hf"),
    ),
    "verl": BackendEntry(
        "many GPUs: verl's Ray, FSDP and vLLM workers",
        "harness.backends.verl.backend",
        "VerlBackend",
        engine="vllm",
        engines=("vllm",),
        alone=True,
    ),
}


def get_backend(name: str) -> Backend:
    """Raises: UserError for a name that is not in the list."""
    if name not in BACKENDS:
        raise UserError(f"backend `{name}` is unknown. {nearest(name, BACKENDS)}")
    entry = BACKENDS[name]
    return getattr(import_module(entry.module), entry.class_name)()
