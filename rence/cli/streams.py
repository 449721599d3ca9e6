"""stdout and stderr as all commands have them: nothing that others wrote acts there, and no work is lost to them.

A stream that has no reader, no disk behind it or no letters for a text is no reason to end a run.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from harness.records.foreign import visible, without_commands

_OURS = re.compile(r"(\x1b\[(?:[0-9;]*m|\?25[hl]|[0-9]*[ABCDGHJK])|\r)")
"""what rich writes to a terminal: colours, moves of the cursor, deletions"""


class CleanStream:
    """A text stream in the place of `sys.stdout` or `sys.stderr`. What it does not have is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._coloured = stream.isatty() or bool(os.environ.get("FORCE_COLOR"))
        self._line = ""
        """the line so far, as long as it may yet become a command: white space and a colon"""
        self.lost: OSError | None = None
        """why what was said did not arrive, but for a reader that left"""
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:  # a terminal of ASCII gets \u2026 for an ellipsis
            reconfigure(errors="backslashreplace")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """All of it counts as written, wherever it went."""
        clean = self._clean(text)
        safe = without_commands(self._line + clean)[len(self._line) :]
        line = (self._line + clean).rpartition("\n")[2]
        self._line = line if re.fullmatch(r"\s*:?", line) else "-"
        self._put(safe)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def annotate(self, line: str) -> None:
        """A workflow command of ours, whose words are clean."""
        self._put(f"{line}\n")
        self._line = ""

    def flush(self) -> None:
        """What cannot be flushed is given up."""
        try:
            self._stream.flush()
        except OSError as error:
            self._give_up(error)

    def _clean(self, text: str) -> str:
        if not self._coloured:
            return visible(text.replace("\r\n", "\n").replace("\r", "\n"))
        return "".join(part if i % 2 else visible(part) for i, part in enumerate(_OURS.split(text)))

    def _put(self, text: str) -> None:
        try:
            self._stream.write(text)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """Whoever read has seen enough, as `head` has, or there is no room: what else we say goes nowhere, and the
        work goes on."""
        if not isinstance(error, BrokenPipeError):
            self.lost = self.lost or error
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


@contextmanager
def clean_streams() -> Iterator[None]:
    """Both streams inside."""
    _fill_gaps()
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, CleanStream(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout.flush()  # here, for at exit nobody would catch what fails
        sys.stderr.flush()
        sys.stdout, sys.stderr = before


def annotate(line: str, stream: TextIO) -> None:
    """A line for GitHub: a workflow command of ours."""
    stream.annotate(line) if isinstance(stream, CleanStream) else print(line, file=stream)


def _fill_gaps() -> None:
    """A stream that is closed when we start would be the next file that is opened: a log, a result."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if number == 0 else "w", encoding="utf-8"))  # noqa: SIM115
