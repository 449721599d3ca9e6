"""`rence compare A B` of two arms that have scores without problems, of one run or of two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.records import SCHEMA, DataError
from harness.records.scores_alone import scores_only
from harness.records.seed_scores import ScoresPlan
from reports.data.asked import check_asked
from reports.data.checked import Checked
from reports.data.matching import Unmatched
from reports.data.pairs import Pair
from reports.document import Cell, Column, Row, Table, text
from reports.imported import MATCHING_UNKNOWN
from reports.render import plain
from reports.seed_scores import found
from reports.seed_scores.as_json import pair_json
from reports.seed_scores.compared import Side, compare
from reports.seed_scores.found import AVERAGE, SeedScores
from reports.seed_scores.numbers import ScoreWords
from reports.seed_scores.sentences import ABSENT, COVERS, on
from reports.statistics.power import LARGEST
from reports.words import GAP, detectable, listing, p_text, plural


@dataclass(frozen=True)
class ComparedSeeds:
    """The result: the headline is one test; the benchmarks, where there are several, are a second family."""

    a: str
    b: str
    means: dict[tuple[str, str], float]
    """(a or b, column) -> mean over seeds"""
    seeds: dict[str, int]
    pairs: list[Pair]
    paired: bool
    raw: bool
    checked: Checked
    notes: Sequence[str]

    @property
    def average(self) -> Pair:
        """The difference on the headline."""
        return self.pairs[0]

    def to_json(self) -> dict[str, Any]:
        """For `rence compare --json`; scores and differences are fractions, but of scores of no known scale."""
        scores = {name: {c: mean for (n, c), mean in self.means.items() if n == name} for name in (self.a, self.b)}
        return {
            "schema": SCHEMA,
            "a": self.a,
            "b": self.b,
            "scores_only": True,
            "unit": "raw" if self.raw else "fraction",
            "verdict": self.verdict,
            "scores": scores,
            "seeds": self.seeds,
            "pairs": [pair_json(pair, self.paired, self.checked.accepted, self.raw) for pair in self.pairs],
            "matched": False if self.checked.accepted else None,
            **self.checked.to_json(),
            "differs": [],
            "depends_on": [],
            "notes": list(self.notes),
        }

    def text(self) -> str:
        """For a terminal: the two names, a table, the verdict, the notes."""
        heads = ["", "A", "B", "A − B", "95 % interval", "adjusted p", "raw p", "MDE"]
        rows = [self._row(pair) for pair in self.pairs]
        table = Table("compare", [Column(head, numeric=i > 0) for i, head in enumerate(heads)], rows)
        head = f"A  {self.a}\nB  {self.b}"
        return "\n\n".join([head, plain.table(table), self.verdict, *self.checked.sentences, *self.notes, ABSENT])

    def _row(self, pair: Pair) -> Row:
        words, e = ScoreWords(self.raw), pair.estimate
        means = [Cell(words.value(self.means.get((name, pair.benchmark)))) for name in (self.a, self.b)]
        if e is None:
            return Row([text(pair.benchmark), *means, *[Cell(GAP)] * 5])
        mde = GAP if pair.mde is None else words.extent(pair.mde) if self.raw else detectable(pair.mde, LARGEST)
        ps = [Cell(p_text(pair.p_adjusted)), Cell(p_text(e.p_value))]
        interval = Cell(words.reaching(pair.simultaneous))
        return Row([text(pair.benchmark), *means, Cell(words.signed(e.value)), interval, *ps, Cell(mde)])

    @property
    def verdict(self) -> str:
        """A sentence on the headline: finding, difference, interval, what it covers."""
        pair, words = self.average, ScoreWords(self.raw)
        e = pair.estimate
        assert e is not None
        yet = ", yet equivalent to," if pair.equivalent else ""
        even = "is equivalent to" if pair.equivalent else "is not separated from"
        finding = {1: f"is above{yet}", -1: f"is below{yet}", 0: even}[pair.direction]
        where = on(pair.benchmark, len(self.pairs) - 1)
        seeds = f"{plural(self.seeds[self.a], 'seed')} against {self.seeds[self.b]}"
        value = f"{words.signed(e.value)}{words.points}"
        if pair.simultaneous is None:
            single = [name for name in (self.a, self.b) if self.seeds[name] == 1]
            why = (
                f"{listing(single)} {'has' if len(single) == 1 else 'have'} one seed"
                if single
                else "seeds do not differ"
            )
            return f"A minus B on {where}: {value}; {why}, so there is no interval and no test; {MATCHING_UNKNOWN}."
        same = "" if pair.p_equivalence is None else f", equivalence p {p_text(pair.p_equivalence)}"
        how = "paired by seed" if self.paired else "seeds not paired"
        parts = [seeds, how, f"the interval covers {COVERS}", *self.checked.unsealed]
        parts.append(self.checked.words if self.checked.accepted else MATCHING_UNKNOWN)
        return (
            f"A {finding} B on {where}: {value}, {words.reaching(pair.simultaneous)}, p {p_text(pair.p_adjusted)}{same}"
            f"; {'; '.join(parts)}."
        )


def compare_sides(a: str, b: str, accept: str | None, alpha: float, margin: float | None) -> ComparedSeeds:
    """A minus B over seeds, on the benchmarks that both have, each at the step its run compares.

    Args:
        margin: a fraction; of scores of no known scale in their own unit, above 0.
    Raises: Unmatched if they have no benchmark in common or are of different scales; ValueError for an ambiguous name,
        or as `check_asked`; BrokenSeal; DataError if something is missing.
    """
    raw = of_no_scale(a)
    check_asked(alpha, None if raw else margin)
    if raw and margin is not None and not 0 < margin < np.inf:
        raise ValueError(f"`margin` is in the unit of the scores and must be above 0, but is {margin:g} instead.")
    (one, arm), (other, arm_b) = _side(a, accept), _side(b, accept)
    if (one.folder.root, arm) == (other.folder.root, arm_b):
        raise ValueError(f"{a} and {b} are one arm: name two.")
    if one.raw != other.raw:
        raise Unmatched(f"{a} and {b} have scores of different scales: import both with the same --unit.")
    shared = [name for name in one.plan.benchmarks if name in other.plan.benchmarks]
    if not shared:
        raise Unmatched(f"{a} and {b} have no benchmark in common: {', '.join(one.plan.benchmarks)} against "
                        f"{', '.join(other.plan.benchmarks)}.")  # fmt: skip
    sides = {a: _columns(one, arm, shared), b: _columns(other, arm_b, shared)}
    headline = AVERAGE if len(shared) > 1 else shared[0]
    for name, side in sides.items():
        if not side.get(headline):
            raise DataError(f"{name}: no seed has a score on {on(headline, len(shared))}.")
    # seeds of two imports share numbers, and nothing says that they share more
    paired = one.plan.comparison.pair_seeds and one.folder.root == other.folder.root
    pairs = _pairs(sides, a, b, [headline], alpha, margin, paired, one.raw)
    if len(shared) > 1:
        pairs += _pairs(sides, a, b, shared, alpha, margin, paired, one.raw)
    means = {
        (name, column): float(np.mean(list(s.values()))) for name, side in sides.items() for column, s in side.items()
    }
    left = sorted({*one.plan.benchmarks, *other.plan.benchmarks} - set(shared))
    notes = [f"Left out, for only one side has it: {', '.join(left)}."] if left else []
    if one.plan.step != other.plan.step:
        notes.append(f"A is compared at step {one.plan.step}, B at step {other.plan.step}.")
    seeds = {name: len(side[headline]) for name, side in sides.items()}
    return ComparedSeeds(a, b, means, seeds, pairs, paired, one.raw, one.checked.beside(other.checked), notes)


def of_no_scale(name: str) -> bool:
    """Whether an arm's scores are numbers of no known scale (`--unit raw`), so that a margin is in their own unit."""
    run = scores_only(Path(name))
    return run is not None and ScoresPlan.read(run.scores_plan).unit == "raw"


