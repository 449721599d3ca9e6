"""`rence plan --optimise`: the cheapest design that finds a margin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from harness.base.errors import UserError
from rence.cli.console import out, table
from rence.cli.effects import COVERS, in_points
from reports.statistics.optimise import (
    MOST_SAMPLES,
    MOST_SEEDS,
    DesignBasis,
    DesignOption,
    DesignPrices,
    Optimum,
    StatedBasis,
    optimise,
    option,
)
from reports.statistics.power import LARGEST

if TYPE_CHECKING:
    from harness.config.experiment import Experiment
    from rence.cli.preview import Preview

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


def search(experiment: Experiment, seen: Preview, asked: OptimiseRequest) -> OptimalDesigns:
    """At stated variances, or at those of the pilot.

    Raises: UserError if the plan compares nothing.
    """
    made = seen.plan
    if not made.comparison.baselines:
        raise UserError("--optimise: `comparison.baselines` is empty, so there is no difference to find.")
    problems = {name: seen.problems[name] for name in made.benchmarks}
    earlier = sum(seen.problems[name] * k for name, k in made.curve_benchmarks.items())
    prices = DesignPrices(
        arms=len(made.arms),
        rollouts=made.budget_rollouts,
        problems=tuple(problems.values()),
        earlier=earlier * (experiment.evaluation.points - 1),
    )
    basis = _basis(seen, problems)
    planned = option(prices, basis, len(made.seeds), tuple(made.benchmarks.values()))
    longest = max(arm.recipe.max_tokens for arm in experiment.arms)
    return OptimalDesigns(
        asked,
        list(problems),
        planned,
        optimise(prices, basis, asked.margin, asked.budget),
        (longest, experiment.evaluation.max_tokens),
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


def print_optimal(experiment: Experiment, seen: Preview, found: OptimalDesigns) -> None:
    """A table of the cheapest few, what binds, and the command that plans the first."""
    console, asked = out(), found.request
    within = "" if asked.budget is None else f" within {asked.budget:,} responses"
    points = f"{100 * asked.margin:g} point{'' if asked.margin == 0.01 else 's'}"
    console.print(
        f"\nDesigns that find {points} with power 80 % at level {seen.target.alpha:.4g}{within}, "
        f"about {COVERS[seen.target.estimand]}:"
    )
    rows = {"as planned": found.planned, **{f"{place}.": one for place, one in enumerate(found.found.designs, 1)}}
    if found.found.best:
        rows["best within the budget"] = found.found.best
    if not found.found.designs and found.found.cheapest:
        rows["cheapest at any budget"] = found.found.cheapest
    console.print(_table(found, rows))
    console.print(
        f"k of {', '.join(found.names)}. A response is a rollout of training or an attempt of evaluation, of all arms, "
        "seeds and the untrained model; tuning is not counted. Tokens are at most.",
    )
    for sentence in _sentences(found):
        console.print(sentence)
    if found.found.designs:
        words = " ".join(f"'{word}'" for word in overrides(experiment, found.names, found.found.designs[0]))
        console.print(f"To plan the first, add to the command: {words}", markup=False)


def _basis(seen: Preview, problems: Mapping[str, int]) -> DesignBasis:
    if seen.measured is None:
        return StatedBasis(tuple(problems.values()), seen.variances, seen.target)
    from reports.data.pilot import PilotBasis

    return PilotBasis(seen.measured.pilot, problems, seen.target)


def _table(found: OptimalDesigns, rows: Mapping[str, DesignOption]) -> Any:
    heads = ("seeds", "k", "rollouts", "attempts", "responses", "tokens", "finds")
    made = table("design", *heads, "most of the variance", numbers=heads)
    for name, one in rows.items():
        most = max(one.shares, key=one.shares.__getitem__)
        ks = [str(one.samples[0])] if len(set(one.samples)) == 1 else map(str, one.samples)
        made.add_row(
            name,
            str(one.seeds),
            " ".join(ks),
            *(f"{number:,}" for number in (one.rollouts, one.attempts, one.responses)),
            f"{found.tokens(one):.2g}",
            "-" if one.sight is None else in_points(one.sight),
            f"{most}, {100 * one.shares[most]:.0f} %",
        )
    return made


def _sentences(found: OptimalDesigns) -> list[str]:
    """Which binds; and where nothing fits, how far the best gets."""
    asked, result = found.request, found.found
    if result.designs:
        return [
            f"What binds: {result.binds}, {100 * result.designs[0].shares[result.binds]:.0f} % of the variance left."
        ]
    if result.cheapest is None:
        sight = result.limit.sight
        reach = f"{in_points(sight)} points" if sight else "nothing"
        times = (sight.upper / asked.margin) ** 2 if sight else None
        more = f" It takes at least {times:.1f} times as many problems." if times else ""
        said = [
            f"None fits, whatever the budget: problems bind. {MOST_SEEDS} seeds and {MOST_SAMPLES} attempts a problem "
            f"find {reach}.{more}"
        ]
    else:
        times = result.cheapest.responses / (asked.budget or 1)
        said = [f"None fits: the budget binds. The cheapest that would do takes {times:.2g} times as much."]
    if result.best is None and asked.budget is not None:
        said.append("The budget pays no design at all: not the fewest seeds with one attempt a problem.")
    return said
