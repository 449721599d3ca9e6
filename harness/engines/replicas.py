"""One engine over several processes, each with devices and a copy of the model of its own.

A call of `generate` is answered by one process, as it would be by the engine alone: the same call, the same answers.
Calls from several threads go to the processes that are free.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import SimpleQueue, get_context
from multiprocessing.connection import Connection
from multiprocessing.util import Finalize
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
        watched, self._life = context.Pipe(duplex=False)
        # Of a process that ends by an error, too: it would wait for its children, and they for calls.
        Finalize(None, self._life.close, exitpriority=10)
        self._pool = ProcessPoolExecutor(
            len(devices), context, initializer=_begin, initargs=(variable, self._devices, watched)
        )
        self.calls_at_once = len(devices)
        try:
            with answering(name):
                # A process is started for each call that finds none idle.
                opened = [self._pool.submit(_describe, *self._opening) for _ in devices]
                self.name, self.version, self.positions = opened[0].result()
        except BaseException:
            self.close()
            raise

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
        """See the protocol. Raises: what the engine raises; EngineFailed if a process died."""
        with answering(self.name):
            return self._pool.submit(_generate, *self._opening, list(requests), sampling).result()

    def close(self) -> None:
        """Ends the processes at once, and with them calls that are under way."""
        self._life.close()
        self._pool.shutdown(cancel_futures=True)


_engines: dict[str, Engine] = {}
"""the one of this process, under its name"""


def _begin(variable: str, devices: SimpleQueue[str], life: Connection) -> None:
    """Before anything here asks what devices there are."""
    threading.Thread(target=_end_with, args=(life,), name="life", daemon=True).start()
    os.environ[variable] = devices.get()


def _end_with(life: Connection) -> None:
    """A pool waits for what its processes have under way, and they outlive a parent that is killed, devices and all.
    The other end of the pipe is closed with the engine, and with the process that has it."""
    with suppress(EOFError, OSError):
        life.recv()
    os._exit(0)


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
