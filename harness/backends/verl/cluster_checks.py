"""What `rence doctor --cluster` tries for backend verl: every node looked at, attention kernels, weights to a sampler,
and the worst micro-batch of an experiment. All at once, each in a process of its own, within one limit."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.backends import on_nodes
from harness.backends.on_nodes import Asked, NodeAnswer
from harness.backends.verl import node, platform, survey
from harness.backends.verl.kernels import KERNELS, try_kernels
from harness.backends.verl.node import NodeFound
from harness.backends.verl.node_needs import NodeNeeds, findings, needs_of, of_one_kind
from harness.backends.verl.options import VerlSettings, settings_of
from harness.backends.verl.round_trip import PART as WEIGHTS
from harness.backends.verl.round_trip import try_round_trip
from harness.backends.verl.worst_microbatch import PART as WORST
from harness.backends.verl.worst_microbatch import try_worst, worst
from harness.base import packages
from harness.base.errors import UserError
from harness.base.findings import Finding, FindingState
from harness.config.experiment import Experiment
from harness.models import resolving

ATTENTION, PROCESSES, PLATFORM = "attention kernels", "processes", "platform"
LATE = "`ray status` shows whether others hold its GPUs; try again when it is less busy"


def tried(experiment: Experiment | None, seconds: float) -> Iterator[Finding]:
    """Of the Ray cluster that this process has joined.

    Args:
        experiment: on this backend; None: what holds of any.
        seconds: for all of it.
    """
    if "verl" not in packages.installed():
        yield Finding("backend verl", FindingState.NOT_CHECKED, "verl is not installed here", packages.install("verl"))
        return
    deadline, nodes = time.monotonic() + seconds, on_nodes.alive()
    settings = settings_of(experiment) if experiment else _general(nodes)
    device = "cpu" if settings.device == "cpu" else "cuda"
    working = [node for node in nodes if device == "cpu" or node["Resources"].get("GPU", 0) >= 1]
    looked = on_nodes.begin(node.probe, nodes)
    begun: dict[str, Asked[list[Finding]]] = {}
    # The kernel that is compiled takes long, and is no trial's: it goes alone.
    tasks: dict[str, tuple[Any, ...]] = {
        PLATFORM: (try_platform,),
        WEIGHTS: (try_round_trip,),
        ATTENTION: (try_kernels, KERNELS[:-1]),
    }
    tasks[f"attention {KERNELS[-1]}"] = (try_kernels, KERNELS[-1:])
    for part, (task, *more) in tasks.items():
        arguments, gpus = (device, *more), 0 if device == "cpu" else 1
        begun[part] = on_nodes.begin(task, working, arguments, gpus=gpus, environment=_environment(settings))
    if experiment:
        yield from _begin_worst(experiment, nodes, deadline - time.monotonic(), begun)
    yield from _machines(experiment, settings, on_nodes.collect(looked, deadline - time.monotonic()))
    for part, asked in begun.items():
        if not working:
            yield Finding(part, FindingState.NOT_CHECKED, "no node has a GPU")
        for answer in on_nodes.collect(asked, deadline - time.monotonic()):
            yield from _rows(part, answer)


def _begin_worst(
    experiment: Experiment, nodes: Sequence[Mapping[str, Any]], seconds: float, begun: dict[str, Asked[list[Finding]]]
) -> Iterator[Finding]:
    """On the first node that a trial could go to; what it was begun as is put among `begun`."""
    settings, model = settings_of(experiment), resolving.find(experiment.model)
    on_cpu = settings.device == "cpu"
    able = [node for node in nodes if on_cpu or node["Resources"].get("GPU", 0) >= settings.gpus_on_node]
    if not able:
        yield Finding(WORST, FindingState.NOT_CHECKED, f"no node has {settings.gpus_on_node} GPUs")
    elif model is None:
        yield Finding(WORST, FindingState.NOT_CHECKED, f"{experiment.model} is not on this machine yet")
    else:
        gpus, arguments = 0 if on_cpu else settings.gpus_on_node, (worst(experiment), model.resolve(), seconds)
        begun[WORST] = on_nodes.begin(try_worst, able[:1], arguments, gpus=gpus, environment=_environment(settings))


def _environment(settings: VerlSettings) -> dict[str, str]:
    return {**(platform.ENVIRONMENT if settings.device == "cpu" else {}), **platform.NO_TELEMETRY}


def _general(nodes: Sequence[Mapping[str, Any]]) -> VerlSettings:
    """Where no experiment says: one device of what there is."""
    gpus = any(node["Resources"].get("GPU", 0) >= 1 for node in nodes)
    return VerlSettings(device="gpu" if gpus else "cpu", gpus_per_node=1)


def _machines(
    experiment: Experiment | None, settings: VerlSettings, answers: Sequence[NodeAnswer[NodeFound]]
) -> Iterator[Finding]:
    """What trials would refuse, and what they would warn of."""
    model = resolving.find(experiment.model) if experiment else None
    needs = needs_of(experiment, experiment.arms, model, alone=False) if experiment else NodeNeeds()
    for answer in answers:
        if answer.value is None:
            state = FindingState.NOT_CHECKED if answer.late else FindingState.LACKS
            yield Finding(PROCESSES, state, f"{answer.host}: {answer.problem}", survey.MEND)
        else:
            yield from findings(needs, answer.value)
    yield from of_one_kind(settings, [answer.value for answer in answers if answer.value])


def try_platform(device: str) -> list[Finding]:
    """Whether verl finds the device that trials want; as a Ray task."""
    found = platform.probe()
    try:
        platform.check(found, device)
    except UserError as error:
        return [Finding(PLATFORM, FindingState.LACKS, *str(error).split("\n", 1))]
    return [Finding(PLATFORM, FindingState.OK, f"verl finds `{found.device}`")]


def _rows(part: str, answer: NodeAnswer[list[Finding]]) -> Iterator[Finding]:
    """Of one node, each with its name."""
    if answer.late:
        yield Finding(part, FindingState.NOT_CHECKED, f"{answer.host}: {answer.problem}", LATE)
    elif answer.value is None:
        yield Finding(part, FindingState.LACKS, f"{answer.host}: {answer.problem}", "`rence doctor --probe` there")
    else:
        yield from (replace(row, found=f"{answer.host}: {row.found}") for row in answer.value)
