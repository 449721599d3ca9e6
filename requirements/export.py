"""Write the pinned requirements: each package at one version, with the hashes of the files that our platforms take.

`make requirements` keeps every version that still fits what pyproject.toml asks for; with
`UV_ARGS=--upgrade`, or `UV_ARGS='--upgrade-package numpy'`, it takes the newest. uv resolves, for all platforms in one
go; of the files it lists, those for Linux (glibc) and macOS are kept, and a source archive only where a platform has no
wheel. torch is left out (see torch.txt), and so is the project itself.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import parse_wheel_filename

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent
APART = "torch"
Package = Mapping[str, Any]
"""a table of PEP 751: name, version, marker, wheels, sdist"""


@dataclass(frozen=True)
class Platform:
    system: str
    machine: str
    python: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.system} {self.machine}, Python {'.'.join(map(str, self.python))}"

    @cached_property
    def tags(self) -> frozenset[Tag]:
        """Of the wheels that pip installs here."""
        if self.system == "Darwin":
            names = list(mac_platforms((14, 0), self.machine))
        else:
            names = [f"manylinux_2_{minor}_{self.machine}" for minor in range(5, 40)]
            names += [f"{old}_{self.machine}" for old in ("manylinux1", "manylinux2010", "manylinux2014")]
        version, interpreter = self.python, f"cp{self.python[0]}{self.python[1]}"
        return frozenset((*cpython_tags(version, platforms=names), *compatible_tags(version, interpreter, names)))

    def wants(self, package: Package) -> bool:
        """Whether the package is for this platform, by its marker."""
        version = ".".join(map(str, self.python))
        words = {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_system": self.system,
            "python_full_version": f"{version}.0",
            "python_version": version,
            "sys_platform": self.system.lower(),
        }
        return "marker" not in package or Marker(package["marker"]).evaluate(words)

    def takes(self, wheel: Mapping[str, Any]) -> bool:
        return not self.tags.isdisjoint(parse_wheel_filename(file_name(wheel))[3])


PYTHONS = ((3, 11), (3, 12))
LINUX = tuple(Platform("Linux", "x86_64", python) for python in PYTHONS)
EVERYWHERE = (
    *LINUX,
    *(Platform("Linux", "aarch64", python) for python in PYTHONS),
    *(Platform("Darwin", "arm64", python) for python in PYTHONS),
)


@dataclass(frozen=True)
class Environment:
    """One file of pins.

    Attributes:
        asked: what of pyproject.toml is installed, as uv's options.
        within: the environment whose versions it shares.
    """

    name: str
    asked: tuple[str, ...]
    platforms: tuple[Platform, ...] = EVERYWHERE
    within: str = ""

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.txt"


ENVIRONMENTS = (
    Environment("dev", ("--extra=local", "--extra=mlflow", "--extra=smollm", "--extra=dev")),
    Environment("smollm", ("--extra=local", "--extra=mlflow", "--extra=smollm"), within="dev"),
    Environment("local", ("--extra=local", "--extra=mlflow"), within="dev"),
    Environment("verl", ("--extra=verl", "--extra=mlflow", "--group=verl-cpu"), LINUX),
)


def main(arguments: list[str]) -> None:
    for environment in ENVIRONMENTS:
        text = "".join(lines(environment, resolve(environment, arguments)))
        environment.path.write_text(text, encoding="utf-8")
        print(f"{environment.path.relative_to(ROOT)}: {text.count('==')} packages")


def resolve(environment: Environment, arguments: Iterable[str]) -> list[Package]:
    """Every package at its version, with all files that the registry has of it."""
    with tempfile.TemporaryDirectory() as folder:
        pins, lock = Path(folder, "pins.txt"), Path(folder, "pylock.toml")
        if environment.path.exists():  # uv keeps the versions that it finds in its output
            pins.write_text(environment.path.read_text(encoding="utf-8"), encoding="utf-8")
        shared = [f"--constraints={FOLDER / f'{environment.within}.txt'}"] if environment.within else []
        uv(environment, f"--output-file={pins}", *shared, *arguments)
        uv(environment, f"--output-file={lock}", "--format=pylock.toml", f"--constraints={pins}")
        return tomllib.loads(lock.read_text(encoding="utf-8"))["packages"]


def uv(environment: Environment, *options: str) -> None:
    command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", *environment.asked]
    command += ["--quiet", "--universal", "--fork-strategy=fewest", "--python-version=3.11"]
    command += [f"--config-file={FOLDER / 'uv.toml'}", f"--overrides={FOLDER / 'torch.txt'}", *options]
    subprocess.run(command, cwd=ROOT, check=True)


def lines(environment: Environment, packages: Iterable[Package]) -> Iterator[str]:
    """The file of pins, for pip.

    Raises:
        SystemExit: a platform that wants a package has no file of it.
    """
    yield "# Written by `make requirements`: see export.py. torch has a file of its own.\n"
    for package in packages:
        wanted_by = [platform for platform in environment.platforms if platform.wants(package)]
        if not wanted_by or package["name"] == APART:
            continue
        marker = "" if len(wanted_by) == len(environment.platforms) else f" ; {package['marker']}"
        yield f"{package['name']}=={package['version']}{marker}"
        yield from (f" \\\n    --hash=sha256:{digest}" for digest in sorted(hashes(package, wanted_by)))
        yield "\n"


def hashes(package: Package, platforms: Iterable[Platform]) -> set[str]:
    """Of the wheels that the platforms take, and of the source archive if one of them finds none."""
    found: set[str] = set()
    for platform in platforms:
        files = [wheel for wheel in package.get("wheels", ()) if platform.takes(wheel)]
        files = files or [package[name] for name in ("sdist",) if name in package]
        if not files:
            raise SystemExit(f"{package['name']} {package['version']} has no file for {platform}")
        found.update(file["hashes"]["sha256"] for file in files)
    return found


def file_name(wheel: Mapping[str, Any]) -> str:
    return wheel.get("name") or unquote(urlsplit(wheel["url"]).path.rpartition("/")[2])


if __name__ == "__main__":
    main(sys.argv[1:])
