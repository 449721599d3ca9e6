"""Signals that ask a program to end are Ctrl-C: one way out, on which what is done is kept.

A cluster sends SIGUSR1 a while before it takes a machine away, or SIGTERM half a minute before it kills: they end a
program likewise, but what is in the middle of a step may save that step first.
"""

from __future__ import annotations

import math
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LEAVING = signal.SIGUSR1
"""SLURM's `--signal=B:USR1@120`: in two minutes the machine is another's"""
SAVING_SECONDS = 15.0
"""for steps to be saved after SIGTERM: SLURM and Kubernetes send SIGKILL after 30, and jobs need a few to end"""

_late: list[int] = []
"""that came when a step could no longer be saved"""
Handler = Callable[[int, FrameType | None], Any] | signal.Handlers


class Preempted(KeyboardInterrupt):
    """The machine will be taken away soon: what can be saved in that time is saved, then the program ends."""

    def __init__(self, seconds: float = math.inf) -> None:
        """
        Args:
            seconds: that saving may take.
        """
        super().__init__()
        self.seconds = seconds


@contextmanager
def as_ctrl_c() -> Iterator[None]:
    """A lost terminal (SIGHUP) raises KeyboardInterrupt inside, and SIGTERM and SIGUSR1 raise Preempted. A SIGHUP or
    SIGINT that is ignored, as under `nohup` and for jobs that a script puts into the background, stays ignored; the
    others never do."""
    handlers: dict[signal.Signals, Handler] = {
        number: signal.default_int_handler for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN
    }
    with _handled({**handlers, signal.SIGTERM: _leave, LEAVING: _leave}):
        yield


def end_at_any() -> None:
    """All of them raise KeyboardInterrupt, for good, whatever was inherited: in a process that its driver ends."""
    for number in ENDING:
        signal.signal(number, signal.default_int_handler)
    signal.signal(LEAVING, _leave)


@contextmanager
def saved_first() -> Iterator[Callable[[bool], bool]]:
    """Around a step: SIGUSR1 waits for its end. What is yielded is asked once, where the step can still be saved, and
    told whether it is its turn; it says whether to save it. One that comes after that waits for the next step, unless
    this one is saved anyway.

    Raises: Preempted at the end of a step that is saved, if one has come.
    """
    saved = False
    arrived, _late[:] = _late[:], []

    def remember(number: int, frame: FrameType | None) -> None:
        arrived.append(number)

    def leaving(due: bool) -> bool:
        nonlocal saved
        saved = due or bool(arrived)
        return saved

    with _handled({LEAVING: remember}):
        yield leaving
    if saved and arrived:
        raise Preempted
    _late.extend(arrived)


@contextmanager
def deaf() -> Iterator[None]:
    """Programs that are started inside do not hear SIGUSR1, which without a handler would end them."""
    with _handled({LEAVING: signal.SIG_IGN}):
        yield


def _leave(number: int, frame: FrameType | None) -> None:
    raise Preempted(math.inf if number == LEAVING else SAVING_SECONDS)


@contextmanager
def held_back() -> Iterator[None]:
    """What is inside is done whole: one that arrives meanwhile acts when it is done."""
    arrived: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        arrived.append(number)

    handlers = {number: remember for number in (*ENDING, LEAVING) if signal.getsignal(number) is not signal.SIG_IGN}
    with _handled(handlers):
        yield
    if arrived:
        os.kill(os.getpid(), arrived[0])


@contextmanager
def _handled(handlers: Mapping[signal.Signals, Handler]) -> Iterator[None]:
    """In the main thread, the only one that signals reach."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
