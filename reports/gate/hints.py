"""What would decide an inconclusive gate, and where to look after a regression."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reports.gate.decide import ALPHA, GateOutcome
from reports.words import listing, percent

if TYPE_CHECKING:
    from reports.gate.verdict import Gate

MOST_PROBLEMS = 5


def hints(gate: Gate) -> list[str]:
    """After a regression the problems that lost most; else which margin would have passed, which this design could
    prove, and what it takes."""
    d = gate.decision
    if gate.outcome == GateOutcome.REGRESSION:
        return _problems(gate)
    if d.by_average != GateOutcome.INCONCLUSIVE:
        return _design(gate)
    if d.average.estimate.estimand == "answers":
        return _attempts(gate)
    if d.average.identical:
        return _identical(gate)
    passing = d.average.passing_margin
    would = [] if passing is None else [f"It would have passed with a margin above {percent(passing)} points."]
    return [*would, *_design(gate), *_more(gate)]


def problems_needed(margin: float) -> int:
    """How many problems of one benchmark, none of which differs, rule out a loss of the margin: 1 - alpha^(1/n) < m."""
    return math.floor(math.log(ALPHA) / math.log1p(-margin)) + 1


def _identical(gate: Gate) -> list[str]:
    n, needed = gate.decision.average.problems, problems_needed(gate.decision.margin)
    average = " (more, where benchmarks are of unequal size)" if len(gate.old.benchmarks) > 1 else ""
    never = f": {n:,} can never do it on new problems" if n < needed else ""
    why = (
        "The baseline has no hash of its answers: made anew with `--update`, equal answers pass."
        if not all(counts.answers for counts in gate.old.benchmarks.values())
        else "Were the answers equal text by text, it would have passed."
    )
    return [
        f"If nothing differs, {gate.points} take {needed:,} problems{average}{never}.",
        "`--problems these` asks about these problems alone.",
        why,
    ]


def _attempts(gate: Gate) -> list[str]:
    if gate.decision.average.bounds is None:
        return ["With one attempt a problem how much answers vary is not known: `--problems these` needs two or more."]
    return ["More attempts a problem, on both sides, make the bounds narrower."]


def _design(gate: Gate) -> list[str]:
    provable = gate.decision.average.provable_margin
    if provable is None:
        return []
    return [f"Where nothing is lost, this design passes four times in five at {percent(provable)} points."]


def _more(gate: Gate) -> list[str]:
    s = gate.sharper
    if s is None:
        return []
    both = "problems" if gate.decision.average.estimate.estimand == "checkpoints" else "problems and seeds"
    samples = f", or {s.samples:.2g} times as many samples a problem" if s.samples else ""
    alone = "" if s.samples else "; more samples a problem alone are not enough" if _repeated(gate) else ""
    return [f"For {gate.points} that takes about {s.problems:.2g} times as many {both}{samples}, on both sides{alone}."]


def _repeated(gate: Gate) -> bool:
    return min(k for side in (gate.new, gate.old) for counts in side.benchmarks.values() for k in counts.k) > 1


def _problems(gate: Gate) -> list[str]:
    """Those that lost most, of the benchmarks that fail or else of all; the most first."""
    failed = [name for name, fails in zip(gate.old.benchmarks, gate.decision.failed, strict=True) if fails]
    found = []
    for name in failed or gate.old.benchmarks:
        was, now = (side.benchmarks[name].values.mean(axis=0) for side in (gate.old, gate.new))
        found += [(a - b, name, one, a, b) for one, a, b in zip(gate.ids[name], was, now, strict=True) if b < a]
    found.sort(key=lambda row: (-row[0], row[1], row[2]))
    if not found:
        return []
    shown = [f"{name} {one} ({percent(a)} to {percent(b)})" for _, name, one, a, b in found[:MOST_PROBLEMS]]
    most = f", the most by {listing(shown)}" if len(found) > 1 else f": {shown[0]}"
    return [f"To look at: {len(found):,} {'problem' if len(found) == 1 else 'problems'} lost{most}."]
