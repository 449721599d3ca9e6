"""Where a model computes, in which numbers, and by which attention. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.base.devices import without_cuda

Device = Literal["auto", "cuda", "cpu"]
Precision = Literal["auto", "fp32", "bf16"]
Attention = Literal["sdpa", "eager", "flash_attention_2"]


def settled(device: Device, dtype: Precision) -> tuple[Literal["cuda", "cpu"], Literal["fp32", "bf16"]]:
    """What `auto` means on this machine: CUDA if there is a GPU that torch is built for, and bf16 there; else the CPU,
    and fp32 there."""
    found = device if device != "auto" else "cpu" if without_cuda() else "cuda"
    return found, dtype if dtype != "auto" else "bf16" if found == "cuda" else "fp32"


@dataclass(frozen=True)
class Compute:
    """How a model is computed. The default is what results are bit for bit repeatable with."""

    device: Literal["cuda", "cpu"] = "cpu"
    dtype: Literal["fp32", "bf16"] = "fp32"
    """of weights, activations and the cache in a pass; what an optimiser steps on is fp32 either way"""
    attention: Attention = "sdpa"
    checkpointing: bool | None = None
    """training keeps of each layer its input alone, and computes the rest again; None: as memory has room"""

    @classmethod
    def of(cls, device: Device = "auto", dtype: Precision = "auto", attention: Attention = "sdpa") -> Compute:
        """With `auto` as it is on this machine."""
        return cls(*settled(device, dtype), attention)

    @property
    def said(self) -> str:
        """In words, such as `bf16 on cuda`."""
        return f"{self.dtype} on {self.device}" + (f", attention {self.attention}" if self.attention != "sdpa" else "")

    @property
    def plain(self) -> bool:
        """Whether it is fp32 on the CPU, by torch's attention: what engines had before there was anything else."""
        return (self.device, self.dtype, self.attention) == ("cpu", "fp32", "sdpa")
