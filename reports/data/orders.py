"""The order of the arms by average, as planned and under every other choice that the results allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from reports.data.alternatives import average, minus, planned
from reports.data.analysis import Analysis
from reports.data.dependence import JudgedChoice
from reports.statistics import ROUNDING
from reports.words import listing, plural

Averages = Mapping[str, float]
"""trained arm -> average; one that has none is missing"""

MOST = 6
"""arms or variants that a sentence names one by one"""


@dataclass(frozen=True)
class Variant:
    """The averages under one choice."""

    name: str
    averages: Averages
    against: Averages | None = None
    """the averages as planned on what this is about, where that is not all of the headline"""

    def order(self) -> list[str]:
        """Best first; of equal ones the first in the plan."""
        return sorted(self.averages, key=lambda arm: -self.averages[arm])

    def swapped(self, base: Variant) -> list[tuple[str, str]]:
        """Pairs of arms, the better as planned first, that stand the other way round here. Ties are no swap.

        Args:
            base: as planned.
        """
        base = base if self.against is None else Variant(base.name, self.against)
        order = [arm for arm in base.order() if arm in self.averages]
        pairs = [(one, other) for i, one in enumerate(order) for other in order[i + 1 :]]
        return [
            (one, other)
            for one, other in pairs
            if base.averages[one] - base.averages[other] > ROUNDING
            and self.averages[other] - self.averages[one] > ROUNDING
        ]

    def difference(self, one: str, other: str) -> float | None:
        """Of two arms' averages, a fraction; None if either has none here."""
        return minus(self.averages, one, other)

    def words(self, labels: Mapping[str, str]) -> str:
        """`DAPO > GRPO = ReNCE`

        Args:
            labels: arm -> what it is called.
        """
        order = self.order()
        signs = [" = " if (self.difference(one, other) or 0.0) == 0 else " > " for one, other in pairwise(order)]
        return "".join(word for arm, sign in zip(order, [*signs, ""], strict=True) for word in (labels[arm], sign))


def variants(a: Analysis, judged: Sequence[JudgedChoice]) -> list[Variant]:
    """The plan's choice first, then every other that these results allow. Fewer than two arms have no order: empty."""
    base = {arm: average(matrices) for arm, matrices in planned(a).items()}
    if len(base) < 2:
        return []
    others = [alternative for one in judged for alternative in one.choice.alternatives]
    name = "as imported" if a.run.plan.imported else "as it is" if a.checked.accepted or a.deviations else "as planned"
    return [Variant(name, base), *(Variant(other.name, other.averages, other.against) for other in others)]


def sentence(found: Sequence[Variant], labels: Mapping[str, str]) -> str:
    """`By average: DAPO > GRPO > ReNCE. 1 of 14 other choices changes the order: greedy (GRPO > DAPO > ReNCE). ...`;
    empty where there is one choice alone.

    Args:
        found: of `variants`.
        labels: arm -> what it is called.
    """
    if len(found) < 2:
        return ""
    base, *rest = found
    # one that lacks an arm has no order of all
    others = [variant for variant in rest if variant.averages.keys() >= base.averages.keys()]
    swaps = [variant for variant in others if variant.swapped(base)]
    few = len(base.averages) <= MOST
    order = base.words(labels) if few else f"{labels[base.order()[0]]} first of {plural(len(base.averages), 'arm')}"
    choices = plural(len(others), "other choice")
    lacking = (
        f" {len(rest) - len(others)} more cannot tell: an arm's scores are missing." if len(rest) > len(others) else ""
    )
    if not others:
        return f"By average: {order}.{lacking}"
    if not swaps:
        none = f"Not one of {choices} changes" if len(others) > 1 else f"The other choice, {others[0].name}, leaves"
        return f"By average: {order}. {none} the order{'' if len(others) > 1 else ' as it is'}.{lacking}"
    if few and len(swaps) == 1 and len(base.averages) > 2:
        names = f"{swaps[0].name} ({swaps[0].words(labels)})"
    else:
        names = few_of([variant.name for variant in swaps])
    change = "changes" if len(swaps) == 1 else "change"
    return (
        f"By average: {order}. {len(swaps)} of {choices} {change} the order: {names}. Arms that are not separated may "
        f"swap by chance.{lacking}"
    )


def few_of(names: Sequence[str]) -> str:
    """The first of them by name, the rest by number."""
    more = [f"{len(names) - MOST} more"] if len(names) > MOST else []
    return listing([*names[:MOST], *more])
