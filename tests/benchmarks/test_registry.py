"""Names, their errors, and plug-ins from a package of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import registry
from benchmarks.maths import loading
from benchmarks.maths.sources import SOURCES
from benchmarks.registry import BENCHMARKS, TRAINING_SETS, BrokenPlugin, UnknownBenchmark, benchmark, training_set


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


def install(folder: Path, target: str) -> None:
    """A package `other` with one entry point, as pip would leave it behind."""
    folder.joinpath("other_benchmarks.py").write_text(
        "from benchmarks.problems import Benchmark, Problem\n"
        "two = Benchmark('two', 'Two', 'two questions', 2, lambda: (Problem('1+1', '2'), Problem('1+2', '3')))\n"
        "number = 7\n"
    )
    info = folder / "other-1.0.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    info.joinpath("entry_points.txt").write_text(f"[rence.benchmarks]\n{target}\n")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    registry._plugins.cache_clear()
    yield tmp_path
    registry._plugins.cache_clear()


def test_a_plugin_is_found(packages: Path) -> None:
    install(packages, "two = other_benchmarks:two")
    assert [problem.gold for problem in benchmark("two").problems] == ["2", "3"]
    assert benchmark("mini_sums") is BENCHMARKS["mini_sums"]


@pytest.mark.parametrize(
    "target, message",
    [
        ("two = other_benchmarks:three", "`two` = `other_benchmarks:three` of package `other` fails to load"),
        ("two = missing_module:two", "missing_module"),
        ("number = other_benchmarks:number", "must be a Benchmark or a TrainingSet, but is int"),
        ("zwei = other_benchmarks:two", "calls itself `two`"),
    ],
)
def test_a_broken_plugin_is_an_error_that_names_it(packages: Path, target: str, message: str) -> None:
    install(packages, target)
    with pytest.raises(BrokenPlugin, match=message):
        benchmark("mini_sums")
