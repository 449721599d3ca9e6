"""Parts of the program, and known traps. Reads metadata; `probes` alone imports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping

from packaging.utils import canonicalize_name
from packaging.version import Version

from harness.backends.verl import installed as verl
from harness.base.findings import Finding, FindingState
from harness.base.installing import pip
from harness.base.packages import Asked, of_extra
from harness.doctor.findings import LOCAL

PYTHON = ((3, 11), (3, 13))
"""from, and before"""
PARTS = {
    "rence": "",
    LOCAL: "local",
    "benchmarks of lm-eval": "eval",
    "mlflow": "mlflow",
}
"""part -> the extra that installs it"""
PROBED = ("torch", "transformers", "lm_eval", "math_verify", "mlflow", "ray", "verl", "vllm")
PROBE_SECONDS = 120


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Whether it is one of the versions that `PYTHON` spans, and which were wanted if not."""
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
    yield from (of_extra(part, extra, here, asked, good) for part, extra in PARTS.items())
    yield from verl.findings(here, asked, good, gpu)


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


def _below(version: str, other: str) -> bool:
    return Version(version) < Version(other)
