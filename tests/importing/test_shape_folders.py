"""`rence import PATH` without a source, on made-up examples of other tools' files, each of which has one truth."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.importing.shapes.families import FAMILIES
from rence.cli.checking import CheckedKind, run_contract

from .conftest import Done

Rence = Callable[..., Done]
DATA = Path(os.environ.get("RENCE_DATA_DIR", "")) / "imports"
pytestmark = pytest.mark.skipif(not (DATA / "truth.json").exists(), reason="the examples are not on this machine")
ALL, FIRST = "all", "sample0"
FOLDERS = {
    "lm_eval_2024_08": FIRST,
    "nemo_skills": ALL,
    "evalscope_2026": ALL,
    "inspect_json": ALL,
    "inspect_eval": ALL,
    "nested_samples": ALL,
    "lists": ALL,
    "per_question": ALL,
    "counts": ALL,
    "rollout_per_problem": ALL,
    "wide": FIRST,
}


def scores(run: Path) -> dict[str, float]:
    """Share of correct attempts by arm."""
    import pyarrow.parquet as pq

    found: dict[str, list[bool]] = {}
    for path in sorted(run.rglob("attempts.parquet")):
        for row in pq.read_table(path, columns=["arm", "mark"]).to_pylist():
            found.setdefault(row["arm"], []).append(row["mark"] == "correct")
    return {arm: sum(marks) / len(marks) for arm, marks in found.items()}


def truth(which: str) -> dict[str, float]:
    return {arm: of[which] for arm, of in json.loads((DATA / "truth.json").read_text()).items()}


@pytest.mark.parametrize("family", [family.name for family in FAMILIES])
def test_families_keep_their_contract(family: str) -> None:
    rows = run_contract(CheckedKind.shape, family)
    assert len(rows) == 3 and [row for row in rows if not row.passed] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_gives_its_truth_without_a_flag(rence: Rence, folder: str) -> None:
    done = rence("import", str(DATA / folder), "--out", "x")
    assert done.code == 0, done.err
    assert scores(Path("x")) == pytest.approx(truth(FOLDERS[folder]))
    assert ": 2 arms, 1 benchmark, 12 problems, k " in done.out
