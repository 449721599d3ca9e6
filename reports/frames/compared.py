"""A comparison as a table, a picture, and what it prints of itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.comparing import ComparedPair
from reports.data.scores import AVERAGE
from reports.figures.intervals import IntervalRow
from reports.frames import pictures, score_frames, shown
from reports.frames.framing import of_rows

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class PairResults(ComparedPair):
    """Two arms or models, A minus B, paired by problem: what `rence compare` shows.

    The average is one test, and the benchmarks are a second family, adjusted for each other. `verdict` is a sentence on
    the average, `text()` what the terminal shows, `to_json()` what `rence compare --json` prints.
    """

    def frame(self) -> pd.DataFrame:
        """A row for the average, then one for each benchmark; fractions."""
        return of_rows("compared", self._rows())

    def plot(self, ax: Axes | None = None) -> Axes:
        """The differences in points, with intervals that are simultaneous within their family."""
        entries = [
            IntervalRow(
                self.titles.get(pair.benchmark, pair.benchmark),
                100 * pair.estimate.value if pair.estimate else None,
                (100 * pair.simultaneous[0], 100 * pair.simultaneous[1]) if pair.simultaneous else None,
                strong=pair.benchmark == AVERAGE,
            )
            for pair in self.pairs
        ]
        beside = Path(self.a).parent == Path(self.b).parent
        names = [Path(name).name if beside else name for name in (self.a, self.b)]
        return pictures.rows(entries, " minus ".join(names), ax)

    def _rows(self) -> Iterator[dict[str, Any]]:
        for pair in self.pairs:
            means = {
                side: self.means[name, pair.benchmark] for side, name in (("score_a", self.a), ("score_b", self.b))
            }
            part = self.parts.get(pair.benchmark)
            yield {**means, **score_frames.pair_row(pair, self.checked.accepted, part)}

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return shown.html(f"A: {self.a}, B: {self.b}", [self.table()], self.sentences())
