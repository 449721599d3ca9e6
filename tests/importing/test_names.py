"""Names and numbers that no folder, table or plan can hold are refused before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Done, attempts, write

Rence = Callable[..., Done]
TWO = attempts({("grpo", 0, "sums"): 0.5, ("dapo", 0, "sums"): 0.25}, problems=3, k=2)


def refused(rence: Rence, rows: list[dict[str, Any]], *words: str, source: str = "a.jsonl") -> Done:
    write(Path("a.jsonl"), rows)
    done = rence("import", "attempts", source, "--out", "x", *words)
    assert done.out == "" and not Path("x").exists() and sorted(Path().iterdir()) == [Path("a.jsonl")], done.out
    return done


@pytest.mark.parametrize("name", ["average", "Average", "AVERAGE", "/average/"])
def test_no_benchmark_takes_the_place_of_the_average(rence: Rence, name: str) -> None:
    done = refused(rence, [*TWO, *({**row, "benchmark": name} for row in TWO)])
    assert done.code == 2 and f"a.jsonl:13: `{name}` cannot be a benchmark's name: `{name.strip('/')}` is" in done.err
    alone = [{key: cell for key, cell in row.items() if key != "benchmark"} for row in TWO]
    assert "--benchmark NAME" in refused(rence, alone, "--benchmark", name).err


def test_words_that_mean_nothing_are_free(rence: Rence) -> None:
    write(Path("a.jsonl"), [row | {"benchmark": "averages"} for row in TWO])
    assert rence("import", "attempts", "a.jsonl", "--out", "x").code == 0


def test_a_name_that_is_too_long_for_a_folder(rence: Rence) -> None:
    done = refused(rence, [row | {"benchmark": "b" * 256} for row in TWO])
    assert done.code == 2 and "a.jsonl:1: " in done.err
    assert "cannot be a benchmark's name: it has 256 letters, and at most 255 are allowed" in done.err
    done = refused(rence, [row | {"arm": "a" * 256 if row["arm"] == "dapo" else "b"} for row in TWO])
    assert done.code == 2
    assert "cannot be an arm's name: it has 256 letters, and at most 255 are allowed" in done.err
    longest = [row | {"arm": row["arm"][0] * 255, "benchmark": "c" * 255} for row in TWO]
    write(Path("a.jsonl"), longest)
    assert rence("import", "attempts", "a.jsonl", "--out", "x").code == 0


@pytest.mark.parametrize("seed", [2**53, 2**53 + 1, 2**63, 10**20, 1e30, "9007199254740993"])
@pytest.mark.filterwarnings("error")
def test_a_seed_that_is_not_held_exactly(rence: Rence, seed: Any) -> None:
    done = refused(rence, [*TWO[:6], *({**row, "seed": seed} for row in TWO[6:])])
    assert done.code == 3
    said = f"a.jsonl:7: `seed` must be at most 9007199254740991, but is `{seed}` (and so in 5 more rows)"
    assert said in done.err
    done = refused(rence, [row | {"step": seed} for row in TWO])
    assert done.code == 3 and "a.jsonl:1: `step` must be at most 9007199254740991, but is" in done.err


def test_a_seed_of_the_command_that_is_not_held_exactly(rence: Rence) -> None:
    rows = [{key: cell for key, cell in row.items() if key not in ("arm", "seed")} for row in TWO[:6]]
    for words in (("grpo/seed9007199254740992=a.jsonl",), ("grpo/step9007199254740992=a.jsonl", "--seed", "0")):
        done = refused(rence, rows, *words[1:], source=words[0])
        assert done.code == 2 and "9007199254740992 is too large: at most 9007199254740991 is allowed" in done.err
    done = refused(rence, rows, "--arm", "grpo", "--seed", "9007199254740992")
    assert done.code == 2 and "--seed 9007199254740992 is too large" in done.err
    assert rence("import", "attempts", "grpo/seed9007199254740991=a.jsonl", "--out", "x").code == 0
    assert Path("x/grpo/seed9007199254740991").is_dir()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--baseline", "dapo", "--baseline", "dapo"], "--baseline dapo is given twice. Name each baseline once."),
        (
            ["--target", "dapo", "--baseline", "grpo", "--baseline", "dapo"],
            "--baseline dapo: the target cannot be its own baseline",
        ),
        (["--baseline", "grpo", "--baseline", "dapo"], "all arms are baselines, so there is nothing to compare"),
        (["--baseline", "start"], "--baseline start: `start` is the untrained model, which every arm is compared with"),
        (["--target", "start"], "--target start: `start` is the untrained model"),
    ],
)
@pytest.mark.parametrize("with_start", [False, True])
def test_a_comparison_that_cannot_be(rence: Rence, words: list[str], said: str, with_start: bool) -> None:
    start = [row | {"arm": "start", "seed": None} for row in TWO[:6]] if with_start else []
    done = refused(rence, [*TWO, *start], *words)
    assert done.code == 2 and said in done.err
