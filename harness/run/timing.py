"""`timing.json`: what a trial took, over all its attempts. A kill loses the last seconds, never the file."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.records import Timing
from harness.run.pulse import Pulse

_WRITE_EVERY = 1.0
"""seconds"""


class Clock:
    """Adds this process's time to what earlier attempts took."""

    def __init__(self, path: Path, attempt: int, settings: Mapping[str, Any]) -> None:
        """
        Args:
            settings: the runtime settings of this start, dotted.
        """
        self._path, now = path, _now()
        before = Timing.read(path) if path.exists() else Timing(0, 0, 0, 0, 0, 0, now, "")
        start = {"attempt": attempt, "started": now, "settings": dict(settings)}
        self._before = replace(before, attempts=attempt, finished="", starts=[*before.starts, start])
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        self._evaluate = 0.0
        self._written = 0.0
        self.steps, self.chunks = Pulse(), Pulse()
        self.write()

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """The time inside counts as evaluation, in seconds of wall clock, unless it ends with an error."""
        began = time.perf_counter()
        self.chunks.start()
        yield
        self._evaluate += time.perf_counter() - began
        self.steps.start()

    def tick(self) -> None:
        """Called after each step; writes seldom."""
        self.steps.beat()
        if time.perf_counter() - self._written > _WRITE_EVERY:
            self.write()

    def answered(self, _: object) -> None:
        """Called after each chunk of an evaluation."""
        self.chunks.beat()

    def finish(self, generate_seconds: float = 0.0, train_seconds: float = 0.0) -> None:
        self.write(_now(), generate_seconds, train_seconds)

    def write(self, finished: str = "", generate_seconds: float = 0.0, train_seconds: float = 0.0) -> None:
        """Write the sums over all attempts up to now, in seconds, in the place of the last ones.

        Args:
            finished: when the trial was complete; empty while it is not.
            generate_seconds: of this process, known when training has ended; likewise `train_seconds`.
        """
        before, self._written = self._before, time.perf_counter()
        replace(
            before,
            wall_seconds=round(before.wall_seconds + self._written - self._wall, 3),
            cpu_seconds=round(before.cpu_seconds + time.process_time() - self._cpu, 3),
            generate_seconds=round(before.generate_seconds + generate_seconds, 3),
            train_seconds=round(before.train_seconds + train_seconds, 3),
            evaluate_seconds=round(before.evaluate_seconds + self._evaluate, 3),
            finished=finished,
            still_seconds=round(before.still_seconds + self.steps.still_seconds + self.chunks.still_seconds, 3),
        ).write(self._path)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
