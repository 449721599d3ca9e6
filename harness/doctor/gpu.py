"""`rence doctor --gpu`: what the GPU of this machine is, whether its kernels give what the CPU gives, how fast they
are, and whether the largest micro-batch of an experiment fits. About a minute; nothing is written. Needs torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from harness.backends.registry import get_backend
from harness.base.devices import without_cuda
from harness.base.errors import UserError, need
from harness.base.findings import Finding, FindingState
from harness.config.experiment import Experiment
from harness.doctor.findings import GpuCheckup

if TYPE_CHECKING:
    from torch import Tensor

GB = 1e9
SIDE = 4096
"""of the matrices that are multiplied"""
ROUNDS = 10
NOTHING_LOST = "without one, backend `local` computes on the processor: `local.device=auto` or `local.device=cpu`"
CLOSE = {"fp32": 1e-4, "bf16": 6e-2}
"""relative distance from the CPU's fp32 that is taken for equal"""


def examine(experiment: Experiment | None, seconds: float, device: str = "cuda") -> GpuCheckup:
    """
    Args:
        experiment: whose largest micro-batch is tried; None: none.
        seconds: by which a trial of the backend must have ended.
        device: `cpu` tries the same there, for tests.
    Raises: UserError if torch is not installed.
    """
    need("rence doctor --gpu", "torch", "transformers")
    deadline = time.monotonic() + seconds
    if device == "cuda" and (why := _without()):
        return GpuCheckup((Finding("gpu", FindingState.NOT_CHECKED, f"nothing was tried: {why}", NOTHING_LOST),))
    findings = [*_card(device), *_kernels(device), *_memory(device)]
    if experiment:
        part = f"backend {experiment.backend}"
        try:
            findings += get_backend(experiment.backend).try_gpu(experiment, max(1.0, deadline - time.monotonic()))
        except (UserError, ImportError) as error:
            found, _, mend = str(error).partition("\n")
            findings.append(Finding(part, FindingState.LACKS, found, mend))
    return GpuCheckup(tuple(findings))


def _without() -> str:
    """Why nothing can be tried; empty: there is a GPU."""
    if why := without_cuda():
        return why
    import torch

    return "" if torch.cuda.is_available() else f"torch {torch.__version__} can use none (is the driver too old?)"


def _card(device: str) -> Iterator[Finding]:
    import torch

    if device == "cpu":
        return
    for number in range(torch.cuda.device_count()):
        card = torch.cuda.get_device_properties(number)
        said = f"{card.name}, {card.total_memory / GB:.1f} GB, compute capability {card.major}.{card.minor}"
        yield Finding("gpu", FindingState.OK, f"{said}, torch {torch.__version__}, CUDA {torch.version.cuda}")
    if not torch.cuda.is_bf16_supported(including_emulation=False):
        yield Finding("gpu", FindingState.NOTE, "the card has no bf16", "local.dtype=fp32")


def _kernels(device: str) -> Iterator[Finding]:
    """Each of what a trial rests on, forward and backward, against fp32 on the CPU."""
    import torch
    from torch.nn.functional import cross_entropy, scaled_dot_product_attention

    def product(x: Tensor) -> Tensor:
        return x @ x.mT

    def attention(x: Tensor) -> Tensor:
        heads = x.view(2, 4, -1, 64)
        return scaled_dot_product_attention(heads, heads, heads, is_causal=True)

    def masked(x: Tensor) -> Tensor:
        """As packed rows have it."""
        heads = x.view(2, 4, -1, 64)
        mask = torch.ones(heads.shape[2], heads.shape[2], dtype=torch.bool, device=x.device).tril()
        return scaled_dot_product_attention(heads, heads, heads, attn_mask=mask)

    def log_probs(x: Tensor) -> Tensor:
        return -cross_entropy(x.float(), torch.arange(len(x), device=x.device) % x.shape[1], reduction="none")

    kernels: dict[str, Callable[[Tensor], Tensor]] = {
        "matrix product": product, "attention": attention, "attention with a mask": masked, "log-probs": log_probs,
    }  # fmt: skip
    torch.manual_seed(0)
    source = torch.randn(1024, 128)
    for name, kernel in kernels.items():
        exact = _with_gradient(kernel, source)
        # In both: fp32 finds a broken kernel, bf16 one that sums in bf16.
        for dtype, word in ((torch.float32, "fp32"), (torch.bfloat16, "bf16")):
            try:
                found = _with_gradient(kernel, source.to(device, dtype))
            except RuntimeError as error:
                said = f"{name}, {word}: {str(error).splitlines()[0]}"
                yield Finding("kernels", FindingState.LACKS, said, "local.dtype=fp32" if word == "bf16" else "")
                continue
            far = max(_distance(one, other) for one, other in zip(found, exact, strict=True))
            fits = far <= CLOSE[word]
            said = f"{name}, {word}: {far:.1e} from fp32 on the CPU, forward and backward"
            yield Finding("kernels", FindingState.OK if fits else FindingState.LACKS, said)
    yield Finding("kernels", FindingState.OK, f"matrix products of {SIDE}: {_speeds(device)}")


def _with_gradient(kernel: Callable[[Tensor], Tensor], source: Tensor) -> tuple[Tensor, Tensor]:
    """What it gives, and its gradient."""
    x = source.detach().clone().requires_grad_()
    found = kernel(x)
    found.float().square().mean().backward()
    assert x.grad is not None
    return found.detach(), x.grad


def _distance(one: Tensor, exact: Tensor) -> float:
    return float((one.cpu().double() - exact.double()).norm() / exact.double().norm())


def _speeds(device: str) -> str:
    import torch

    said = []
    side = SIDE if device != "cpu" else SIDE // 16
    for dtype, word in ((torch.float32, "fp32"), (torch.bfloat16, "bf16")):
        x = torch.randn(side, side, device=device, dtype=dtype)
        x @ x
        _wait(device)
        began = time.perf_counter()
        for _ in range(ROUNDS):
            x @ x
        _wait(device)
        said.append(f"{word} {2 * side**3 * ROUNDS / (time.perf_counter() - began) / 1e12:.1f}")
    return ", ".join(said) + " TFLOP/s"


def _wait(device: str) -> None:
    import torch

    if device == "cuda":
        torch.cuda.synchronize()


def _memory(device: str) -> Iterator[Finding]:
    """How much there is, and how fast it is read."""
    import torch

    if device == "cpu":
        return
    free, total = torch.cuda.mem_get_info()
    try:
        size = int(0.45 * free)
        one = torch.empty(size, dtype=torch.uint8, device=device)
        other = one.clone()
        _wait(device)
        began = time.perf_counter()
        other.copy_(one)
        _wait(device)
        rate = 2 * size / (time.perf_counter() - began)
    except torch.OutOfMemoryError:
        yield Finding("memory", FindingState.NOTE, f"{free / GB:.1f} of {total / GB:.1f} GB free, not to be had whole")
        return
    del one, other
    torch.cuda.empty_cache()
    state = FindingState.OK if free > 0.9 * total else FindingState.NOTE
    mend = "" if state is FindingState.OK else "end what else uses the card (`nvidia-smi` lists it)"
    yield Finding("memory", state, f"{free / GB:.1f} of {total / GB:.1f} GB free, {rate / GB:,.0f} GB/s", mend)
