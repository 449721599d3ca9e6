"""What a trial takes of a Ray cluster, and whether the cluster has it: verl waits without end for what it lacks.

GPUs, and logical CPUs, which Ray only counts: verl's resource pool takes three with each device, the rollout queue one
for its books and one for each of its stores, and our own tasks one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from harness.backends.verl.options import VerlSettings
from harness.base.errors import UserError

WORKER_CPUS = 3
"""with each device: verl 0.9.1's `max_colocate_count`"""
BOOKS, TASKS = 1, 1
"""the queue's controller, and what looks at the cluster"""
MOST_STORES = {"gpu": 8, "cpu": 1}
"""of the queue; more spread the rollouts of a large batch over more processes"""
WAIT = 60.0
"""seconds that others may take to give back what they hold"""


def least_cpus(settings: VerlSettings) -> int:
    """On all machines, with one store."""
    return WORKER_CPUS * settings.devices + BOOKS + 1 + TASKS


def wanted_cpus(settings: VerlSettings) -> int:
    """On all machines, with as many stores as are of use."""
    return least_cpus(settings) - 1 + MOST_STORES[settings.device]


def stores(settings: VerlSettings, cpus: float) -> int:
    """Of the rollout queue, on a cluster of so many CPUs that has at least the least."""
    return max(1, min(MOST_STORES[settings.device], int(cpus) - least_cpus(settings) + 1))


def alive(nodes: Iterable[Mapping[str, Any]]) -> list[Mapping[str, float]]:
    """The resources of each machine that is there.

    Args:
        nodes: what `ray.nodes()` returns.
    """
    return [node["Resources"] for node in nodes if node["Alive"]]


def check(settings: VerlSettings, machines: Iterable[Mapping[str, float]]) -> None:
    """
    Args:
        machines: the resources of each.
    Raises: UserError if the cluster could never hold the trial: too few machines with GPUs enough (on cpu: logical
        ones, which stand for processes), or too few CPUs, on a machine or in all.
    """
    machines = list(machines)
    found = [int(machine.get("GPU", 0)) for machine in machines]
    with_gpus = [machine for machine in machines if machine.get("GPU", 0) >= settings.gpus_per_node]
    if len(with_gpus) < settings.nodes:
        there = ", ".join(map(str, found)) or "none"
        raise UserError(
            f"`verl.nodes` {settings.nodes} x `verl.gpus_per_node` {settings.gpus_per_node} are more than the Ray "
            f"cluster has: its {len(found)} machines have {there} GPUs.\n"
            "Join more with `ray start --address=HEAD:6379` (`ray status` lists them), or ask for fewer."
        )
    # A device's CPUs are of its own machine; those of the queue and of tasks may be anywhere.
    each = WORKER_CPUS * settings.gpus_per_node
    enough = [machine for machine in with_gpus if machine.get("CPU", 0) >= each]
    total = sum(int(machine.get("CPU", 0)) for machine in machines)
    if len(enough) < settings.nodes or total < least_cpus(settings):
        there = ", ".join(str(int(machine.get("CPU", 0))) for machine in with_gpus)
        each_node = max(each, -(-wanted_cpus(settings) // settings.nodes))
        raise UserError(
            f"the Ray cluster has too few CPUs: `verl.nodes` {settings.nodes} x `verl.gpus_per_node` "
            f"{settings.gpus_per_node} take {WORKER_CPUS} with each device, so {each} on each of these machines, and "
            f"{least_cpus(settings) - WORKER_CPUS * settings.devices} more, {least_cpus(settings)} in all; the "
            f"machines with GPUs enough have {there}, all together {total}.\n"
            f"Ray only counts them: start it with `ray start --num-cpus={each_node}` on each (SLURM: --cpus-per-task), "
            "or ask for fewer devices."
        )


def await_free(
    settings: VerlSettings, free: Callable[[], Mapping[str, float]], who: str, wait: float = WAIT, pause: float = 1.0
) -> None:
    """Until the cluster has what the trial takes, free.

    Args:
        free: what `ray.available_resources()` returns.
        who: the trial, for the message.
    Raises: UserError if others hold it for longer than `wait` seconds.
    """
    deadline = time.monotonic() + wait
    while True:
        has = free()
        gpus, cpus = has.get("GPU", 0.0), has.get("CPU", 0.0)
        if gpus >= settings.devices and cpus >= least_cpus(settings):
            return
        if time.monotonic() >= deadline:
            raise UserError(
                f"{who}: the Ray cluster has {gpus:g} GPUs and {cpus:g} CPUs free, and the trial takes "
                f"{settings.devices} and {least_cpus(settings)}: others have held the rest for {wait:g} s.\n"
                "`ray status` shows what is held, `ray list actors` by whom. Wait until it has ended, or ask for fewer "
                "devices (`verl.nodes`, `verl.gpus_per_node`)."
            )
        time.sleep(pause)
