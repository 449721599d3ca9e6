"""The same decision while the answers come in. Formulas only: no file.

Up to five looks at equal steps of the information about the average, each at the first problems of a random order, as
many of each benchmark, or all it has. At each the average's two tests and the benchmarks' are made as in `decide`, at
the look's levels (`statistics.sequential`), about these checkpoints, seeds and attempts averaged within a problem. It
stops at

    pass, improvement   L > -m
    regression          a benchmark is shown to have lost more than m; or U < 0, and L > -m is out of reach
    inconclusive        both L > -m and U < 0 are out of reach (futility, non-binding), unless all answers may still
                        turn out equal, text by text

and at the last look with what `decide` says there. L and U are at the level of the look that stopped, so that they hold
over all looks together (repeated confidence intervals, Jennison & Turnbull 1989, JRSS B 51(3), 305-361).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from reports.gate.decide import ALPHA, SINGLE_ALPHA, Attempts, Decision, GateOutcome, Levels, decide
from reports.statistics import Floats, sequential

SPENT = 0.78
"""of alpha, over all looks. First looks are made at very small levels, where bounds from a few discordances are a
little liberal: false passes were up to 1.22 times what was spent (docs/LOG.md)"""
LOSS = 2.0
"""margins: a loss that a gate should still find"""
Sides = tuple[Sequence[Floats], Sequence[Floats]]
"""new and old, each as `decide` takes them"""


class Equal(Enum):
    """Whether all answers are the baseline's, text by text: only all of them together tell."""

    YES = auto()
    NO = auto()
    OPEN = auto()


@dataclass(frozen=True)
class LookPlan:
    """When to look, and at which levels. It follows from the benchmarks' numbers of problems alone."""

    sizes: list[dict[str, int]]
    """problems of each benchmark, for each look; all at the last"""
    shares: list[float]
    """of the information"""
    levels: list[Levels]

    @property
    def whole(self) -> dict[str, int]:
        """All problems of each benchmark."""
        return self.sizes[-1]


@dataclass(frozen=True)
class Looked:
    """One look."""

    size: dict[str, int]
    decision: Decision
    reason: str
    """why it stopped here; empty if it went on"""


def plan(problems: Mapping[str, int]) -> LookPlan:
    """
    Args:
        problems: benchmark -> how many it has
    """
    sizes = sequential.sizes(problems)
    shares = [sequential.information(size, problems) for size in sizes]
    spent = (SPENT * ALPHA, SPENT * SINGLE_ALPHA) if len(shares) > 1 else (ALPHA, SINGLE_ALPHA)
    both = zip(*(sequential.levels(shares, alpha) for alpha in spent), strict=True)
    return LookPlan(sizes, shares, [Levels(*one) for one in both])


def look(
    plan: LookPlan,
    there: Mapping[str, int],
    cut: Callable[[dict[str, int]], Sides],
    margin: float,
    equal: Equal = Equal.NO,
    attempts: Attempts | None = None,
) -> list[Looked]:
    """All looks that can be made, up to the one that stops.

    Args:
        there: how many problems of each benchmark are answered, the first ones of the order
        cut: the scores of so many of them
        equal: whether all answers are the baseline's, text by text
        attempts: as in `decide`
    """
    made: list[Looked] = []
    for number, size in enumerate(plan.sizes):
        if any(there[name] < n for name, n in size.items()) or (made and made[-1].reason):
            break
        all_equal = equal == Equal.YES and number == len(plan.sizes) - 1
        decision = decide(*cut(size), margin, plan.levels[number], "checkpoints", all_equal, attempts)
        made.append(Looked(size, decision, _reason(decision, plan, number, equal)))
    return made


def _reason(decision: Decision, plan: LookPlan, number: int, equal: Equal) -> str:
    if number == len(plan.sizes) - 1:
        return "all problems are answered"
    if any(decision.failed) or decision.by_average in (GateOutcome.PASS, GateOutcome.IMPROVEMENT):
        return "decided"
    if equal != Equal.NO and decision.average.identical:
        return ""
    passing, losing = _out_of_reach(decision, plan, number)
    if decision.by_average == GateOutcome.REGRESSION and passing:
        return "decided"
    return "more problems would hardly decide it" if passing and losing else ""


def _out_of_reach(decision: Decision, plan: LookPlan, number: int) -> tuple[bool, bool]:
    """Whether a pass is, were nothing lost, and a regression, were twice the margin lost."""
    e, share, last = decision.average.estimate, plan.shares[number], plan.levels[-1].average
    passing, losing = e.p_above(-decision.margin), e.p_below(0.0)
    if passing is None or losing is None:
        return False, False
    problems = sum(plan.whole.values())
    no_pass, no_loss = (
        bool(sequential.out_of_reach(p, share, sequential.drift(far, e.se or 0.0, share, problems), last))
        for p, far in ((passing, decision.margin), (losing, LOSS * decision.margin))
    )
    return no_pass, no_loss
