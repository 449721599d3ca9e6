"""A `tuning` block that is to be carried out: which arms with which settings, on which seeds and benchmarks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Annotated, Any, Literal

from annotated_types import MaxLen, MinLen

from harness.base import reserved
from harness.config import factors as parts
from harness.config import limits
from harness.config.check import checked, fail
from harness.config.experiment import Candidate, Tuning
from harness.config.factors import Factor
from harness.config.limits import Attempts, Count, SeedNumber
from harness.config.manifest import Key, Manifest
from harness.config.own_files import ProblemFile
from harness.config.problems import check_benchmark
from harness.config.shape import model
from harness.config.sweeps import Expansion
from harness.config.training_recipe import Recipe

AT: Key = ("tuning",)
MOST = 1000
"""candidates; more are a slip of the pen"""


@dataclass(frozen=True)
class TuningBudget:
    """What each trial of the tuning may spend."""

    rollouts: Count | None = None
    """of each trial; null: as many as the experiment's trials have"""


@dataclass(frozen=True)
class Block:
    """Trials that `rence run` makes before the experiment, to choose settings: the same ones for every arm."""

    grid: Annotated[dict[str, Any], MinLen(1)]
    """settings that are tried in every combination: `recipe.x` or a hyper-parameter that all arms have, with a list of
    values; or a name with levels that set several, as in a `grid`"""
    seeds: Annotated[tuple[SeedNumber, ...], MaxLen(limits.SEEDS)]
    """one trial of every arm and combination for each; none of the experiment's"""
    benchmarks: Annotated[dict[str, Attempts], MaxLen(limits.BENCHMARKS)]
    """benchmark -> k, attempts a problem, that the combinations are scored on; none that the experiment reports"""
    budget: dict[str, Any] = field(default_factory=dict)
    """what each trial may spend"""
    choose: Literal["shared", "per_arm"] = "shared"
    """shared: the combination with the best mean over the arms, for all of them; per_arm: each arm's own best"""


def is_block(written: Mapping[str, Any]) -> bool:
    """Whether it is more than words about what was done elsewhere."""
    return "grid" in written


def is_done(written: Mapping[str, Any]) -> bool:
    return "chosen" in written


def search(
    manifest: Manifest, file: Any, made: Expansion, recipe: Recipe, files: Mapping[str, ProblemFile]
) -> Tuning | None:
    """None where nothing is to be tried.

    Args:
        files: the benchmarks of the block that are files.
    Raises: UserError.
    """
    if not is_block(file.tuning) or is_done(file.tuning):
        return None
    block: Any = checked(manifest, model(Block), file.tuning, AT)
    _check_apart(manifest, file, block, files)
    found = parts.factors(manifest, (*AT, "grid"), block.grid)
    _check_free(manifest, file, found, made)
    # Before they are made: a slip of the pen may ask for millions.
    count = prod(len(factor.levels) for factor in found)
    if count > MOST:
        fail(manifest, (*AT, "grid"), f"`tuning.grid` has {count:,} combinations; at most {MOST:,} are tried.")
    arms = made.arms
    _check_size(manifest, count, len(arms), len(block.seeds))
    candidates, tried = [], {name: [] for name in arms}
    for levels in product(*(factor.levels for factor in found)):
        settings = {name: (value, level.key) for level in levels for name, value in level.settings.items()}
        label = ", ".join(f"{factor.short} {level.label}" for factor, level in zip(found, levels, strict=True))
        name = ".".join(parts.slug(f"{f.short}-{level.label}") for f, level in zip(found, levels, strict=True))
        # The same candidates for every arm, so that no arm is tuned harder than another.
        for arm in arms.values():
            for setting, (_, key) in settings.items():
                parts.value(manifest, key, arm, setting)
            title = f"{arm.title or arm.algorithm.title} · {label.replace(', ', ' · ')}"
            tried[arm.name].append(parts.changed(manifest, recipe, arm, f"{arm.name}.{name}", title, settings))
        # Values as an arm holds them after the check, not as they were typed; all arms hold the same.
        one = next(iter(tried.values()))[-1]
        candidates.append(Candidate(label, {s: parts.value(manifest, key, one, s) for s, (_, key) in settings.items()}))
    folders = Counter(reserved.same_on_disk(one.name) for each in tried.values() for one in each)
    if twice := [name for name, times in folders.items() if times > 1]:
        fail(
            manifest,
            (*AT, "grid"),
            f"two candidates would share the folder `{twice[0]}`. Write their levels otherwise.",
        )
    budget: Any = checked(manifest, model(TuningBudget), block.budget, (*AT, "budget"))
    # Not the block's default, which could not know the experiment's budget.
    rollouts = budget.rollouts or file.budget.rollouts
    fixed = {name: tuple(found) for name, found in tried.items()}
    return Tuning(tuple(candidates), fixed, block.seeds, block.benchmarks, rollouts, block.choose, files)


