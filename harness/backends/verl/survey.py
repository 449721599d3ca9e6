"""Every machine of the cluster looked at before a trial takes anything: by a process of Ray's on each, with a limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from typing import Any, TypeVar

from harness.backends import on_nodes
from harness.backends.on_nodes import NodeAnswer
from harness.backends.verl import node, platform
from harness.backends.verl.node_needs import MOST_NAMED, NodeNeeds, check, findings, of_one_kind
from harness.backends.verl.options import VerlSettings
from harness.base.errors import FAILED, UserError

T = TypeVar("T")

ANSWER_SECONDS = 90.0
"""for a process that imports nothing heavy to start on each node: a few seconds, or tens where a machine is busy"""

MEND = (
    "rence-bench, installed at the same path as here; `ray status` shows the nodes, "
    "/tmp/ray/session_latest/logs/raylet.out on that node what stops it, and `ray stop` there takes it out"
)


def check_here(settings: VerlSettings, needs: NodeNeeds, who: str, warn: Callable[[str], None]) -> None:
    """This machine, for a trial that starts a Ray of its own. See `check_nodes`.

    Raises: UserError with all that is short.
    """
    here = node.probe()
    check([*findings(needs, here), *of_one_kind(settings, [here])], who, warn)


def check_nodes(
    settings: VerlSettings,
    needs: NodeNeeds,
    who: str,
    warn: Callable[[str], None],
    seconds: float = ANSWER_SECONDS,
) -> None:
    """Of the cluster that this process has joined.

    Args:
        needs: of each machine that could have the trial's devices.
        who: the trial, for the message.
        warn: told of what is only risky.
    Raises: UserError if a node does not answer or lacks something: all that is short, of all nodes, in one message.
    """
    nodes = on_nodes.alive()
    found = _of_all(on_nodes.ask(node.probe, nodes, seconds), who)
    able = [_works(one, settings) for one in nodes]
    little = NodeNeeds(descriptors=needs.descriptors)
    rows = [row for one, works in zip(found, able, strict=True) for row in findings(needs if works else little, one)]
    check([*rows, *of_one_kind(settings, list(compress(found, able)))], who, warn)


def check_platform(settings: VerlSettings, who: str) -> None:
    """Of the cluster that this process has joined, on each machine that could have a trial's devices. verl is imported
    there, which takes long where all nodes read it from one disk.

    Raises: UserError if a node does not answer, or would run verl on another device.
    """
    working = [one for one in on_nodes.alive() if _works(one, settings)]
    for one in _of_all(on_nodes.ask(platform.probe, working, settings.stall_seconds), who):
        platform.check(one, "cpu" if settings.device == "cpu" else "cuda")


def _works(node: Mapping[str, Any], settings: VerlSettings) -> bool:
    """Whether weights and workers may go there; others, such as a head, have queue and helpers at most."""
    return bool(node["Resources"].get("GPU", 0) >= settings.gpus_on_node)


def _of_all(answers: Sequence[NodeAnswer[T]], who: str) -> list[T]:
    """Raises: UserError if a node has none."""
    silent = [f"{one.host} ({one.problem})" for one in answers if one.value is None]
    if silent:
        raise UserError(
            f"{who} cannot start: no process of Ray's could look at {len(silent)} of {len(answers)} nodes: "
            f"{'; '.join(silent[:MOST_NAMED])}.\nEach needs {MEND}.",
            FAILED,
        )
    return [one.value for one in answers if one.value is not None]
