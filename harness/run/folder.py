"""The run folder as the driver sees it: locked by one driver, planned once, cleaned only if it is ours."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

from harness.base.errors import UserError
from harness.base.locks import LOCK, locked
from harness.config import resolved
from harness.config.begun import before_keys
from harness.config.experiment import Experiment
from harness.planning import plan as plans
from harness.records import DataError, Plan, RunFolder, add_published, read_json, write_json, write_text

_WAIT_FOR_ORPHANS = 5.0
"""seconds; a local trial ends at once when its driver has been killed, a Ray job does not"""


def prepare(folder: RunFolder, experiment: Experiment, plan: Plan, source: str) -> None:
    """Write plan, resolved experiment and its source into a new folder, or check that an old one was planned so.

    The plan is written last: a folder that has one has all three.

    Raises: UserError with the differences.
    """
    if folder.plan.exists():
        locked = Plan.read(folder.plan)
        plans.check_unchanged(locked, plan, folder.root, _changed_files(locked, plan, experiment))
    else:
        _refuse_strangers(folder)
    if not (folder.plan.exists() and folder.config.exists()):  # without a plan it may be that of an earlier try
        write_text(folder.config, source)
    now = resolved(experiment)
    if not folder.resolved.exists() or _resolved_otherwise(folder, now):
        write_json(folder.resolved, now)
    if experiment.expected:
        add_published(folder.expected, experiment.expected)
    if not folder.plan.exists():
        plan.write(folder.plan)


def _changed_files(locked: Plan, now: Plan, experiment: Experiment) -> Iterator[str]:
    """The user's own problems and rewards that are not what was planned under the same names."""
    train = experiment.train_file
    if train and locked.train == now.train and locked.train_hash != now.train_hash:
        yield train.file
    before = {arm.name: arm.spec.get("label", "") for arm in locked.arms}
    changed = [
        own.function
        for arm in experiment.arms
        if (own := arm.recipe.own_reward)
        and before.get(arm.name, "").startswith(f"own: {own.function} (")
        and own.hash not in before[arm.name]
    ]
    yield from (f"the source of the reward `{function}`" for function in dict.fromkeys(changed))


def clean(folder: RunFolder, name: str) -> None:
    """Delete what is in a run folder of this experiment; the caller holds its lock.

    Raises: UserError if it is not one of ours, or if a trial that lost its driver is still at work in it.
    """
    contents = [path for path in folder.root.iterdir() if path.name != LOCK]
    if not contents:
        return
    if not _is_ours(folder, name):
        raise UserError(f"{folder.root} was not made by this experiment, so `--clean` leaves it. Remove it by hand.")
    for lock in folder.root.glob(f"*/**/{LOCK}"):
        with locked(lock.parent, "trial", wait=_WAIT_FOR_ORPHANS):
            pass
    for path in sorted(contents, key=lambda path: path == folder.plan):
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _resolved_otherwise(folder: RunFolder, now: dict[str, Any]) -> bool:
    """Whether something has changed that is no part of the plan, such as a runtime setting: trials load the file."""
    return before_keys(read_json(folder.resolved)) != json.loads(json.dumps(now))


def _is_ours(folder: RunFolder, name: str) -> bool:
    """By its plan, or, if a kill came before that was written, because nothing is there but what is written before."""
    if not folder.plan.exists():
        return not _strangers(folder)
    try:
        return Plan.read(folder.plan).experiment == name
    except DataError:
        return False


def _refuse_strangers(folder: RunFolder) -> None:
    for name in _strangers(folder)[:1]:
        raise UserError(
            f"{folder.root} is not a run of this experiment: it has no {folder.plan.name} but holds {name}. "
            "Give the experiment another `name`, or move that folder away."
        )


def _strangers(folder: RunFolder) -> list[str]:
    """What is not written before the plan."""
    ours = {path.name for path in (folder.config, folder.resolved, folder.expected, folder.plan)} | {LOCK}
    return [path.name for path in folder.root.iterdir() if path.name not in ours and not path.name.startswith(".")]
