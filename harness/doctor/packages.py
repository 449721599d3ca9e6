"""Installed packages against what the project's own metadata asks for. Reads metadata; `probes` alone imports."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from harness.doctor import verl
from harness.doctor.commands import PROJECT, SOURCE, install, pip
from harness.doctor.findings import LOCAL, Finding, FindingState

PYTHON = ((3, 11), (3, 13))
"""from, and before"""
PARTS = {
    "rence": "",
    LOCAL: "local",
    "benchmarks of lm-eval": "eval",
    "mlflow": "mlflow",
    verl.BACKEND: "verl",
}
"""part -> the extra that installs it"""
PROBED = ("torch", "transformers", "lm_eval", "math_verify", "mlflow", "ray", "verl", "vllm")
PROBE_SECONDS = 120

Asked = Mapping[str, Iterable[Requirement]]
"""extra -> what it asks for; `""` is the base"""


def installed() -> dict[str, str]:
    """Canonical name -> version, of every distribution this Python sees."""
    return {canonicalize_name(d.metadata["Name"]): d.version for d in metadata.distributions() if d.metadata["Name"]}


def requirements() -> Asked:
    """Of the installed project, or of the checkout if it is not installed; the project's own extras followed."""
    return from_metadata() or from_checkout()


def from_metadata() -> Asked:
    """Empty if the project is not installed."""
    try:
        extras = ["", *(metadata.metadata(PROJECT).get_all("Provides-Extra") or [])]
        lines = metadata.requires(PROJECT) or []
    except metadata.PackageNotFoundError:
        return {}
    asked = {extra: [r for r in map(Requirement, lines) if _belongs(r, extra)] for extra in extras}
    return {extra: list(_flat(asked, extra)) for extra in extras}


def from_checkout() -> Asked:
    project = tomllib.loads((SOURCE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = {"": project["dependencies"], **project["optional-dependencies"]}
    asked = {extra: [Requirement(line) for line in lines] for extra, lines in lists.items()}
    return {extra: list(_flat(asked, extra)) for extra in asked}


def tested() -> dict[str, str]:
    """Canonical name -> the version that the project is tested with; empty outside a checkout."""
    path = SOURCE / "constraints.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    pairs = (line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    text = ".".join(map(str, version))
    first, end = PYTHON
    if first <= version[:2] < end:
        return Finding("python", FindingState.OK, text)
    wanted = f"{'.'.join(map(str, first))} or later, before {'.'.join(map(str, end))}"
    return Finding("python", FindingState.LACKS, f"{text}, but must be {wanted}", "make PYTHON=python3.11")


def parts(here: Mapping[str, str], asked: Asked, good: Mapping[str, str], gpu: bool = False) -> Iterator[Finding]:
    """One row for each part: its packages, or what it lacks and the command that installs it.

    Args:
        here: `installed()`.
        asked: `requirements()`.
        good: `tested()`.
        gpu: whether vLLM is wanted for GPUs.
    """
    for part, extra in PARTS.items():
        wanted = [r for r in asked.get(extra, ()) if r.marker is None or r.marker.evaluate({"extra": extra})]
        lacking = [problem for r in wanted if (problem := _problem(r, here))]
        if lacking:
            yield Finding(part, FindingState.LACKS, ", ".join(lacking), install(extra))
        else:
            yield Finding(part, FindingState.OK, ", ".join(_version(r, here, good) for r in wanted))
    yield from (Finding(verl.BACKEND, FindingState.LACKS, found, mend) for found, mend in verl.conflicts(here))
    yield from verl.plugin(here)
    yield verl.engine(here, gpu)


def traps(here: Mapping[str, str], gpu: str) -> Iterator[Finding]:
    """Combinations that install without complaint and then break, or that cost without use."""
    antlr, omegaconf = here.get("antlr4-python3-runtime"), here.get("omegaconf")
    if omegaconf and (_below(omegaconf, "2.1") or (antlr and not antlr.startswith("4.9."))):
        found = f"omegaconf {omegaconf} with antlr4 {antlr or '(none)'}: hydra and verl break"
        mend = f"{pip()} install 'hydra-core>=1.3' 'omegaconf>=2.3' 'math-verify[antlr4_9_3]==0.9.0'"
        yield Finding(verl.BACKEND, FindingState.LACKS, found, mend)
    cuda = [name for name in here if name.startswith(("nvidia-cublas", "nvidia-cuda-runtime"))]
    if "torch" in here and cuda and not gpu:
        found = f"torch {here['torch']} is a CUDA build of several GB, and no GPU was found"
        yield Finding(LOCAL, FindingState.NOTE, found, "the CPU build is enough here: see README, PIP_ARGS")
    if here.get("torch", "").endswith("+cpu"):
        for name in ("torchvision", "torchaudio"):
            if name in here and "+cpu" not in here[name]:
                found = f"{name} {here[name]} does not fit torch {here['torch']}: vLLM's CPU build breaks"
                yield Finding(verl.ENGINE, FindingState.LACKS, found, f"{pip()} uninstall {name}")


def probes(here: Mapping[str, str], modules: Iterable[str] = PROBED) -> Iterator[Finding]:
    """Import what is installed, each in a fresh process."""
    for module in modules:
        if canonicalize_name(module) not in here:
            continue
        command = [sys.executable, "-c", f"import {module}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS)
        except subprocess.TimeoutExpired:
            yield Finding(f"import {module}", FindingState.LACKS, f"takes more than {PROBE_SECONDS} s")
            continue
        words = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        if done.returncode:
            yield Finding(
                f"import {module}", FindingState.LACKS, words[-1], f"{pip()} install --force-reinstall {module}"
            )
        else:
            yield Finding(f"import {module}", FindingState.OK, "works")


def _belongs(requirement: Requirement, extra: str) -> bool:
    """Whether it is asked for by exactly this extra."""
    if requirement.marker is None or "extra" not in str(requirement.marker):
        return not extra
    return bool(extra) and requirement.marker.evaluate({"extra": extra})


def _flat(asked: Mapping[str, list[Requirement]], extra: str) -> Iterator[Requirement]:
    """Without references to our own other extras."""
    for requirement in asked[extra]:
        if canonicalize_name(requirement.name) == PROJECT:
            for other in sorted(requirement.extras):
                yield from _flat(asked, other)
        else:
            yield requirement


def _problem(requirement: Requirement, here: Mapping[str, str]) -> str:
    version = here.get(canonicalize_name(requirement.name))
    if version is None:
        return f"{requirement.name} is not installed"
    if requirement.specifier.contains(version, prereleases=True):
        return ""
    return f"{requirement.name} must be {requirement.specifier}, but is {version} instead"


def _version(requirement: Requirement, here: Mapping[str, str], good: Mapping[str, str]) -> str:
    name = canonicalize_name(requirement.name)
    version, wanted = here[name], good.get(name)
    differs = wanted is not None and Version(version).public != Version(wanted).public
    return f"{requirement.name} {version}" + (f" (tested with {wanted})" if differs else "")


def _below(version: str, other: str) -> bool:
    return Version(version) < Version(other)
