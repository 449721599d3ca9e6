"""What a trial takes of a Ray cluster, and whether the cluster has it: verl waits without end for what it lacks.

GPUs, and logical CPUs, which Ray only counts: verl's resource pool takes three with each device, and one is asked for
the rollout queue's books, each of its stores, and our own tasks. Those hold none (`isolation.py`), but each is a
process. What a trial takes at a time is a slot.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from harness.backends.verl.options import VerlSettings
from harness.base.errors import UserError

Machine = Mapping[str, float]
"""its resources, as Ray counts them"""

WORKER_CPUS = 3
"""with each device: verl 0.9.1's `max_colocate_count`"""
PLACING = 1
"""on each machine that has devices: vLLM's servers are pinned to it, and Ray starts what holds no CPU only where one is
free at that moment"""
BOOKS, TASKS = 1, 1
"""the queue's controller, and what looks at the cluster"""
JOB = 1
"""the process of the trial, where it is a job of the cluster, too"""
MOST_STORES = {"gpu": 8, "cpu": 1}
"""of the queue; more spread the rollouts of a large batch over more processes"""
WAIT = 60.0
"""seconds that Ray may take to give back what nobody holds any more"""
_TYPE = "accelerator_type:"


def least_cpus(settings: VerlSettings) -> int:
    """On all machines, with one store."""
    return WORKER_CPUS * settings.devices + BOOKS + 1 + TASKS


def wanted_cpus(settings: VerlSettings) -> int:
    """On all machines, with as many stores as are of use."""
    return least_cpus(settings) - 1 + MOST_STORES[settings.device]


def stores(settings: VerlSettings, cpus: float) -> int:
    """Of the rollout queue, on a cluster of so many CPUs that has at least the least."""
    return max(1, min(MOST_STORES[settings.device], int(cpus) - least_cpus(settings) + 1))


