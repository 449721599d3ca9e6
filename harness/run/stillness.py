"""How long a worker stood still: one that was stopped, or waits for a disk, a network or another process."""

from __future__ import annotations

from harness.records.health import STILL


class Stillness:
    """Told at each beat of a pulse how long it was since the last one, and whether the process worked in between."""

    def __init__(self, every: float) -> None:
        """
        Args:
            every: seconds between two beats of a process that is not stopped.
        """
        self.seconds = 0.0
        self._every, self._now = every, 0.0

    def beat(self, gap: float, worked: bool) -> None:
        """
        Args:
            gap: seconds since the last beat. Of a process that was stopped it is long, whatever was done before that.
        """
        if not worked:
            self._now += gap
            return
        stood = self._now + (gap - self._every if gap > 2 * self._every else 0.0)
        self.seconds += stood if stood >= STILL else 0.0
        self._now = 0.0