def _pairs(
    sides: dict[str, dict[str, Side]], a: str, b: str, columns: Sequence[str], alpha: float, margin: float | None,
    paired: bool, raw: bool,
) -> list[Pair]:  # fmt: skip
    tests = [(a, b, column) for column in columns]
    both = [(sides[a].get(column, {}), sides[b].get(column, {})) for column in columns]
    family = "primary" if len(columns) == 1 else "per_benchmark"
    return compare(tests, both, family, alpha, margin, paired, raw)


def _side(name: str, accept: str | None) -> tuple[SeedScores, str]:
    place = Path(name)
    run = scores_only(place)
    if run is None:
        raise DataError(f"{name} holds answers to problems, or is no run: it cannot be compared with scores without "
                        "problems.")  # fmt: skip
    held = found.read(run.root, accept)
    arms = held.plan.arms
    if run.root == place:
        if len(arms) != 1:
            raise ValueError(f"{name} holds the arms {', '.join(arms)}: name one, such as {place / arms[0]}.")
        return held, arms[0]
    if place.name not in arms:
        raise DataError(f"{name}: {run.root} has no arm `{place.name}`, but {listing(arms)}.")
    return held, place.name


def _columns(run: SeedScores, arm: str, shared: Sequence[str]) -> dict[str, Side]:
    """Column -> seed -> score, with an average over the shared benchmarks where there are several."""
    each: dict[str, Side] = {name: run.by_seed.get((arm, name), {}) for name in shared}
    if len(shared) == 1:
        return each
    whole = sorted(set.intersection(*(set(side) for side in each.values())))
    return {**each, AVERAGE: {seed: float(np.mean([side[seed] for side in each.values()])) for seed in whole}}
