"""The contract of algorithms, with what only a recipe can tell: `rence check NAME` runs it."""

from __future__ import annotations

from collections.abc import Callable

from algorithms import contract
from algorithms.base import Algorithm
from harness.base.errors import UserError
from harness.config import algorithm_recipe


def settings_of_the_recipe_are_real(algorithm: Algorithm) -> None:
    """Each of `recipe` is a key of the recipe that decides what is learnt with this algorithm, at a value that it can
    have."""
    try:
        recipe = algorithm_recipe.by_default(type(algorithm).__name__, algorithm)
    except UserError as error:
        raise AssertionError(str(error)) from None
    idle = [key for key in algorithm.recipe if key in recipe.idle(algorithm)]
    if idle:
        raise AssertionError(f"`recipe` sets {', '.join(idle)}, which has no effect with this algorithm")


CHECKS: tuple[Callable[[Algorithm], None], ...] = (*contract.CHECKS, settings_of_the_recipe_are_real)
