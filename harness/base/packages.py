"""Installed packages against what the project's own metadata asks for. Reads metadata, imports none of them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from harness.base.findings import Finding, FindingState
from harness.base.installing import PROJECT, SOURCE, install

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
    """As pyproject.toml beside the source has it, the project's own extras followed.

    Raises: FileNotFoundError if the source is not a checkout.
    """
    project = tomllib.loads((SOURCE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = {"": project["dependencies"], **project["optional-dependencies"]}
    asked = {extra: [Requirement(line) for line in lines] for extra, lines in lists.items()}
    return {extra: list(_flat(asked, extra)) for extra in asked}


def tested() -> dict[str, str]:
    """Canonical name -> the version that the project is tested with; empty outside a checkout."""
    paths = [SOURCE / "requirements" / name for name in ("dev.txt", "torch.txt")]
    lines = [line for path in paths if path.exists() for line in path.read_text(encoding="utf-8").splitlines()]
    pairs = (line.split()[0].split("==") for line in lines if "==" in line)
    return {canonicalize_name(name): version for name, version in pairs}


def of_extra(part: str, extra: str, here: Mapping[str, str], asked: Asked, good: Mapping[str, str]) -> Finding:
    """The packages of an extra, or what it lacks and the command that installs it.

    Args:
        part: what the finding is about.
        here: `installed()`.
        asked: `requirements()`.
        good: `tested()`.
    """
    wanted = [r for r in asked.get(extra, ()) if r.marker is None or r.marker.evaluate({"extra": extra})]
    lacking = [problem for r in wanted if (problem := _problem(r, here))]
    if lacking:
        return Finding(part, FindingState.LACKS, ", ".join(lacking), install(extra))
    return Finding(part, FindingState.OK, ", ".join(_version(r, here, good) for r in wanted))


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
