"""Hostile input: every family of `bench/hostile.py`, a part of each here, each item in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.hostile import CPU_SECONDS, Item, Outcome
from bench.hostile_items import TEMPLATES, items

ROOT = Path(__file__).parents[2]
EVERY = {"yaml": 6, "numbers": 16, "counts": 8, "names": 13, "files": 14, "rows": 9, "templates": 11, "models": 14,
         "options": 9, "imports": 13}  # fmt: skip
"""one item in so many of a family, which `make hostile` tries whole"""


def test_there_are_enough_and_each_has_a_name() -> None:
    found = items()
    assert len(found) >= 500
    assert len({(item.family, item.name) for item in found}) == len(found)
    assert {item.family for item in found} == EVERY.keys()
    assert sum(not item.legal for item in found) > 0.8 * len(found), "most must be refused"


@pytest.mark.parametrize(
    ("code", "seconds", "said", "legal", "fault"),
    [
        (2, 0.1, "rence: no.\n", False, None),
        (0, 0.1, "", True, None),
        (0, 0.1, "", False, "believed"),
        (-11, 0.1, "", False, "crash"),
        (1, 0.1, "Traceback (most recent call last):\n", True, "crash"),
        (1, 0.1, "rence: KeyError: 'a'\nThis is a bug in rence-bench.", False, "crash"),
        (2, CPU_SECONDS + 1, "rence: no.\n", False, "hang"),
        (-14, 0.1, "", False, "hang"),
        (2, 0.1, "rence: no.\n" * 40, False, "long"),
    ],
)
def test_what_is_counted(code: int, seconds: float, said: str, legal: bool, fault: str | None) -> None:
    assert Outcome(Item("yaml", "x", ("plan",), legal=legal), code, seconds, said).fault == fault


@pytest.mark.slow
def test_nothing_crashes_hangs_or_is_believed(tmp_path: Path) -> None:
    """In a process without the threads of other tests, for each item is forked from it."""
    chosen = [
        part for family, step in EVERY.items() for part in [item for item in items() if item.family == family][::step]
    ]
    wanted = [[item.family, item.name] for item in chosen]
    (tmp_path / "wanted.json").write_text(json.dumps(wanted), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "bench/hostile.py", "--only", tmp_path / "wanted.json", "--json", tmp_path / "found.json"],
        cwd=ROOT,
        env=None,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert [[row["family"], row["name"]] for row in found] == wanted and len(found) > 100
    assert len(TEMPLATES) > 20
