"""Algorithms, benchmarks and training sets by name: those of other packages among ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from algorithms.objectives.grpo import GRPO
from algorithms.registry import ALL
from benchmarks.registry import BENCHMARKS, TRAINING_SETS, UnknownBenchmark
from harness.base import registry
from harness.base.plugins import PluginError

Offered = Callable[..., Path]
ROOT = Path(__file__).parents[2]
OURS = list(ALL)


@pytest.fixture
def offered(package: Callable[..., Path]) -> Offered:
    """Installs a package that offers these entry points: name to value."""
    return lambda **points: package("other", "", algorithms=points)


def test_names_that_do_not_exist_are_compared_with_those_of_others(offered: Offered) -> None:
    offered(strictest="algorithms.objectives.grpo:GRPO")
    with pytest.raises(registry.UnknownAlgorithm) as raised:
        registry.algorithm("strictes")
    assert str(raised.value) == (
        "there is no algorithm `strictes`. Did you mean `strictest`? See: rence list algorithms"
    )
    with pytest.raises(ValueError, match=r"`strictest` has no hyper-parameter `clip_lo`\. Did you mean `clip_low`\?"):
        registry.algorithm("strictest", clip_lo=0.2)


def test_algorithms_of_others_may_be_classes(offered: Offered) -> None:
    offered(zz_class="algorithms.objectives.grpo:GRPO", aa_class="algorithms.objectives.dapo:DAPO")
    assert registry.algorithm_names() == [*OURS, "aa_class", "zz_class"]
    assert registry.algorithm("zz_class", kl_coef=0) == GRPO(kl_coef=0)


def test_algorithms_of_others_may_be_instances(offered: Offered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "MINE", GRPO(kl_coef=0.5), raising=False)
    offered(mine="harness.base.registry:MINE")
    assert registry.algorithm("mine") == GRPO(kl_coef=0.5)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_module:Thing", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("algorithms.objectives.grpo:Nothing", "AttributeError"),
        ("algorithms.base:Algorithm", "TypeError: Can't instantiate abstract class Algorithm"),
        ("algorithms.rollouts:Totals", "TypeError: Totals.__init__() missing 4 required positional arguments"),
        ("algorithms.base:SPEC", "it must be an Algorithm, but is tuple instead"),
    ],
)
def test_a_broken_algorithm_is_named_and_leaves_the_others_alone(offered: Offered, value: str, reason: str) -> None:
    offered(broken=value, good="algorithms.objectives.grpo:GRPO")
    assert registry.algorithm_names() == [*OURS, "broken", "good"]
    with pytest.raises(PluginError) as raised:
        registry.algorithm("broken")
    said = str(raised.value)
    assert said.startswith(f"the algorithm `broken` of other 1.0 ({value}) cannot be used: {reason}")
    assert said.endswith("Mend or uninstall that package.")
    assert registry.algorithm("good") == GRPO()
    assert list(registry.algorithms()) == [*OURS, "good"]
    assert {name: str(error) for name, error in registry.ALGORITHM_PLUGINS.broken().items()} == {"broken": said}


def test_an_algorithm_of_ours_cannot_be_replaced(offered: Offered) -> None:
    offered(grpo="algorithms.objectives.dapo:DAPO")
    assert registry.algorithm("grpo") == ALL["grpo"] == registry.algorithms()["grpo"] == GRPO()
    assert registry.algorithm_names() == OURS
    assert "rence-bench has that name itself" in str(registry.ALGORITHM_PLUGINS.broken()["grpo"])


OTHER = """\
from benchmarks.problems import Benchmark, Problem, Selection, TrainingSet
PROBLEMS = (Problem("1+1", "2"), Problem("1+2", "3"))
two = Benchmark("two", "Two", "two questions", 2, lambda: PROBLEMS)
more = TrainingSet("more", "two questions", lambda: Selection(PROBLEMS), 2)
number = 7
"""


def test_problems_of_others_are_found(package: Callable[..., Path]) -> None:
    package("other", OTHER, benchmarks={"two": "other:two", "more": "other:more"})
    assert registry.benchmark_names() == [*BENCHMARKS, "more", "two"]
    assert registry.training_set_names() == [*TRAINING_SETS, "more", "two"]
    assert "other" not in sys.modules
    assert [problem.gold for problem in registry.benchmark("two").problems] == ["2", "3"]
    assert registry.benchmark("mini_sums") is BENCHMARKS["mini_sums"]
    assert list(registry.benchmarks()) == [*BENCHMARKS, "two"]
    assert list(registry.training_sets()) == [*TRAINING_SETS, "more"]
    assert len(registry.training_set("more").problems) == 2
    with pytest.raises(UnknownBenchmark, match=r"`more` of other 1\.0 \(other:more\) is no benchmark\."):
        registry.benchmark("more")


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("two", "other:three", "module 'other' has no attribute 'three'"),
        ("two", "missing_module:two", "No module named 'missing_module'"),
        ("number", "other:number", "it must be a Benchmark or a TrainingSet, but is int instead"),
        ("zwei", "other:two", "it calls itself `two`, and the two names must agree"),
    ],
)
def test_a_broken_benchmark_is_named_and_leaves_the_others_alone(
    package: Callable[..., Path], name: str, value: str, message: str
) -> None:
    package("other", OTHER, benchmarks={name: value, "more": "other:more"})
    with pytest.raises(PluginError) as raised:
        registry.benchmark(name)
    assert f"the benchmark `{name}` of other 1.0 ({value}) cannot be used: " in str(raised.value)
    assert message in str(raised.value)
    assert registry.benchmark("mini_sums") is BENCHMARKS["mini_sums"]
    assert len(registry.training_set("more").problems) == 2
    assert list(registry.benchmarks()) == list(BENCHMARKS) and list(registry.BENCHMARK_PLUGINS.broken()) == [name]


@pytest.mark.parametrize("name", ["mini_sums", "mini_rl"])
def test_problems_of_ours_cannot_be_replaced(package: Callable[..., Path], name: str) -> None:
    package("other", OTHER, benchmarks={name: "other:two"})
    assert registry.benchmark("mini_sums") is BENCHMARKS["mini_sums"]
    assert registry.training_set("mini_rl") is TRAINING_SETS["mini_rl"]
    assert "rence-bench has that name itself" in str(registry.BENCHMARK_PLUGINS.broken()[name])


def test_no_torch_is_imported() -> None:
    program = (
        "import sys; from harness.base import registry; registry.algorithms(), registry.benchmarks()\n"
        "print(*{'torch', 'transformers', 'numpy'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
