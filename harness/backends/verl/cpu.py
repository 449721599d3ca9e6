"""verl on CPUs: a platform, and the few places where verl 0.9.1 or vLLM 0.28 assume an accelerator.

verl imports this module in each of its processes through the entry-point group `verl.plugins`; in vLLM's workers too,
since verl's worker extension is imported there before the model is built. Without `RENCE_VERL_DEVICE=cpu` it changes
nothing. It exists for tests and for reading the code at work, not for speed.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from types import ModuleType
from typing import Any

import psutil
import torch
from verl.plugin.platform import PlatformBase, PlatformRegistry, set_platform

from harness.backends.verl.patching import Patch, patch
from harness.backends.verl.platform import SWITCH


class HostMemory(ModuleType):
    """What verl asks of `torch.cuda`, answered for a device whose memory is the process's own."""

    def is_available(self) -> bool:
        """verl's memory helpers leave a device alone that is not there (`verl/utils/memory_utils.py`)."""
        return False

    def get_device_name(self) -> str:
        return "CPU"

    def set_device(self, device: int) -> None: ...

    def synchronize(self) -> None: ...

    def empty_cache(self) -> None: ...

    def memory_allocated(self) -> int:
        """Bytes that the process holds now."""
        return psutil.Process().memory_info().rss

    memory_reserved = memory_allocated

    def mem_get_info(self) -> tuple[int, int]:
        """Bytes of the machine: free, and in all."""
        memory = psutil.virtual_memory()
        return memory.available, memory.total

    def set_rng_state(self, state: torch.Tensor) -> None:
        """From a checkpoint, after the process's own state, which is the same (`load_rng_state`)."""
        torch.set_rng_state(state)

    def max_memory_allocated(self) -> int:
        """Bytes: the process's peak (`perf/max_memory_allocated_gb` in verl's metrics)."""
        kib = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * kib

    max_memory_reserved = max_memory_allocated


HOST_MEMORY = HostMemory("host_memory")


class PlatformCPU(PlatformBase):
    """One device a process; collectives over gloo; weights go to the rollout servers through shared memory."""

    @property
    def device_name(self) -> str:
        return "cpu"

    @property
    def vendor_name(self) -> str:
        return "cpu"

    @property
    def device_module(self) -> ModuleType:
        return HOST_MEMORY

    def is_available(self) -> bool:
        return True

    def current_device(self) -> torch.device:  # type: ignore[override]
        """Not an index: `tensor.to(0)` would mean an accelerator."""
        return torch.device("cpu")

    def device_count(self) -> int:
        return 1

    def set_device(self, device_index: int) -> None: ...

    def synchronize(self, device_index: int | None = None) -> None: ...

    def manual_seed(self, seed: int) -> None:
        torch.manual_seed(seed)

    manual_seed_all = manual_seed

    def set_allocator_settings(self, settings: str) -> None: ...

    def empty_cache(self) -> None: ...

    def get_device_capability(self, device_index: int = 0) -> tuple[None, None]:
        return None, None

    def communication_backend_name(self) -> str:
        return "gloo"

    def visible_devices_envvar(self) -> str:
        return "CUDA_VISIBLE_DEVICES"

    def ray_resource_name(self) -> str:
        """verl's resource pools count GPUs only, so Ray is given as many logical ones as there are ranks."""
        return "GPU"

    def ray_noset_envvars(self) -> list[str]:
        return ["RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES"]

    def is_ipc_supported(self) -> bool:
        return False

    @contextmanager
    def nvtx_range(self, msg: str) -> Iterator[None]:  # type: ignore[override]
        yield

    def profiler_start(self) -> None: ...

    def profiler_stop(self) -> None: ...

    def cudart(self) -> None: ...


def use_gloo_alone(distributed: Any) -> None:
    """verl asks for the backends `cpu:gloo,{device}:{backend}`, which names the CPU twice here; torch refuses that."""
    distributed.initialize_global_process_group_ray = partial(
        distributed.initialize_global_process_group_ray, backend="gloo"
    )


def offload_without_pinning(engine: Any) -> None:
    """verl offloads a reference model into pinned memory (`_build_fsdp_module`), and pinning needs an accelerator."""

    class PageableOffload(engine.CPUOffloadPolicy):
        def __init__(self, pin_memory: bool = False) -> None:
            super().__init__(pin_memory=False)

    engine.CPUOffloadPolicy = PageableOffload


def keep_linear_weights(layers: Any) -> None:
    """vLLM packs a linear layer's weights for the CPU and drops the parameter; new weights could not be loaded into it:
    `load_weights`, by which verl sends them, would raise, `reload_weights` would leave the old ones in use."""

    def dispatch(layer: Any, remove_weight: bool) -> None:
        layer.cpu_linear = torch.nn.functional.linear

    layers.dispatch_cpu_unquantized_gemm = dispatch


PATCHES: dict[str, Patch] = {
    "verl.utils.distributed": use_gloo_alone,
    "verl.workers.engine.fsdp.transformer_impl": offload_without_pinning,
    "vllm.model_executor.layers.utils": keep_linear_weights,
}


@cache
def install() -> None:
    """Makes verl run on the CPU in this process. Once: a second call changes nothing."""
    PlatformRegistry.register("cpu")(PlatformCPU)
    set_platform(PlatformCPU())
    patch(PATCHES)


if os.environ.get(SWITCH) == "cpu":
    install()
