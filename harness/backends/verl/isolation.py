"""What keeps trials on one Ray cluster, or on one machine, apart.

What verl names on a cluster is in the namespace of its Ray job (worker groups, placement groups, rollout servers, the
workers of agent loop and marking), shared memory has random names, and ports are asked of the system. Two things are
not apart, and are here:

- the rollout queue: TransferQueue gives its controller one name in one namespace of the whole cluster, so that a second
  trial would join the first one's queue, and close it for both;
- the sockets by which weights go to the samplers: their path in /tmp has the Ray job's number, and that counts from 1
  on every cluster. Of two trials that each start a Ray of their own on one machine, a sampler would take the other's
  weights, without a word.

verl imports this module in each of its processes, before its own (VERL_USE_EXTERNAL_MODULES), so in vLLM's, too. Where
`TRIAL` is not set it changes nothing.
"""

from __future__ import annotations

import os
import secrets
from functools import cache
from typing import Any

from harness.backends.verl.patching import patch

TRIAL = "RENCE_VERL_TRIAL"
"""environment variable: a word that no other start of a trial has; also the namespace of its Ray job"""
QUEUE = "TransferQueueController"
"""the actor in which the rollout queue keeps its books"""
_SOCKETS = "/rl-colocate-zmq-"


def environment() -> dict[str, str]:
    """Of every process of a new start of a trial: a word of its own, drawn now, and that verl imports this module."""
    imported = [name for name in os.environ.get("VERL_USE_EXTERNAL_MODULES", "").split(",") if name]
    modules = dict.fromkeys([*imported, __name__])
    # no draw of the trial depends on it
    return {TRIAL: secrets.token_hex(8), "VERL_USE_EXTERNAL_MODULES": ",".join(modules)}


def own_queue(interface: Any) -> None:
    """The controller is looked for and made in the namespace of this process's Ray job, and nowhere else; of the
    cluster's CPUs it holds none."""
    interface.ray = _Changed(interface.ray, "get_actor", namespace=None)
    interface.TransferQueueController = _Changed(
        interface.TransferQueueController, "options", namespace=None, num_cpus=0
    )


def free_stores(bootstrap: Any) -> None:
    """The queue's stores hold no CPUs of the cluster's. TransferQueue pins them to its nodes in turn, the head among
    them: on one that has no CPU left, or was started with none (KubeRay's `num-cpus: 0`), a store that wants one would
    never start, and on a trial's own machine it could take what the GPUs' workers need."""
    bootstrap.SimpleStorageUnit = _Changed(bootstrap.SimpleStorageUnit, "options", num_cpus=0)


def own_sockets(transfer: Any) -> None:
    """Both ends of the transfer of weights put the trial's word into the path they were given."""
    for end in (transfer.BucketedWeightSender, transfer.BucketedWeightReceiver):
        end.__init__ = _at_own_socket(end.__init__)


@cache
def install() -> None:
    """In this process. A second call changes nothing."""
    patch(
        {
            "transfer_queue.interface": own_queue,
            "transfer_queue.storage.bootstrap.simple_storage_bootstrap": free_stores,
            "verl.workers.rollout.vllm_rollout.bucketed_weight_transfer": own_sockets,
        }
    )


class _Changed:
    """Stands for an object, of which one method is called with other options: those given here, in the place of its
    caller's. None: without; Ray then takes the namespace of the job."""

    def __init__(self, of: Any, method: str, **options: Any) -> None:
        self._of, self._method, self._options = of, method, options

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._of, name)
        if name != self._method:
            return found

        def changed(*args: Any, **options: Any) -> Any:
            wanted = {**options, **self._options}
            return found(*args, **{key: value for key, value in wanted.items() if value is not None})

        return changed


def _at_own_socket(begin: Any) -> Any:
    def at_own_socket(end: Any, zmq_handle: str, *args: Any, **options: Any) -> None:
        if word := os.environ.get(TRIAL):
            zmq_handle = zmq_handle.replace(_SOCKETS, f"{_SOCKETS}{word}-")
        begin(end, zmq_handle, *args, **options)

    return at_own_socket


if os.environ.get(TRIAL):
    install()
