"""Runs that were begun before a key was there, or when its default was another: they go on as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.base.plugins import PluginError
from harness.base.registry import BACKENDS
from harness.config.check import show
from harness.config.experiment import Experiment
from harness.config.manifest import Manifest
from harness.config.training_recipe import Recipe
from harness.records import DataError, Plan, RunFolder
from harness.records.fields import begun_keys, kept_values, meant_before


def before_keys(data: dict[str, Any]) -> dict[str, Any]:
    """A resolved experiment, completed in place by what a file without a key means."""
    for name, before in (("recipe", meant_before(Recipe)), ("evaluation", {"decodings": None})):
        held = data.get(name)
        if isinstance(held, dict):
            data[name] = {**before, **held}
    backend = data.get("backend")
    if isinstance(backend, str):
        before = meant_before(settings) if (settings := _settings(backend)) else {}
        if before and isinstance(held := data.get(backend, {}), dict):
            data[backend] = {**before, **held}
    if isinstance(file := data.get("train"), dict):
        data["train"] = {"overlap": "keep", **file}  # nothing was taken out of a file
    return data


def as_begun(manifest: Manifest, runs: Path = Path("runs")) -> str:
    """Let an experiment whose run, or its tuning, was begun when its file meant something else go on with what was done
    then, unless the file says what it wants: `recipe.refill`, which was not there and meant `batch`, and the settings
    of its backend whose defaults were others.

    Returns:
        what to tell the user, a line for each; empty where nothing was changed.
    """
    name = manifest.data.get("name")
    if not isinstance(name, str):
        return ""
    run = next((run for run in (RunFolder(runs / name), RunFolder(runs / f"{name}-tuning")) if run.plan.exists()), None)
    if not run or not (plan := _plan(run)):
        return ""
    said = []
    if "refill" not in plan.recipe and _take(manifest, "recipe", "refill", "batch"):
        said.append(f"{run.root} was planned without `recipe.refill`, which means `batch`, and goes on so.")
    for key, value in _kept(plan).items():
        if manifest.data.get("backend") == plan.backend and _take(manifest, plan.backend, key, value):
            said.append(f"{run.root} was planned with `{plan.backend}.{key}={show(value)}`, and goes on so.")
    for key, value in _settled(plan).items():
        # Where this machine would settle it alike there is nothing to tell.
        if manifest.data.get("backend", Experiment.backend) == plan.backend and _take(
            manifest, plan.backend, key, value
        ):
            said.append(f"{run.root} was planned with `{plan.backend}.{key}={show(value)}`, and goes on so.")
    return "\n".join(said)


def _settled(plan: Plan) -> dict[str, Any]:
    """Settings of its backend that a machine settles, as the plan has them, where this one settles them otherwise."""
    settings = _settings(plan.backend)
    had = (
        {key: plan.backend_settings.get(key, before) for key, before in begun_keys(settings).items()}
        if settings
        else {}
    )
    return {key: value for key, value in had.items() if settings and getattr(settings(), key) != value}


def _settings(backend: str) -> type | None:
    """None where the backend has none, or is a plug-in that is gone or broken."""
    try:
        return BACKENDS.get(backend).settings if backend in BACKENDS.names() else None
    except PluginError:
        return None


def _plan(run: RunFolder) -> Plan | None:
    """Of a run of ours. A plan that cannot be read is told of where it is needed."""
    try:
        plan = Plan.read(run.plan)
    except DataError:
        return None
    return None if plan.imported else plan


def _kept(plan: Plan) -> dict[str, Any]:
    """Its backend's settings that are at a default of earlier times; none of a plug-in that is gone or broken."""
    settings = _settings(plan.backend)
    before = kept_values(settings) if settings else {}
    return {key: value for key, value in before.items() if plan.backend_settings.get(key) == value}


def _take(manifest: Manifest, section: str, key: str, value: Any) -> bool:
    """Set a key that the file leaves open; whether that was so."""
    held = manifest.data.get(section) or {}
    if not isinstance(held, dict) or held.get(key) not in (None, "auto"):
        return False
    manifest.data[section] = {**held, key: value}
    return True
