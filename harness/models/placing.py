"""Putting a net where and in what it computes, and saying what is not there before anything is computed."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.utils.import_utils import is_flash_attn_2_available

from harness.base.devices import without_cuda
from harness.base.errors import UserError
from harness.models.attention import use_decoding_attention
from harness.models.compute import Compute
from harness.models.masters import Masters

_NOT_REPEATABLE = ".*does not have a deterministic implementation.*"


def check_device(compute: Compute) -> None:
    """Raises: UserError with the setting that fits, if this machine, its card or what is installed lacks something."""
    if compute.device == "cuda":
        if not torch.cuda.is_available():
            raise UserError(
                f"`local.device` is cuda, but torch {torch.__version__} sees no GPU: {_why_no_cuda()}.\n"
                "`local.device=cpu` computes on the processor; `rence doctor --gpu` says what is here."
            )
        if compute.dtype == "bf16" and not torch.cuda.is_bf16_supported(including_emulation=False):
            major, minor = torch.cuda.get_device_capability()
            raise UserError(
                f"`local.dtype` is bf16, but {torch.cuda.get_device_name()} (compute capability {major}.{minor}) has "
                "no bf16: cards have it from 8.0 on.\n`local.dtype=fp32` computes on it, in twice the memory."
            )
    if compute.attention == "flash_attention_2":
        lacks = "needs `local.device=cuda`" if compute.device != "cuda" else ""
        lacks = lacks or ("needs `local.dtype=bf16`" if compute.dtype != "bf16" else "")
        lacks = lacks or ("is of the package flash-attn, which is not here" if not is_flash_attn_2_available() else "")
        if lacks:
            raise UserError(f"`local.attention=flash_attention_2` {lacks}.\n`local.attention=sdpa` is torch's own.")


def _why_no_cuda() -> str:
    if reason := without_cuda():
        return reason
    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:  # torch raises the second where it is a build for the CPU
        return str(error).strip().partition("\n")[0].rstrip(".")
    return "it says no reason"


@contextmanager
def attention_of(compute: Compute) -> Iterator[dict[str, Any]]:
    """What `from_pretrained` is told; with sdpa nothing, for a model without it has one of its own.

    Raises: UserError if the model does not have the attention.
    """
    if compute.attention == "sdpa":
        yield {}
        return
    try:
        yield {"attn_implementation": compute.attention}
    except (ValueError, ImportError) as error:
        why = str(error).strip().partition("\n")[0].rstrip(".")
        raise UserError(
            f"`local.attention={compute.attention}`: {why}.\n`local.attention=sdpa` is torch's, where the model has it."
        ) from error


def place(net: PreTrainedModel, compute: Compute, *, to_train: bool = False) -> Masters | None:
    """Put a net that is in fp32 where and in what it computes, in place.

    Returns:
        fp32 masters, if it will be trained in fewer bits.
    """
    if compute.device == "cuda":
        _repeat()
    net.to(compute.device).eval()  # type: ignore[arg-type]
    masters = None
    if compute.dtype == "bf16":
        masters = Masters(net) if to_train else None
        # Parameters alone: rounded, the frequencies of rotary positions would be wrong at long range.
        for parameter in net.parameters():
            parameter.data = parameter.data.to(torch.bfloat16)
        net.config.dtype = torch.bfloat16
        if masters:
            masters.gather()
    use_decoding_attention(net)
    return masters


def _repeat() -> None:
    """Kernels that add up in one order, where CUDA has them, and fp32 that is not cut to TF32."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when cuBLAS starts
    # Micro-batches and caches are of every size: without it, what is free lies in pieces.
    os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
    warnings.filterwarnings("ignore", _NOT_REPEATABLE)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # only finds mistakes
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
