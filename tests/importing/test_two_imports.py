"""`--common` between two imports, whose hash of a benchmark is over the ids and golds that were asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Done, Rows, attempts, write

Rence = Callable[..., Done]


def asked(arm: str, gone: str, gold: Callable[[str], str] | None = None, **more: str) -> Rows:
    """Half of the answers to six problems less one are correct: those to the first ones."""
    rows = [row | more for row in attempts({(arm, 0, "sums"): 0.5}, problems=6, k=2) if row["problem_id"] != gone]
    return [row | {"gold": gold(row["problem_id"])} for row in rows] if gold else rows


def imported(rence: Rence, folder: Path, name: str, rows: Rows) -> None:
    write(folder / f"{name}.jsonl", rows)
    done = rence("import", "attempts", f"{name}.jsonl", "--out", name)
    assert done.code == 0, done.err


@pytest.mark.parametrize("gold", [None, lambda problem: f"g{problem}"], ids=["ids", "golds"])
def test_compare_pairs_by_id(rence: Rence, tmp_path: Path, gold: Callable[[str], str] | None) -> None:
    imported(rence, tmp_path, "x", asked("grpo", "p05", gold))
    imported(rence, tmp_path, "y", asked("dapo", "p00", gold))
    done = rence("compare", "x/grpo", "y/dapo")
    assert done.code == 2 and "the version of the problems differs" in done.err and "or use --common" in done.err
    found = rence("compare", "x/grpo", "y/dapo", "--common", "--json")
    assert found.code == 0, found.err
    (note,) = [note for note in found.json["notes"] if "are kept" in note]
    assert note.startswith("sums: 4 of 6 problems are kept, those that all have;") and note.count("lacks 1") == 2
    assert found.json["pairs"][0]["delta"] == 0


def test_other_golds_and_a_hash_of_its_own_are_refused(rence: Rence, tmp_path: Path) -> None:
    imported(rence, tmp_path, "x", asked("grpo", "p05", lambda problem: f"g{problem}"))
    imported(rence, tmp_path, "y", asked("dapo", "p00", lambda problem: f"h{problem}"))
    imported(rence, tmp_path, "z", asked("dapo", "p00", benchmark_hash="abc"))
    for other in ("y/dapo", "z/dapo"):
        done = rence("compare", "x/grpo", other, "--common")
        assert done.code == 2 and "--common cannot help" in done.err and "is not known" in done.err


def test_the_gate_pairs_by_id(rence: Rence, tmp_path: Path) -> None:
    imported(rence, tmp_path, "x", asked("grpo", "p05", lambda problem: f"g{problem}"))
    imported(rence, tmp_path, "y", asked("grpo", "none", lambda problem: f"g{problem}"))
    imported(rence, tmp_path, "z", asked("grpo", "none", lambda problem: f"h{problem}"))
    gate = ("--baseline", "b.yaml", "--on-inconclusive", "warn")
    assert rence("gate", "x/grpo", "--baseline", "b.yaml", "--update").code == 0
    done = rence("gate", "y/grpo", *gate)
    assert done.code == 3 and "--common" in done.err
    done = rence("gate", "y/grpo", *gate, "--common", "--json")
    assert done.code == 0 and done.json["average"]["n_problems"] == 5, done.err
    done = rence("gate", "z/grpo", *gate, "--common")
    assert done.code == 3 and "--common cannot help" in done.err
