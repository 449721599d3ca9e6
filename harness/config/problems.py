"""Names of training sets and benchmarks in an experiment file: whether there is such a one, and it can be used."""

from __future__ import annotations

from collections.abc import Callable

from harness.base import registry
from harness.base.plugins import PluginError
from harness.config.check import fail, known
from harness.config.manifest import Key, Manifest


def check_training_set(manifest: Manifest, key: Key, name: str) -> None:
    """Raises: UserError, also if what another package offers under the name is no training set or cannot be used."""
    known(manifest, key, "training set", name, registry.training_set_names())
    _check(manifest, key, registry.training_set, name)


def check_benchmark(manifest: Manifest, key: Key, name: str) -> None:
    """Raises: UserError, also if what another package offers under the name is no benchmark or cannot be used."""
    known(manifest, key, "benchmark", name, registry.benchmark_names())
    _check(manifest, key, registry.benchmark, name)


def _check(manifest: Manifest, key: Key, load: Callable[[str], object], name: str) -> None:
    try:
        load(name)
    except (registry.UnknownBenchmark, PluginError) as error:
        fail(manifest, key, str(error))
