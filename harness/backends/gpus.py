"""Types of GPUs, and what of their peak is assumed to be reached. Peaks are dense bf16, without sparsity."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GpuType:
    name: str
    memory: int
    """bytes"""
    flops: float
    """a second, at most"""
    bandwidth: float
    """of its memory, bytes a second, at most"""
    training: float
    """share of `flops` that forward and backward passes reach"""


READING = 0.6
"""share of `bandwidth` that vLLM's decoding reaches: a guess, as are the shares of the three last types in training"""
TYPES = (
    GpuType("A100", 80_000_000_000, 312e12, 2.04e12, 0.45),
    GpuType("H100", 80_000_000_000, 989e12, 3.35e12, 0.40),
    GpuType("H200", 141_000_000_000, 989e12, 4.8e12, 0.40),
    GpuType("B200", 180_000_000_000, 2250e12, 7.7e12, 0.35),
    GpuType("L40S", 48_000_000_000, 362e12, 0.864e12, 0.35),
    GpuType("RTX 4090", 24_000_000_000, 165e12, 1.008e12, 0.35),
)
"""NVIDIA's data sheets (A100 80GB SXM, H100 SXM, H200 SXM, HGX B200, L40S) and its whitepaper on Ada (RTX 4090: with
sums in fp32, 165 of the 330 teraflops). Shares in training: A100 44 to 52 %
(Megatron-LM, arXiv 2104.04473, table 1), H100 38 to 43 % (Llama 3, arXiv 2407.21783, table 4)"""
