"""One function on every node of the Ray cluster that this process has joined, each with a limit. Imports Ray late."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class NodeAnswer(Generic[T]):
    """Of one node."""

    host: str
    value: T | None
    problem: str = ""
    """why there is no value; empty if there is one"""


def alive() -> list[Mapping[str, Any]]:
    """Of `ray.nodes()` those that are there, each in words of Ray's, in an order that stays."""
    import ray

    return sorted((node for node in ray.nodes() if node["Alive"]), key=lambda node: (name(node), node["NodeID"]))


def name(node: Mapping[str, Any]) -> str:
    """The host's."""
    return str(node["NodeManagerHostname"])


def ask(
    task: Callable[..., T],
    nodes: list[Mapping[str, Any]],
    seconds: float,
    arguments: tuple[Any, ...] = (),
    gpus: float = 0,
    environment: Mapping[str, str] | None = None,
) -> list[NodeAnswer[T]]:
    """Run a function of a module on each of the nodes at once; in their order. One that dies or is late is a problem of
    its node and no error; what is late is killed.

    Args:
        nodes: of `alive`.
        seconds: for all of them.
        gpus: that it takes of its node.
        environment: variables that its process has beside those of the cluster.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    variables = {"runtime_env": {"env_vars": dict(environment)}} if environment else {}
    remote = ray.remote(num_cpus=0, num_gpus=gpus, max_retries=0, **variables)(task)
    waiting = []
    for node in nodes:
        there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        waiting.append(remote.options(scheduling_strategy=there).remote(*arguments))
    done, late = ray.wait(waiting, num_returns=len(waiting), timeout=seconds)
    for one in late:
        ray.cancel(one, force=True)
    return [_answer(name(node), one, one in done, seconds) for node, one in zip(nodes, waiting, strict=True)]


def _answer(host: str, one: Any, done: bool, seconds: float) -> NodeAnswer[Any]:
    import ray
    from ray.exceptions import RayError

    if not done:
        return NodeAnswer(host, None, f"no answer after {seconds:g} s")
    try:
        return NodeAnswer(host, ray.get(one))
    except (RayError, Exception) as error:  # a task's own error comes as what it is and as Ray's
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return NodeAnswer(host, None, lines[-1] if lines else type(error).__name__)
