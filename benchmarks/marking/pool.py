"""Worker processes that compare expressions, so that no answer of a model can hang, crash or fill this process.

Workers are started when they are first needed, and one that a question has ended is replaced for the next. Any thread
may ask; a question waits for a free worker, and its deadline counts from when one takes it. The deadline is processor
time (`worker.py`), so that no mark depends on what else the machine does; time on the clock only ends a worker that
stands still, which one that waits for a processor does not.
"""

from __future__ import annotations

import json
import os
import queue
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO, NamedTuple

from benchmarks.marking.processes import activity

Question = tuple[str, *tuple[str | float, ...]]
"""the name of one of `worker.main`'s questions, and its arguments"""
MOST_WORKERS = 4
"""of a process that does not say how many"""
MOST_KNOWN = 65536
"""replies that a pool remembers of comparisons: models repeat themselves, above all in what they get wrong"""
LOOK_SECONDS, MOST_LOOKS = 2.0, 3
"""how often a worker that has not replied is looked at, and how many looks in a row may find that it stands still"""

_START = "import sys; sys.path.insert(0, sys.argv.pop()); import benchmarks; del sys.path[0]; "
"""our own `benchmarks`, wherever it lies and whatever else has its name; everything else as Python finds it"""


class MarkerMissing(Exception):
    """Packages that compare expressions are not installed."""


class NotStarted(RuntimeError):
    """A worker cannot start; the message is what it said, if it said anything."""


@dataclass(frozen=True)
class Program:
    """What the workers of a pool run: `main` of a module, which says `ready` and then answers line by line."""

    module: str
    what: str
    """it does, in words: `the comparison`"""
    arguments: tuple[str, ...] = ()
    needs: tuple[tuple[str, str], ...] = ()
    """modules that it imports, each with its package"""
    remembers: int = MOST_KNOWN
    """replies that a pool keeps"""

    @property
    def command(self) -> list[str]:
        """That starts a worker, whatever the current folder holds."""
        code = f"{_START}from {self.module} import main; main()"
        return [sys.executable, "-P", "-c", code, *self.arguments, str(Path(__file__).resolve().parents[2])]


COMPARISON = Program(
    "benchmarks.marking.worker",
    "the comparison",
    needs=(("math_verify", "Math-Verify"), ("flint", "python-flint")),  # sympy comes with the first
)


class Reply(NamedTuple):
    """What a worker says to a question."""

    value: bool | str | float | None
    """a verdict, a text that was searched for, or a reward; None: the worker broke, or ran out of time or memory"""
    reason: str
    """in words"""


class Pool:
    """So many workers."""

    def __init__(self, workers: int, program: Program = COMPARISON) -> None:
        self.size = workers
        self.ask: Callable[[Question], Reply] = lru_cache(program.remembers)(self._ask)
        """the reply to a question"""
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()
        for _ in range(workers):
            self._idle.put(_Worker(program))

    def _ask(self, question: Question) -> Reply:
        worker = self._idle.get()
        try:
            return worker.ask(question)
        finally:
            self._idle.put(worker)

    def ask_all(self, questions: Sequence[Question]) -> list[Reply]:
        """In the order of the questions, workers side by side."""
        if len(questions) < 2:
            return [self.ask(question) for question in questions]
        with ThreadPoolExecutor(self.size) as threads:
            return list(threads.map(self.ask, questions))

    def close(self) -> None:
        """End the workers. None may be at work."""
        for _ in range(self.size):
            self._idle.get().stop()


@cache
def _of_process(pid: int, program: Program) -> Pool:
    return Pool(min(MOST_WORKERS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2), program)


def shared(program: Program = COMPARISON) -> Pool:
    """The pool of this process; a fork has one of its own. Its workers end with the process, however it ends."""
    return _of_process(os.getpid(), program)


class _Worker:
    """One process, or none yet."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._process: subprocess.Popen[str] | None = None

    def ask(self, question: Question) -> Reply:
        if self._process and self._process.poll() is not None:  # somebody ended it while it had nothing to do
            self.stop()
        process = self._process or self._start()
        assert process.stdin and process.stdout
        with suppress(BrokenPipeError):  # it has ended, which the next line finds
            print(json.dumps(question), file=process.stdin, flush=True)
        still = not _replies(process)
        answer = "" if still else process.stdout.readline()
        if answer.endswith("\n"):
            return Reply(*json.loads(answer))
        code, what = self.stop(), self._program.what
        if still:
            return Reply(None, f"{what} stood still")
        return Reply(None, f"{what} ran out of time" if code == -signal.SIGPROF else f"{what} crashed")

    def stop(self) -> int:
        """The exit code of what was running."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # with what it has started
        process.wait()
        for pipe in (process.stdin, process.stdout):
            _close(pipe)
        return process.returncode

    def _start(self) -> subprocess.Popen[str]:
        """Returns when it can be asked: what it imports is not the first question's time.

        Raises: MarkerMissing; NotStarted.
        """
        missing = [name for module, name in self._program.needs if find_spec(module) is None]
        if missing:
            needed = " and ".join(missing)
            raise MarkerMissing(f"comparing expressions needs {needed}: pip install 'rence-bench[grade]'.")
        self._process = subprocess.Popen(
            self._program.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the process that asks
        )
        assert self._process.stdout
        ready = self._process.stdout.readline()
        if ready != "ready\n":
            code = self.stop()
            ended = f"{self._program.what} does not start (exit code {code}); its words are above."
            raise NotStarted(ready.strip() or ended)
        return self._process


def _replies(process: subprocess.Popen[str]) -> bool:
    """Wait for a line or the end of a worker; False if it stands still."""
    assert process.stdout
    looks, spent = 0, -1.0
    while looks < MOST_LOOKS:
        if select.select([process.stdout], [], [], LOOK_SECONDS)[0]:
            return True
        before, (spent, waits) = spent, activity(process.pid)
        looks = looks + 1 if waits and spent == before else 0
    return False


def _close(pipe: IO[str] | None) -> None:
    with suppress(BrokenPipeError):  # what was not written can no longer be read
        if pipe:
            pipe.close()
