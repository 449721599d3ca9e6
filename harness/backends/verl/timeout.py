"""A limit for what verl waits for without one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN_SECONDS = 5.0
"""after a ring, for what waits again while it cleans up"""


@contextmanager
def timeout(seconds: float, error: Exception) -> Iterator[None]:
    """Raise `error` in the main thread, which must be this one, if the block has not ended in time.

    By an alarm: verl blocks in calls of ray that have no limit of their own. Ray looks for signals while it waits, and
    drops every exception that a handler raises but KeyboardInterrupt: it goes on waiting.
    """
    rung = False

    def ring(number: int, frame: FrameType | None) -> None:
        nonlocal rung
        rung = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_SECONDS)
    try:
        yield
    except BaseException:
        signal.setitimer(signal.ITIMER_REAL, 0)
        if rung:
            raise error from None
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if rung:  # whoever was interrupted made nothing of it
        raise error
