"""Foreign packages that Python would import in the place of ours: a folder `benchmarks/` where Python looks first.

Our rooms have plain names, so this is found out before any of them is imported, and said with the folder's name.
`rence` itself is the one name that nobody else has. Imports the standard library alone.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

ROOMS = ("algorithms", "benchmarks", "harness", "reports")
"""packages that must lie beside `rence`"""
_HOME = Path(__file__).resolve().parents[1]


class ShadowedError(ImportError):
    """A package of ours cannot be imported, for another one of its name comes first."""


@cache
def refuse_shadows() -> None:
    """Look where Python would import our packages from; once a process, for then they are imported.

    Raises: ShadowedError that names every folder that comes first, and how to be rid of it.
    """
    foreign = {name: place for name in ROOMS if (place := _place(name)) != _HOME / name}
    if not foreign:
        return
    found = [
        f"Python imports `{name}` from {place}, in the place of rence-bench's own."
        if place
        else f"Python does not find `{name}` of rence-bench, which belongs into {_HOME}."
        for name, place in foreign.items()
    ]
    folders = sorted({place.parent for place in foreign.values() if place})
    raise ShadowedError("\n".join([*found, *map(_way_out, folders)]))


def _place(name: str) -> Path | None:
    """Where a package is, or would be imported from: its folder, or the file of a module; None if it is nowhere."""
    try:
        spec = find_spec(name)  # of what is imported already, that
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return None
    if spec.origin and spec.has_location:
        where = Path(spec.origin)
        return (where.parent if where.name == "__init__.py" else where).resolve()
    # A folder without `__init__.py`: found only where no package has the name.
    return next((Path(folder).resolve() for folder in spec.submodule_search_locations or ()), None)


def _way_out(folder: Path) -> str:
    """What to do about what lies in a folder of the path."""
    listed = [Path(entry).resolve() for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    if folder in listed:
        return f"Rename what is there, or take {folder} off PYTHONPATH."
    if folder == Path.cwd() and any(entry in ("", str(folder)) for entry in sys.path):
        return "Rename what is there, or run in another folder; the command `rence` does not import from where it runs."
    return f"Rename what is there, or take {folder} off Python's path."
