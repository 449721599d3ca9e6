"""Waiting with a limit, for calls that have none."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from harness.backends.verl.timeout import timeout
from harness.base.errors import UserError


def test_what_takes_too_long_ends_with_the_error() -> None:
    began = time.monotonic()
    with pytest.raises(UserError, match="too long"), timeout(0.2, UserError("too long")):
        asyncio.run(asleep())
    assert time.monotonic() - began < 10
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_what_ends_in_time_leaves_no_alarm() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with timeout(0.2, UserError("too long")):
        pass
    time.sleep(0.4)
    assert signal.getsignal(signal.SIGALRM) is before


async def asleep() -> None:
    """As verl's manager: a call that blocks inside a coroutine."""
    time.sleep(60)
