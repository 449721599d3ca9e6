"""Every algorithm, benchmark, training set and backend by name: ours, and those of other packages. Imports no torch.

Other packages offer theirs as entry points (`plugins.py`). In `rence.algorithms` one names an `Algorithm`, instance or
class; in `rence.benchmarks` a `Benchmark` or a `TrainingSet` of the entry point's name; in `rence.backends` a
`Backend`, instance or class. Backends stand here by name alone, for `config` knows their settings and is below them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from importlib import import_module
from typing import Any, TypeVar

from algorithms import registry as our_algorithms
from algorithms.base import Algorithm
from algorithms.hyperparameters import changed
from algorithms.registry import ALL, UnknownAlgorithm
from benchmarks import registry as our_benchmarks
from benchmarks.problems import Benchmark, TrainingSet
from benchmarks.registry import BENCHMARKS, TRAINING_SETS, UnknownBenchmark
from harness.base import reserved
from harness.base.guarded import Guarded
from harness.base.named import Builtin, Named
from harness.base.plugins import Plugins, Unfit

__all__ = ["ALGORITHM_PLUGINS", "BACKENDS", "BENCHMARK_PLUGINS", "UnknownAlgorithm", "UnknownBenchmark",
           "algorithm", "algorithm_names", "algorithms", "benchmark", "benchmark_names", "benchmarks",
           "training_set", "training_set_names", "training_sets"]  # fmt: skip

T = TypeVar("T", Benchmark, TrainingSet)


def _accept_algorithm(name: str, offered: Any) -> Algorithm:
    _check_name(name)
    made = offered() if isinstance(offered, type) else offered
    if not isinstance(made, Algorithm):
        raise Unfit(f"it must be an Algorithm, but is {type(made).__name__} instead")
    for part in ("title", "source"):
        if not isinstance(getattr(made, part, None), str):
            raise Unfit(f"{type(made).__name__} has no `{part}`")
    recipe = made.recipe
    plain = isinstance(recipe, Mapping) and all(
        isinstance(part, str | int | float) for one in recipe.items() for part in one
    )
    if not plain:
        raise Unfit(f"`recipe` of {type(made).__name__} must map settings of the recipe to words or numbers")
    return made


def _check_name(name: str) -> None:
    """Arms are called after their algorithms, and folders after both."""
    wrong = reserved.mistake(name)
    if wrong:
        raise Unfit(wrong)


def _accept_benchmark(name: str, offered: Any) -> Benchmark | TrainingSet:
    _check_name(name)
    if not isinstance(offered, Benchmark | TrainingSet):
        raise Unfit(f"it must be a Benchmark or a TrainingSet, but is {type(offered).__name__} instead")
    if offered.name != name:
        raise Unfit(f"it calls itself `{offered.name}`, and the two names must agree")
    return offered


def _accept_backend(name: str, offered: Any) -> Any:
    _check_name(name)
    made, seam = offered() if isinstance(offered, type) else offered, import_module("harness.backends.base")
    if not isinstance(made, seam.Backend):
        raise Unfit(f"it must be a Backend, but is {type(made).__name__} instead")
    if made.settings is not None and not is_dataclass(made.settings):
        raise Unfit(f"`settings` of {type(made).__name__} must be a frozen dataclass or None")
    return made if name in BACKENDS.ours else Guarded(made, BACKENDS.plugins, name, seam.RETURNS)


BACKENDS: Named[Any] = Named(
    "backend",
    {
        "local": Builtin(
            "harness.backends.local.backend:LocalBackend", "one process, on the CPU (deterministic) or one GPU"
        ),
        "verl": Builtin("harness.backends.verl.backend:VerlBackend", "many GPUs: verl's Ray, FSDP and vLLM workers"),
    },
    _accept_backend,
)
"""each is a `harness.backends.base.Backend`, whose settings are the experiment's section of its name"""
ALGORITHM_PLUGINS = Plugins("rence.algorithms", "algorithm", lambda: ALL, _accept_algorithm)
BENCHMARK_PLUGINS = Plugins("rence.benchmarks", "benchmark", lambda: (*BENCHMARKS, *TRAINING_SETS), _accept_benchmark)


def algorithm(name: str, /, **hyperparameters: Any) -> Algorithm:
    """The algorithm of that name, with some hyper-parameters changed.

    Raises: UnknownAlgorithm; PluginError; ValueError for a hyper-parameter that does not exist or is out of range.
    """
    if name in ALL:
        found = ALL[name]
    elif name in ALGORITHM_PLUGINS.names():
        found = ALGORITHM_PLUGINS.get(name)
    else:
        raise our_algorithms.unknown(name, algorithm_names())
    return changed(name, found, **hyperparameters)


def algorithm_names() -> list[str]:
    """Ours in their order, then plug-ins by name; imports none of them."""
    return [*ALL, *ALGORITHM_PLUGINS.names()]


def algorithms() -> Mapping[str, Algorithm]:
    """Every name with its default instance, plug-ins that cannot be used left out. Imports all."""
    return {**ALL, **ALGORITHM_PLUGINS.usable()}


def benchmark(name: str) -> Benchmark:
    """Raises: UnknownBenchmark; PluginError."""
    return _problems("benchmark", name, BENCHMARKS, Benchmark)


def benchmark_names() -> list[str]:
    """Ours in their order, then plug-ins, which may turn out to be training sets; imports none of them."""
    return [*BENCHMARKS, *BENCHMARK_PLUGINS.names()]


def benchmarks() -> Mapping[str, Benchmark]:
    """Ours, and the plug-ins that can be used. Imports all."""
    return {**BENCHMARKS, **_usable(Benchmark)}


def training_set(name: str) -> TrainingSet:
    """Raises: UnknownBenchmark; PluginError."""
    return _problems("training set", name, TRAINING_SETS, TrainingSet)


def training_set_names() -> list[str]:
    """Ours in their order, then plug-ins, which may turn out to be benchmarks; imports none of them."""
    return [*TRAINING_SETS, *BENCHMARK_PLUGINS.names()]


def training_sets() -> Mapping[str, TrainingSet]:
    """Ours, and the plug-ins that can be used. Imports all."""
    return {**TRAINING_SETS, **_usable(TrainingSet)}


def _problems(what: str, name: str, ours: Mapping[str, T], kind: type[T]) -> T:
    if name in ours:
        return ours[name]
    if name not in BENCHMARK_PLUGINS.names():
        raise our_benchmarks.unknown(what, name, [*ours, *BENCHMARK_PLUGINS.names()])
    found = BENCHMARK_PLUGINS.get(name)
    if not isinstance(found, kind):
        origin = BENCHMARK_PLUGINS.origin(name)
        raise UnknownBenchmark(f"`{name}` of {origin} is no {what}. `rence list benchmarks` shows all.")
    return found


def _usable(kind: type[T]) -> dict[str, T]:
    return {name: found for name, found in BENCHMARK_PLUGINS.usable().items() if isinstance(found, kind)}
