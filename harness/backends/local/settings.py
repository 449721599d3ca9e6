"""The section `local` of an experiment file.

`dtype` rounds every number, so it is part of a plan's lock: as what `auto` meant on the machine that the run was begun
on. The others say on what, by which kernel and in how much memory the same function is computed; they change the last
digits of sums, and may change between two starts of a trial.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.config.experiment import Experiment
from harness.models.compute import Attention, Compute, Device, Precision, settled
from harness.records.fields import RUNTIME, begun, later


@dataclass(frozen=True)
class LocalSettings:
    """What a trial computes on: one device. `auto` is settled when the experiment is read, by the machine that reads
    it."""

    device: Device = field(default="auto", metadata={**RUNTIME, **later("cpu")})
    """`cuda`, one GPU a trial; `cpu`; or `auto`: cuda if there is a GPU that the installed torch can use, else cpu"""
    dtype: Precision = field(default="auto", metadata={**later("fp32"), **begun()})
    """of forward and backward passes and of the sampler: `bf16` or `fp32`. Weights that the optimiser steps on, its
    state, log-probs and sums of gradients are fp32 either way. `auto`: bf16 on cuda, fp32 on cpu"""
    attention: Attention = field(default="sdpa", metadata={**RUNTIME, **later("sdpa")})
    """`sdpa`, torch's; `eager`, transformers' own, slow; `flash_attention_2`, of the package flash-attn, on cuda in
    bf16. With the last two each response has a row of its own, padded"""
    gradient_checkpointing: bool | None = field(default=None, metadata={**RUNTIME, **later(None)})
    """training keeps of each layer its input alone and computes the rest again: about a quarter slower, in a fraction
    of the memory. null: on cuda where the largest micro-batch would not fit otherwise, never on cpu"""

    def __post_init__(self) -> None:
        for name, value in zip(("device", "dtype"), settled(self.device, self.dtype), strict=True):
            object.__setattr__(self, name, value)

    @property
    def compute(self) -> Compute:
        """With nothing left open but what memory decides."""
        device, dtype = settled(self.device, self.dtype)
        return Compute(device, dtype, self.attention, self.gradient_checkpointing)


def settings_of(experiment: Experiment) -> LocalSettings:
    """Of an experiment on backend `local`; one that was made by hand may have left them out."""
    found = experiment.backend_settings
    return found if isinstance(found, LocalSettings) else LocalSettings()
