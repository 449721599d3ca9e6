"""What ships beside the code: experiments that have a name, and lm-eval's tasks."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from itertools import takewhile
from pathlib import Path

import typer

from harness.base.errors import UserError
from rence.cli.console import command

_PACKAGE = Path(__file__).resolve().parents[1]
_SUFFIXES = (".yaml", ".yml")


def add_to(app: typer.Typer) -> None:
    command(app)(tasks)


def tasks() -> None:
    """Print the folder of the benchmarks as lm-eval's tasks, for its `--include_path`."""
    print(_PACKAGE.parent / "benchmarks" / "tasks")


@cache
def configs() -> Mapping[str, Path]:
    """The experiments that ship: `ablations/dapo` -> its file. In a checkout they lie beside `rence/`."""
    folder = next(place for place in (_PACKAGE / "configs", _PACKAGE.parent / "configs") if place.is_dir())
    files = sorted(path for path in folder.rglob("*.yaml") if path.parent.name != "expected")  # published scores
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in files}


def first_sentence(file: Path) -> str:
    """Of what an experiment file says of itself on top; empty if it says nothing."""
    lines = takewhile(lambda line: line[:1] == "#" and line.strip("# "), file.read_text(encoding="utf-8").splitlines())
    return re.split(r"(?<=\.) (?=[A-Z])", " ".join(line.lstrip("# ") for line in lines), maxsplit=1)[0]


def config_file(given: str) -> Path:
    """The file of an experiment: the one of that path if it exists, else the one that ships under that name.

    Raises: UserError for a name that is nearly one that ships.
    """
    path = Path(given)
    if os.path.isabs(given) or given.startswith((".", "~")) or (path.exists() and not path.is_dir()):
        return path
    name = given.removesuffix(path.suffix) if path.suffix in _SUFFIXES else given
    if name in configs():
        return configs()[name]
    if close := _nearest(name):
        raise UserError(f"{given} does not exist. Did you mean `{close}`? `rence list configs` shows what ships.")
    return path  # whose reader says that it does not exist


def _nearest(name: str) -> str | None:
    """The name that was meant: in whole, or a file's name in another folder."""
    by_file = {full.rpartition("/")[2]: full for full in sorted(configs(), reverse=True)}
    whole = get_close_matches(name.removeprefix("configs/"), configs(), n=1)
    return next(iter([*whole, *(by_file[file] for file in get_close_matches(Path(name).name, by_file, n=1))]), None)
