"""`grid` and `ablate`: from a base arm and what is changed of it to arms, and the design that they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from math import prod
from typing import Annotated, Any, Literal

from annotated_types import MinLen

from harness.config import factors as parts
from harness.config import limits
from harness.config.check import checked, fail, known, show
from harness.config.experiment import Arm
from harness.config.factors import Factor, Level
from harness.config.manifest import Key, Manifest, dotted
from harness.config.shape import model
from harness.config.training_recipe import Recipe
from harness.records import Sweep

ON, OFF = "on", "off"


@dataclass(frozen=True)
class Grid:
    """Arms made from one by changing factors: one mapping, or a list of them."""

    base: str | list[str]
    """the arm that is changed; several: the same grid around each"""
    factors: Annotated[dict[str, Any], MinLen(1)]
    """what is changed: a hyper-parameter or `recipe.x` with a list of values; or a name of your own with levels that
    set several, such as `updates: {"1": {recipe.epochs: 1, recipe.minibatches: 1}, ...}`"""
    design: Literal["full", "one_at_a_time"] = "one_at_a_time"
    """full: every combination, and the base's own values among them; one_at_a_time: the base with one factor changed"""


@dataclass(frozen=True)
class Ablate:
    """An arm with all its pieces, and one arm without each: one mapping, or a list of them."""

    base: str
    """the arm with all pieces on"""
    pieces: Annotated[dict[str, Any], MinLen(1)]
    """what a piece is called, and the settings that turn it off: `clip-higher: {clip_high: 0.2}`"""


SHAPES: dict[str, type[Grid] | type[Ablate]] = {"grid": Grid, "ablate": Ablate}


@dataclass
class Expansion:
    """The arms of a file, as listed and as made, and the design of those that were made."""

    arms: dict[str, Arm]
    sweeps: list[Sweep] = field(default_factory=list)
    varied: dict[str, Key] = field(default_factory=dict)
    """each setting that a sweep changes, and where it says so"""
    room: int = limits.ARMS
    """how many more may be made"""

    def count(self, manifest: Manifest, at: Key, what: str, cells: int) -> None:
        """Called before a sweep is expanded. Raises: UserError if its arms are too many."""
        if cells - 1 > self.room:  # the base is there already
            fail(
                manifest,
                at,
                f"{what} has {cells:,} combinations; at most {self.room:,} more arms may be made, "
                f"{limits.ARMS:,} in one experiment.",
            )
        self.room -= max(1, cells - 1)


@dataclass(frozen=True)
class _Cell:
    levels: tuple[Level, ...]
    """one for each factor"""
    names: tuple[str, ...]
    """what is different from the base, as in the arm's name"""
    titles: tuple[str, ...]
    """the same, as in its title"""


def expand(manifest: Manifest, written: Mapping[str, Any], arms: Mapping[str, Arm], recipe: Recipe) -> Expansion:
    """
    Args:
        written: `grid` and `ablate` as the file has them, where it has.
        arms: those that are listed.
    Raises: UserError.
    """
    made = Expansion(dict(arms), room=limits.ARMS - len(arms))
    for kind, shape in SHAPES.items():
        for at, one in _each(manifest, kind, written.get(kind)):
            found: Any = checked(manifest, model(shape), one, at)
            if kind == "ablate":
                _ablate(manifest, at, made, found, arms, recipe)
            else:
                _grid(manifest, at, made, found, arms, recipe)
    return made


def _each(manifest: Manifest, kind: str, written: Any) -> Iterator[tuple[Key, Any]]:
    if isinstance(written, list):
        yield from (((kind, i), one) for i, one in enumerate(written))
    elif isinstance(written, Mapping):
        yield (kind,), written
    elif written is not None:
        fail(manifest, (kind,), f"`{kind}` must be a mapping or a list of mappings, but is {show(written)} instead.")


def _grid(manifest: Manifest, at: Key, made: Expansion, grid: Grid, arms: Mapping[str, Arm], recipe: Recipe) -> None:
    several = isinstance(grid.base, list)
    for i, name in enumerate(grid.base if isinstance(grid.base, list) else [grid.base]):
        key = (*at, "base", i) if several else (*at, "base")
        known(manifest, key, "arm", name, list(arms))
        base, found = arms[name], parts.factors(manifest, (*at, "factors"), grid.factors)
        references = [_reference(manifest, base, factor) for factor in found]
        levels = [len(factor.levels) for factor in found]
        made.count(manifest, at, "this grid", prod(levels) if grid.design == "full" else sum(levels) + 1)
        if grid.design == "full":
            cells = _product(manifest, base, found, references)
        else:
            found = [
                factor if any(level is reference for level in factor.levels) else _with(factor, reference)
                for factor, reference in zip(found, references, strict=True)
            ]
            cells = _one_at_a_time(found, references)
        _add(manifest, made, grid.design, base, found, cells, recipe)


