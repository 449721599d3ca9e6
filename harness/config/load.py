"""From an experiment file to a frozen `Experiment`, and back to a file with every default written out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.base import registry, reserved
from harness.base.errors import UserError
from harness.base.plugins import PluginError
from harness.config import adapting, comparison, decodings, limits, problems, rewards, sweeps, tuning_block
from harness.config import arms as builder
from harness.config import manifest as manifests
from harness.config.begun import before_keys
from harness.config.check import checked, fail, known, show
from harness.config.evaluation import Evaluation
from harness.config.experiment import Cap, Experiment
from harness.config.manifest import Manifest
from harness.config.published import of_experiment
from harness.config.shape import experiment_file, may_be_a_section
from harness.config.sweeps import Expansion
from harness.config.training_recipe import Recipe
from harness.models import resolving
from harness.prompts import templates
from harness.records import Sweep

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z")


def load(path: Path, overrides: Iterable[str] = ()) -> Experiment:
    """Raises: UserError, one to three lines that name file, line, key, value and what is allowed."""
    return build(manifests.read(path, overrides))


def load_run(path: Path, overrides: Iterable[str] = ()) -> Experiment:
    """From the resolved.json of a run, where keys that it lacks mean what was done before there were any.

    Raises: UserError, as `load`.
    """
    manifest = manifests.read(path, overrides)
    before_keys(manifest.data)
    return build(manifest)


def build(manifest: Manifest) -> Experiment:
    """Raises: UserError."""
    backends = registry.BACKENDS.names()
    # `verl=null` on the command line takes the section away, to try the experiment on another backend.
    written = {key: value for key, value in manifest.data.items() if value is not None or key not in backends}
    section = _section(manifest, written)
    others = [key for key in written if key in backends and key not in dict(section) and may_be_a_section(key)]
    others = [key for key in others if _backend(manifest, key).settings]
    own = {key: value for key, value in written.items() if key not in others}
    if isinstance(shared := own.get("recipe"), dict):
        own = {**own, "recipe": rewards.with_hash(manifest, ("recipe",), shared)}
    own, train_file = problems.own_training_set(manifest, own)
    own, files = problems.own_benchmarks(manifest, own, "evaluation")
    own, tuned_on = problems.own_benchmarks(manifest, own, "tuning")
    file: Any = checked(manifest, experiment_file(section), own)
    _check_names(manifest, file, {*files, *([file.train] if train_file else [])})
    _check_sections(manifest, others, file.backend)
    recipe = Recipe(**dict(file.recipe))
    builder.check_recipe(manifest, ("recipe",), recipe)
    listed = builder.extended(manifest, file.arms)
    arms = {name: builder.build(manifest, name, data, recipe) for name, data in listed.items()}
    made = sweeps.expand(manifest, written, arms, recipe)
    made.sweeps += [Sweep(**dict(sweep)) for sweep in file.sweeps]
    _check_design(manifest, made)
    _check_alike(manifest, made)
    _check_trials(manifest, len(made.arms), len(file.seeds))
    experiment = Experiment(
        name=file.name,
        backend=file.backend,
        model=file.model,
        template=file.template,
        train=file.train,
        seeds=file.seeds,
        budget_rollouts=file.budget.rollouts,
        recipe=recipe,
        evaluation=decodings.read(manifest, file.evaluation, files),
        arms=tuple(made.arms.values()),
        comparison=comparison.read(manifest, file.comparison, made),
        tuning=file.tuning | ({"files": {name: one.hash for name, one in tuned_on.items()}} if tuned_on else {}),
        record_steps=file.record_steps,
        search=tuning_block.search(manifest, file, made, recipe, tuned_on),
        sweeps=tuple(made.sweeps),
        cap=Cap(**dict(file.cap)),
        backend_settings=next((settings(**dict(getattr(file, name))) for name, settings in section), None),
        expected=tuple(of_experiment(manifest)),
        train_file=train_file,
    )
    comparison.check(manifest, experiment)
    _check_points(manifest, experiment)
    _check_cap(manifest, experiment)
    _check_backend(manifest, experiment)
    adapting.check(manifest, experiment)
    return experiment


def resolved(experiment: Experiment) -> dict[str, Any]:
    """The experiment as a file that loads to an equal one and leaves no default unsaid (but `comparison.written`);
    without others' scores, and without what is still to be tuned."""
    open_ = {name for one in experiment.search.candidates for name in one.settings} if experiment.search else set()
    return {
        "schema": 1,
        **{name: getattr(experiment, name) for name in ("name", "backend", "model", "template")},
        "train": problems.train_written(experiment),
        "seeds": list(experiment.seeds),
        "budget": {"rollouts": experiment.budget_rollouts},
        "recipe": {k: v for k, v in asdict(experiment.recipe).items() if f"recipe.{k}" not in open_},
        "evaluation": _evaluation(experiment.evaluation),
        "arms": {
            arm.name: {
                "algorithm": arm.algorithm_name,
                **{k: v for k, v in asdict(arm.algorithm).items() if k not in open_},
                "recipe": dict(arm.recipe_overrides),
                **({"title": arm.title} if arm.title else {}),
            }
            for arm in experiment.arms
        },
        "comparison": comparison.written(experiment.comparison),
        "tuning": dict(experiment.tuning),
        "record_steps": list(experiment.record_steps),
        **({"sweeps": [asdict(sweep) for sweep in experiment.sweeps]} if experiment.sweeps else {}),
        **({"cap": asdict(experiment.cap)} if experiment.cap != Cap() else {}),
        **({experiment.backend: asdict(settings)} if (settings := experiment.backend_settings) is not None else {}),
    }


