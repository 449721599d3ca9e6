"""A reward of the user's own in a recipe: `reward: my_package.rewards:score`, with the hash of its source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from benchmarks.rewards.locating import RewardMistake, is_function, locate
from harness.base.errors import closest
from harness.config.check import fail, show
from harness.config.manifest import Key, Manifest
from harness.config.training_recipe import OWN, Recipe, Reward

WORDS = get_args(Reward)
_NONE = {key: getattr(Recipe(), key) for key in OWN}
"""what they are where nothing is said"""


def with_hash(manifest: Manifest, at: Key, recipe: dict[str, Any], base: Recipe | None = None) -> dict[str, Any]:
    """A recipe as it is written, and the hash of its reward's source where it names a function without one.

    Args:
        recipe: of the experiment; or what an arm leaves the experiment's in.
        base: the experiment's, for an arm.
    Raises: UserError if there is no such function.
    """
    written = recipe.get("reward")
    if not isinstance(written, str):
        return recipe
    if base is not None and base.reward != written:
        # What is said of the shared recipe's function is not said of another one.
        recipe = {key: empty for key, empty in _NONE.items() if getattr(base, key) != empty} | recipe
    if ":" in written and not recipe.get("reward_hash"):
        try:
            recipe = {**recipe, "reward_hash": locate(written).hash}
        except RewardMistake as error:
            fail(manifest, (*at, "reward"), f"`recipe.reward`: {error}")
    return recipe


def words(recipe: Recipe) -> str:
    """What identifies a reward of the user's own, as trials record it; empty where a word of ours is the reward."""
    if ":" not in recipe.reward:
        return ""
    threshold = recipe.reward_threshold
    return f"{recipe.reward} ({recipe.reward_hash})" + ("" if threshold is None else f", right from {threshold:g}")


def check(manifest: Manifest, at: Key, recipe: Recipe) -> None:
    """Raises: UserError if the reward is neither a word of ours nor a function, or has settings without effect."""
    key = (*at, "reward") if (*at, "reward") in manifest.places else ("recipe", "reward")
    if recipe.reward not in WORDS and not is_function(recipe.reward):
        fail(
            manifest,
            key,
            f"`recipe.reward` must be one of {', '.join(WORDS)}, or a function of yours, `module:function`, but is "
            f"{show(recipe.reward)} instead.{closest(recipe.reward, WORDS)}",
        )
    idle = [name for name, empty in _NONE.items() if ":" not in recipe.reward and getattr(recipe, name) != empty]
    if idle:
        written = [(*at, name) for name in idle if (*at, name) in manifest.places]
        fail(
            manifest,
            written[0] if written else ("recipe", idle[0]),
            f"`recipe.{idle[0]}` has no effect: `recipe.reward` is `{recipe.reward}`, and it is of functions of your "
            "own, `reward: my_package.rewards:score`. Remove it.",
        )


def inherited(overrides: Mapping[str, Any], inside: Mapping[str, Any]) -> dict[str, Any]:
    """What an arm's recipe keeps where `inside` is changed: not the hash of a function that it no longer has."""
    changed = "reward" in inside and "reward_hash" not in inside
    return {key: value for key, value in overrides.items() if not (changed and key == "reward_hash")}
