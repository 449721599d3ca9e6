"""One function on every node of the Ray cluster that this process has joined, each with a limit. Imports Ray late."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from harness.base.errors import FAILED, UserError

T = TypeVar("T")


@dataclass(frozen=True)
class NodeAnswer(Generic[T]):
    """Of one node."""

    host: str
    value: T | None
    problem: str = ""
    """why there is no value; empty if there is one"""
    late: bool = False
    """whether it had not ended in time"""


def alive() -> list[Mapping[str, Any]]:
    """Of `ray.nodes()` those that are there, in an order that stays."""
    import ray

    return sorted((node for node in ray.nodes() if node["Alive"]), key=lambda node: (name(node), node["NodeID"]))


def name(node: Mapping[str, Any]) -> str:
    """The host's."""
    return str(node["NodeManagerHostname"])


def check_address(address: str, seconds: float = 30.0) -> None:
    """Whether anything listens there: Ray itself would wait for it without end.

    Args:
        address: as in RAY_ADDRESS, with or without http://; words such as `auto` name no place, and are let through.
        seconds: that a Ray which is being started may take.
    Raises: UserError if nothing does.
    """
    host, _, port = address.partition("://")[2 if "://" in address else 0].rstrip("/").rpartition(":")
    if not port.isdigit():
        return
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
            return
        except OSError as error:
            if time.monotonic() >= deadline:
                raise UserError(
                    f"no Ray cluster answers at RAY_ADDRESS={address}: {error.strerror or error}.\n"
                    "Start one with `ray start --head`, give the address that it prints, or unset RAY_ADDRESS."
                ) from None
        time.sleep(1)


def join(**options: Any) -> None:
    """`ray.init`, whose refusals are in words. SIGTERM stays what it is: Ray would make it a SystemExit, which it drops
    itself while it waits, so that a trial that is asked to end would go on until it is killed.

    Raises: UserError if Ray does not start here, or the cluster does not take this process.
    """
    import ray

    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(**options)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
    except UserError:
        raise  # an alarm of ours
    except Exception as error:  # Ray raises all kinds, bare exceptions among them
        if isinstance(error, OSError) and not isinstance(error, ConnectionError):
            raise  # such as a full disk, which is said elsewhere
        ray.shutdown()
        why = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if options.get("address") == "local":
            what = "start Ray here"
            mend = (
                "Its logs are in /tmp/ray/session_latest/logs. On a machine that is very busy try again, or start Ray "
            )
            mend += "before with `ray start --head` and give RAY_ADDRESS."
        else:
            what = "join the Ray cluster"
            mend = "`ray status` says whether it is up; one that wants a token is joined with RAY_AUTH_MODE=token. "
            mend += "Without RAY_ADDRESS a Ray of our own is started."
        raise UserError(f"could not {what}: {why}\n{mend}", FAILED) from error


def ask(task: Callable[..., T], nodes: Sequence[Mapping[str, Any]], seconds: float) -> list[NodeAnswer[T]]:
    """`begin` and `collect` in one."""
    return collect(begin(task, nodes), seconds)


@dataclass(frozen=True)
class Asked(Generic[T]):
    """What has been begun on nodes."""

    hosts: Sequence[str]
    waiting: Sequence[Any]
    """Ray's references, in their order"""


def begin(
    task: Callable[..., T],
    nodes: Sequence[Mapping[str, Any]],
    arguments: tuple[Any, ...] = (),
    gpus: float = 0,
    environment: Mapping[str, str] | None = None,
) -> Asked[T]:
    """Start a function of a module on each of the nodes.

    Args:
        nodes: of `alive`.
        gpus: that it takes of its node; it waits for them.
        environment: variables that its process has beside those of the cluster.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    variables = {"runtime_env": {"env_vars": dict(environment)}} if environment else {}
    remote = ray.remote(num_cpus=0, num_gpus=gpus, max_retries=0, **variables)(task)  # type: ignore[call-overload]
    waiting = []
    for node in nodes:
        there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        waiting.append(remote.options(scheduling_strategy=there).remote(*arguments))
    return Asked([name(node) for node in nodes], waiting)


def collect(asked: Asked[T], seconds: float) -> list[NodeAnswer[T]]:
    """In the order of the nodes. One that dies or is late is a problem of its node and no error; what is late is
    killed.

    Args:
        seconds: for all of them, from now.
    """
    import ray

    waiting = list(asked.waiting)
    done, late = ray.wait(waiting, num_returns=len(waiting), timeout=max(0.0, seconds)) if waiting else ([], [])
    for one in late:
        ray.cancel(one, force=True)
    return [_answer(host, one, one in done) for host, one in zip(asked.hosts, waiting, strict=True)]


def _answer(host: str, one: Any, done: bool) -> NodeAnswer[Any]:
    import ray

    if not done:
        return NodeAnswer(host, None, "no answer in time", late=True)
    try:
        return NodeAnswer(host, ray.get(one))
    except Exception as error:  # whatever it is, the driver has to say it
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return NodeAnswer(host, None, lines[-1] if lines else type(error).__name__)
