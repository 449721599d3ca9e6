"""Whether what comes again and again stopped coming: how long a worker stood still, as one does that was stopped, or
that waits for a disk, a network or another process."""

from __future__ import annotations

import time
from collections import deque
from statistics import median

from harness.records.health import STILL

TIMES = 20.0
"""what a beat must take longer than those before it"""
REMEMBERED = 8
"""beats that it is compared with: steps grow longer with their answers, slowly"""


class Pulse:
    """Beats of one kind: the steps of a training, or the chunks of an evaluation."""

    def __init__(self) -> None:
        self.still_seconds = 0.0
        self._gaps: deque[float] = deque(maxlen=REMEMBERED)
        self._last = time.monotonic()

    def start(self) -> None:
        """From here on; what was before does not count."""
        self._last = time.monotonic()

    def beat(self) -> None:
        self.add(time.monotonic() - self._last)
        self.start()

    def add(self, gap: float) -> None:
        """
        Args:
            gap: seconds since the last beat.
        """
        usual = median(self._gaps) if len(self._gaps) > 1 else None
        if usual is not None and gap >= STILL and gap >= TIMES * usual:
            self.still_seconds += gap - usual
        else:
            self._gaps.append(gap)