def share(settings: VerlSettings, machines: Sequence[Machine], free: Sequence[Machine]) -> int:
    """CPUs that a trial may take without leaving other slots short.

    Args:
        machines, free: of each machine what there is, and what of it nobody holds.
    """
    gpus, there = sum(map(_gpus, machines)), sum(map(_cpus, free))
    return there if gpus == settings.devices else min(there, sum(map(_cpus, machines)) * settings.devices // gpus - JOB)


def alive(nodes: Iterable[Mapping[str, Any]]) -> list[Machine]:
    """The resources of each machine that is there.

    Args:
        nodes: what `ray.nodes()` returns.
    """
    return [node["Resources"] for node in nodes if node["Alive"]]


def slots(settings: VerlSettings, machines: Iterable[Machine]) -> int:
    """How many trials a cluster that `check` has passed holds side by side, each with its job."""
    machines = list(machines)
    parts = sum(
        min(_gpus(one), max(0, _cpus(one) - PLACING) // WORKER_CPUS) // settings.gpus_on_node for one in machines
    )
    return max(1, min(parts // settings.nodes, sum(map(_cpus, machines)) // (least_cpus(settings) + JOB)))


def fits(settings: VerlSettings, free: Iterable[Machine]) -> bool:
    """Whether a trial can start.

    Args:
        free: what of each machine nobody holds.
    """
    free = list(free)
    return len(_enough(settings, free)) >= settings.nodes and sum(map(_cpus, free)) >= least_cpus(settings)


def check(settings: VerlSettings, machines: Iterable[Machine]) -> None:
    """
    Args:
        machines: the resources of each, held or not.
    Raises: UserError if the cluster could never hold the trial: too few machines with GPUs enough (on cpu: logical
        ones, which stand for processes), slots that leave some of a machine's idle, machines of different GPUs for one
        trial, or too few CPUs, on a machine or in all.
    """
    machines, each = list(machines), settings.gpus_on_node
    key = "`verl.gpus_per_trial`" if settings.gpus_per_trial else "`verl.gpus_per_node`"
    with_gpus = [machine for machine in machines if _gpus(machine) >= each]
    if len(with_gpus) < settings.nodes:
        there = ", ".join(str(_gpus(machine)) for machine in machines) or "none"
        raise UserError(
            f"`verl.nodes` {settings.nodes} x {key} {each} are more than the Ray "
            f"cluster has: its {len(machines)} machines have {there} GPUs.\n"
            "Join more with `ray start --address=HEAD:6379` (`ray status` lists them), or ask for fewer."
        )
    check_divides(settings, map(_gpus, with_gpus))
    if settings.nodes > 1 and len(found := gpu_types(with_gpus)) > 1:
        raise UserError(
            f"a trial over `verl.nodes` {settings.nodes} machines would mix GPUs: the Ray cluster has "
            f"{', '.join(found)}.\nStart a cluster of one kind, or ask for one machine (`verl.nodes=1`)."
        )
    _check_cpus(settings, machines, with_gpus)


def check_divides(settings: VerlSettings, gpus: Iterable[int]) -> None:
    """
    Args:
        gpus: of each machine that has enough for a trial.
    Raises: UserError if slots were asked for that leave some of them idle.
    """
    each = settings.gpus_per_trial
    if each and (odd := sorted({count for count in gpus if count % each})):
        raise UserError(
            f"`verl.gpus_per_trial` {each} does not divide the {' or '.join(map(str, odd))} GPUs of a machine, and the "
            f"rest would be idle.\nSet it to a divisor ({', '.join(map(str, _divisors(odd)))}), or show Ray or "
            "CUDA_VISIBLE_DEVICES fewer GPUs."
        )


def gpu_types(machines: Iterable[Machine]) -> list[str]:
    """What Ray calls the GPUs of these machines."""
    return sorted({name.removeprefix(_TYPE) for machine in machines for name in machine if name.startswith(_TYPE)})


def await_free(
    settings: VerlSettings,
    look: Callable[[], tuple[Sequence[Machine], Sequence[Machine]]],
    who: str,
    say: Callable[[str], None],
    wait: float = WAIT,
    pause: float = 1.0,
) -> None:
    """Until the cluster has what the trial takes, free: for as long as others are at work on its devices.

    Args:
        look: each machine's resources, and what of them is free; of the latter none before it is the trial's turn.
        who: the trial, for messages.
        say: told once, if it has to wait.
        wait: seconds for what no trial holds.
    Raises: UserError if the cluster could not hold it any more, or if all devices are free and others keep CPUs.
    """
    deadline, told = time.monotonic() + wait, False
    while True:
        machines, free = look()
        check(settings, machines)
        if fits(settings, free):
            return
        now = time.monotonic()
        # Who holds a device is at work, for however long; CPUs alone may be held by those that wait as we do.
        if sum(map(_gpus, free)) < sum(map(_gpus, machines)):
            deadline = now + wait
        elif now >= deadline:
            raise UserError(
                f"{who}: the Ray cluster has {sum(map(_cpus, free))} CPUs free, and the trial takes "
                f"{least_cpus(settings)}: others have held the rest for {wait:g} s, and no GPU.\n"
                "`ray status` shows what is held, `ray list actors` by whom. Wait until it has ended, or start Ray "
                "with more (`ray start --num-cpus`: it only counts them)."
            )
        if not told:
            on = f" on each of {settings.nodes} machines" if settings.nodes > 1 else ""
            say(
                f"{who} waits for {settings.gpus_on_node} GPUs{on} and {least_cpus(settings)} CPUs: other trials are "
                "at work on this Ray cluster. `ray status` shows what is held."
            )
            told = True
        time.sleep(pause)


def _check_cpus(settings: VerlSettings, machines: Sequence[Machine], with_gpus: Sequence[Machine]) -> None:
    # A device's CPUs are of its own machine; those of the queue and of tasks may be anywhere.
    total = sum(map(_cpus, machines))
    if len(_enough(settings, machines)) >= settings.nodes and total >= least_cpus(settings):
        return
    each = WORKER_CPUS * settings.gpus_on_node + PLACING
    each_node = max(each, -(-wanted_cpus(settings) // settings.nodes))
    there = ", ".join(str(_cpus(machine)) for machine in with_gpus)
    raise UserError(
        f"the Ray cluster has too few CPUs: `verl.nodes` {settings.nodes} x {settings.gpus_on_node} devices take "
        f"{WORKER_CPUS} with each device and one to start servers, so {each} on each of these machines, and "
        f"{max(least_cpus(settings), each * settings.nodes)} in all; the machines with GPUs enough "
        f"have {there}, all together {total}.\n"
        f"Ray only counts them: start it with `ray start --num-cpus={each_node}` on each (SLURM: --cpus-per-task), "
        "or ask for fewer devices."
    )


def _enough(settings: VerlSettings, machines: Iterable[Machine]) -> list[Machine]:
    """Those that have a trial's devices of one machine, with their CPUs."""
    each = settings.gpus_on_node
    return [one for one in machines if _gpus(one) >= each and _cpus(one) >= WORKER_CPUS * each + PLACING]


def _divisors(counts: Sequence[int]) -> list[int]:
    return [size for size in range(1, min(counts) + 1) if not any(count % size for count in counts)]


def _gpus(machine: Machine) -> int:
    return int(machine.get("GPU", 0))


def _cpus(machine: Machine) -> int:
    return int(machine.get("CPU", 0))
