"""From an experiment file to a frozen `Experiment`, and back to a file with every default written out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from algorithms import registry as algorithms
from algorithms.base import Algorithm
from benchmarks import registry as benchmarks
from harness import models, prompts
from harness.backends.registry import BACKENDS
from harness.backends.verl import limits
from harness.config import manifest as manifests
from harness.config.check import checked, fail, known, show
from harness.config.manifest import Key, Manifest
from harness.config.published import of_experiment
from harness.config.shape import experiment_file, model
from harness.errors import UserError
from harness.experiment import Arm, Evaluation, Experiment, Recipe, VerlSettings
from harness.records import START, Comparison
from plugins import PluginError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z")
_TAKEN = (START, "report")
"""folders of a run that an arm may not be called"""
_ARM_KEYS = ("algorithm", "recipe")
_VERL = "verl"
"""a backend, and the section with its settings"""


def load(path: Path, overrides: Iterable[str] = ()) -> Experiment:
    """Raises: UserError, one to three lines that name file, line, key, value and what is allowed."""
    return build(manifests.read(path, overrides))


def build(manifest: Manifest) -> Experiment:
    """Raises: UserError."""
    # `verl=null` on the command line takes the section away, to try the experiment on another backend.
    written = {key: value for key, value in manifest.data.items() if key != _VERL or value is not None}
    file: Any = checked(manifest, experiment_file(), written)
    _check_names(manifest, file)
    recipe = Recipe(**dict(file.recipe))
    _check_recipe(manifest, ("recipe",), recipe)
    experiment = Experiment(
        name=file.name,
        backend=file.backend,
        model=file.model,
        template=file.template,
        train=file.train,
        seeds=file.seeds,
        budget_rollouts=file.budget.rollouts,
        recipe=recipe,
        evaluation=Evaluation(**dict(file.evaluation)),
        arms=tuple(_arm(manifest, name, arm or {}, recipe) for name, arm in file.arms.items()),
        comparison=Comparison(**dict(file.comparison)),
        tuning=file.tuning,
        record_steps=file.record_steps,
        verl=_verl(manifest, file, _VERL in written),
        expected=tuple(of_experiment(manifest)),
    )
    _check_comparison(manifest, experiment)
    if experiment.backend == _VERL:
        _check_verl(manifest, experiment)
    return experiment


def resolved(experiment: Experiment) -> dict[str, Any]:
    """The experiment as a file that loads to an equal one and leaves no default unsaid; without others' scores."""
    return {
        "schema": 1,
        **{name: getattr(experiment, name) for name in ("name", "backend", "model", "template", "train")},
        "seeds": list(experiment.seeds),
        "budget": {"rollouts": experiment.budget_rollouts},
        "recipe": asdict(experiment.recipe),
        "evaluation": asdict(experiment.evaluation),
        "arms": {
            arm.name: {
                "algorithm": arm.algorithm_name,
                **asdict(arm.algorithm),
                "recipe": dict(arm.recipe_overrides),
            }
            for arm in experiment.arms
        },
        "comparison": asdict(experiment.comparison),
        "tuning": dict(experiment.tuning),
        "record_steps": list(experiment.record_steps),
        **({_VERL: experiment.verl.to_json()} if experiment.backend == _VERL else {}),
    }


def _check_names(manifest: Manifest, file: Any) -> None:
    if not _NAME.match(file.name):
        fail(manifest, ("name",), f"`name` must be letters, digits, `_` and `-`, but is {show(file.name)} instead.")
    known(manifest, ("backend",), "backend", file.backend, BACKENDS)
    known(manifest, ("template",), "template", file.template, prompts.TEMPLATES)
    known(manifest, ("train",), "training set", file.train, benchmarks.training_set_names())
    _check_plugin(manifest, ("train",), benchmarks.training_set, file.train)
    for part in ("benchmarks", "curve"):
        for name in getattr(file.evaluation, part):
            known(manifest, ("evaluation", part, name), "benchmark", name, benchmarks.benchmark_names())
            _check_plugin(manifest, ("evaluation", part, name), benchmarks.benchmark, name)
    if not file.evaluation.benchmarks:
        fail(manifest, ("evaluation", "benchmarks"), "`evaluation.benchmarks` may not be empty.")
    _check_engine(manifest, file)
    if not file.seeds:
        fail(manifest, ("seeds",), "`seeds` may not be empty.")
    for i, seed in enumerate(file.seeds):
        if seed in file.seeds[:i]:
            fail(manifest, ("seeds", i), f"`seeds` holds {seed} twice. Remove one of them.")
    try:
        models.find(file.model)
    except UserError as error:
        fail(manifest, ("model",), str(error))


def _check_plugin(manifest: Manifest, key: Key, load: Callable[[str], object], name: str) -> None:
    """Raises: UserError if what another package offers is something else, or cannot be used."""
    try:
        load(name)
    except (benchmarks.UnknownBenchmark, PluginError) as error:
        fail(manifest, key, str(error))


def _check_engine(manifest: Manifest, file: Any) -> None:
    engine, allowed = file.evaluation.engine, BACKENDS[file.backend].engines
    if engine not in (None, *allowed):
        fail(
            manifest,
            ("evaluation", "engine"),
            f"`evaluation.engine` must be {' or '.join(f'`{name}`' for name in allowed)} with backend "
            f"`{file.backend}`, but is {show(engine)} instead.",
        )


