"""`--update`: RUN becomes the baseline. What it was and what it is is shown, for the commit that is reviewed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.records import SCHEMA
from reports.data.checked import Checked
from reports.data.scores import AVERAGE
from reports.document import Cell, Column, Row, Table, text
from reports.gate import checks, reading
from reports.gate.baseline import MARGIN_POINTS, Baseline, render, write
from reports.gate.hints import margin_words
from reports.gate.measure import measure
from reports.gate.results import GateResults
from reports.render import plain
from reports.words import GAP, percent, signed


@dataclass(frozen=True)
class BaselineUpdate:
    file: str
    old: Baseline | None
    """None where there was no file"""
    new: Baseline
    notes: list[str]
    checked: Checked

    @property
    def changed(self) -> bool:
        """Whether the file has other bytes than before, or is new."""
        return self.old is None or render(self.old) != render(self.new)

    @property
    def means(self) -> list[tuple[str, float | None, float | None]]:
        """Benchmark or `average`, its mean before and now; None where one of the two has none."""
        before = _means(self.old.results) if self.old else {}
        after = _means(self.new.results)
        names = [AVERAGE, *sorted((before.keys() | after.keys()) - {AVERAGE})]
        return [(name, before.get(name), after.get(name)) for name in names]

    def text(self) -> str:
        """For a terminal: means before and now in percent, and what else is not as it was."""
        titles = ("", "was", "is", "change")
        rows = [
            Row([text(name), Cell(percent(was)), Cell(percent(now)), Cell(_change(was, now))])
            for name, was, now in self.means
        ]
        done = "written" if self.old is None else "replaced" if self.changed else "was the same already"
        last = f"{self.file}: {done}; from {self.new.results.made_from}, margin {margin_words(self.new.margin)}."
        shown = plain.table(Table("update", [Column(title, numeric=bool(title)) for title in titles], rows))
        return "\n\n".join([shown, "\n".join([last, *self.checked.sentences, *self.notes])])

    def to_json(self) -> dict[str, Any]:
        """For `rence gate --update --json`; means and margin are fractions."""
        return {
            "schema": SCHEMA,
            "baseline": self.file,
            "made_from": self.new.results.made_from,
            "margin": self.new.margin,
            "existed": self.old is not None,
            "changed": self.changed,
            "means": {name: {"was": was, "is": now} for name, was, now in self.means},
            **self.checked.to_json(),
            "notes": self.notes,
        }


def update(name: str, file: Path, margin: float | None, accept: str | None = None) -> BaselineUpdate:
    """
    Args:
        accept: why a broken seal of RUN does not matter; the file then says it.

    Raises: BrokenSeal; DataError if RUN is not complete or the old file is broken; ValueError: see `measure`.
    """
    measured = measure(name, accept=accept)
    old = reading.read(file, MARGIN_POINTS / 100) if file.exists() else None
    kept = old.margin if old else MARGIN_POINTS / 100
    results = replace(measured.results, accepted=" ".join(measured.checked.sentences))
    new = Baseline(results, kept if margin is None else margin)
    notes = [*measured.notes, *(_differences(new, old) if old else [])]
    found = BaselineUpdate(file.as_posix(), old, new, notes, measured.checked)
    write(file, new)
    return found


def _differences(new: Baseline, old: Baseline) -> list[str]:
    """What else than scores is not as it was."""
    reasons = [*checks.unmatched(new.results, old.results), *_versions(new.results, old.results)]
    if new.margin != old.margin:
        reasons.append(f"the margin is {margin_words(new.margin)}, but {margin_words(old.margin)} in the baseline")
    return [f"Changed: {reason.replace('in the baseline', 'before')}." for reason in reasons]


def _versions(new: GateResults, old: GateResults) -> Iterator[str]:
    for name in sorted(new.benchmarks.keys() & old.benchmarks.keys()):
        one, other = new.benchmarks[name], old.benchmarks[name]
        if one.hash == other.hash and one.ids != other.ids:
            yield f"the problems of {name} are others"


def _means(results: GateResults) -> dict[str, float]:
    return {AVERAGE: results.average, **{name: counts.mean for name, counts in results.benchmarks.items()}}


def _change(was: float | None, now: float | None) -> str:
    return GAP if was is None or now is None else signed(now - was)
