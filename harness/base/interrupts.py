"""Signals that ask a program to end are Ctrl-C: one way out, on which what is done is kept."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def as_ctrl_c() -> Iterator[None]:
    """SIGTERM and a lost terminal (SIGHUP) raise KeyboardInterrupt inside. A SIGHUP or SIGINT that is ignored, as under
    `nohup` and for jobs that a script puts into the background, stays ignored; SIGTERM never does."""
    handlers = {
        number: signal.default_int_handler
        for number in ENDING
        if number == signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN
    }
    with _handled(handlers):
        yield


def end_at_any() -> None:
    """All of them raise KeyboardInterrupt, for good, whatever was inherited: in a process that its driver ends."""
    for number in ENDING:
        signal.signal(number, signal.default_int_handler)


@contextmanager
def held_back() -> Iterator[None]:
    """What is inside is done whole: one that arrives meanwhile acts when it is done."""
    arrived: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        arrived.append(number)

    handlers = {number: remember for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN}
    with _handled(handlers):
        yield
    if arrived:
        os.kill(os.getpid(), arrived[0])


@contextmanager
def _handled(handlers: Mapping[signal.Signals, Callable[[int, FrameType | None], Any]]) -> Iterator[None]:
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
