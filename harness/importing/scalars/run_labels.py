"""Arm and seed out of one name, such as a run's or a folder's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.importing.scalars.vocabulary import NO_PART

_SEED = re.compile(r"(?:^|(?<=[-_./ ,(]))(?:random_?seed|rng|seed|sd|s)[-_=: ]?(\d+)(?=$|[-_./ ,)])", re.IGNORECASE)
_EDGE = "-_./ ,()[]=:"
Label = tuple[str | None, int | None]
"""arm, seed; None where the name does not say"""


def split_run(name: str) -> Label:
    """
    >>> split_run("base-seed0"), split_run("seed=3"), split_run("grpo"), split_run("lr1e-6_s2_grpo")
    (('base', 0), (None, 3), ('grpo', None), ('lr1e-6_grpo', 2))
    """
    found = list(_SEED.finditer(name))
    if not found:
        return name.strip() or None, None
    last = found[-1]
    before, after = name[: last.start()].strip(_EDGE), name[last.end() :].strip(_EDGE)
    joint = next((letter for letter in reversed(name[: last.start()]) if letter in "-_./"), "-")
    return joint.join(filter(None, [before, after])) or None, int(last[1])


def of_path(path: str) -> Label:
    """The innermost folder, or the file itself, that names an arm, and the seed where one of them says it."""
    parts = list(Path(path).parts)
    seed: int | None = None
    stem = re.sub(r"\.(csv|tsv|jsonl?|ndjson|parquet|txt|log|gz|zst|bz2)", "", parts[-1]) if parts else ""
    for part in [stem, *reversed(parts[:-1])]:
        if NO_PART.fullmatch(part) or part.startswith("events.out.tfevents"):
            continue
        arm, said = split_run(part)
        seed = said if seed is None else seed
        if arm and not NO_PART.fullmatch(arm):
            return arm, seed
    return None, seed


def split_all(names: Iterable[str]) -> list[tuple[str, int]] | None:
    """Arm and seed of each, where every one says both."""
    found = [split_run(name) for name in names]
    whole = [(arm, seed) for arm, seed in found if arm and seed is not None]
    return whole if found and len(whole) == len(found) else None


def seeds_alone(names: Sequence[str]) -> list[int] | None:
    """Of columns that are called by seeds and nothing else, such as `seed0` or `3`."""
    found = [int(name) if name.strip().isdecimal() else split_run(name) for name in names]
    seeds = [one if isinstance(one, int) else one[1] for one in found if isinstance(one, int) or one[0] is None]
    known = [seed for seed in seeds if seed is not None]
    return known if names and len(known) == len(names) else None
