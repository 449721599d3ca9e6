"""The pinned requirements: what is in the files, and which files of a package their hashes are of. No network."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "requirements"
ASKED = {
    "local": ("local", "mlflow"),
    "smollm": ("local", "mlflow", "smollm"),
    "dev": ("local", "mlflow", "smollm", "dev"),
    "verl": ("verl", "mlflow", "verl-cpu"),
}
"""file -> the extras and groups of pyproject.toml that are installed with it"""
PIN = re.compile(r"([a-z0-9-]+)==([^\s=*]+)")
LINE = re.compile(PIN.pattern + r"( ; [^\\]+)?( --hash=sha256:[0-9a-f]{64})+")
"""with its continuations"""
every_file = pytest.mark.parametrize("name", ASKED)


def text(name: str) -> str:
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def pins(name: str) -> dict[str, str]:
    """Package -> version."""
    lines = [line for line in text(name).splitlines() if line[0] not in "# "]
    found = [PIN.match(line) for line in lines]
    assert all(found), "a line that pins nothing"
    names = [match[1] for match in found if match]
    assert names == sorted(set(names)), "each package once"
    return {match[1]: match[2] for match in found if match}


@pytest.fixture(scope="module")
def export() -> ModuleType:
    spec = importlib.util.spec_from_file_location("export_requirements", FOLDER / "export.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", [*ASKED, "gpu", "flash-attn"])
def test_a_line_is_a_pin_or_a_hash(name: str) -> None:
    for entry in text(name).replace(" \\\n   ", "").splitlines():
        assert entry.startswith("#") or LINE.fullmatch(entry), entry


@pytest.mark.parametrize("name", [*ASKED, "torch", "gpu", "flash-attn"])
def test_no_index_and_no_host(name: str) -> None:
    assert not re.search(r"://|--(?!hash)|^-|\.(org|com|net|io|dev)\b|[/@]", text(name), re.MULTILINE)


@every_file
def test_the_versions_are_what_the_project_asks_for(name: str) -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = pyproject["project"]
    lists = project["optional-dependencies"] | pyproject["dependency-groups"]

    def asked(lines: list[str]) -> Iterator[Requirement]:
        for requirement in map(Requirement, lines):
            if requirement.name == project["name"]:  # an extra of ours in another
                yield from (inner for extra in requirement.extras for inner in asked(lists[extra]))
            else:
                yield requirement

    found = pins(name) | pins("torch")
    requirements = [*asked(project["dependencies"]), *asked([line for key in ASKED[name] for line in lists[key]])]
    assert "torch" in {requirement.name for requirement in requirements}
    for requirement in requirements:
        assert requirement.specifier.contains(found[canonicalize_name(requirement.name)]), requirement


@every_file
def test_torch_and_what_its_cuda_build_brings_stay_apart(name: str) -> None:
    assert [
        pin for pin in pins(name) if re.match(r"(torch|triton|torchvision|torchaudio|nvidia-.*|cuda-.*)$", pin)
    ] == []
    assert list(pins("torch")) == ["torch"]


def test_a_smaller_environment_has_the_versions_of_the_larger() -> None:
    assert pins("local").items() < pins("smollm").items() < pins("dev").items()


@every_file
def test_pinned_packages_get_what_they_ask_for(name: str) -> None:
    # pip is told to install nothing else (--no-deps). Read from what is installed here at the pinned version.
    told = tomllib.loads((FOLDER / "uv.toml").read_text(encoding="utf-8"))
    left_out, overridden = told["exclude-dependencies"], map(Requirement, told["override-dependencies"])
    over = {requirement.name for requirement in overridden}
    found = pins(name) | pins("torch")
    installed = {(canonicalize_name(package.metadata["Name"]), package.version) for package in metadata.distributions()}
    here = [package for package, version in pins(name).items() if (package, version) in installed]
    assert len(here) > 100
    for package in here:
        for asked in map(Requirement, metadata.requires(package) or ()):
            wanted = canonicalize_name(asked.name)
            if (asked.marker is None or asked.marker.evaluate({"extra": ""})) and wanted not in left_out:
                assert wanted in found, f"{package} asks for {asked}"
                good = wanted in over or asked.specifier.contains(found[wanted], prereleases=True)
                assert good, f"{package} asks for {asked}, but {found[wanted]} is pinned"


@pytest.mark.parametrize(
    "wheel, platforms",
    [
        ("a-1-py3-none-any.whl", 6),
        ("a-1-py2.py3-none-any.whl", 6),
        ("a-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", 1),
        ("a-1-cp39-abi3-manylinux_2_28_aarch64.whl", 2),
        ("a-1-cp312-cp312-macosx_11_0_arm64.whl", 1),
        ("a-1-cp310-abi3-macosx_10_9_universal2.whl", 2),
        ("a-1-cp311-cp311-musllinux_1_2_x86_64.whl", 0),
        ("a-1-cp311-cp311-win_amd64.whl", 0),
        ("a-1-cp313-cp313-manylinux_2_28_x86_64.whl", 0),
        ("a-1-pp311-pypy311_pp73-manylinux_2_28_x86_64.whl", 0),
    ],
)
def test_wheels_of_our_platforms(export: ModuleType, wheel: str, platforms: int) -> None:
    url = f"scheme://host/folder/{wheel}#fragment"
    assert sum(platform.takes({"url": url}) for platform in export.EVERYWHERE) == platforms


def test_a_source_archive_stands_in_for_a_missing_wheel(export: ModuleType) -> None:
    def file(name: str, digest: str) -> dict[str, object]:
        return {"name": name, "hashes": {"sha256": digest}}

    linux = file("a-1-py3-none-manylinux_2_28_x86_64.whl", "wheel")
    package = {"name": "a", "version": "1", "wheels": [linux], "sdist": file("a-1.tar.gz", "source")}
    assert export.hashes(package, export.LINUX) == {"wheel"}
    assert export.hashes(package, export.EVERYWHERE) == {"wheel", "source"}
    del package["sdist"]
    with pytest.raises(SystemExit, match=r"a 1 has no file for Linux aarch64, Python 3\.11"):
        export.hashes(package, export.EVERYWHERE)


def test_a_package_of_some_platforms_keeps_its_marker(export: ModuleType) -> None:
    def package(name: str, marker: str) -> dict[str, object]:
        wheels = [{"name": f"{name}-1-py3-none-any.whl", "hashes": {"sha256": name}}]
        return {"name": name, "version": "1", "marker": marker, "wheels": wheels}

    markers = {"all": "python_full_version < '3.13'", "mac": "sys_platform == 'darwin'", "none": "os_name == 'nt'"}
    environment = export.Environment("x", ())
    _, *written = export.lines(environment, [package(name, marker) for name, marker in markers.items()])
    assert "".join(written) == (
        "all==1 \\\n    --hash=sha256:all\n"  # true on all of them: not said
        "mac==1 ; sys_platform == 'darwin' \\\n    --hash=sha256:mac\n"
    )
