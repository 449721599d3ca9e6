"""The arms under each decoding of the plan: scores like the headline's, which are those of the first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.records import DecodingRecord
from reports.data.analysis import Analysis, Score, score_of
from reports.data.load import Run
from reports.data.scores import AVERAGE, Cells, complete, headline, marks


@dataclass(frozen=True)
class DecodedScores:
    """What one decoding brings."""

    name: str
    settings: DecodingRecord
    first: bool
    """whether it is the headline's"""
    run: Run
    """with the evaluations of this decoding alone"""
    cells: Cells
    """(arm, benchmark) -> scores; a missing key is a gap"""
    scores: Mapping[tuple[str, str], Score]
    """(arm, benchmark or `average`); a missing key is a gap"""

    @property
    def words(self) -> str:
        return words(self.settings)


def words(one: DecodingRecord) -> str:
    """`temperature 0.6, top_p 0.95, 48 tokens, k 4`"""
    k = sorted(set(one.benchmarks.values()))
    many = f"k {k[0]}" if len(k) == 1 else f"k {k[0]} to {k[-1]}"
    nucleus = [f"top_p {one.top_p:g}"] if one.top_p != 1 and one.temperature else []
    greedy = " (greedy)" if one.temperature == 0 else ""
    return ", ".join([f"temperature {one.temperature:g}{greedy}", *nucleus, f"{one.max_tokens:,} tokens", many])


def cells(a: Analysis) -> dict[str, Cells]:
    """Decoding -> each arm's scores under it, the first's among them; empty where the plan has one way to sample."""
    others = {name: headline(run) for name, run in a.run.decoded.items()}
    return {next(iter(a.run.plan.decodings)): a.cells, **others} if a.run.plan.decodings else {}


def found(a: Analysis) -> list[DecodedScores]:
    """In the plan's order; empty where it has one way to sample."""
    under = cells(a)
    return [
        DecodedScores(
            name,
            settings,
            first=place == 0,
            run=a.run.decoded[name] if place else a.run,
            cells=under[name],
            scores=_scores(a, under[name]) if place else a.scores,
        )
        for place, (name, settings) in enumerate(a.run.plan.decodings.items())
    ]


def _scores(a: Analysis, under: Cells) -> dict[tuple[str, str], Score]:
    groups = {
        (arm, column): group
        for arm in a.rows
        for column in a.columns
        if (group := complete(under, arm, a.benchmarks if column == AVERAGE else [column])) is not None
    }
    return {(arm, column): score_of(a.run, arm, group) for (arm, column), group in groups.items()}


def counts(one: DecodedScores) -> dict[tuple[str, str], dict[str, int]]:
    """Marks under it, as `scores.marks` gives them."""
    return marks(one.run)
