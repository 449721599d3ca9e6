"""Published scores (`configs/paper/expected/`): YAML, read and checked before anything is trained."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from harness.base import registry
from harness.base.errors import UserError
from harness.config import manifest as manifests
from harness.config.check import checked, fail, known, show
from harness.config.manifest import Manifest
from harness.config.shape import model
from harness.records import Published

_AVERAGE = "average"
_NEEDED = "A file of published scores has `title`, `source`, `url`, `model`, `protocol` and `percent`."


def published(path: Path, own: Collection[str] = ()) -> Published:
    """
    Args:
        own: benchmarks that may be named beside the registered ones: those of the run it is set beside.

    Raises: UserError with file, line, key, value and what is allowed.
    """
    manifest = manifests.read(path)
    data = {key: value for key, value in manifest.data.items() if key != "schema"}
    shaped: Any = checked(manifest, model(Published), data, missing=_NEEDED)
    if not any(shaped.percent.values()):
        fail(manifest, ("percent",), "`percent` has no scores: it is arm -> benchmark or `average` -> percent.")
    allowed = [*sorted({*registry.benchmark_names(), *own}), _AVERAGE]
    for arm, row in shaped.percent.items():
        for name, percent in row.items():
            at = ("percent", arm, name)
            known(manifest, at, "benchmark", name, allowed)
            if percent is not None and not 0 <= percent <= 100:
                fail(manifest, at, f"`percent.{arm}.{name}` must be from 0 to 100, but is {show(percent)} instead.")
    for name, k in shaped.attempts.items():
        known(manifest, ("attempts", name), "benchmark", name, allowed[:-1])
        if k < 1:
            fail(manifest, ("attempts", name), f"`attempts.{name}` must be at least 1, but is {k} instead.")
    for name, least, most in (("seeds", 1, None), ("decimals", 0, 6)):
        value = getattr(shaped, name)
        if value is not None and (value < least or (most is not None and value > most)):
            allowed_words = f"at least {least}" if most is None else f"from {least} to {most}"
            fail(manifest, (name,), f"`{name}` must be {allowed_words}, but is {value} instead.")
    # as written: 50 and 50.0 are not printed to the same decimals
    percent = {str(arm): dict(row) for arm, row in data["percent"].items()}
    return Published(**{**dict(shaped), "percent": percent})


def of_experiment(manifest: Manifest) -> list[Published]:
    """What the key `expected` of an experiment's file names.

    Raises: UserError if a file is missing or wrong.
    """
    folder = Path(manifest.source).parent
    found = []
    for i, name in enumerate(manifest.data.get("expected") or []):
        beside = [path for path in (folder / name, Path(name)) if path.is_file()]
        if not beside:
            fail(manifest, ("expected", i), f"there is no file {folder / name}.")
        found.append(published(beside[0]))
    titles = [entry.title for entry in found]
    twice = next((title for title in titles if titles.count(title) > 1), None)
    if twice:
        raise UserError(f"{manifest.place(('expected',))}: `expected` names two files with the title {show(twice)}.")
    return found
