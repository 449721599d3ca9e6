"""The `comparison` section of an experiment file: what is left unsaid, and what it may not say."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from harness.config import rewards
from harness.config.check import fail, known
from harness.config.experiment import Arm, Experiment
from harness.config.manifest import Key, Manifest
from harness.config.sweeps import Expansion
from harness.records import CollapseRule, Comparison
from harness.records.fields import stated

_AT: Key = ("comparison",)


def read(manifest: Manifest, section: Any, made: Expansion) -> Comparison:
    """In a sweep the base is compared with all other arms, unless the file says otherwise.

    Args:
        section: of the file, as its shape.
    Raises: UserError if there is no target.
    """
    said, bases = dict(section), [sweep.base for sweep in made.sweeps]
    if said["target"] is None:
        if not bases:
            fail(
                manifest,
                _AT,
                "`comparison.target` is missing. `rence config explain comparison.target` says what it means.",
            )
        said["target"] = bases[0]
    if said["baselines"] is None:
        said["baselines"] = [name for name in made.arms if name != said["target"]]
    if said["collapse"] is not None:
        said["collapse"] = CollapseRule(**dict(said["collapse"]))
    return Comparison(**said)


def written(comparison: Comparison) -> dict[str, Any]:
    """As `resolved.json` has it. Keys that came later stay out of it at the value that means what was done before, so
    that the file of a finished run keeps its bytes; of these only the margin was always there."""
    return {**stated(comparison), "margin": comparison.margin}


def check(manifest: Manifest, experiment: Experiment) -> None:
    """Raises: UserError with what is allowed."""
    comparison, arms = experiment.comparison, [arm.name for arm in experiment.arms]
    known(manifest, (*_AT, "target"), "arm", comparison.target, arms)
    for i, name in enumerate(comparison.baselines):
        known(manifest, (*_AT, "baselines", i), "arm", name, arms)
        if name == comparison.target or name in comparison.baselines[:i]:
            fail(manifest, (*_AT, "baselines", i), f"`comparison` names the arm `{name}` twice.")
    _check_levels(manifest, comparison)
    _check_factor(manifest, experiment)
    _check_collapse(manifest, comparison.collapse)
    if comparison.pair_seeds and comparison.estimand == "checkpoints":
        fail(
            manifest,
            (*_AT, "pair_seeds"),
            "`pair_seeds` pairs what varies between seeds, and `estimand: checkpoints` leaves that out. Set "
            "`pair_seeds: false`, or `estimand` to `algorithm` or `benchmark`.",
        )


def _check_factor(manifest: Manifest, experiment: Experiment) -> None:
    """Raises: UserError if arms that are compared differ in more than what is said to be compared."""
    comparison = experiment.comparison
    target = experiment.arm(comparison.target)
    for i, other in enumerate(map(experiment.arm, comparison.baselines)):
        at: Key = (*_AT, "baselines", i) if (*_AT, "baselines", i) in manifest.places else _AT
        both = f"the arms `{target.name}` and `{other.name}`"
        mine, others = (rewards.words(arm.recipe) or arm.recipe.reward for arm in (target, other))
        own = any(arm.recipe.own_reward for arm in (target, other))
        if comparison.factor == "algorithm":
            if own and mine != others:
                fail(
                    manifest,
                    at,
                    f"{both} differ in their reward, {mine} and {others}: a difference between them would not be the "
                    "algorithm's.\nGive them one reward, or say that rewards are what is compared: "
                    "`comparison.factor: reward`.",
                )
            continue
        if mine == others:
            fail(manifest, at, f"`comparison.factor` is reward, but {both} have the same one, {mine}.")
        if differing := _beside_the_reward(target, other):
            fail(
                manifest,
                at,
                f"`comparison.factor` is reward, but {both} differ in {', '.join(differing)} as well. Let them differ "
                "in `recipe.reward` alone (and its settings).",
            )


def _beside_the_reward(a: Arm, b: Arm) -> list[str]:
    """In what two arms differ, but for their reward."""
    if type(a.algorithm) is not type(b.algorithm):
        return ["their algorithm"]
    pairs = [("", a.algorithm, b.algorithm), ("recipe.", a.recipe, b.recipe)]
    names = [(f"{of}{f.name}", getattr(x, f.name), getattr(y, f.name)) for of, x, y in pairs for f in fields(x)]
    return [f"`{name}`" for name, mine, other in names if mine != other and not name.startswith("recipe.reward")]


def _check_levels(manifest: Manifest, comparison: Comparison) -> None:
    alpha, margin = comparison.alpha, comparison.margin
    if not 0 < alpha < 1:
        fail(manifest, (*_AT, "alpha"), f"`alpha` must be above 0 and below 1, but is {alpha:g} instead.")
    if margin is None or 0 < margin < 1:
        return
    points = margin if 1 <= margin < 100 else 2
    fail(
        manifest,
        (*_AT, "margin"),
        f"`margin` is a fraction and must be above 0 and below 1, but is {margin:g} instead. "
        f"{points:g} points are {points / 100:g}.",
    )


def _check_collapse(manifest: Manifest, rule: CollapseRule | None) -> None:
    at: Key = (*_AT, "collapse")
    share = rule.towards_start if rule else None
    if share is not None and not 0 < share <= 1:
        fail(
            manifest,
            (*at, "towards_start"),
            "`towards_start` is a share of the way and must be more than 0 and at most 1, or null, but is "
            f"{share:g} instead.",
        )
    if rule and not rule.below_start and share is None:
        none = "`below_start` is false and `towards_start` null"
        fail(manifest, at, f"`collapse` holds no rule: {none}. `collapse: null` counts none.")
