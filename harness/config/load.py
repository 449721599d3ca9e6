"""From an experiment file to a frozen `Experiment`, and back to a file with every default written out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.backends.registry import BACKENDS
from harness.backends.verl import limits
from harness.base.errors import UserError
from harness.config import arms as builder
from harness.config import manifest as manifests
from harness.config import sweeps, tuning_block
from harness.config.check import checked, fail, known, show
from harness.config.experiment import Cap, Evaluation, Experiment, Recipe, VerlSettings
from harness.config.manifest import Manifest
from harness.config.problems import check_benchmark, check_training_set
from harness.config.published import of_experiment
from harness.config.shape import experiment_file
from harness.config.sweeps import Expansion
from harness.models import resolving
from harness.prompts import templates
from harness.records import Comparison, Sweep

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z")
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
    builder.check_recipe(manifest, ("recipe",), recipe)
    listed = builder.extended(manifest, file.arms)
    arms = {name: builder.build(manifest, name, data, recipe) for name, data in listed.items()}
    made = sweeps.expand(manifest, written, arms, recipe)
    made.sweeps += [Sweep(**dict(sweep)) for sweep in file.sweeps]
    _check_design(manifest, made)
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
        arms=tuple(made.arms.values()),
        comparison=_comparison(manifest, file, made),
        tuning=file.tuning,
        record_steps=file.record_steps,
        search=tuning_block.search(manifest, file, made, recipe),
        sweeps=tuple(made.sweeps),
        cap=Cap(**dict(file.cap)),
        verl=_verl(manifest, file, _VERL in written),
        expected=tuple(of_experiment(manifest)),
    )
    _check_comparison(manifest, experiment)
    _check_cap(manifest, experiment)
    if experiment.backend == _VERL:
        _check_verl(manifest, experiment)
    return experiment


def resolved(experiment: Experiment) -> dict[str, Any]:
    """The experiment as a file that loads to an equal one and leaves no default unsaid; without others' scores, and
    without what is still to be tuned."""
    open_ = {name for one in experiment.search.candidates for name in one.settings} if experiment.search else set()
    return {
        "schema": 1,
        **{name: getattr(experiment, name) for name in ("name", "backend", "model", "template", "train")},
        "seeds": list(experiment.seeds),
        "budget": {"rollouts": experiment.budget_rollouts},
        "recipe": {k: v for k, v in asdict(experiment.recipe).items() if f"recipe.{k}" not in open_},
        "evaluation": asdict(experiment.evaluation),
        "arms": {
            arm.name: {
                "algorithm": arm.algorithm_name,
                **{k: v for k, v in asdict(arm.algorithm).items() if k not in open_},
                "recipe": dict(arm.recipe_overrides),
                **({"title": arm.title} if arm.title else {}),
            }
            for arm in experiment.arms
        },
        "comparison": asdict(experiment.comparison),
        "tuning": dict(experiment.tuning),
        "record_steps": list(experiment.record_steps),
        **({"sweeps": [asdict(sweep) for sweep in experiment.sweeps]} if experiment.sweeps else {}),
        **({"cap": asdict(experiment.cap)} if experiment.cap != Cap() else {}),
        **({_VERL: experiment.verl.to_json()} if experiment.backend == _VERL else {}),
    }


def _check_names(manifest: Manifest, file: Any) -> None:
    if not _NAME.match(file.name):
        fail(manifest, ("name",), f"`name` must be letters, digits, `_` and `-`, but is {show(file.name)} instead.")
    known(manifest, ("backend",), "backend", file.backend, BACKENDS)
    known(manifest, ("template",), "template", file.template, templates.TEMPLATES)
    check_training_set(manifest, ("train",), file.train)
    for part in ("benchmarks", "curve"):
        for name in getattr(file.evaluation, part):
            check_benchmark(manifest, ("evaluation", part, name), name)
    if not file.evaluation.benchmarks:
        fail(manifest, ("evaluation", "benchmarks"), "`evaluation.benchmarks` may not be empty.")
    _check_engine(manifest, file)
    if not file.seeds:
        fail(manifest, ("seeds",), "`seeds` may not be empty.")
    for i, seed in enumerate(file.seeds):
        if seed in file.seeds[:i]:
            fail(manifest, ("seeds", i), f"`seeds` holds {seed} twice. Remove one of them.")
    try:
        resolving.find(file.model)
    except UserError as error:
        fail(manifest, ("model",), str(error))


def _check_engine(manifest: Manifest, file: Any) -> None:
    engine, allowed = file.evaluation.engine, BACKENDS[file.backend].engines
    if engine not in (None, *allowed):
        fail(
            manifest,
            ("evaluation", "engine"),
            f"`evaluation.engine` must be {' or '.join(f'`{name}`' for name in allowed)} with backend "
            f"`{file.backend}`, but is {show(engine)} instead.",
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


def _comparison(manifest: Manifest, file: Any, made: Expansion) -> Comparison:
    """In a sweep the base is compared with all other arms, unless the file says otherwise."""
    said, bases = dict(file.comparison), [sweep.base for sweep in made.sweeps]
    if said["target"] is None:
        if not bases:
            fail(
                manifest,
                ("comparison",),
                "`comparison.target` is missing. `rence config explain comparison.target` says what it means.",
            )
        said["target"] = bases[0]
    if said["baselines"] is None:
        said["baselines"] = [name for name in made.arms if name != said["target"]]
    return Comparison(**said)


def _check_design(manifest: Manifest, made: Expansion) -> None:
    for i, sweep in enumerate(made.sweeps):
        for name in (sweep.base, *sweep.cells):
            known(manifest, ("sweeps", i), "arm", name, list(made.arms))


def _check_cap(manifest: Manifest, experiment: Experiment) -> None:
    """Raises: UserError with the numbers and with what would fit."""
    search, arms, seeds = experiment.search, len(experiment.arms), len(experiment.seeds)
    each = {"trials": 1, "rollouts": experiment.budget_rollouts}
    tried = {"trials": search.trials, "rollouts": search.trials * search.budget_rollouts} if search else {}
    for what, one in each.items():
        most, main, before = getattr(experiment.cap, what), arms * seeds * one, tried.get(what, 0)
        if most is None or main + before <= most:
            continue
        fewer = most * arms // (main + before)  # each arm has its share of the tuning
        shorter = max(0, most - before) // (arms * one)
        fits = [f"{fewer} of {arms} arms"] * bool(fewer) + [f"{shorter} of {seeds} seeds"] * bool(shorter)
        fail(
            manifest,
            ("cap", what),
            f"`cap.{what}` is {most:,}, but {arms} arms x {seeds} seeds are {main:,} {what}"
            + (f", and their tuning {before:,} more" if before else "")
            + f". What fits: {' or '.join(fits) or 'nothing of it'}.",
        )


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
