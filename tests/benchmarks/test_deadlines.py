"""A comparison ends by processor time, whatever else the machine does, and by the clock only where it stands still."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.marking.pool import LOOK_SECONDS, MOST_LOOKS, Pool
from benchmarks.marking.processes import activity
from benchmarks.marking.worker import CPU_SECONDS

# Math-Verify's own way, so that the time does not depend on ours
BURNING = ("math_verify", r"\boxed{9^{9^{9^{9}}}+x}", "x")
# about two thirds of a processor second
SLOW = ("math_verify", r"\boxed{\frac{x^{70}-1}{x-1}}", "+".join(f"x^{{{n}}}" for n in range(70)))


@contextmanager
def busy(count: int) -> Iterator[None]:
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool(1)
    made.ask(("math_verify", r"\boxed{x+y}", "y+x"))
    yield made
    made.close()


def worker_of(pool: Pool) -> int:
    worker = pool._idle.queue[0]
    assert worker._process
    return worker._process.pid


@pytest.mark.slow
def test_eight_busy_processes_beside_change_no_mark(pool: Pool) -> None:
    before = activity(worker_of(pool))[0]
    with busy(8):
        started = time.monotonic()
        assert pool.ask(SLOW).value is True
        spent, waited = activity(worker_of(pool))[0] - before, time.monotonic() - started
        print(f"{spent:.2f} processor seconds in {waited:.1f}")
        assert pool.ask(BURNING) == (None, "the comparison ran out of time")
    assert 0.3 < spent < CPU_SECONDS


@pytest.mark.slow
def test_a_worker_that_stands_still_is_ended(pool: Pool) -> None:
    pid = worker_of(pool)
    found: list[object] = []
    asker = threading.Thread(target=lambda: found.append(pool.ask(BURNING)))
    os.kill(pid, signal.SIGSTOP)  # as a deadlock is: no processor time, and no wish for any
    started = time.monotonic()
    asker.start()
    asker.join(10 * LOOK_SECONDS * MOST_LOOKS)
    assert found == [(None, "the comparison stood still")]
    assert time.monotonic() - started >= LOOK_SECONDS * MOST_LOOKS
    assert pool.ask(("compare", "x+z", "z+x", "maths", 0.0)).value is True, "another has taken its place"


def test_a_burning_worker_is_ended_by_its_processor_time(pool: Pool) -> None:
    spent = os.times().children_user + os.times().children_system
    assert pool.ask(BURNING) == (None, "the comparison ran out of time")
    spent = os.times().children_user + os.times().children_system - spent
    # the parent is told of its children's time in ticks: 2.95 s of 3 were seen
    assert 0.95 * CPU_SECONDS <= spent < CPU_SECONDS + 6, "with what it took to start"
    assert pool.ask(("compare", "x+z", "z+x", "maths", 0.0)).value is True, "another has taken its place"


def test_what_a_process_does() -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    burner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        deadline = time.monotonic() + 30
        while activity(burner.pid)[0] < 0.3 or not activity(sleeper.pid)[1]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert not activity(burner.pid)[1], "it runs, or waits for a processor"
        still = activity(sleeper.pid)
        time.sleep(0.5)
        assert activity(sleeper.pid) == still
    finally:
        for one in (sleeper, burner):
            one.kill()
            one.wait()
    assert activity(sleeper.pid) == (0.0, True)
