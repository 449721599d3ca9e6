"""A user's function, asked about cases in processes of its own: one that crashes, hangs or raises costs its case."""

from __future__ import annotations

import json
import os
import queue
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.adversarial.suite import SuiteRow

_CHILD = Path(__file__).with_name("child.py")
START_SECONDS = 300.0
"""to import the function's module, which may import torch, and for a call for trial"""


class FunctionUnusable(Exception):
    """It cannot be imported or called; the message says why."""

    def __init__(self, reason: str, form: str = "") -> None:
        super().__init__(reason)
        self.form = form
        """how it was called; empty if it never was"""


class FunctionAbsent(FunctionUnusable):
    """There is no module or function of that name."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a function made of one case."""

    value: float | None
    """None: it failed"""
    failure: str | None = None
    """`timed out`, `crashed`, or what it raised"""


@dataclass(frozen=True)
class Target:
    """A function and how it is called."""

    name: str
    """`module:function`"""
    seconds: float = 10.0
    """for one case, by the clock; the import and the call for trial have `START_SECONDS`"""
    messages: bool = False
    """whether a parameter `completions` gets lists of messages in place of texts"""


@dataclass(frozen=True)
class Judgement:
    """What a function made of all cases."""

    form: str
    """how it was called, such as `f(solution_str=response, ground_truth=gold)`"""
    cases: Sequence[Judged]


def judge(
    target: Target, rows: Sequence[SuiteRow], workers: int, told: Callable[[int], None] = lambda _: None
) -> Judgement:
    """What the function makes of each case, in their order.

    Args:
        told: is called with the number of cases done.
    Raises: FunctionUnusable.
    """
    free: queue.LifoQueue[_Process] = queue.LifoQueue()
    processes = [_Process(target) for _ in range(workers)]
    done = count(1)

    def ask(row: SuiteRow) -> Judged:
        process = free.get()
        try:
            return process.ask(row)
        finally:
            free.put(process)
            told(next(done))

    try:
        processes[0].start()  # says what is wrong with the function, once
        for process in processes:
            free.put(process)
        threads = ThreadPoolExecutor(workers)
        try:
            return Judgement(processes[0].form, list(threads.map(ask, rows)))
        finally:
            threads.shutdown(cancel_futures=True)  # after Ctrl-C no case is begun
    finally:
        for process in processes:
            process.stop()


class _Process:
    """One child, started again after each death."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._process: subprocess.Popen[bytes] | None = None
        self._read = b""
        self.form = ""

    def start(self) -> None:
        """Import the function and call it once. Raises: FunctionUnusable."""
        self._read = b""
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_CHILD), self._target.name, "messages" if self._target.messages else "texts"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the process that asks
        )
        try:
            said = self._line(START_SECONDS)
        except TimeoutError:
            said = {"unusable": f"its import or first call took more than {START_SECONDS:.0f} s"}
        said = said or {"unusable": "its import or first call ended the process"}
        if "ready" in said:
            self.form = said["ready"]
            return
        self.stop()
        if "absent" in said:
            raise FunctionAbsent(said["absent"])
        raise FunctionUnusable(said["unusable"], said.get("form", ""))

    def ask(self, row: SuiteRow) -> Judged:
        """Raises: FunctionUnusable if the function that could be imported before cannot be any more."""
        if self._process is None:
            self.start()
        assert self._process and self._process.stdin
        failure = "crashed"
        try:
            self._process.stdin.write(json.dumps([row.pred, row.gold]).encode() + b"\n")
            self._process.stdin.flush()
            if said := self._line(self._target.seconds):
                return Judged(said["value"]) if "value" in said else Judged(None, said["error"])
        except BrokenPipeError:
            pass
        except TimeoutError:
            failure = "timed out"
        self.stop()
        return Judged(None, failure)

    def _line(self, seconds: float) -> dict[str, Any] | None:
        """What the child says next; None if it died. Raises: TimeoutError."""
        assert self._process and self._process.stdout
        ends, pipe = time.monotonic() + seconds, self._process.stdout
        with selectors.DefaultSelector() as waiting:
            waiting.register(pipe, selectors.EVENT_READ)
            while b"\n" not in self._read:
                if not waiting.select(max(0.0, ends - time.monotonic())):
                    raise TimeoutError
                read = pipe.read1(65536)  # type: ignore[attr-defined]
                if not read:
                    return None
                self._read += read
        line, _, self._read = self._read.partition(b"\n")
        return json.loads(line)

    def stop(self) -> None:
        """End it and what it started."""
        if self._process is None:
            return
        process, self._process = self._process, None
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with suppress(BrokenPipeError):  # what was not written can no longer be read
                    pipe.close()
