"""The arms of an experiment file: what one may hold, what it takes from another, and what it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from pydantic import BaseModel

from algorithms.base import Algorithm
from harness.base import registry, reserved
from harness.base.plugins import PluginError
from harness.config import algorithm_recipe, limits, rewards
from harness.config.check import checked, fail, known, show
from harness.config.experiment import Arm
from harness.config.manifest import Key, Manifest, dotted
from harness.config.shape import model
from harness.config.training_recipe import REFILL, Recipe

EXTENDS = "extends"
_ARM_KEYS = ("algorithm", "recipe", EXTENDS, "title")


def extended(manifest: Manifest, written: Mapping[str, Mapping[str, Any] | None]) -> dict[str, dict[str, Any]]:
    """Arms with what they take from others written out: algorithm, hyper-parameters and recipe, but no title.

    Raises: UserError if an arm extends one that does not exist, itself, or in a circle.
    """
    done: dict[str, dict[str, Any]] = {}
    for name in written:
        _extend(manifest, written, name, done, ())
    return {name: done[name] for name in written}


def _extend(
    manifest: Manifest,
    written: Mapping[str, Mapping[str, Any] | None],
    name: str,
    done: dict[str, dict[str, Any]],
    path: tuple[str, ...],
) -> dict[str, Any]:
    """The arm `name` with everything that it takes from others, however far above.

    Args:
        done: arms that are worked out already; this one is added.
        path: arms that extend, directly or not, the one that is asked for: none of them may come again.
    Raises: UserError, as `extended`.
    """
    if name in done:
        return done[name]
    own, at = dict(written[name] or {}), ("arms", name, EXTENDS)
    other = own.pop(EXTENDS, None)
    if other is None:
        done[name] = own
        return own
    if not isinstance(other, str):
        fail(manifest, at, f"`arms.{name}.extends` must be the name of an arm, but is {show(other)} instead.")
    known(manifest, at, "arm", other, list(written))
    # Before going further up, which would have no end.
    if other in (*path, name):
        circle = " -> ".join((*path, name, other))
        fail(manifest, at, f"arms may not extend each other in a circle: {circle}.")
    if len(path) >= limits.EXTENDS:
        fail(manifest, at, f"`{path[0]}` takes from more than {limits.EXTENDS} arms, one through the other.")
    # The hyper-parameters that it takes over mean something in their own algorithm only.
    if "algorithm" in own:
        fail(
            manifest,
            ("arms", name, "algorithm"),
            f"`arms.{name}` extends `{other}` and has its algorithm. Remove `algorithm`, or `extends`.",
        )
    base = _extend(manifest, written, other, done, (*path, name))
    recipes = [part.get("recipe") or {} for part in (base, own)]
    if not isinstance(recipes[1], dict):
        _bad_recipe(manifest, name, recipes[1])
    # Not the title, which two arms would then share. Where the other arm has no `algorithm`, its name is one.
    done[name] = {
        **{key: value for key, value in base.items() if key != "title"},
        "algorithm": base.get("algorithm", other),
        **own,
        "recipe": {**recipes[0], **recipes[1]},
    }
    return done[name]


def build(manifest: Manifest, name: str, data: Mapping[str, Any], base: Recipe) -> Arm:
    """An arm without `extends`.

    Args:
        base: the recipe that it shares but for what it changes.
    Raises: UserError.
    """
    at: Key = ("arms", name)
    wrong = reserved.mistake(name)
    if wrong:
        fail(manifest, at, f"{show(name)} cannot be an arm's name: {wrong}.")
    algorithm_name = data.get("algorithm", name)
    # An arm without the key has its algorithm in its name, and a mistake is reported where it was written.
    place = (*at, "algorithm") if "algorithm" in data else at
    known(manifest, place, "algorithm", algorithm_name, registry.algorithm_names())
    algorithm = _algorithm(manifest, at, algorithm_name, data)
    overrides, title = data.get("recipe") or {}, data.get("title") or ""
    if not isinstance(overrides, dict):
        _bad_recipe(manifest, name, overrides)
    if not isinstance(title, str):
        fail(manifest, (*at, "title"), f"`arms.{name}.title` must be words, but is {show(title)} instead.")
    own = _that_act(manifest, (*at, "recipe"), algorithm_name, algorithm, overrides)
    own = rewards.with_hash(manifest, (*at, "recipe"), own, base)
    overrides = algorithm_recipe.of_arm(manifest, name, algorithm_name, algorithm, own, base)
    shaped = checked(manifest, model(Recipe), {**asdict(base), **overrides}, (*at, "recipe"))
    recipe = Recipe(**dict(shaped))
    check_recipe(manifest, (*at, "recipe"), recipe)
    if algorithm.contrastive and recipe.group_size < 2:
        # Named where the number was written, here or in the recipe that all arms share.
        key = (*at, "recipe", "group_size") if "group_size" in overrides else ("recipe", "group_size")
        fail(
            manifest,
            key,
            f"`group_size` must be at least 2 for the arm `{name}`, but is {recipe.group_size} instead: "
            f"`{algorithm_name}` contrasts the rollouts of a prompt.",
        )
    held = asdict(recipe)
    return Arm(name, algorithm_name, algorithm, recipe, {key: held[key] for key in overrides}, title)


def check_recipe(manifest: Manifest, at: Key, recipe: Recipe) -> None:
    """Raises: UserError if settings do not fit each other."""
    if recipe.prompts_per_step % recipe.minibatches:
        written = [(*at, key) for key in ("minibatches", "prompts_per_step") if (*at, key) in manifest.places]
        fail(
            manifest,
            written[0] if written else at,
            f"`minibatches` must divide `prompts_per_step` ({recipe.prompts_per_step}), "
            f"but is {recipe.minibatches} instead: a mini-batch takes whole groups.",
        )
    rewards.check(manifest, at, recipe)
    if recipe.refill == "batch" and recipe.refill_factor != 1:
        key = (*at, "refill_factor")
        fail(
            manifest,
            key if key in manifest.places else ("recipe", "refill_factor"),
            f"`refill_factor` must be 1 where `refill` is batch, but is {recipe.refill_factor:g} instead: whole "
            "batches are asked, whatever is missing.",
        )


def _that_act(
    manifest: Manifest, at: Key, name: str, algorithm: Algorithm, overrides: dict[str, Any]
) -> dict[str, Any]:
    """The arm's recipe without what it took over from an arm with refill and has no use for.

    Raises: UserError if that was written for this arm.
    """
    if algorithm.refill:
        return overrides
    for key in REFILL:
        if (*at, key) in manifest.places or _is_given(manifest, (*at, key)):
            switch = "refill_dropped: true" if hasattr(algorithm, "refill_dropped") else ""
            fail(
                manifest,
                (*at, key),
                f"`{dotted((*at, key))}` has no effect: `{name}` of this arm asks for no refill. Remove it"
                + (f", or set `{switch}`." if switch else "."),
            )
    return {key: value for key, value in overrides.items() if key not in REFILL}


def _is_given(manifest: Manifest, key: Key) -> bool:
    """Whether the file has it: one mapping on the command line has one place for all that is in it."""
    inside: Any = manifest.data
    for part in key:
        if not isinstance(inside, Mapping) or part not in inside:
            return False
        inside = inside[part]
    return True


def _bad_recipe(manifest: Manifest, name: str, recipe: Any) -> None:
    fail(
        manifest,
        ("arms", name, "recipe"),
        f"`arms.{name}.recipe` must be a mapping, but is {show(recipe)} instead.",
    )


def _algorithm(manifest: Manifest, at: Key, name: str, data: Mapping[str, Any]) -> Algorithm:
    given = {key: value for key, value in data.items() if key not in _ARM_KEYS}
    try:
        default = registry.algorithm(name)
    except PluginError as error:
        fail(manifest, at, str(error))
    shape = model(type(default))
    clash = [f.name for f in fields(default) if f.name in _ARM_KEYS]
    if clash:
        fail(manifest, at, f"algorithm `{name}` has a hyper-parameter `{clash[0]}`, which an arm keeps for itself.")
    shaped = _hyperparameters(manifest, at, shape, default, given)
    try:
        return registry.algorithm(name, **shaped)
    except ValueError as error:
        named = [(*at, key) for key in shaped if f"`{key}`" in str(error)]
        fail(manifest, named[0] if named else at, str(error))


def _hyperparameters(
    manifest: Manifest, at: Key, shape: type[BaseModel], default: Algorithm, given: dict[str, Any]
) -> dict[str, Any]:
    whole = checked(manifest, shape, {**asdict(default), **given}, at)
    return {key: getattr(whole, key) for key in given}
