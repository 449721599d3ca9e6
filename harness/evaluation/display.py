"""An evaluation as people see it while it goes on: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.base.pace import Pace, clock, left_in_words
from harness.records import Attempt

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_PLAIN_SECONDS = 30.0
"""between two lines, where there is no terminal"""
_BAR = 12
"""columns"""


@dataclass
class Part:
    """How far one benchmark is."""

    benchmark: str
    problems: int
    k: int
    marks: Counter[str]
    """of the attempts that are there"""

    @property
    def attempts(self) -> int:
        return self.marks.total()

    @property
    def words(self) -> str:
        """`50 of 200 problems: 120 correct, 80 wrong`"""
        marks = ", ".join(f"{count:,} {mark.replace('_', ' ')}" for mark, count in self.marks.most_common())
        return f"{self.attempts // self.k:,} of {self.problems:,} problems" + (f": {marks}" if marks else "")


class EvaluationView:
    """The base, in lines: what there is to do, each benchmark's end, and where it is now and then. A quiet console
    prints none of them."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def loading(self, what: str) -> None:
        self._say(f"loading {what}")

    def begin(self, parts: Iterable[Part]) -> None:
        """
        Args:
            parts: all that there will be, with what earlier calls have done of them.
        """
        self._parts = {part.benchmark: part for part in parts}
        self._total = sum(part.problems * part.k for part in self._parts.values())
        self._began = self._shown = time.monotonic()
        self._pace, self._tokens = Pace(self._attempts, self._began), 0
        self._speed = ""
        self._end: float | None = None
        self.show_begin()

    def answered(self, rows: Sequence[Attempt]) -> None:
        """A chunk that is on disk."""
        now, part = time.monotonic(), self._parts[rows[0].benchmark]
        part.marks.update(str(row.mark) for row in rows)
        self._tokens += sum(row.tokens for row in rows)
        self._speed = f", {self._tokens / (now - self._began):,.0f} tokens/s"
        left = self._pace.left(self._attempts, self._total, now)
        self._end = None if left is None else now + left
        self.show(part)

    def end(self) -> None:
        pass

    def show_begin(self) -> None:
        """What is asked, once, and how much of it is there."""
        asked = ", ".join(f"{part.benchmark} {part.problems:,} x {part.k}" for part in self._parts.values())
        there = f"; {self._attempts:,} of {self._total:,} answers are there" if self._attempts else ""
        self._say(f"problems x samples: {asked}{there}")

    def show(self, part: Part) -> None:
        """How far a benchmark is: seldom, and at its end."""
        now = time.monotonic()
        if part.attempts == part.problems * part.k or now - self._shown >= _PLAIN_SECONDS:
            self._shown = now
            self._say(f"{part.benchmark}  {part.words}; all: {self._answers()}, {self._time()}")

    @property
    def _attempts(self) -> int:
        return sum(part.attempts for part in self._parts.values())

    def _answers(self) -> str:
        return f"{self._attempts:,} of {self._total:,} answers"

    def _time(self) -> str:
        now = time.monotonic()
        passed = f"{clock(now - self._began)}{self._speed}"
        if self._attempts == self._total:
            return passed
        return f"{passed}, {left_in_words(None if self._end is None else max(0.0, self._end - now))}"

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False)


class LiveEvaluationView(EvaluationView):
    """A line with a bar for each benchmark, and one for all with the time below it."""

    def __init__(self, console: Console) -> None:
        from rich.live import Live

        super().__init__(console)
        self._live = Live(console=console, transient=True, refresh_per_second=4)
        self._live.start()

    def loading(self, what: str) -> None:
        """That a model is being loaded, which may take minutes."""
        from rich.spinner import Spinner
        from rich.text import Text

        self._live.update(Spinner("line", Text(f"loading {what}")))

    def show_begin(self) -> None:
        self._live.update(_Now(self._lines))

    def show(self, part: Part) -> None:
        pass

    def end(self) -> None:
        self._live.stop()

    def _lines(self) -> RenderableType:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        lines = Table.grid(padding=(0, 1))
        lines.add_column(no_wrap=True, min_width=max(map(len, self._parts)))
        lines.add_column(width=_BAR)
        lines.add_column(no_wrap=True, overflow="ellipsis")
        for part in self._parts.values():
            lines.add_row(part.benchmark, ProgressBar(part.problems * part.k, part.attempts), part.words)
        lines.add_row("all", ProgressBar(self._total, self._attempts), self._answers())
        lines.add_row("", "", self._time())
        return lines


class _Now:
    """Drawn anew at every look, so that the clock runs between two chunks."""

    def __init__(self, draw: Callable[[], RenderableType]) -> None:
        self._draw = draw

    def __rich__(self) -> RenderableType:
        return self._draw()


def view_for(console: Console) -> EvaluationView:
    return LiveEvaluationView(console) if console.is_terminal and not console.quiet else EvaluationView(console)