def _evaluation(evaluation: Evaluation) -> dict[str, Any]:
    data = {**asdict(evaluation), "benchmarks": problems.benchmarks_written(evaluation)}
    del data["files"]
    return data


def _check_names(manifest: Manifest, file: Any, files: Collection[str]) -> None:
    """
    Args:
        files: names of problems that were read from files already.
    """
    if not _NAME.match(file.name):
        fail(manifest, ("name",), f"`name` must be letters, digits, `_` and `-`, but is {show(file.name)} instead.")
    if file.name.casefold() in reserved.BESIDE:
        fail(manifest, ("name",), f"`name` may not be `{file.name}`, a word of the tracking store's beside the runs.")
    # the folder of its tuning is called after it
    if wrong := reserved.too_long(f"{file.name}-tuning"):
        fail(manifest, ("name",), f"`name` with `-tuning`, its tuning's folder: {wrong}.")
    known(manifest, ("backend",), "backend", file.backend, registry.BACKENDS.names())
    known(manifest, ("template",), "template", file.template, templates.TEMPLATES)
    if file.train not in files:
        problems.check_training_set(manifest, ("train",), file.train)
    for part in ("benchmarks", "curve"):
        for name in getattr(file.evaluation, part):
            if name not in files:
                problems.check_benchmark(manifest, ("evaluation", part, name), name)
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
    engine, allowed = file.evaluation.engine, registry.BACKENDS.get(file.backend).engines
    if engine not in (None, *allowed):
        fail(
            manifest,
            ("evaluation", "engine"),
            f"`evaluation.engine` must be {' or '.join(f'`{name}`' for name in allowed) or 'null'} with backend "
            f"`{file.backend}`, but is {show(engine)} instead.",
        )


def _section(manifest: Manifest, written: Mapping[str, Any]) -> tuple[tuple[str, type], ...]:
    """The backend's section, if it has one, with the type of its settings.

    Raises: UserError if the backend cannot be used.
    """
    name = written.get("backend", Experiment.backend)
    if not isinstance(name, str) or name not in registry.BACKENDS.names():
        return ()  # which is said among the other names
    settings = _backend(manifest, name).settings
    if settings and not may_be_a_section(name):
        fail(manifest, ("backend",), f"backend `{name}` has settings, but its name is a key of experiments or plans.")
    return ((name, settings),) if settings else ()


def _backend(manifest: Manifest, name: str) -> Any:
    try:
        return registry.BACKENDS.get(name)
    except PluginError as error:
        fail(manifest, ("backend",), str(error))


def _check_sections(manifest: Manifest, others: Iterable[str], backend: str) -> None:
    """Raises: UserError for the section of another backend."""
    for name in others:
        fail(
            manifest,
            (name,),
            f"`{name}` holds settings of backend `{name}`, but `backend` is `{backend}`. Set `backend: {name}`, or "
            f"remove the section (on the command line: `{name}=null`).",
        )


def _check_backend(manifest: Manifest, experiment: Experiment) -> None:
    try:
        mistakes = registry.BACKENDS.get(experiment.backend).mistakes(experiment)
    except PluginError as error:
        fail(manifest, ("backend",), str(error))
    for mistake in mistakes:
        written = [key for key in mistake.keys if key in manifest.places]
        fail(manifest, written[0] if written else mistake.keys[0], mistake.message)


def _check_alike(manifest: Manifest, made: Expansion) -> None:
    """Raises: UserError if two arms would have one folder on some disks."""
    if found := reserved.alike(made.arms):
        words = f"the arms `{found[0]}` and `{found[1]}` differ in case alone. Rename one of them."
        fail(manifest, ("arms", found[0]), words)


def _check_trials(manifest: Manifest, arms: int, seeds: int) -> None:
    if arms * seeds > limits.TRIALS:
        fail(
            manifest,
            ("seeds",),
            f"{arms:,} arms x {seeds:,} seeds are {arms * seeds:,} trials; at most {limits.TRIALS:,} are allowed.",
        )


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


def _check_points(manifest: Manifest, experiment: Experiment) -> None:
    if experiment.evaluation.points > experiment.budget_rollouts:
        fail(manifest, ("evaluation", "points"), "`points` may not be more than the budget's rollouts.")
