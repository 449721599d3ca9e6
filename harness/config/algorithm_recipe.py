"""What an algorithm sets of the recipe (`Algorithm.recipe`), and what an arm has of it.

Of what is said of a setting, the arm's own goes first, then the algorithm's, then the recipe's default. What the
experiment's recipe says for all arms has no rank against an algorithm's: either would be lost without a word, so where
the two differ the experiment is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from algorithms.base import Algorithm
from harness.base.errors import UserError
from harness.config.check import checked, fail, show
from harness.config.manifest import Key, Manifest
from harness.config.shape import model
from harness.config.training_recipe import Recipe
from harness.records.fields import runtime_keys


def checked_settings(name: str, algorithm: Algorithm) -> dict[str, Any]:
    """What the algorithm sets of the recipe, as a recipe holds it.

    Raises: UserError if one is no key of the recipe, is one of the machine alone, or has a value that it cannot have.
    """
    who, written = f"algorithm `{name}`", algorithm.recipe
    if machine := [key for key in runtime_keys(Recipe) if key in written]:
        raise UserError(
            f"{who}: its `recipe` may not hold `{machine[0]}`, which says how a trial is computed, not what it learns."
        )
    shaped = checked(Manifest(who, {}), model(Recipe), {**asdict(Recipe()), **written}, ("recipe",))
    held = shaped.model_dump()
    return {key: held[key] for key in written}


def by_default(name: str, algorithm: Algorithm) -> Recipe:
    """The recipe of an arm of which nothing else is said. Raises: UserError, as `checked_settings`."""
    return Recipe(**{**asdict(Recipe()), **checked_settings(name, algorithm)})


def of_arm(
    manifest: Manifest, arm: str, name: str, algorithm: Algorithm, own: Mapping[str, Any], shared: Recipe
) -> dict[str, Any]:
    """Where the arm leaves the shared recipe: the algorithm's settings under its own.

    Args:
        name: the algorithm's.
        own: what is written for the arm, here or in an arm that it extends.
    Raises: UserError if the algorithm's `recipe` cannot be used, or the shared recipe is written otherwise.
    """
    try:
        sets = checked_settings(name, algorithm)
    except UserError as error:
        fail(manifest, ("arms", arm), str(error))
    sets = {key: value for key, value in sets.items() if key not in own and value != getattr(shared, key)}
    written = manifest.data.get("recipe")
    against = [key for key in sets if isinstance(written, Mapping) and key in written]
    if against:
        _refuse(manifest, arm, name, {key: sets[key] for key in against}, shared)
    return {**sets, **own}


def _refuse(manifest: Manifest, arm: str, name: str, sets: Mapping[str, Any], shared: Recipe) -> None:
    key: Key = ("recipe", next(iter(sets)))
    said = " and ".join(f"`recipe.{key}` is {show(getattr(shared, key))}" for key in sets)
    values = " and ".join(show(value) for value in sets.values())
    them = ", ".join(f"{key}: {show(value)}" for key, value in sets.items())
    fail(
        manifest,
        key,
        f"{said} for all arms, but `{name}`, the algorithm of the arm `{arm}`, sets {values}.\n"
        f"Say for this arm which it is: `arms.{arm}.recipe: {{{them}}}`, or values of your own; or remove it from the "
        "shared recipe.",
    )
