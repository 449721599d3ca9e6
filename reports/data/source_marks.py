"""Marks that results came with, beside those that rence's marker gives the same answers.

An import keeps what its source says is correct, and where the texts are there, what rence's marker says of them. Then
what a reading changes is not one of format alone: the two markers are other programs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from reports.words import signed

_OURS = re.compile(r"\d+(?: \(.*\))?(?:, reading \w+)?")
"""a version of rence's marker, and how it read where that is not as the benchmark says"""


UNMARKED = "What rence's marker says of these answers is not known: `rence grade FOLDER` marks texts that have a gold."


@dataclass(frozen=True)
class MarkerPart:
    """A difference between two arms by the source's marks, and by rence's marker. All are fractions."""

    source: float
    box: float
    """by rence's marker, if an answer is what the last box holds"""
    anywhere: float
    """the same, if answers may stand anywhere in the text"""

    shown = True

    def to_json(self) -> dict[str, float]:
        """For `verdict.json` and `compare --json`."""
        return {"box": self.box, "anywhere": self.anywhere}

    def sentence(self, name: str) -> str:
        """`By the source's marks, tuned − base is +24.0 points; by rence's marker +3.9 (last box), ...`"""
        return (
            f"By the source's marks, {name} is {signed(self.source)} points; by rence's marker it is "
            f"{signed(self.box)} if answers are what the last box holds, and {signed(self.anywhere)} if they may stand "
            "anywhere in the text."
        )


def is_ours(marker: str) -> bool:
    """Whether a `grader_version` is one of rence's marker."""
    return _OURS.fullmatch(marker) is not None


def came_with(evals: pd.DataFrame) -> bool:
    """Whether some of these evaluations have the marks that their source gave."""
    return not all(map(is_ours, evals["grader_version"].unique().tolist()))
