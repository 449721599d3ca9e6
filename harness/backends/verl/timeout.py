"""A limit for what verl waits for without one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def timeout(seconds: float, error: Exception) -> Iterator[None]:
    """Raise `error` in the main thread, which must be this one, if the block has not ended in time.

    By an alarm: verl blocks in calls of ray that have no limit of their own, and ray looks for signals while it waits.
    """

    def ring(number: int, frame: FrameType | None) -> None:
        raise error

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
