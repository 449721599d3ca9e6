"""`timing.json`: what a trial took, over all its attempts. A kill loses the last seconds, never the file."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.records import Timing
from harness.records.environment import environment
from harness.records.seals import file_hash, ground_of
from harness.run.stillness import Stillness

_WRITE_EVERY = 1.0
"""seconds"""
_PULSE_SECONDS = 10.0
_WORKED_SECONDS = 0.001
"""of processor time since the last pulse, below which a process stands still; waiting for Ray takes more"""


class Clock:
    """Adds this process's time to what earlier attempts took, and writes it now and then for as long as the process
    works: the file's time is the trial's pulse, by which a driver knows one that was stopped or stands still."""

    def __init__(self, path: Path, attempt: int, settings: Mapping[str, Any]) -> None:
        """
        Args:
            settings: the runtime settings of this start, dotted.
        """
        self._path, now = path, _now()
        before = Timing.read(path) if path.exists() else Timing(0, 0, 0, 0, 0, 0, now, "")
        machine = environment()["processor"]
        start = {"attempt": attempt, "started": now, "processor": machine, "settings": dict(settings)}
        ground = ground_of(path.parent)
        self._before = replace(
            before,
            attempts=attempt,
            finished="",
            starts=[*before.starts, start],
            rests_on=file_hash(ground) if ground else "",
        )
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        self._evaluate = 0.0
        self._written = 0.0
        self._still = Stillness(_PULSE_SECONDS)
        self._writing, self._ended = threading.Lock(), threading.Event()
        self.write()
        threading.Thread(target=self._pulse, name="pulse", daemon=True).start()

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """The time inside counts as evaluation, in seconds of wall clock, unless it ends with an error."""
        began = time.perf_counter()
        yield
        self._evaluate += time.perf_counter() - began

    def tick(self) -> None:
        """Called often, writes seldom."""
        if time.perf_counter() - self._written > _WRITE_EVERY:
            self.write()

    def finish(self, generate_seconds: float = 0.0, train_seconds: float = 0.0) -> None:
        """The last writing, after which there is no pulse; seconds as in `write`."""
        self._ended.set()
        self.write(_now(), generate_seconds, train_seconds)

    def write(self, finished: str = "", generate_seconds: float = 0.0, train_seconds: float = 0.0) -> None:
        """Write the sums over all attempts up to now, in seconds, in the place of the last ones.

        Args:
            finished: when the trial was complete; empty while it is not.
            generate_seconds: of this process, known when training has ended; likewise `train_seconds`.
        """
        with self._writing:
            if self._ended.is_set() and not finished:
                return
            before, self._written = self._before, time.perf_counter()
            replace(
                before,
                wall_seconds=round(before.wall_seconds + self._written - self._wall, 3),
                cpu_seconds=round(before.cpu_seconds + time.process_time() - self._cpu, 3),
                generate_seconds=round(before.generate_seconds + generate_seconds, 3),
                train_seconds=round(before.train_seconds + train_seconds, 3),
                evaluate_seconds=round(before.evaluate_seconds + self._evaluate, 3),
                finished=finished,
                still_seconds=round(before.still_seconds + self._still.seconds, 3),
            ).write(self._path)

    def _pulse(self) -> None:
        worked, last = time.process_time(), time.monotonic()
        while not self._ended.wait(_PULSE_SECONDS):
            works = time.process_time() - worked > _WORKED_SECONDS
            self._still.beat(time.monotonic() - last, works)
            if works:
                with suppress(OSError):  # a full disk ends the trial where it writes results
                    self.write()
            worked, last = time.process_time(), time.monotonic()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
