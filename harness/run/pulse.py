"""Whether a running job is alive: its `timing.json` is written every ten seconds for as long as its process works."""

from __future__ import annotations

from pathlib import Path

from harness.base.locks import LOCK

STILL_SECONDS = 60.0


class Pulse:
    """Of one job, felt now and then; it warns once for each time that the job stands still."""

    def __init__(self, folder: Path, now: float) -> None:
        """
        Args:
            folder: the job's.
            now: seconds, on a clock that all calls share.
        """
        self._folder = folder
        self._before, self._since, self._warned = self._written(), now, False

    def warning(self, now: float) -> str:
        """What is the matter, or nothing. By changes of the file alone: another machine's clock may be another."""
        written = self._written()
        if written != self._before:
            self._before, self._since, self._warned = written, now, False
        if self._warned or now - self._since < STILL_SECONDS:
            return ""
        self._warned = True
        return (
            f"has shown no sign of life for {now - self._since:.0f} s: it waits for its place, was stopped, or stands "
            f"still.{self._hint()}"
        )

    def _hint(self) -> str:
        try:
            held = (self._folder / LOCK).read_text(encoding="utf-8").split()
        except (OSError, UnicodeDecodeError):
            return ""
        if not held:
            return ""
        node = f" on {held[1]}" if held[1:] else ""
        return f" Process {held[0]}{node}: `kill -CONT {held[0]}` lets one that was stopped go on."

    def _written(self) -> int:
        try:
            return (self._folder / "timing.json").stat().st_mtime_ns
        except OSError:
            return 0
