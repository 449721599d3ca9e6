"""Runs commands in forks of this process, which has imported everything once: a start costs milliseconds, not seconds.

This process starts no thread and no torch operation, so that its forks are whole. What differs from `rence` in a
shell: a job is forked from its driver and not from a fork server, clocks stand still, so that a trial writes its
timing.json as often each time, and MLflow's store does not answer.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import multiprocessing.context
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from shim import Shim

ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
    "NO_COLOR": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONUNBUFFERED": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
}
HUNG = 124
"""the exit code of a command that was ended because it took too long"""
SECONDS = 180
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_FIRST = ("harness.run.trial", "harness.run.driver", "harness.backends.local.loop", "rence.cli")


@dataclass(frozen=True)
class Ended:
    code: int
    """negative: the signal that killed it"""
    said: str
    """stdout and stderr"""


def warm_up() -> None:
    """Import here what all commands need, so that each fork has it."""
    for name in _FIRST:
        importlib.import_module(name)
    _stand_still()


def import_as(work: Callable[[], None], said: Path) -> None:
    """Import here what a call has imported in a fork."""
    before = set(sys.modules)

    def names() -> list[str]:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            work()
        return [name for name in sys.modules if name not in before]

    for name in answer(names, said):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def command(
    words: Sequence[str],
    folder: Path,
    shim: Shim | None = None,
    before: Callable[[], None] = lambda: None,
    watch: Callable[[], None] = lambda: None,
) -> Ended:
    """`rence` with these words in this folder, in a fork.

    Args:
        shim: aimed; armed in the fork.
        before: called in the fork.
        watch: called here again and again while it runs.
    """

    def work() -> None:
        before()
        os.chdir(folder)
        sys.argv = ["rence", *words]
        if shim:
            shim.arm()
        from rence.cli import main

        main(list(words))

    return forked(work, folder.with_name(f"{folder.name}.said"), watch)


def forked(work: Callable[[], None], said: Path, watch: Callable[[], None] = lambda: None) -> Ended:
    """Call it in a fork, whose output goes to a file."""
    child = os.fork()
    if child == 0:
        _be_a_command(work, said)
    code, deadline = None, time.monotonic() + SECONDS
    while code is None:
        watch()
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
        elif time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            code = HUNG
        else:
            time.sleep(0.002)
    return Ended(code, said.read_text(encoding="utf-8", errors="replace"))


def answer(work: Callable[[], Any], said: Path) -> Any:
    """What it returns, which must be JSON, when it is called in a fork. Raises: RuntimeError if it does."""

    def write() -> None:
        sys.stdout.write(json.dumps(work()))

    ended = forked(write, said)
    if ended.code:
        raise RuntimeError(ended.said)
    return json.loads(ended.said.splitlines()[-1])


def _be_a_command(work: Callable[[], None], said: Path) -> None:
    code = 1
    try:
        os.setsid()
        file = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        code = _exit_code(work)
        sys.stdout.flush()
    finally:
        os._exit(code)


def _exit_code(work: Callable[[], None]) -> int:
    """As the interpreter's: an error that nobody caught goes to `sys.excepthook`, which may exit itself."""
    try:
        work()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException as error:
        try:
            sys.excepthook(type(error), error, error.__traceback__)
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else 1
        except BaseException:
            traceback.print_exc()
        return 1
    return 0


def _stand_still() -> None:
    """What a run needs here in place of its own: no fork server, and no time."""
    from harness.backends.local import loop
    from harness.run import timing
    from harness.run.launchers import local

    class Still:
        perf_counter = process_time = monotonic = staticmethod(lambda: 0.0)

    timing.time = loop.time = Still  # type: ignore[assignment]
    timing._now = lambda: "2000-01-01T00:00:00+00:00"
    local._context = lambda: SimpleNamespace(Process=Forked)  # type: ignore[assignment,return-value]


class Forked(multiprocessing.context.ForkProcess):
    """A job's process as a fork server makes it: no signal reaches it before it has begun, and none is caught yet."""

    def start(self) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def run(self) -> None:
        for number in _ENDING:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        super().run()


@contextlib.contextmanager
def side_by_side(workers: int) -> Iterator[Callable[[Callable[[], Any], Path, Callable[[Any], None]], None]]:
    """Yields a function that calls another in a fork, waits if so many are under way, and hands on what it returned."""
    running: dict[int, tuple[Path, Callable[[Any], None]]] = {}

    def collect() -> None:
        child, status = os.wait()
        said, then = running.pop(child)
        text = said.read_text(encoding="utf-8", errors="replace")
        if status:
            raise RuntimeError(text)
        then(json.loads(text.splitlines()[-1]))

    def start(work: Callable[[], Any], said: Path, then: Callable[[Any], None]) -> None:
        while len(running) >= workers:
            collect()
        child = os.fork()
        if child == 0:
            _be_a_command(lambda: print(json.dumps(work())), said)
        running[child] = said, then

    yield start
    while running:
        collect()
