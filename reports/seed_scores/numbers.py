"""Scores in words: shares as percent and their differences as points; numbers of no known scale as they are."""

from __future__ import annotations

from dataclasses import dataclass

from reports import words
from reports.words import GAP


@dataclass(frozen=True)
class ScoreWords:
    """How the scores of a run are written."""

    raw: bool = False

    @property
    def points(self) -> str:
        """What differences are counted in, to stand behind a number."""
        return "" if self.raw else " points"

    @property
    def scale(self) -> float:
        """What pictures multiply scores by."""
        return 1.0 if self.raw else 100.0

    @property
    def axis(self) -> str:
        """What an axis of scores is called."""
        return "score" if self.raw else "percent"

    @property
    def difference_axis(self) -> str:
        """What an axis of differences is called."""
        return "difference" if self.raw else "points"

    def value(self, score: float | None) -> str:
        """0.5534 -> `55.3`"""
        return GAP if score is None else _minus(f"{score:.4g}") if self.raw else words.percent(score)

    def signed(self, score: float | None) -> str:
        """0.021 -> `+2.1`"""
        return GAP if score is None else _minus(f"{score:+.4g}") if self.raw else words.signed(score)

    def between(self, bounds: tuple[float, float] | None) -> str:
        """An interval of a score; nothing where there is none."""
        if bounds is None or not self.raw:
            return words.between(bounds)
        return f"{self.value(bounds[0])} to {self.value(bounds[1])}"

    def reaching(self, bounds: tuple[float, float] | None) -> str:
        """An interval of a difference."""
        if bounds is None or not self.raw:
            return words.reaching(bounds)
        return f"{self.signed(bounds[0])} to {self.signed(bounds[1])}"

    def extent(self, bounds: tuple[float, float]) -> str:
        """`0.4 to 2.1`"""
        return f"{self.value(bounds[0])} to {self.value(bounds[1])}"


def _minus(text: str) -> str:
    return text.replace("-", "−")
