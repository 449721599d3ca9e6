"""The section `verl` of an experiment file.

Which of its settings are runtime settings, and so may change between two starts of a trial: those that say on how many
devices, by which kernel, in how much memory and how patiently the same sums are done (`nodes`, `gpus_per_node`,
`gpus_per_trial`, the two parallel sizes, `flash_attention`, `gradient_checkpointing`, `offload`, `sampler_memory`,
`stall_seconds`). What is left decides results beyond the last digits of a sum: `precision` rounds everything, `device`
chooses its default, `remove_padding` how micro-batches are cut, `importance_cap` the loss, `max_prompt_tokens` what is
refused, and `overrides` may be anything. `flash_attention` is among the first: both kernels compute one function, and a
plan must not depend on what is installed where it was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import Gt, Lt

from harness.config.experiment import Experiment
from harness.config.limits import Count, Positive
from harness.records.fields import LATER, RUNTIME, kept


@dataclass(frozen=True)
class VerlSettings:
    """Devices, and how a trial is laid out on them. What the arms are taught is the recipe's."""

    device: Literal["gpu", "cpu"] = "gpu"
    """what the workers run on; `cpu` is for tests: a device is then a process"""
    nodes: Count = field(default=1, metadata=RUNTIME)
    """machines, joined in one Ray cluster"""
    gpus_per_node: Count = field(default=8, metadata=RUNTIME)
    """devices of each; learner and sampler take turns on them"""
    gpus_per_trial: Count | None = field(default=None, metadata={**RUNTIME, **LATER})
    """devices that a trial takes of its machine; the others are for trials beside it, in slots of as many. null: all"""
    tensor_parallel: Count = field(default=1, metadata=RUNTIME)
    """devices that one copy of the sampler is cut over"""
    sequence_parallel: Count = field(default=1, metadata=RUNTIME)
    """devices that the learner cuts each sequence over (Ulysses); what is left of the devices is data-parallel"""
    precision: Literal["bf16", "fp32"] | None = None
    """of the learner's forward and backward passes and of the sampler; weights, optimiser and sums over devices are
    fp32 either way. null: bf16 on gpu, fp32 on cpu"""
    flash_attention: bool | None = field(default=None, metadata=RUNTIME)
    """the learner's attention: flash-attn if true, torch's if false; sequences are packed with either. null: flash-attn
    on gpu where it is installed, else torch's"""
    remove_padding: bool | None = field(default=None, metadata=kept(False))
    """the learner packs sequences instead of padding each to the longest of its micro-batch. null: true"""
    gradient_checkpointing: bool | None = field(default=None, metadata=RUNTIME)
    """the learner keeps few activations and computes the others again: slower, in less memory. null: true on gpu"""
    offload: tuple[Literal["params", "optimizer"], ...] = field(default=(), metadata=RUNTIME)
    """what of the learner waits in the host's memory while the sampler works"""
    sampler_memory: Annotated[float, Gt(0), Lt(1)] = field(default=0.5, metadata=RUNTIME)
    """share of a GPU's memory that the sampler takes for weights, keys and values while it works"""
    importance_cap: Positive | None = None
    """each token's loss is weighted by learner probability / sampler probability, cut off here: truncated importance
    sampling. null: the mismatch is measured and not corrected"""
    max_prompt_tokens: Count = 1024
    """longest prompt, in training and evaluation; a longer one is refused, never cut"""
    stall_seconds: Positive = field(default=1800.0, metadata=RUNTIME)
    """a trial ends with an error when its sampler or a worker has been silent for so long"""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """for experts: verl's own keys, dotted, and their values, applied last. Not for what the recipe decides"""

    def __post_init__(self) -> None:
        on_gpu = self.device == "gpu"
        settled = {
            "precision": "bf16" if on_gpu else "fp32",
            "remove_padding": True,
            "gradient_checkpointing": on_gpu,
        }
        for name, value in settled.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        object.__setattr__(self, "overrides", dict(_dotted(self.overrides)))

    @property
    def gpus_on_node(self) -> int:
        """Devices of a trial on each of its machines."""
        return self.gpus_per_trial or self.gpus_per_node

    @property
    def devices(self) -> int:
        """Of a trial, on all its machines."""
        return self.nodes * self.gpus_on_node

    @property
    def data_parallel(self) -> int:
        """Ranks of the learner that each see a share of every mini-batch."""
        return self.devices // self.sequence_parallel


def settings_of(experiment: Experiment) -> VerlSettings:
    """Of an experiment on backend `verl`."""
    assert isinstance(experiment.backend_settings, VerlSettings)
    return experiment.backend_settings


def copies_of_sampler(settings: VerlSettings, seen: str) -> list[str]:
    """The devices of each copy of the sampler in a slot of one machine, as CUDA_VISIBLE_DEVICES says them.

    Args:
        seen: the value of that variable here; empty: all devices.
    """
    devices = seen.split(",") if seen and settings.device == "gpu" else [str(i) for i in range(settings.gpus_on_node)]
    each, used = settings.tensor_parallel, devices[: settings.gpus_on_node]
    return [",".join(used[i : i + each]) for i in range(0, len(used) - each + 1, each)] or [",".join(used)]


def _dotted(data: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    """`{a: {b: 1}}` as `{a.b: 1}`: verl's keys may be written either way."""
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            yield from _dotted(value, f"{at}{key}.")
        else:
            yield f"{at}{key}", value
