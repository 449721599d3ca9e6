"""For all tests."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from harness.base import plugins

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"

# A shell that starts the suite in the background makes it ignore SIGINT, and every program below it too; tests that
# press Ctrl-C need it to arrive.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def package(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Leaves a package behind as pip would: one module of its name, and what it offers in groups `rence.<kind>`, entry
    point to value. The call returns the folder that was put on the path."""
    before = set(sys.modules)

    def install(name: str, source: str, version: str = "1.0", **kinds: Mapping[str, str]) -> Path:
        site = tmp_path_factory.mktemp(name)
        (site / f"{name}.py").write_text(source)
        info = site / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        lines = []
        for kind, points in kinds.items():
            lines += [f"[rence.{kind}]", *(f"{point} = {value}" for point, value in points.items())]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
        monkeypatch.syspath_prepend(site)
        plugins._found.cache_clear()
        installed.append(name)
        return site

    installed: list[str] = []
    yield install
    for name in set(installed) - before:
        sys.modules.pop(name, None)
    monkeypatch.undo()
    plugins._found.cache_clear()


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that pip has installed the example package `pass_at_k` into."""
    return _installed("pass_at_k", tmp_path_factory)


@pytest.fixture(scope="session")
def trl_example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Likewise `trl_backend`; TRL itself is of this environment."""
    return _installed("trl_backend", tmp_path_factory)


def _installed(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Neither a network nor this environment is touched."""
    work = tmp_path_factory.mktemp(name)
    shutil.copytree(EXAMPLES / name, work / "source")  # building leaves files behind
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", work / "site", work / "source"]
    subprocess.run(command, check=True, timeout=120)
    return work / "site"
