"""What would decide an inconclusive gate, and where to look after a regression."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.gate.decide import ALPHA, Decision, GateOutcome
from reports.gate.results import GateResults
from reports.gate.sharpen import Sharper
from reports.words import listing, percent, plural

MOST_PROBLEMS = 5
"""named after a regression"""


@dataclass(frozen=True)
class Evidence:
    """What a decision rests on."""

    new: GateResults
    old: GateResults
    ids: Mapping[str, Sequence[str]]
    """benchmark -> ids of the problems, as the counts have them"""
    decision: Decision
    sharper: Sharper | None
    """of an inconclusive one"""

    @property
    def points(self) -> str:
        """The margin in words, such as `2 points`."""
        return margin_words(self.decision.margin)


def margin_words(margin: float) -> str:
    """`2 points`"""
    return f"{100 * margin:.6g} point{'' if margin == 0.01 else 's'}"


def hints(e: Evidence) -> list[str]:
    """After a regression the problems that lost most; else which margin would have passed, which this design could
    prove, and what it takes."""
    d = e.decision
    if d.outcome == GateOutcome.REGRESSION:
        return _problems(e)
    if d.by_average != GateOutcome.INCONCLUSIVE:
        return _design(e)
    if d.average.estimate.estimand == "answers":
        return _attempts(e)
    if d.average.identical:
        return _identical(e)
    passing = d.average.passing_margin
    would = [] if passing is None else [f"It would have passed with a margin above {percent(passing)} points."]
    return [*would, *_design(e), *_more(e)]


def problems_needed(margin: float) -> int:
    """How many problems of one benchmark, none of which differs, rule out a loss of the margin: 1 - alpha^(1/n) < m."""
    return math.floor(math.log(ALPHA) / math.log1p(-margin)) + 1


def _identical(e: Evidence) -> list[str]:
    n, needed = e.decision.average.problems, problems_needed(e.decision.margin)
    average = " (more, where benchmarks are of unequal size)" if len(e.old.benchmarks) > 1 else ""
    never = f": {n:,} can never do it on new problems" if n < needed else ""
    why = (
        "The baseline has no hash of its answers: made anew with `--update`, equal answers pass."
        if not all(counts.answers for counts in e.old.benchmarks.values())
        else "Were the answers equal text by text, it would have passed."
    )
    return [
        f"If nothing differs, {e.points} take {needed:,} problems{average}{never}.",
        "`--problems these` asks about these problems alone.",
        why,
    ]


def _attempts(e: Evidence) -> list[str]:
    if e.decision.average.bounds is None:
        return ["With one attempt a problem how much answers vary is not known: `--problems these` needs two or more."]
    return ["More attempts a problem, on both sides, make the bounds narrower."]


def _design(e: Evidence) -> list[str]:
    provable = e.decision.average.provable_margin
    if provable is None:
        return []
    return [f"Where nothing is lost, this design passes four times in five at {percent(provable)} points."]


def _more(e: Evidence) -> list[str]:
    s = e.sharper
    if s is None:
        return []
    both = "problems" if e.decision.average.estimate.estimand == "checkpoints" else "problems and seeds"
    samples = f", or {_times(s.samples)} times as many samples a problem" if s.samples else ""
    alone = "" if s.samples else "; more samples a problem alone are not enough" if _repeated(e) else ""
    return [
        f"For {e.points} that takes about {_times(s.problems)} times as many {both}{samples}, on both sides{alone}."
    ]


def _repeated(e: Evidence) -> bool:
    return min(k for side in (e.new, e.old) for counts in side.benchmarks.values() for k in counts.k) > 1


def _problems(e: Evidence) -> list[str]:
    """Those that lost most, of the benchmarks that fail or else of all; the most first."""
    failed = [name for name, fails in zip(e.old.benchmarks, e.decision.failed, strict=True) if fails]
    found, higher = [], 0
    for name in failed or e.old.benchmarks:
        was, now = (side.benchmarks[name].values.mean(axis=0) for side in (e.old, e.new))
        found += [(a - b, name, one, a, b) for one, a, b in zip(e.ids[name], was, now, strict=True) if b < a]
        higher += int((now > was).sum())
    found.sort(key=lambda row: (-row[0], row[1], row[2]))
    if not found:
        return []
    shown = [f"{name} {one} ({percent(a)} to {percent(b)} %)" for _, name, one, a, b in found[:MOST_PROBLEMS]]
    most = f"; the largest falls: {listing(shown)}" if len(found) > 1 else f": {shown[0]}"
    return [f"To look at: {plural(len(found), 'problem')} scored lower and {higher:,} higher{most}."]


def _times(factor: float) -> str:
    """`1.4`, `25`, `550`: two digits, and no powers of ten."""
    return f"{float(f'{factor:.2g}'):,g}" if factor < 1e6 else "a million"
