"""Scores: averages among benchmarks, spreads, rows that no seed tells apart, and a margin in the scores' own unit."""

from __future__ import annotations

import csv
import re
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Done

Rence = Callable[..., Done]
ARMS = {"base": 40.0, "tuned": 50.0}
SETS = ("gsm8k", "math", "aime")
SEEDS = range(4)


def put(name: str, head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    with Path(name).open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return name


def value(arm: str, seed: int, place: int) -> float:
    return ARMS[arm] + 2 * ((seed * 7 + place * 3) % 5) + 10 * place


def each(arm: str, seed: int) -> list[float]:
    return [value(arm, seed, place) for place in range(len(SETS))]


RUNS = [(arm, seed) for arm in ARMS for seed in SEEDS]


def dry(rence: Rence, *words: str) -> Done:
    return rence("import", "scores", *words, "--dry-run", "--json")


def means(done: Done) -> dict[str, dict[str, float]]:
    assert done.code == 0, done.err
    return done.json["means"]


def long(shift: float, name: str = "avg") -> str:
    rows = [[arm, seed, set_, x] for arm, seed in RUNS for set_, x in zip(SETS, each(arm, seed), strict=True)]
    rows += [[arm, seed, name, round(sum(each(arm, seed)) / 3 + shift, 2)] for arm, seed in RUNS]
    return put("long.csv", ("model", "seed", "benchmark", "score"), rows)


@pytest.mark.parametrize("name", ["avg", "Avg.", "average", "mean", "Overall"])
def test_rows_of_an_average_are_no_benchmark(rence: Rence, name: str) -> None:
    done = dry(rence, long(0, name))
    expected = {arm: {s: sum(each(arm, i)[p] for i in SEEDS) / 400 for p, s in enumerate(SETS)} for arm in ARMS}
    assert {arm: pytest.approx(found) for arm, found in means(done).items()} == expected
    assert f"Rows of `{name}` are the mean of the other benchmarks" in " ".join(done.json["notes"])


def test_rows_called_an_average_that_are_none(rence: Rence) -> None:
    done = dry(rence, long(5))
    assert done.code == 2 and "`avg` is called an average, and is not the mean of gsm8k, math, aime" in done.err
    assert "up to 5 apart" in done.err and "long.csv:26" in done.err


def wide(shift: float) -> str:
    rows = [[arm, seed, *each(arm, seed), round(sum(each(arm, seed)) / 3 + shift, 2)] for arm, seed in RUNS]
    return put("wide.csv", ("model", "seed", *SETS, "Avg."), rows)


def test_a_column_of_means_is_named_in_a_sentence(rence: Rence) -> None:
    done = dry(rence, wide(0))
    assert set(means(done)["base"]) == set(SETS)
    assert "Columns of numbers that were not taken for scores: `Avg.`." in done.json["notes"]


def test_a_column_called_an_average_that_is_none_is_asked_about(rence: Rence) -> None:
    done = dry(rence, wide(3))
    assert done.code == 2 and "`Avg.` is called an average, and is not the mean" in done.err
    metrics = re.search(r"--metric gsm8k --metric math --metric aime", done.err)
    column = re.search(r"--column '(score=Avg\.)'", done.err)
    assert metrics and column
    assert set(means(dry(rence, "wide.csv", *shlex.split(metrics[0])))["base"]) == set(SETS)
    (found,) = means(dry(rence, "wide.csv", "--column", column[1]))["base"].values()
    assert found == pytest.approx(sum(sum(each("base", i)) / 3 + 3 for i in SEEDS) / 400, abs=1e-4)


def test_settings_beside_an_average_are_no_benchmarks(rence: Rence) -> None:
    """They are the same in every row."""
    rows = [[arm, seed, 0.6, 7, value(arm, seed, 0)] for arm, seed in RUNS]
    done = dry(rence, put("a.csv", ("model", "seed", "temperature", "size", "avg"), rows))
    assert means(done)["base"] == {"score": pytest.approx(sum(value("base", i, 0) for i in SEEDS) / 400)}


def test_a_column_of_spreads_alone(rence: Rence) -> None:
    done = dry(rence, put("a.csv", ("model", "seed", "std"), [[arm, seed, 1.5 + seed] for arm, seed in RUNS]))
    assert done.code == 3 and "`std` is no score" in done.err and "a spread" in done.err


@pytest.mark.parametrize("spread", ["std", "gsm8k_std", "gsm8k_stderr", "±"])
def test_means_with_their_spread_are_no_seeds(rence: Rence, spread: str) -> None:
    done = dry(rence, put("a.csv", ("model", "gsm8k", spread), [[arm, mean, 2.1] for arm, mean in ARMS.items()]))
    assert done.code == 2 and f"`{spread}` says that each score is a mean over seeds" in done.err
    assert "--number-seeds" not in done.err
    assert means(dry(rence, "a.csv", "--seed", "0"))["base"] == {"gsm8k": pytest.approx(0.4)}


@pytest.mark.parametrize("column", ["category", "subset_of"])
def test_rows_that_are_benchmarks_are_not_numbered_as_seeds(rence: Rence, column: str) -> None:
    rows = [[arm, set_, value(arm, 0, place)] for arm in ARMS for place, set_ in enumerate(SETS)]
    done = dry(rence, put("a.csv", ("model", column, "accuracy"), rows))
    assert done.code == 2 and f"In `{column}` (gsm8k, math, aime) the rows of an arm differ" in done.err
    assert "--number-seeds" not in done.err
    words = re.search(rf"--column benchmark={column} --seed 0", done.err)
    assert words and set(means(dry(rence, "a.csv", *words[0].split()))["base"]) == set(SETS)


def test_a_margin_of_raw_scores_is_in_their_unit(rence: Rence) -> None:
    rows = [[arm, seed, 30 * value(arm, seed, 0)] for arm, seed in RUNS]
    put("a.csv", ("model", "seed", "return"), rows)
    assert rence("import", "scores", "a.csv", "--unit", "raw", "--out", "run").code == 0
    found = {}
    for margin in ("1", "1000"):
        done = rence("compare", "run/tuned", "run/base", "--margin", margin, "--json")
        assert done.code == 0, done.err
        found[margin] = done.json["pairs"][0]
        assert found[margin]["margin"] == float(margin)
    assert found["1"]["equivalent"] is False and found["1000"]["equivalent"] is True
    done = rence("compare", "run/tuned", "run/base", "--margin", "-1")
    assert done.code == 2 and "in the unit of the scores and must be above 0" in done.err
