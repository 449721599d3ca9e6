"""`rence plan --optimise`: the cheapest design that finds a margin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from harness.base.errors import UserError
from reports.statistics.basis import DesignBasis
from reports.statistics.optimise import (
    DesignOption,
    DesignPrices,
    Optimum,
    optimise,
    option,
)
from reports.statistics.power import LARGEST

if TYPE_CHECKING:
    from harness.config.experiment import Experiment
    from harness.records import Plan

_HOW = "`--optimise` must be margin=POINTS,budget=N, such as margin=2,budget=3000000"
_UNIT = "responses: rollouts of training and attempts of evaluation, all arms and seeds and the untrained model"


@dataclass(frozen=True)
class OptimiseRequest:
    """What is asked."""

    margin: float
    """a fraction"""
    budget: int | None
    """responses; None: no bound"""


@dataclass(frozen=True)
class OptimalDesigns:
    """What was found, in the plan's own names."""

    request: OptimiseRequest
    names: list[str]
    """benchmarks, in the order of `samples`"""
    planned: DesignOption
    found: Optimum
    response_tokens: tuple[int, int]
    """most tokens of a rollout and of an attempt"""

    def to_json(self) -> dict[str, Any]:
        """For `rence plan --json`: margin and effects are fractions."""
        found, known = self.found, self._design
        return {
            "margin": self.request.margin,
            "budget": self.request.budget,
            "unit": _UNIT,
            "fits": bool(found.designs),
            "binds": found.binds,
            "designs": [known(one) for one in found.designs],
            "planned": known(self.planned),
            "cheapest_at_any_budget": found.cheapest and known(found.cheapest),
            "best_within_budget": found.best and known(found.best),
            "largest_tried": known(found.limit),
        }

    def tokens(self, one: DesignOption) -> int:
        """At most."""
        rollout, attempt = self.response_tokens
        return one.rollouts * rollout + one.attempts * attempt

    def _design(self, one: DesignOption) -> dict[str, Any]:
        return {
            **asdict(one),
            "samples": dict(zip(self.names, one.samples, strict=True)),
            "responses": one.responses,
            "tokens": self.tokens(one),
            "fits": self.fits(one),
        }

    def fits(self, one: DesignOption) -> bool:
        """Whether it finds the margin within the budget."""
        budget = self.request.budget
        finds = one.sight is not None and one.sight.upper <= self.request.margin
        return finds and (budget is None or one.responses <= budget)


def request(words: str) -> OptimiseRequest:
    """`margin=2,budget=3e6`. Raises: UserError with what is allowed."""
    given: dict[str, float] = {}
    for part in words.split(","):
        name, _, number = (word.strip() for word in part.partition("="))
        if name not in ("margin", "budget") or name in given:
            raise UserError(f"{_HOW}, but is {words} instead.")
        try:
            given[name] = float(number)
        except ValueError:
            raise UserError(f"{_HOW}, but its {name} is {number or 'empty'} instead.") from None
    margin, budget = given.get("margin"), given.get("budget")
    most = 100 * LARGEST
    if margin is None or not 0 < margin <= most:
        said = "missing" if margin is None else f"{margin:g}"
        raise UserError(f"--optimise: margin is in points, more than 0 and at most {most:.1f}, but is {said} instead.")
    if budget is not None and not (1 <= budget < 1e18 and budget == int(budget)):
        raise UserError(f"--optimise: budget must be a whole number, at least 1, but is {budget:g} instead.")
    return OptimiseRequest(margin / 100, None if budget is None else int(budget))


def search(
    experiment: Experiment, made: Plan, problems: Mapping[str, int], basis: DesignBasis, asked: OptimiseRequest
) -> OptimalDesigns:
    """
    Args:
        problems: benchmark -> number of problems, those of the curve too.
        basis: stated variances, or a pilot's, on the plan's benchmarks.
    Raises: UserError if the plan compares nothing.
    """
    if not made.comparison.baselines:
        raise UserError("--optimise: `comparison.baselines` is empty, so there is no difference to find.")
    earlier = sum(problems[name] * k for name, k in made.curve_benchmarks.items())
    prices = DesignPrices(
        arms=len(made.arms),
        rollouts=made.budget_rollouts,
        problems=tuple(problems[name] for name in made.benchmarks),
        earlier=earlier * (experiment.evaluation.points - 1),
    )
    planned = option(prices, basis, len(made.seeds), tuple(made.benchmarks.values()))
    longest = max(arm.recipe.max_tokens for arm in experiment.arms)
    return OptimalDesigns(
        asked,
        list(made.benchmarks),
        planned,
        optimise(prices, basis, asked.margin, asked.budget),
        (longest, experiment.evaluation.first.max_tokens),
    )


def overrides(experiment: Experiment, names: list[str], one: DesignOption) -> list[str]:
    """The settings that make a plan of a design: its own seeds first, then the next that are free."""
    seeds = list(experiment.seeds[: one.seeds])
    free = (seed for seed in range(one.seeds + len(experiment.seeds)) if seed not in experiment.seeds)
    seeds += [next(free) for _ in range(one.seeds - len(seeds))]
    asked, files = experiment.evaluation.benchmarks, experiment.evaluation.files
    ks = dict(zip(names, one.samples, strict=True))
    if not files:
        words = ", ".join(f"{name}: {k}" for name, k in ks.items())
        return [f"seeds=[{','.join(map(str, seeds))}]", f"evaluation.benchmarks={{{words}}}"]
    changed = {name: k for name, k in ks.items() if asked[name] != k}
    each = [f"evaluation.benchmarks.{name}{'.k' if name in files else ''}={k}" for name, k in changed.items()]
    return [f"seeds=[{','.join(map(str, seeds))}]", *each]
