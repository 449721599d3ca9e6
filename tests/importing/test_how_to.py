"""The five examples of docs/how-to/import.md are run, and print and find what the page shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Done, verdict
from .zoo import SHAPES

PAGE = Path(__file__).parents[2] / "docs/how-to/import.md"
EXAMPLE = re.compile(r"^```sh run\n(.*?)^```\n\n```text\n(.*?)^```\n\n((?:^> [^\n]*\n)+)", re.DOTALL | re.MULTILINE)
SHOWN = ["qwen_math", "wide_named", "math_arena", "verifiers", "evalchemy"]
"""the shape of each example, in the page's order"""


def examples() -> list[tuple[str, str, str]]:
    """Commands, output and verdict."""
    _, _, section = PAGE.read_text(encoding="utf-8").partition("## Five examples")
    return EXAMPLE.findall(section.partition("\n## ")[0])


def flat(text: str) -> str:
    return " ".join(text.replace("*", "").replace("\n> ", " ").removeprefix("> ").split())


@pytest.mark.parametrize("number", range(5))
def test_example(rence: Callable[..., Done], number: int) -> None:
    commands, output, found = examples()[number]
    SHAPES[SHOWN[number]].make(Path("outputs") if SHOWN[number] == "qwen_math" else Path())
    said = ""
    for line in commands.splitlines():
        done = rence(*line.split()[1:])
        assert done.code == 0, done.err
        said += done.out
    for line in filter(None, map(flat, output.splitlines())):
        assert line in flat(said)
    run = commands.split()[-1]
    assert flat(found) in flat(verdict(Path(run))["verdict"])


def test_there_are_five() -> None:
    assert len(examples()) == len(SHOWN)
