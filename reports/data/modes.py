"""How answers of the miniature suite are written: worked, bare or otherwise, and what training changed in that.

The base model is taught worked solutions (`7+5=12, 12-3=9. \\boxed{9}`) and bare answers (`\\boxed{9}`), see
benchmarks/miniature/solutions.py. Training may make each way more often right, or choose the better way more often.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reports.data import columns
from reports.data.analysis import Analysis
from reports.data.load import MARKS
from reports.data.scores import final

SUITE = "mini_"
"""what the names of the suite's benchmarks begin with"""
WORKED, BARE, OTHER = MODES = ("worked", "bare", "other")
_STEP = re.compile(r"\d[+\-*]\d+=-?\d")
_BARE = re.compile(r"\s*\\boxed\{[^{}]*\}\s*")


@dataclass(frozen=True)
class Mode:
    """One way of writing, in one arm. Means over benchmarks, each of which counts alike."""

    share: float
    """of all attempts"""
    right: float
    """share of all attempts that are of this mode and correct"""

    @property
    def accuracy(self) -> float | None:
        """Share correct of the attempts of this mode; None where there are none."""
        return self.right / self.share if self.share else None


@dataclass(frozen=True)
class ModeGain:
    """What training changed, as fractions; the two parts add up to the change of the score."""

    choice: float
    """other shares of the modes, at the mean of their accuracies before and after"""
    within: float
    """other accuracies, at the mean of their shares"""


def mode(response: str) -> str:
    """One of `MODES`: a step such as `7+5=12` makes it worked, nothing but a box bare."""
    if _STEP.search(response):
        return WORKED
    return BARE if _BARE.fullmatch(response) else OTHER


def benchmarks(a: Analysis) -> list[str]:
    """Those of the suite."""
    return [name for name in a.benchmarks if name.startswith(SUITE)]


def found(a: Analysis) -> dict[str, dict[str, Mode]]:
    """Arm -> mode -> its share and accuracy at the headline, `start` before training; seeds count alike. An arm without
    all of the suite's benchmarks, or without texts, is missing."""
    evals, names = final(a.run), benchmarks(a)
    seen: dict[str, dict[str, list[np.ndarray]]] = {}
    for e, row in zip(evals.index, evals.to_dict("records"), strict=True):
        if row["benchmark"] in names and (counted := _counts(a, int(e))) is not None:
            seen.setdefault(row["arm"], {}).setdefault(row["benchmark"], []).append(counted)
    made = {}
    for arm, each in seen.items():
        if each.keys() == set(names):
            share, right = np.mean([np.mean(each[name], axis=0) for name in names], axis=0)
            made[arm] = {name: Mode(float(share[m]), float(right[m])) for m, name in enumerate(MODES)}
    return made


def _counts(a: Analysis, e: int) -> np.ndarray | None:
    """2 x modes: share of the attempts, and of those that are correct too; None without texts."""
    attempts = a.run.attempts[e]
    texts = columns.words(a.run.folder(e).attempts, "response", attempts.rows)
    if texts is None or (texts[1] < 0).any():
        return None
    words, codes = texts
    places = np.array([MODES.index(mode(text)) for text in words])[codes].ravel()
    right = (attempts.marks == MARKS.index("correct")).ravel()
    counts = [np.bincount(places[chosen], minlength=len(MODES)) for chosen in (np.ones(len(right), bool), right)]
    return np.array(counts) / len(right)


def gain(before: Mapping[str, Mode], after: Mapping[str, Mode]) -> ModeGain:
    """Kitagawa 1955, Components of a difference between two rates, J. Am. Stat. Assoc. 50(272). A mode that only one
    side has counts by that side's accuracy."""
    choice = within = 0.0
    for name in MODES:
        one, other = before[name], after[name]
        first = one.accuracy if one.accuracy is not None else other.accuracy
        second = other.accuracy if other.accuracy is not None else one.accuracy
        if first is not None and second is not None:
            choice += (other.share - one.share) * (first + second) / 2
            within += (second - first) * (one.share + other.share) / 2
    return ModeGain(choice, within)
