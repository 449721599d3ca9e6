"""What refill will cost, from how often the start model solves a training problem.

Steps are simulated by the rule that training follows (`Recipe.asks`), each prompt passing by chance; where the chance
is not known, the range says what is possible. Rates change while a model learns, so this is how training begins.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from math import ceil

from harness.config.experiment import Arm, Experiment
from harness.config.training_recipe import Recipe
from harness.planning.solve_rates import SolveRates

_DRAWS = 500
_MOST_PROMPTS = 1_000_000
"""simulated; steps of very many prompts vary little, and fewer of them are drawn"""

Range = tuple[float, float]
"""two equal numbers where it is known"""


@dataclass(frozen=True)
class RefillForecast:
    """Of one arm whose algorithm refills, as its training begins."""

    arm: str
    passing: float | None
    """share of groups that pass the filter; None where it is not known, and ranges are what is possible"""
    prompts: Range
    """asked in a step"""
    steps: Range
    """until the budget is spent"""
    surplus: Range
    """share of the groups that pass and are thrown away"""
    short: Range
    """share of steps that end by the cap with fewer groups than they want"""


def forecast(experiment: Experiment, rates: SolveRates | None) -> list[RefillForecast]:
    """Of the arms whose algorithm refills; none where there are none."""
    return [_of(experiment, arm, rates) for arm in experiment.arms if arm.algorithm.refill]


def _of(experiment: Experiment, arm: Arm, rates: SolveRates | None) -> RefillForecast:
    recipe = arm.recipe
    # What the filter sees is the label, and the start model's marks say nothing of labels that are not the marker's.
    usable = rates is not None and recipe.reward == "label"
    passing = rates.passing(arm.algorithm, recipe.group_size) if usable and rates else None
    budget = experiment.budget_rollouts
    if passing is None:
        fewest, most = recipe.prompts_per_step, recipe.most_prompts
        steps = (ceil(budget / (most * recipe.group_size)), ceil(budget / (fewest * recipe.group_size)))
        return RefillForecast(arm.name, None, (fewest, most), steps, (0.0, _most_surplus(recipe)), (0.0, 1.0))
    asked, surplus, short = simulated(recipe, passing)
    steps = budget / (asked * recipe.group_size)
    return RefillForecast(arm.name, passing, *((one, one) for one in (asked, steps, surplus, short)))


def simulated(recipe: Recipe, passing: float) -> tuple[float, float, float]:
    """Prompts of a step, share of the passing groups that are surplus, and share of steps that end short.

    Args:
        passing: chance of a prompt to pass the filter.
    """
    chance, wanted = random.Random(0), recipe.prompts_per_step
    draws = max(20, min(_DRAWS, _MOST_PROMPTS // recipe.most_prompts))
    asked = passed = surplus = short = 0
    for _ in range(draws):
        mine = good = 0
        while count := recipe.asks(good, mine):
            good += sum(chance.random() < passing for _ in range(count))
            mine += count
        asked, passed = asked + mine, passed + good
        surplus += max(0, good - wanted)
        short += good < wanted
    return asked / draws, surplus / passed if passed else 0.0, short / draws


def _most_surplus(recipe: Recipe) -> float:
    """The largest share: one group is missing, and all that is asked then passes."""
    wanted = recipe.prompts_per_step
    more = recipe.asks(wanted - 1, wanted)
    return max(0, more - 1) / (wanted - 1 + more) if more else 0.0
