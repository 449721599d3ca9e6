"""Runs that were begun before a key of the recipe was there: they go on as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.config.manifest import Manifest
from harness.config.training_recipe import Recipe
from harness.records import DataError, Plan, RunFolder
from harness.records.fields import meant_before


def before_keys(data: dict[str, Any]) -> dict[str, Any]:
    """A resolved experiment, completed in place by what a file without a key means."""
    for name, before in (("recipe", meant_before(Recipe)), ("evaluation", {"decodings": None})):
        held = data.get(name)
        if isinstance(held, dict):
            data[name] = {**before, **held}
    return data


def as_begun(manifest: Manifest, runs: Path = Path("runs")) -> str:
    """Let an experiment whose run, or its tuning, was begun before `recipe.refill` was there go on with `batch`, which
    is what was done then, unless its file says what it wants.

    Returns:
        what to tell the user; empty where nothing was changed.
    """
    name, recipe = manifest.data.get("name"), manifest.data.get("recipe", {})
    if not isinstance(name, str) or not isinstance(recipe, dict | None) or "refill" in (recipe or {}):
        return ""
    run = next((run for run in (RunFolder(runs / name), RunFolder(runs / f"{name}-tuning")) if run.plan.exists()), None)
    if run is None or not _without_refill(run):
        return ""
    manifest.data["recipe"] = {**(recipe or {}), "refill": "batch"}
    return f"{run.root} was planned without `recipe.refill`, which means `batch`, and goes on so."


def _without_refill(run: RunFolder) -> bool:
    """By its plan, which leaves out what was done before. A plan that cannot be read is told of where it is needed."""
    try:
        plan = Plan.read(run.plan)
    except DataError:
        return False
    return not plan.imported and "refill" not in plan.recipe
