"""`rence doctor --cluster`: the nodes of a Ray cluster counted, and what backends try on them. Needs Ray."""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stdout
from tempfile import TemporaryDirectory
from typing import Any

from harness.backends import on_nodes
from harness.backends.registry import get_backend
from harness.base.errors import UserError, need
from harness.base.findings import Finding, FindingState
from harness.base.registry import BACKENDS
from harness.config.experiment import Experiment
from harness.doctor.findings import ClusterCheckup

GB = 1e9
DASHBOARD = ("127.0.0.1", 8265)
"""of a Ray that `ray start --head` has started here"""
KIND = "accelerator_type:"
"""how Ray names a node's GPUs among its resources"""


def examine(experiment: Experiment | None, seconds: float) -> ClusterCheckup:
    """The Ray cluster that RAY_ADDRESS names or that runs on this machine; where there is none, a Ray of our own.

    Args:
        experiment: whose backend alone is asked, for what its trials take; None: every backend, for what holds of all.
        seconds: by which what has no answer is said to have none.

    Raises: UserError if Ray is not installed, or does not answer.
    """
    need("rence doctor --cluster", "ray", extra="ray")
    deadline = time.monotonic() + seconds
    findings: list[Finding] = []
    with _joined() as joined:
        nodes = on_nodes.alive()
        findings += _counted(nodes, joined)
        names = [experiment.backend] if experiment else BACKENDS.names()
        if experiment:
            findings += _room(experiment, nodes if joined else None)
        for name in names:
            try:
                backend = get_backend(name)
                findings += backend.try_cluster(experiment, deadline - time.monotonic())
            except ImportError as error:
                findings.append(
                    Finding(f"backend {name}", FindingState.NOT_CHECKED, f"it cannot be loaded here: {error}")
                )
    return ClusterCheckup(tuple(findings))


def _room(experiment: Experiment, nodes: list[Mapping[str, Any]] | None) -> Iterator[Finding]:
    """Whether a trial could ever have its place."""
    part = f"backend {experiment.backend}"
    resources = None if nodes is None else [node["Resources"] for node in nodes]
    try:
        get_backend(experiment.backend).check_machine(experiment, resources)
    except UserError as error:
        found, _, mend = str(error).partition("\n")
        yield Finding(part, FindingState.LACKS, found, mend)
    else:
        yield Finding(part, FindingState.OK, f"a trial of {experiment.name} has room")


def _counted(nodes: list[Mapping[str, Any]], joined: bool) -> Iterator[Finding]:
    """All together, then each."""
    total: Counter[str] = Counter()
    for node in nodes:
        total.update({name: int(node["Resources"].get(name, 0)) for name in ("CPU", "GPU")})
    what = f"{len(nodes)} {'node' if len(nodes) == 1 else 'nodes'}, {total['CPU']} CPUs, {total['GPU']} GPUs"
    own = "" if joined else "; no Ray was running, so this is one of our own: RAY_ADDRESS names another"
    yield Finding("cluster", FindingState.OK, what + own)
    for node in nodes:
        has = node["Resources"]
        kinds = ", ".join(name.removeprefix(KIND) for name in sorted(has) if name.startswith(KIND))
        gpus = f"{int(has.get('GPU', 0))} GPUs{f' ({kinds})' if kinds else ''}"
        memory = (
            f"{has.get('memory', 0) / GB:.1f} GB of memory, {has.get('object_store_memory', 0) / GB:.1f} for objects"
        )
        yield Finding(
            "node", FindingState.OK, f"{on_nodes.name(node)}: {int(has.get('CPU', 0))} CPUs, {gpus}, {memory}"
        )


@contextmanager
def _joined() -> Iterator[bool]:
    """True in a cluster that was there."""
    import ray

    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    on_nodes.check_address(os.environ.get("RAY_ADDRESS", ""))
    address = os.environ.pop("RAY_ADDRESS", "")
    joined = bool(address) or _is_up(DASHBOARD)
    # Ray puts the working directory first on its workers' path, where a user's `benchmarks/` would be taken for ours.
    # What Ray tells of workers it prints, and stdout is for the answer.
    with TemporaryDirectory() as empty, chdir(empty), redirect_stdout(sys.stderr):
        try:
            here = "local" if not joined else "auto" if address.startswith("http") or not address else address
            on_nodes.join(address=here, **({} if joined else {"include_dashboard": False}), **options)
            yield joined
        finally:
            ray.shutdown()
            if address:
                os.environ["RAY_ADDRESS"] = address


def _is_up(address: tuple[str, int]) -> bool:
    """A Ray of somebody's trial has no dashboard, and is not to be joined."""
    try:
        with socket.create_connection(address, timeout=1):
            return True
    except OSError:
        return False
