"""The primary differences by other tests: whether the finding hangs on the verdict's test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from reports.data.analysis import Analysis
from reports.data.pairs import Pair
from reports.data.scores import Scores, complete
from reports.document import Cell, Column, Row, Section, Table, Text, text
from reports.statistics import Estimate
from reports.statistics.bootstrap import RESAMPLES, crossed_bootstrap
from reports.statistics.draws import generator
from reports.statistics.permutation import DRAWS, FEWEST_SEEDS, McNemar, Permutation, mcnemar, seed_labels, sign_flip
from reports.verdict import COVERS
from reports.words import GAP, listing, p_text, plural, signed


@dataclass(frozen=True)
class Check:
    """One difference. What does not apply, or where nothing varies, is None."""

    pair: Pair
    bootstrap: tuple[float, float] | None
    exchanged: str
    """what the permutation exchanges: seeds, or answers within problems; empty where neither applies"""
    permutation: Permutation | None
    mcnemar: McNemar | None

    @property
    def signs(self) -> list[int]:
        """What each test finds at level alpha, before adjustment: 1 or -1, and 0 for not separated."""
        estimate = self.pair.estimate
        if estimate is None:
            return []
        way = 1 if estimate.value > 0 else -1
        found = [0 if low <= 0 <= high else way for low, high in filter(None, (estimate.interval, self.bootstrap))]
        return found + ([way * (self.permutation.p_value < self.pair.alpha)] if self.permutation else [])

    @property
    def agree(self) -> bool:
        """Whether all tests that apply find the same; so they do where only one applies."""
        return len(set(self.signs)) <= 1


def checks(a: Analysis) -> list[Check]:
    """Of the primary family, in its order; those without a result are left out."""
    return [_check(a, pair) for pair in a.family("primary") if pair.estimate is not None]


def _check(a: Analysis, pair: Pair) -> Check:
    assert pair.estimate is not None
    one, other = (complete(a.cells, arm, a.benchmarks) or [] for arm in (pair.a, pair.b))
    identity = (a.run.plan.lock, pair.a, pair.b, pair.benchmark)
    exchanged, permutation = _permutation(one, other, identity)
    return Check(
        pair=pair,
        bootstrap=_bootstrap(one, other, pair.estimate, generator(*identity, "bootstrap")),
        exchanged=exchanged,
        permutation=permutation,
        mcnemar=_mcnemar(one, other),
    )


def _bootstrap(
    one: list[Scores], other: list[Scores], estimate: Estimate, rng: np.random.Generator
) -> tuple[float, float] | None:
    """Where there is no t interval there is none of this kind: one problem drawn again and again shows no variation."""
    if estimate.interval is None or estimate.estimand == "answers":
        return None
    sides = [[s.values for s in side] for side in (one, other)]
    return crossed_bootstrap(sides, (1.0, -1.0), rng, estimate.estimand, estimate.confidence)


def _permutation(one: list[Scores], other: list[Scores], identity: tuple[str, ...]) -> tuple[str, Permutation | None]:
    if not _same_k(one, other):
        return "", None
    rng = generator(*identity, "permutation")
    if _checkpoints(one, other):
        differences = [(a.values - b.values)[0] / a.values.size / len(one) for a, b in zip(one, other, strict=True)]
        return "answers within problems", sign_flip(np.concatenate(differences), rng)
    means = [np.mean([s.values.mean(axis=1) for s in side], axis=0) for side in (one, other)]
    found = seed_labels(means[0], means[1], rng)
    return ("seeds" if found else ""), found


def _mcnemar(one: list[Scores], other: list[Scores]) -> McNemar | None:
    """On one benchmark: over several it would weigh problems, where the average weighs benchmarks."""
    if len(one) > 1 or not _checkpoints(one, other) or {*one[0].k, *other[0].k} != {1}:
        return None
    a, b = one[0].values, other[0].values
    return mcnemar(int((a > b).sum()), int((a < b).sum()))


def _checkpoints(one: list[Scores], other: list[Scores]) -> bool:
    return len(one[0].seeds) == 1 and len(other[0].seeds) == 1


def _same_k(one: list[Scores], other: list[Scores]) -> bool:
    return all(len({*a.k, *b.k}) == 1 for a, b in zip(one, other, strict=True))


def disagreements(found: list[Check]) -> Iterator[Check]:
    """Those on which the tests do not find the same."""
    return (check for check in found if not check.agree)


def section(a: Analysis) -> Section | None:
    found = checks(a)
    if not found:
        return None
    return Section("checks", "The same differences by other tests", [Text(_agreement(a, found)), table(a, found)])


def table(a: Analysis, found: list[Check]) -> Table:
    """A row for each difference, in points with p-values before adjustment; McNemar's test where one has it."""
    level = f"{100 * (1 - a.alpha):g} %"
    columns = [
        Column("Difference", numeric=False),
        Column("Points"),
        Column(f"t, {level}"),
        Column("p"),
        Column(f"bootstrap, {level}"),
        Column("Exchanged", numeric=False),
        Column("p by exchange"),
        *([Column("McNemar", numeric=False)] if any(check.mcnemar for check in found) else []),
    ]
    return Table("checks", columns, [_row(a, check, len(columns)) for check in found], _caption(found))


