"""Names, and the errors of those that do not exist."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.loading import source as loading
from benchmarks.loading.selection import Overlap
from benchmarks.maths import gsm8k, training
from benchmarks.registry import (
    BENCHMARKS,
    TRAINING_SETS,
    UnknownBenchmark,
    benchmark,
    training_set,
)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_keeps_its_promises(name: str) -> None:
    found = benchmark(name)
    assert found.name == name and found.title and found.description
    _skip_without_data(name)
    assert len(found.problems) == found.count >= 30
    assert all(problem.question and problem.gold for problem in found.problems)


@pytest.mark.parametrize("name", TRAINING_SETS)
def test_every_training_set_keeps_its_promises(name: str) -> None:
    found = training_set(name)
    assert found.name == name and found.description
    _skip_without_data("math500" if name == "dapo_math" else name)
    assert (
        len({problem.id for problem in found.problems})
        == len(found.problems)
        == found.count
        >= (50 if name == "mini_easy_rl" else 1000)
    )
    assert found.removed == found.expected_removed


def test_gsm8ks_own_test_is_not_in_its_training_set() -> None:
    """One test problem has two variations with other numbers: a train, its hours, additional miles."""
    _skip_without_data("gsm8k_train")
    _skip_without_data("gsm8k")
    assert training.GSM8K_TRAIN.hub and gsm8k.GSM8K.hub
    assert training.GSM8K_TRAIN.hub.revision == gsm8k.GSM8K.hub.revision
    found = Overlap({"gsm8k": loading.load(gsm8k.GSM8K)}).of(loading.load(training.GSM8K_TRAIN))
    assert list(found.values()) == ["near gsm8k", "near gsm8k"]
    kept = {problem.id for problem in training_set("gsm8k_train").problems}
    assert len(kept) == 7471 == 7473 - 2 and not kept & found.keys()


def _skip_without_data(name: str) -> None:
    sources = (*training.HELD_OUT, gsm8k.GSM8K, *training.SOURCES)
    source = {one.name: one for one in sources}.get(name.removesuffix("_errata"))
    if source and loading.local_file(source) is None:
        pytest.skip(f"the problems of {name} are not shipped; set RENCE_DATA_DIR to a folder that holds them")


def test_the_first_problems_of_a_benchmark() -> None:
    whole = benchmark("mini_sums")
    few = whole.first(3)
    assert few.problems == whole.problems[:3] and (few.name, few.count) == ("mini_sums", 3)
    assert few.hash != whole.hash and few.first(2).problems == whole.problems[:2]
    assert whole.first(None) is whole and whole.first(10_000).hash == whole.hash
    other_copy = replace(whole, count=201, also=(200,))
    assert len(other_copy.first(201).problems) == 200 and other_copy.first(3).hash == few.hash


def test_unknown_names() -> None:
    with pytest.raises(UnknownBenchmark) as error:
        benchmark("mini_sum")
    assert str(error.value) == (
        "unknown benchmark `mini_sum`. Did you mean `mini_sums`? `rence list benchmarks` shows all."
    )
    with pytest.raises(LookupError, match="mini_rl"):
        training_set("olympiads")
    with pytest.raises(LookupError, match="Did you mean `gsm8k_train`"):
        training_set("gsm8k")  # its test is a benchmark, and no training set
