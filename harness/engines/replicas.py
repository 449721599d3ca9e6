"""One engine over several processes, each with devices and a copy of the model of its own.

A call of `generate` is answered by one process, as it would be by the engine alone: the same call, the same answers.
Calls from several threads go to the processes that are free.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import SimpleQueue, get_context
from pathlib import Path
from typing import Any

from harness.engines.base import Completion, Engine, Request, Sampling, answering
from harness.engines.registry import open_engine


class Replicas:
    """Of an engine, as many as there are sets of devices."""

    def __init__(self, name: str, model: Path, devices: Sequence[str], variable: str, **options: Any) -> None:
        """Opens them all, side by side.

        Args:
            devices: for each process the value of an environment variable that says which devices it sees.
            variable: its name, such as CUDA_VISIBLE_DEVICES.
            options: of the engine's `open`.
        Raises: what `open_engine` raises.
        """
        context = get_context("spawn")
        self._devices: SimpleQueue[str] = context.SimpleQueue()
        for one in devices:
            self._devices.put(one)
        self._opening = (name, model, options)
        # Spawned, a pool starts all its processes with the first call.
        self._pool = ProcessPoolExecutor(len(devices), context, initializer=_see, initargs=(variable, self._devices))
        self.calls_at_once = len(devices)
        with answering(name):
            self.name, self.version, self.positions = self._pool.submit(_describe, *self._opening).result()

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
        """See the protocol. Raises: what the engine raises; EngineFailed if a process died."""
        with answering(self.name):
            return self._pool.submit(_generate, *self._opening, list(requests), sampling).result()

    def close(self) -> None:
        """Ends the processes, once they have answered."""
        self._pool.shutdown()


_engines: dict[str, Engine] = {}
"""the one of this process, under its name"""


def _see(variable: str, devices: SimpleQueue[str]) -> None:
    """Before anything here asks what devices there are."""
    os.environ[variable] = devices.get()


def _opened(name: str, model: Path, options: dict[str, Any]) -> Engine:
    if name not in _engines:
        _engines[name] = open_engine(name, model, **options)
    return _engines[name]


def _describe(name: str, model: Path, options: dict[str, Any]) -> tuple[str, str, int | None]:
    engine = _opened(name, model, options)
    return engine.name, engine.version, engine.positions


def _generate(
    name: str, model: Path, options: dict[str, Any], requests: list[Request], sampling: Sampling
) -> list[list[Completion]]:
    return _opened(name, model, options).generate(requests, sampling)