def _row(a: Analysis, check: Check, width: int) -> Row:
    """One difference; what does not apply to it is a gap."""
    e, permutation, pairs = check.pair.estimate, check.permutation, check.mcnemar
    assert e is not None
    words = (
        f"{check.exchanged} ({plural(permutation.cases, 'case')}{'' if permutation.exact else ' drawn'})"
        if permutation
        else GAP
    )
    cells = [
        text(f"{a.label(check.pair.a)} − {a.label(check.pair.b)}"),
        Cell(signed(e.value), e.value),
        _between(e.interval),
        Cell(p_text(e.p_value), e.p_value),
        _between(check.bootstrap),
        Cell(words),
        Cell(p_text(permutation.p_value), permutation.p_value) if permutation else Cell(GAP),
    ]
    if pairs:
        said = f"{pairs.gained} gained, {pairs.lost} lost; exact p {p_text(pairs.exact)}, mid-p {p_text(pairs.mid_p)}"
        cells.append(Cell(said, pairs.exact))
    return Row(cells + [Cell(GAP)] * (width - len(cells)))


def _between(bounds: tuple[float, float] | None) -> Cell:
    return Cell(f"{signed(bounds[0])} to {signed(bounds[1])}", bounds[0]) if bounds else Cell(GAP)


def _agreement(a: Analysis, found: list[Check]) -> str:
    level = f"at level {a.alpha:g}, before adjustment"
    if not any(len(check.signs) > 1 for check in found):
        return "No second test applies: nothing varied, or there are too few problems or seeds."
    other = list(disagreements(found))
    if not other:
        each = f" for each of the {len(found)} differences" if len(found) > 1 else ""
        return f"All tests come to the same finding{each} {level}."
    names = listing([f"{a.label(check.pair.a)} minus {a.label(check.pair.b)}" for check in other])
    return (
        f"The tests do not agree on {names} {level}: a finding that hangs on the test should not be leaned on, and "
        "what is found by exchange only may not reach beyond these problems. The verdict keeps to the crossed test."
    )


def _caption(found: list[Check]) -> str:
    covered = next(check.pair.estimate.estimand for check in found if check.pair.estimate)
    return (
        "Differences on the average, in points; p-values are not adjusted here. t: the primary test, about "
        f"{COVERS[covered]}. Bootstrap: percentile interval of {RESAMPLES:,} resamples, seeds and problems drawn "
        "independently of each other, a seed with its scores on all benchmarks and a problem with all arms' "
        "answers; with few seeds it is too narrow where these dominate, and too wide where they do not. Exchange: "
        f"all ways to deal the seeds out between the two arms, from {FEWEST_SEEDS} a side, which is about training "
        "on these problems only; or, between two checkpoints, to exchange their answers to a problem, which is "
        f"about these checkpoints only. Both need the same k on both sides. Where there are too many ways {DRAWS:,} "
        "are drawn."
    )