def _check_size(manifest: Manifest, candidates: int, arms: int, seeds: int) -> None:
    """Raises: UserError before any of the arms are made."""
    tried = candidates * arms
    words = f"{arms:,} arms x {candidates:,} candidates"
    if tried > limits.TRIED:
        fail(manifest, (*AT, "grid"), f"{words} are {tried:,} to be tuned; at most {limits.TRIED:,} are tried.")
    if tried * seeds > limits.TRIALS:
        fail(
            manifest,
            (*AT, "seeds"),
            f"{words} x {seeds:,} seeds are {tried * seeds:,} trials; at most {limits.TRIALS:,} are run.",
        )


def _check_apart(manifest: Manifest, file: Any, block: Any, files: Collection[str]) -> None:
    """Nothing that is reported may have been tuned on."""
    for part in ("seeds", "benchmarks"):
        if not getattr(block, part):
            fail(manifest, (*AT, part), f"`tuning.{part}` may not be empty.")
    for i, seed in enumerate(block.seeds):
        if seed in file.seeds:
            fail(
                manifest,
                (*AT, "seeds", i),
                f"`tuning.seeds` holds {seed}, which is a seed of the experiment: no number that is reported may come "
                "from a seed that settings were chosen with.",
            )
        if seed in block.seeds[:i]:
            fail(manifest, (*AT, "seeds", i), f"`tuning.seeds` holds {seed} twice. Remove one of them.")
    for name in block.benchmarks:
        at = (*AT, "benchmarks", name)
        if name not in files:
            check_benchmark(manifest, at, name)
        if name in file.evaluation.benchmarks or name in file.evaluation.curve:
            fail(
                manifest,
                at,
                f"`tuning.benchmarks` holds `{name}`, which the experiment reports: no number that is reported may be "
                "of problems that settings were chosen on.",
            )


def _check_free(manifest: Manifest, file: Any, found: list[Factor], made: Expansion) -> None:
    """What is tuned may not be set as well: one of the two would be lost without a word."""
    tuned = {name: factor.key for factor in found for level in factor.levels for name in level.settings}
    for setting, key in tuned.items():
        of_recipe = setting.startswith("recipe.")
        places: list[Key] = [tuple(setting.split("."))] if of_recipe else []
        places += [("arms", name, *setting.split(".")) for name in file.arms]
        both = [place for place in places if _is_written(manifest.data, place)]
        both += [made.varied[setting]] if setting in made.varied else []
        if both:
            where = manifest.place(both[0])
            fail(manifest, key, f"`{setting}` is tuned here, but is set in {where} too. Remove one of them.")
        name = setting.removeprefix("recipe.")
        if own := [arm for arm in made.arms.values() if of_recipe and name in arm.algorithm.recipe]:
            who = f"`{own[0].algorithm_name}`, the algorithm of the arm `{own[0].name}`,"
            fail(manifest, key, f"`{setting}` is tuned here, but {who} sets it too. Remove it here, or that arm.")


def _is_written(data: Any, place: Key) -> bool:
    for part in place:
        if not isinstance(data, Mapping) or part not in data:
            return False
        data = data[part]
    return True
