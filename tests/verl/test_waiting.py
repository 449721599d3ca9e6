"""Limits for what Ray and verl wait for without one, with real actors that never answer."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from harness.backends.verl.timeout import timeout
from harness.base.errors import UserError

LIMIT = 1.0


def blocking(silent: Any) -> None:
    import ray

    ray.get(silent.answer.remote())


def blocking_in_a_coroutine(silent: Any) -> None:
    """As verl sends weights."""

    async def send() -> None:
        blocking(silent)

    asyncio.run(send())


def awaiting(silent: Any) -> None:
    """As verl puts samplers to sleep."""

    async def sleep() -> None:
        await asyncio.gather(silent.answer.remote(), silent.answer.remote())

    asyncio.run(sleep())


def waiting_again(silent: Any) -> None:
    """What cleans up waits for the same process."""
    try:
        blocking(silent)
    finally:
        blocking(silent)


def interrupted(silent: Any) -> None:
    raise KeyboardInterrupt


WAYS: tuple[Callable[[Any], None], ...] = (blocking, blocking_in_a_coroutine, awaiting, waiting_again, interrupted)


@pytest.fixture(scope="module")
def ended() -> dict[str, tuple[str, float]]:
    """How each way ended, and after how many seconds: in a process of its own, for Ray keeps what it was first told."""
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("way", ["blocking", "blocking_in_a_coroutine", "awaiting", "waiting_again"])
def test_a_process_that_does_not_answer_is_not_waited_for(ended: dict[str, tuple[str, float]], way: str) -> None:
    error, seconds = ended[way]
    assert error == "UserError('silent')" and LIMIT <= seconds < 30


def test_a_users_interrupt_stays_one(ended: dict[str, tuple[str, float]]) -> None:
    assert ended["interrupted"][0] == "KeyboardInterrupt()"


def main() -> None:
    """Try every way, and print how it ended."""
    import ray

    class Silent:  # here, for workers do not import tests
        """Of a process that has stopped answering, but lives."""

        def answer(self) -> None:
            time.sleep(10_000)

    ray.init(address="local", num_cpus=1, include_dashboard=False, object_store_memory=80_000_000, log_to_driver=False)
    silent, found = ray.remote(Silent).remote(), {}
    for way in WAYS:
        began, how = time.monotonic(), "no error"
        try:
            with timeout(LIMIT, UserError("silent")):
                way(silent)
        except (Exception, KeyboardInterrupt) as error:
            how = repr(error)
        found[way.__name__] = (how, time.monotonic() - began)
    ray.shutdown()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
