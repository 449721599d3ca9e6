"""One trial at a time on a Ray cluster.

verl's rollout queue has the same name in every program. A second trial on the cluster would find the first one's,
read and write its rows, and end it for both when it closes its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray
from ray.exceptions import RayError

from harness.base.errors import UserError

QUEUE = {"name": "TransferQueueController", "namespace": "transfer_queue"}
"""the actor in which verl's queue keeps its books"""
_CLAIM = {"name": "trial", "namespace": "rence"}
_WAIT = 30.0
"""seconds that Ray may take to notice that a predecessor is dead"""


class Holder:
    """Says who holds the cluster. Ray gives a name to one actor alone, and ends it with its driver."""

    def __init__(self, who: str) -> None:
        self._who = who

    def who(self) -> str:
        return self._who


@contextmanager
def alone(who: str, wait: float = _WAIT) -> Iterator[None]:
    """Hold the cluster that this process has joined.

    Args:
        who: a trial and its folder, for others' messages.
        wait: seconds for a predecessor to be gone.
    Raises: UserError if another trial holds it, or another program of verl's has its queue there.
    """
    deadline = time.monotonic() + wait
    claim = _claim(who)
    while claim is None or _find(**QUEUE):
        if time.monotonic() >= deadline:
            holder = _holder() if claim is None else "a program that rence did not start"
            if claim is not None:
                ray.kill(claim)
            raise UserError(
                f"{who}: this Ray cluster already holds another's rollout queue, of {holder}. Two trials would read "
                "each other's rollouts.\n"
                "Wait until it has ended (`ray list actors` shows what runs), or give this trial a cluster of its own: "
                "without RAY_ADDRESS it starts one."
            )
        time.sleep(0.5)
        claim = claim or _claim(who)
    try:
        yield
    finally:
        ray.kill(claim)


def _claim(who: str) -> Any | None:
    """Our actor, or None if another has the name."""
    try:
        return ray.remote(num_cpus=0)(Holder).options(**_CLAIM).remote(who)
    except ValueError:
        return None


def _holder() -> str:
    """Who says that it holds the cluster; it may end while it is asked."""
    holder = _find(**_CLAIM)
    try:
        return str(ray.get(holder.who.remote(), timeout=5)) if holder else "a trial that has just ended"
    except RayError:
        return "a trial that does not answer"


def _find(name: str, namespace: str) -> Any | None:
    try:
        return ray.get_actor(name, namespace=namespace)
    except ValueError:
        return None