def _arm(manifest: Manifest, name: str, data: Mapping[str, Any], base: Recipe) -> Arm:
    at: Key = ("arms", name)
    if not _NAME.match(name) or name in _TAKEN:
        fail(manifest, at, f"an arm's name must be letters, digits, `_` and `-`, and not {' or '.join(_TAKEN)}.")
    algorithm_name = data.get("algorithm", name)
    place = (*at, "algorithm") if "algorithm" in data else at
    known(manifest, place, "algorithm", algorithm_name, algorithms.names())
    algorithm = _algorithm(manifest, at, algorithm_name, data)
    overrides = data.get("recipe") or {}
    if not isinstance(overrides, dict):
        fail(manifest, (*at, "recipe"), f"`arms.{name}.recipe` must be a mapping, but is {show(overrides)} instead.")
    shaped = checked(manifest, model(Recipe), {**asdict(base), **overrides}, (*at, "recipe"))
    recipe = Recipe(**dict(shaped))
    _check_recipe(manifest, (*at, "recipe"), recipe)
    if algorithm.contrastive and recipe.group_size < 2:
        key = (*at, "recipe", "group_size") if "group_size" in overrides else ("recipe", "group_size")
        fail(
            manifest,
            key,
            f"`group_size` must be at least 2 for the arm `{name}`, but is {recipe.group_size} instead: "
            f"`{algorithm_name}` contrasts the rollouts of a prompt.",
        )
    return Arm(name, algorithm_name, algorithm, recipe, {key: getattr(recipe, key) for key in overrides})


def _algorithm(manifest: Manifest, at: Key, name: str, data: Mapping[str, Any]) -> Algorithm:
    given = {key: value for key, value in data.items() if key not in _ARM_KEYS}
    try:
        default = algorithms.get(name)
    except PluginError as error:
        fail(manifest, at, str(error))
    shape = model(type(default))
    clash = [f.name for f in fields(default) if f.name in _ARM_KEYS]
    if clash:
        raise UserError(f"algorithm `{name}` has a hyper-parameter `{clash[0]}`, which an arm keeps for itself.")
    shaped = _hyperparameters(manifest, at, shape, default, given)
    try:
        return algorithms.get(name, **shaped)
    except ValueError as error:
        named = [(*at, key) for key in shaped if f"`{key}`" in str(error)]
        fail(manifest, named[0] if named else at, str(error))


def _hyperparameters(
    manifest: Manifest, at: Key, shape: type[BaseModel], default: Algorithm, given: dict[str, Any]
) -> dict[str, Any]:
    whole = checked(manifest, shape, {**asdict(default), **given}, at)
    return {key: getattr(whole, key) for key in given}


def _check_recipe(manifest: Manifest, at: Key, recipe: Recipe) -> None:
    if recipe.prompts_per_step % recipe.minibatches:
        written = [(*at, key) for key in ("minibatches", "prompts_per_step") if (*at, key) in manifest.places]
        fail(
            manifest,
            written[0] if written else at,
            f"`minibatches` must divide `prompts_per_step` ({recipe.prompts_per_step}), "
            f"but is {recipe.minibatches} instead: a mini-batch takes whole groups.",
        )


def _verl(manifest: Manifest, file: Any, given: bool) -> VerlSettings:
    if given and file.backend != _VERL:
        fail(
            manifest,
            (_VERL,),
            f"`verl` holds settings of backend `verl`, but `backend` is `{file.backend}`. Set `backend: verl`, or "
            "remove the section (on the command line: `verl=null`).",
        )
    settings = dict(file.verl)
    return VerlSettings(**{**settings, "overrides": dict(_dotted(settings["overrides"]))})


def _dotted(data: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    """`{a: {b: 1}}` as `{a.b: 1}`: verl's keys may be written either way."""
    for key, value in data.items():
        if isinstance(value, dict) and value:
            yield from _dotted(value, f"{at}{key}.")
        else:
            yield f"{at}{key}", value


def _check_verl(manifest: Manifest, experiment: Experiment) -> None:
    for mistake in limits.mistakes(experiment):
        written = [key for key in mistake.keys if key in manifest.places]
        fail(manifest, written[0] if written else mistake.keys[0], mistake.message)


def _check_comparison(manifest: Manifest, experiment: Experiment) -> None:
    comparison, at = experiment.comparison, ("comparison",)
    arms = [arm.name for arm in experiment.arms]
    known(manifest, (*at, "target"), "arm", comparison.target, arms)
    for i, name in enumerate(comparison.baselines):
        known(manifest, (*at, "baselines", i), "arm", name, arms)
        if name == comparison.target or name in comparison.baselines[:i]:
            fail(manifest, (*at, "baselines", i), f"`comparison` names the arm `{name}` twice.")
    if not 0 < comparison.alpha < 1:
        fail(manifest, (*at, "alpha"), f"`alpha` must lie between 0 and 1, but is {comparison.alpha} instead.")
    if comparison.margin is not None and not 0 < comparison.margin < 1:
        fail(
            manifest,
            (*at, "margin"),
            f"`margin` is a fraction and must lie between 0 and 1, but is {comparison.margin} instead. "
            "2 points are 0.02.",
        )
    if experiment.evaluation.points > experiment.budget_rollouts:
        fail(manifest, ("evaluation", "points"), "`points` may not be more than the budget's rollouts.")
