"""Calls that may be under way together, and their results in the order of the calls."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
AHEAD = 4
"""results that may wait for one before them, for each call that may be under way: a long answer holds up the files,
and no device"""


def in_order(calls: Iterable[Callable[[], T]], at_once: int) -> Iterator[T]:
    """The result of each call, in their order.

    Args:
        calls: drawn in this thread, as they are needed.
        at_once: calls under way at a time, each in a thread of its own; 1: in this thread, one by one.
    Raises: what a call raises, when it is its turn.
    """
    if at_once == 1:
        for call in calls:
            yield call()
        return
    threads, waiting = ThreadPoolExecutor(at_once), deque[Future[T]]()
    try:
        for call in calls:
            waiting.append(threads.submit(call))
            if len(waiting) == AHEAD * at_once or waiting[0].done():
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
