"""Every machine of the cluster looked at before a trial takes anything: by a process of Ray's on each, with a limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.backends import on_nodes
from harness.backends.verl import node, platform
from harness.backends.verl.node import NodeFound
from harness.backends.verl.node_needs import MOST_NAMED, NodeNeeds, check, findings, of_one_kind
from harness.backends.verl.options import VerlSettings
from harness.backends.verl.platform import PlatformFound
from harness.base.errors import FAILED, UserError

ANSWER_SECONDS = 90.0
"""for a process to start on each node: seconds on most, but shared storage is slow when all read the same packages"""

MEND = (
    "rence-bench, installed at the same path as here; `ray status` shows the nodes, "
    "/tmp/ray/session_latest/logs/raylet.out on that node what stops it, and `ray stop` there takes it out"
)


@dataclass(frozen=True)
class NodeLook:
    """What a process of Ray's sees."""

    platform: PlatformFound
    node: NodeFound


def look() -> NodeLook:
    """As a Ray task."""
    return NodeLook(platform.probe(), node.probe())


def check_here(settings: VerlSettings, needs: NodeNeeds, who: str, warn: Callable[[str], None]) -> None:
    """This machine, for a trial that starts a Ray of its own. See `check_nodes`.

    Raises: UserError with all that is short.
    """
    here = node.probe()
    check([*findings(needs, here), *of_one_kind(settings, [here])], who, warn)


def check_nodes(
    settings: VerlSettings,
    needs: NodeNeeds | None,
    who: str,
    warn: Callable[[str], None],
    seconds: float = ANSWER_SECONDS,
) -> None:
    """Of the cluster that this process has joined.

    Args:
        needs: of each machine; None: they were looked at before.
        who: the trial, for the message.
        warn: told of what is only risky.
    Raises: UserError if a node does not answer, would run verl on another device, or lacks something: all that is
        short, of all nodes, in one message.
    """
    nodes = on_nodes.alive()
    answers = on_nodes.ask(look, nodes, seconds)
    silent = [f"{one.host} ({one.problem})" for one in answers if one.value is None]
    if silent:
        raise UserError(
            f"{who} cannot start: no process of Ray's could look at {len(silent)} of {len(answers)} nodes: "
            f"{'; '.join(silent[:MOST_NAMED])}.\n"
            f"Each needs {MEND}.",
            FAILED,
        )
    # Weights and workers go to machines with GPUs enough; the others, such as a head, have queue and helpers at most.
    pairs = list(zip(nodes, (one.value for one in answers if one.value), strict=True))
    working = [one for node, one in pairs if node["Resources"].get("GPU", 0) >= settings.gpus_per_node]
    for one in working:
        platform.check(one.platform, "cpu" if settings.device == "cpu" else "cuda")
    if needs is None:
        return
    little = NodeNeeds(descriptors=needs.descriptors)
    rows = [row for _, one in pairs for row in findings(needs if one in working else little, one.node)]
    check([*rows, *of_one_kind(settings, [one.node for one in working])], who, warn)
