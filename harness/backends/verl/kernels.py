"""The attention kernels that a learner may have, tried where it would learn: each scores two packed sequences with the
shipped model, against the plain attention of each sequence alone."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM

from harness.backends.verl.installed import FLASH_ATTENTION, TORCH_ATTENTION
from harness.base import packages
from harness.base.findings import Finding, FindingState
from harness.models.resolving import SHIPPED

PLAIN = "eager"
KERNELS = (FLASH_ATTENTION, TORCH_ATTENTION, "flex_attention")
LIMITS = {"float32": 1e-4, "bfloat16": 0.05}
"""of the distance from the plain attention, relative to its norm: 2e-7 seen in fp32; bf16 has 8 bits"""
LENGTHS = (24, 40)
"""tokens of the sequences"""


def try_kernels(device: str, kernels: Sequence[str] = KERNELS) -> list[Finding]:
    """On the first device of this process; as a Ray task, of a node.

    Args:
        device: `cpu` or `cuda`; fp32 on the first, else bf16, as learners compute.
    """
    with torch.inference_mode():
        return list(_tried(device, kernels))


def _tried(device: str, kernels: Sequence[str]) -> Iterator[Finding]:
    """See `try_kernels`."""
    generator = torch.Generator().manual_seed(0)
    sequences = [torch.randint(5, 400, (length,), generator=generator) for length in LENGTHS]
    dtype = "float32" if device == "cpu" else "bfloat16"
    expected = torch.cat([_scored(PLAIN, [one], device, dtype) for one in sequences])
    for kernel in kernels:
        part = f"attention {kernel}"
        if kernel == FLASH_ATTENTION and "flash-attn" not in packages.installed():
            yield Finding(part, FindingState.NOTE, f"not installed: learners take {TORCH_ATTENTION}")
            continue
        if kernel == FLASH_ATTENTION and device == "cpu":
            yield Finding(part, FindingState.NOT_CHECKED, "it needs a GPU")
            continue
        # What is not there was said; what is there and does not run is the installation's fault.
        begun = time.monotonic()
        try:
            found = _scored(kernel, sequences, device, dtype)
        except Exception as error:  # whatever a kernel fails of
            why = (str(error).strip().splitlines() or [""])[0]
            yield _broken(kernel, f"it does not run: {type(error).__name__}: {why[:200]}")
            continue
        away = float((found - expected).norm() / expected.norm())
        said = f"{away:.1e} from the plain attention, packed, {dtype}, {time.monotonic() - begun:.1f} s"
        if away <= LIMITS[dtype]:
            yield Finding(part, FindingState.OK, said)
        else:
            yield _broken(kernel, f"{said}: more than {LIMITS[dtype]:g}")


def _broken(kernel: str, found: str) -> Finding:
    """No trial takes another kernel than these two."""
    needed = kernel in (FLASH_ATTENTION, TORCH_ATTENTION)
    mend = {FLASH_ATTENTION: "verl.flash_attention=false", TORCH_ATTENTION: "install torch again"}.get(kernel, "")
    return Finding(f"attention {kernel}", FindingState.LACKS if needed else FindingState.NOTE, found, mend)


def _scored(kernel: str, sequences: Sequence[Tensor], device: str, dtype: str) -> Tensor:
    """Log-probs of all tokens but each sequence's first, the sequences packed into one row."""
    net: Any = AutoModelForCausalLM.from_pretrained(
        SHIPPED["quickstart-base"], dtype=getattr(torch, dtype), attn_implementation=kernel
    )
    net.to(device)
    ids = torch.cat(list(sequences)).to(device)
    places = torch.cat([torch.arange(len(one)) for one in sequences]).to(device)
    logits_TV = net(input_ids=ids[None], position_ids=places[None], use_cache=False).logits[0, :-1].float()
    logp_T = logits_TV.log_softmax(-1).gather(1, ids[1:, None])[:, 0]
    return logp_T[places[1:] > 0].cpu()
