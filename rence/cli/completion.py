"""What the shell completes: each function gets what is typed so far, and must be quick."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rence.cli import shipped


def configs(typed: str) -> list[str]:
    """Experiments: those that ship by name, and files from here."""
    files = [path.as_posix() for path in Path().glob(f"{typed}*.y*ml")] if _plain(typed) else []
    return [*_starting(typed, shipped.configs()), *sorted(files)]


def algorithms(typed: str) -> list[str]:
    """Ours, and those of plug-ins."""
    from harness.base.registry import algorithm_names

    return _starting(typed, algorithm_names())


def benchmarks(typed: str) -> list[str]:
    """The last name of a list with commas."""
    from harness.base.registry import benchmark_names

    before, comma, last = typed.rpartition(",")
    return [f"{before}{comma}{name}" for name in _starting(last, benchmark_names())]


def runs(typed: str) -> list[str]:
    """Run folders in `runs/`, and once one is named, its arms."""
    folders = [path.parent for path in sorted(Path("runs").glob("*/plan.json"))]
    arms = [
        path.parent for folder in folders for path in sorted(folder.glob("*/seed*")) if typed.startswith(f"{folder}/")
    ]
    return list(dict.fromkeys(_starting(typed, [path.as_posix() for path in [*folders, *arms]])))


def _starting(typed: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(typed)]


def _plain(typed: str) -> bool:
    """Whether it may stand in a pattern, and below this folder."""
    return not set(typed) & set("*?[") and not Path(typed).is_absolute()
