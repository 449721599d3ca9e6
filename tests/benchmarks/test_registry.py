"""Names, their errors, and plug-ins from a package of one's own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import registry
from benchmarks.maths import loading
from benchmarks.maths.sources import SOURCES
from benchmarks.registry import (
    BENCHMARKS,
    TRAINING_SETS,
    UnknownBenchmark,
    benchmark,
    benchmark_names,
    training_set,
    training_set_names,
)
from plugins import PluginError


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


def _skip_without_data(name: str) -> None:
    source = SOURCES.get(name.removesuffix("_errata"))
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
        training_set("gsm8k")


OTHER = """\
from benchmarks.problems import Benchmark, Problem, Selection, TrainingSet
PROBLEMS = (Problem("1+1", "2"), Problem("1+2", "3"))
two = Benchmark("two", "Two", "two questions", 2, lambda: PROBLEMS)
more = TrainingSet("more", "two questions", lambda: Selection(PROBLEMS), 2)
number = 7
"""


def test_plugins_are_found(package: Callable[..., Path]) -> None:
    package("other", OTHER, benchmarks={"two": "other:two", "more": "other:more"})
    assert benchmark_names() == [*BENCHMARKS, "more", "two"]
    assert training_set_names() == [*TRAINING_SETS, "more", "two"]
    assert "other" not in sys.modules
    assert [problem.gold for problem in benchmark("two").problems] == ["2", "3"]
    assert benchmark("mini_sums") is BENCHMARKS["mini_sums"]
    assert list(registry.benchmarks()) == [*BENCHMARKS, "two"]
    assert list(registry.training_sets()) == [*TRAINING_SETS, "more"]
    assert len(training_set("more").problems) == 2
    with pytest.raises(UnknownBenchmark, match=r"`more` of other 1\.0 \(other:more\) is no benchmark\."):
        benchmark("more")


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("two", "other:three", "module 'other' has no attribute 'three'"),
        ("two", "missing_module:two", "No module named 'missing_module'"),
        ("number", "other:number", "it must be a Benchmark or a TrainingSet, but is int instead"),
        ("zwei", "other:two", "it calls itself `two`, and the two names must agree"),
    ],
)
def test_a_broken_plugin_is_an_error_that_names_it(
    package: Callable[..., Path], name: str, value: str, message: str
) -> None:
    package("other", OTHER, benchmarks={name: value, "more": "other:more"})
    with pytest.raises(PluginError) as raised:
        benchmark(name)
    assert f"the benchmark `{name}` of other 1.0 ({value}) cannot be used: " in str(raised.value)
    assert message in str(raised.value)
    assert benchmark("mini_sums") is BENCHMARKS["mini_sums"]
    assert len(training_set("more").problems) == 2
    assert list(registry.benchmarks()) == list(BENCHMARKS) and list(registry.PLUGINS.broken()) == [name]


@pytest.mark.parametrize("name", ["mini_sums", "mini_rl"])
def test_a_plugin_cannot_take_a_name_of_ours(package: Callable[..., Path], name: str) -> None:
    package("other", OTHER, benchmarks={name: "other:two"})
    assert benchmark("mini_sums") is BENCHMARKS["mini_sums"]
    assert training_set("mini_rl") is TRAINING_SETS["mini_rl"]
    assert "rence-bench has that name itself" in str(registry.PLUGINS.broken()[name])
