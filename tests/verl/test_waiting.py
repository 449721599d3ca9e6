"""Limits for what Ray and verl wait for without one, with real actors that never answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import ray

from harness.backends.verl.timeout import timeout
from harness.base.errors import UserError


@pytest.fixture(scope="module")
def silent() -> Iterator[Any]:
    class Silent:  # here, for workers do not import tests
        """Of a process that has stopped answering, but lives."""

        def answer(self) -> None:
            time.sleep(10_000)

    ray.init(address="local", num_cpus=1, include_dashboard=False, object_store_memory=80_000_000, log_to_driver=False)
    try:
        yield ray.remote(Silent).remote()
    finally:
        ray.shutdown()


def blocking(silent: Any) -> None:
    ray.get(silent.answer.remote())


def blocking_in_a_coroutine(silent: Any) -> None:
    """As verl sends weights."""

    async def send() -> None:
        ray.get(silent.answer.remote())

    asyncio.run(send())


def awaiting(silent: Any) -> None:
    """As verl puts samplers to sleep."""

    async def sleep() -> None:
        await asyncio.gather(silent.answer.remote(), silent.answer.remote())

    asyncio.run(sleep())


def waiting_again(silent: Any) -> None:
    """What cleans up waits for the same process."""
    try:
        ray.get(silent.answer.remote())
    finally:
        ray.get(silent.answer.remote())


@pytest.mark.parametrize("wait", [blocking, blocking_in_a_coroutine, awaiting, waiting_again])
def test_a_process_that_does_not_answer_is_not_waited_for(silent: Any, wait: Callable[[Any], None]) -> None:
    began = time.monotonic()
    with pytest.raises(UserError, match="silent"), timeout(1, UserError("silent")):
        wait(silent)
    assert time.monotonic() - began < 30


def test_a_users_interrupt_stays_one(silent: Any) -> None:
    with pytest.raises(KeyboardInterrupt), timeout(60, UserError("silent")):
        raise KeyboardInterrupt
