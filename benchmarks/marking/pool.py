"""Worker processes that compare expressions, so that no answer of a model can hang, crash or fill this process.

Workers are started when they are first needed, and one that a question has ended is replaced for the next. Any thread
may ask; a question waits for a free worker, and its deadline counts from when one takes it (`worker.py`).
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO

Question = tuple[str, *tuple[str | float, ...]]
"""the name of one of `worker.main`'s questions, and its arguments"""
MOST_WORKERS = 4
"""of a process that does not say how many"""
MOST_KNOWN = 65536
"""verdicts that a pool remembers: models repeat themselves, above all in what they get wrong"""


_START = (
    "import sys; sys.path.insert(0, sys.argv.pop()); import benchmarks; del sys.path[0]; "
    "from benchmarks.marking.worker import main; main()"
)
"""our own `benchmarks`, wherever it lies and whatever else has its name; everything else as Python finds it"""


class MarkerMissing(Exception):
    """Math-Verify is not installed."""


class Pool:
    """So many workers."""

    def __init__(self, workers: int) -> None:
        self.size = workers
        self.ask: Callable[[Question], bool | None] = lru_cache(MOST_KNOWN)(self._ask)
        """the verdict on a question; None if the comparison broke, or ran out of time or memory"""
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()
        for _ in range(workers):
            self._idle.put(_Worker())

    def _ask(self, question: Question) -> bool | None:
        worker = self._idle.get()
        try:
            return worker.ask(question)
        finally:
            self._idle.put(worker)

    def ask_all(self, questions: Sequence[Question]) -> list[bool | None]:
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
def _of_process(pid: int) -> Pool:
    return Pool(min(MOST_WORKERS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2))


def shared() -> Pool:
    """The pool of this process; a fork has one of its own. Its workers end with the process, however it ends."""
    return _of_process(os.getpid())


class _Worker:
    """One process, or none yet."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def ask(self, question: Question) -> bool | None:
        if self._process and self._process.poll() is not None:  # somebody ended it while it had nothing to do
            self.stop()
        process = self._process or self._start()
        assert process.stdin and process.stdout
        try:
            print(json.dumps(question), file=process.stdin, flush=True)
            answer = process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if answer.endswith("\n"):
            return json.loads(answer)
        self.stop()
        return None

    def stop(self) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            _close(pipe)

    def _start(self) -> subprocess.Popen[str]:
        """Returns when it can be asked: what it imports is not the first question's time.

        Raises: MarkerMissing.
        """
        if find_spec("math_verify") is None:
            raise MarkerMissing("comparing expressions needs Math-Verify: pip install 'rence-bench[grade]'.")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _START, str(Path(__file__).resolve().parents[2])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the process that asks
        )
        assert self._process.stdout
        ready = self._process.stdout.readline()
        if ready != "ready\n":
            self.stop()
            raise RuntimeError("the process that compares expressions does not start; its words are above.")
        return self._process


def _close(pipe: IO[str] | None) -> None:
    try:
        if pipe:
            pipe.close()
    except BrokenPipeError:  # what was not written can no longer be read
        pass