def _ablate(
    manifest: Manifest, at: Key, made: Expansion, ablate: Ablate, arms: Mapping[str, Arm], recipe: Recipe
) -> None:
    known(manifest, (*at, "base"), "arm", ablate.base, list(arms))
    made.count(manifest, at, "this ablation", len(ablate.pieces) + 1)
    base, found = arms[ablate.base], []
    for piece, written in ablate.pieces.items():
        key = (*at, "pieces", piece)
        off = Level(OFF, parts.settings(manifest, key, written), key)
        if _is(manifest, base, off):
            fail(manifest, key, f"`{dotted(key)}` turns nothing off: the arm `{base.name}` is so already.")
        found.append(Factor(piece, (Level(ON, {}, key), off), key))
    on = tuple(factor.levels[0] for factor in found)
    cells = [_Cell(on, (), ())]
    for i, factor in enumerate(found):
        levels = (*on[:i], factor.levels[1], *on[i + 1 :])
        cells.append(_Cell(levels, (f"minus-{parts.slug(factor.name)}",), (f"minus {factor.name}",)))
    _add(manifest, made, "ablate", base, found, cells, recipe)


def _reference(manifest: Manifest, base: Arm, factor: Factor) -> Level:
    """The level that the base has: one of the factor's, or one made of what the base has."""
    for level in factor.levels:
        if _is(manifest, base, level):
            return level
    only = list(factor.levels[0].settings)
    single = only == [factor.name]
    label = parts.words(parts.value(manifest, factor.key, base, factor.name)) if single else f"as {base.name}"
    return Level(label, {}, factor.key)


def _with(factor: Factor, reference: Level) -> Factor:
    return replace(factor, levels=(reference, *factor.levels))


def _is(manifest: Manifest, arm: Arm, level: Level) -> bool:
    # Looked up one and all, so that a setting that does not exist is named.
    own = {name: parts.value(manifest, level.key, arm, name) for name in level.settings}
    return own == dict(level.settings)


def _product(manifest: Manifest, base: Arm, found: list[Factor], references: list[Level]) -> list[_Cell]:
    """The cells of a full grid: every combination of the factors' levels, each named by where it leaves the base.

    Args:
        references: of each factor, the level that the base has.
    Raises: UserError if a factor is not tried at the base's level.
    """
    for factor, reference in zip(found, references, strict=True):
        if reference not in factor.levels:
            fail(
                manifest,
                factor.key,
                f"`{factor.name}` of a full grid must be tried at what the base `{base.name}` has ({reference.label}), "
                "which its other levels are compared with. Add that, or choose another base.",
            )
    cells = []
    for levels in product(*(factor.levels for factor in found)):
        other = [
            (factor, level)
            for factor, level, reference in zip(found, levels, references, strict=True)
            if level is not reference
        ]
        cells.append(_Cell(levels, tuple(_name(*pair) for pair in other), tuple(_title(*pair) for pair in other)))
    return cells


def _one_at_a_time(found: list[Factor], references: list[Level]) -> list[_Cell]:
    cells = [_Cell(tuple(references), (), ())]
    for i, factor in enumerate(found):
        for level in factor.levels:
            if level is not references[i]:
                levels = (*references[:i], level, *references[i + 1 :])
                cells.append(_Cell(levels, (_name(factor, level),), (_title(factor, level),)))
    return cells


def _name(factor: Factor, level: Level) -> str:
    return f"{parts.slug(factor.short)}-{parts.slug(level.label)}"


def _title(factor: Factor, level: Level) -> str:
    return f"{factor.short} {level.label}"


def _add(
    manifest: Manifest,
    made: Expansion,
    kind: Literal["full", "one_at_a_time", "ablate"],
    base: Arm,
    found: list[Factor],
    cells: list[_Cell],
    recipe: Recipe,
) -> None:
    """The arms of the cells that are not there yet, and the design."""
    placed = {}
    made.varied |= {name: level.key for factor in found for level in factor.levels for name in level.settings}
    for cell in cells:
        name = ".".join((base.name, *cell.names))
        placed[name] = {factor.short: level.label for factor, level in zip(found, cell.levels, strict=True)}
        if not cell.names:
            continue
        changes = {
            setting: (value, level.key)
            for level in cell.levels
            for setting, value in level.settings.items()
            if parts.value(manifest, level.key, base, setting) != value
        }
        # Titles are listed with commas, and so have none.
        title = (" " if kind == "ablate" else " · ").join((base.title or base.algorithm.title, *cell.titles))
        arm = parts.changed(manifest, recipe, base, name, title, changes)
        there = made.arms.setdefault(name, arm)
        if there.fingerprint != arm.fingerprint:
            key = cell.levels[-1].key
            fail(manifest, key, f"this makes an arm `{name}`, but there is another one of that name. Rename that one.")
    made.sweeps.append(
        Sweep(kind, base.name, {factor.short: [level.label for level in factor.levels] for factor in found}, placed)
    )
