"""What a step says of the machine it ran on, under the names that verl's own trainer gives it.

Nothing of it decides a result. What is not measured is left out: an unknown device has no utilisation, a server that
does not tell has no preemptions. Imports none of verl.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.request import ProxyHandler, build_opener

PREEMPTIONS = "sampler/preemptions"
_PEAKS = ("perf/max_memory_allocated_gb", "perf/max_memory_reserved_gb")
_COUNTER = re.compile(r"^vllm:num_preemptions(?:_total)?(?:\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE)
_SECONDS = 5.0
"""that a server may take to answer"""


class Monitor:
    """Of one trial."""

    def __init__(self, devices: int) -> None:
        self._devices = devices
        self._servers: tuple[str, ...] = ()
        self._before: float | None = None
        self._updates: list[Mapping[str, Any]] = []

    def watch(self, servers: Iterable[str]) -> None:
        """
        Args:
            servers: host and port of each of vLLM's.
        """
        self._servers = tuple(servers)
        self._before = preemptions(self._servers)

    def updated(self, metrics: Mapping[str, Any]) -> None:
        """
        Args:
            metrics: what `update_actor` has returned: lists, an entry an update.
        """
        self._updates.append(metrics)

    def row(self, lengths: Iterable[int], seconds: float) -> dict[str, float]:
        """Of the step that has ended, as metrics of `steps.jsonl`: peaks in GiB, of the learner's first rank;
        utilisation of the devices by verl's count of operations; tokens of the batch; preemptions of all samplers.

        Args:
            lengths: tokens of each sequence of the batch, its prompt among them.
            seconds: of the whole step.
        """
        tokens = sum(lengths)
        found = {
            "perf/total_num_tokens": float(tokens),
            "perf/time_per_step": seconds,
            "perf/throughput": tokens / (seconds * self._devices),
        }
        for name in _PEAKS:
            if values := self._values(name):
                found[f"actor/{name}"] = max(values)
        if used := [value for value in self._values("mfu") if value > 0]:  # 0: verl does not know the device
            found["perf/mfu/actor"] = sum(used) / len(used)
        self._updates = []
        now, before = preemptions(self._servers), self._before
        self._before = now
        if now is not None and before is not None:
            found[PREEMPTIONS] = now - before
        return found

    def _values(self, name: str) -> list[float]:
        each = (metrics.get(name, ()) for metrics in self._updates)
        return [float(v) for values in each for v in (values if isinstance(values, list | tuple) else [values])]


def preemptions(servers: Sequence[str]) -> float | None:
    """How often vLLM has taken a request's place from it since its start, over all servers; None if one does not
    tell."""
    total, direct = 0.0, build_opener(ProxyHandler({}))  # a proxy of the site's knows nothing of these
    for server in servers:
        try:
            with direct.open(f"http://{server}/metrics", timeout=_SECONDS) as answer:
                counts = _COUNTER.findall(answer.read().decode("utf-8", errors="replace"))
        except (OSError, ValueError):
            return None
        if not counts:
            return None
        total += sum(map(float, counts))
    return total if servers else None
