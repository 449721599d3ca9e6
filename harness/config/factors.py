"""Factors and their levels as an experiment file has them, and arms with some of their settings changed.

A factor is a setting with a list of values, or a name of your own with levels that each set several:

    t_easy: [0.8, 1]
    recipe.learning_rate: [1e-4, 3e-4]
    updates: {"1": {recipe.epochs: 1, recipe.minibatches: 1}, "4": {recipe.epochs: 2, recipe.minibatches: 2}}

`recipe.x` may be written as `recipe: {x: ...}`, too.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from harness.base.errors import nearest
from harness.config import arms as builder
from harness.config import limits, rewards
from harness.config.check import fail, show
from harness.config.experiment import Arm
from harness.config.manifest import Key, Manifest, dotted
from harness.config.training_recipe import Recipe

_RECIPE = "recipe."


@dataclass(frozen=True)
class Level:
    label: str
    """in words, as titles and tables have it"""
    settings: Mapping[str, Any]
    """setting, such as `t_easy` or `recipe.epochs` -> value"""
    key: Key
    """where it is written"""


@dataclass(frozen=True)
class Factor:
    name: str
    levels: tuple[Level, ...]
    key: Key

    @property
    def short(self) -> str:
        return self.name.removeprefix(_RECIPE)


def factors(manifest: Manifest, at: Key, written: Mapping[str, Any]) -> list[Factor]:
    """Raises: UserError if one is no factor, has a level twice, or sets what another sets."""
    found = []
    for name, key, value in _flat(written, at):
        if isinstance(value, list | Mapping) and len(value) > limits.ARMS:
            fail(manifest, key, f"`{dotted(key)}` has {len(value):,} values; at most {limits.ARMS:,} are tried.")
        levels = tuple(_levels(manifest, name, key, value))
        labels = [level.label for level in levels]
        for i, level in enumerate(levels):
            if level.label in labels[:i]:
                fail(manifest, level.key, f"`{dotted(key)}` holds {level.label} twice. Remove one of them.")
        if not levels:
            fail(manifest, key, f"`{dotted(key)}` must hold values to try, but is {show(value)} instead.")
        found.append(Factor(name, levels, key))
    owner: dict[str, str] = {}
    for factor in found:
        for setting in dict.fromkeys(setting for level in factor.levels for setting in level.settings):
            if setting in owner:
                fail(manifest, factor.key, f"`{factor.name}` and `{owner[setting]}` both set `{setting}`.")
            owner[setting] = factor.name
    return found


def settings(manifest: Manifest, key: Key, written: Any) -> dict[str, Any]:
    """`{t_easy: 1, recipe: {epochs: 1}}` as `{t_easy: 1, recipe.epochs: 1}`. Raises: UserError if it is empty."""
    if not isinstance(written, Mapping) or not written:
        fail(manifest, key, f"`{dotted(key)}` must be settings with their values, but is {show(written)} instead.")
    return {name: value for name, _, value in _flat(written, key)}


def value(manifest: Manifest, key: Key, arm: Arm, setting: str) -> Any:
    """What an arm has there. Raises: UserError if it has no such setting."""
    holder, name = (arm.recipe, setting.removeprefix(_RECIPE)) if _of_recipe(setting) else (arm.algorithm, setting)
    if name not in {f.name for f in fields(holder)}:
        allowed = [*(f.name for f in fields(arm.algorithm)), *(f"{_RECIPE}{f.name}" for f in fields(Recipe))]
        hint = nearest(setting, allowed)
        if not hint.startswith("Did"):
            hint = f"`rence show {arm.algorithm_name}` and `rence config explain recipe` list what there is."
        fail(manifest, key, f"the arm `{arm.name}` has no setting `{setting}`. {hint}")
    return getattr(holder, name)


def changed(
    manifest: Manifest, recipe: Recipe, arm: Arm, name: str, title: str, changes: Mapping[str, tuple[Any, Key]]
) -> Arm:
    """`arm` under another name, with settings changed.

    Args:
        recipe: the experiment's.
        changes: setting -> its value, and where that is written: mistakes are reported there.
    Raises: UserError.
    """
    hyper = {key: change for key, (change, _) in changes.items() if not _of_recipe(key)}
    inside = {key.removeprefix(_RECIPE): change for key, (change, _) in changes.items() if _of_recipe(key)}
    data = {
        "algorithm": arm.algorithm_name,
        **asdict(arm.algorithm),
        **hyper,
        "recipe": {**rewards.inherited(arm.recipe_overrides, inside), **inside},
        "title": title,
    }
    places = ChainMap({}, manifest.places)  # not a copy: there may be many arms, and many places
    for key, (_, written) in changes.items():
        places["arms", name, *key.split(".", 1)] = manifest.place(written)
        places.setdefault(("arms", name), manifest.place(written))
    return builder.build(replace(manifest, places=places), name, data, recipe)


def slug(words: str) -> str:
    """What can stand in the name of a folder."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", words)
    return re.sub(r"\.\.+", ".", plain).strip("._") or "_"


def _levels(manifest: Manifest, name: str, key: Key, written: Any) -> Iterator[Level]:
    if isinstance(written, Mapping):
        for label, inner in written.items():
            yield Level(label, settings(manifest, (*key, label), inner), (*key, label))
    elif isinstance(written, Sequence) and not isinstance(written, str):
        for i, one in enumerate(written):
            yield Level(words(one), {name: one}, (*key, i))
    else:
        fail(manifest, key, f"`{dotted(key)}` must be a list of values to try, but is {show(written)} instead.")


def words(of: Any) -> str:
    """A value as titles and tables have it."""
    if of is None:
        return "none"
    if isinstance(of, bool):
        return "yes" if of else "no"
    if isinstance(of, float):
        return f"{of:g}" if float(f"{of:g}") == of else repr(of)
    if isinstance(of, Mapping):
        return ", ".join(f"{key} {words(inner)}" for key, inner in of.items())
    return "+".join(map(words, of)) if isinstance(of, list | tuple) else str(of)


def _of_recipe(setting: str) -> bool:
    return setting.startswith(_RECIPE)


def _flat(written: Mapping[str, Any], at: Key) -> list[tuple[str, Key, Any]]:
    """Name, place and value of each. What is written in both ways counts as it was written last: `key=value` on the
    command line can only be nested."""
    found: dict[str, tuple[str, Key, Any]] = {}
    for name, inner in written.items():
        if name == "recipe" and isinstance(inner, Mapping):
            found |= {f"{_RECIPE}{key}": (f"{_RECIPE}{key}", (*at, name, key), deeper) for key, deeper in inner.items()}
        else:
            found[name] = (name, (*at, name), inner)
    return list(found.values())
