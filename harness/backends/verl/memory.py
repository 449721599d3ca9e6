"""Memory of a trial, by phase, from sizes alone: closed formulas, the largest micro-batch that the settings allow.

What a layer keeps for its backward pass is counted tensor by tensor, as transformers' modules make them, and is held
against torch's fake tensors in `tests/harness/test_verl_memory.py`. P parameters, N ranks, T tokens of a micro-batch,
e bytes of a number in a pass (bf16: 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.backends.gpus import GpuType
from harness.backends.predicted import MemoryPhase
from harness.backends.verl.options import VerlSettings
from harness.models.shape import ModelShape

FP32 = 4
_RUNTIME = 4_000_000_000
"""CUDA's contexts of learner and sampler, NCCL's buffers and the allocator's gaps: a guess"""
_PROCESS = 4_000_000_000
"""of the host's memory, for one worker or sampler with torch and CUDA in it: a guess"""
_ENTROPY_ROWS = 2048
"""verl's `entropy_from_logits_chunk_size`"""
_MASK = 3
"""bytes a pair of tokens that torch's attention holds of a packed micro-batch"""


@dataclass(frozen=True)
class Load:
    """What decides the memory of a trial; of several arms, the largest of each."""

    shape: ModelShape
    parameters: int
    settings: VerlSettings
    tokens: int
    """of a micro-batch, on one device"""
    flash: bool
    """whether attention and log-probs are flash-attn's"""
    unit_temperature: bool = True
    entropy: bool = False
    """whether the loss has the entropy in it"""
    reference: bool = False
    lags: bool = False
    """whether the sampler does"""
    adapters: int | None = None
    """numbers that learn where adapters do, beside the model's; None: the model's own weights learn"""

    @property
    def width(self) -> int:
        """Bytes of a number in a pass."""
        return 2 if self.settings.precision == "bf16" else FP32

    @property
    def learning(self) -> int:
        """Numbers that have a gradient and moments."""
        return self.parameters if self.adapters is None else self.adapters


def kept_by_layer(shape: ModelShape, width: int) -> int:
    """Bytes that a layer keeps of one token for its backward pass.

    A norm keeps its input in fp32, what it made of it, and its output, which a projection keeps too.
    """
    e, h, q, k = width, shape.hidden, shape.queries, shape.keys
    norm = FP32 + 2 * e
    projected = norm if shape.qk_norm else e
    # Rotated queries and keys: the half-turned ones, and the sum, which attention keeps beside values and its output.
    attention = (q + k) * (projected + 2 * e) + k * e + q * e + FP32 * shape.heads
    return 2 * norm * h + attention + 4 * e * shape.intermediate


def activations(load: Load) -> dict[str, int]:
    """Of an update's largest moment between the layers' first and the logits."""
    shape, e, tokens = load.shape, load.width, load.tokens
    inside = kept_by_layer(shape, e)
    # The gradients of an MLP's three inner tensors are there before what they are made of is gone.
    backward = 3 * e * shape.intermediate * tokens
    if load.settings.gradient_checkpointing:
        kept = {"layers' inputs": shape.layers * shape.hidden * e * tokens}
        last = {"one layer's insides": inside * tokens + backward}
    else:
        kept = {"layers' insides": shape.layers * inside * tokens}
        last = {"gradients of a layer's insides": backward}
    norm = {"last norm": (FP32 + 2 * e) * shape.hidden * tokens}
    at_logits = {**norm, "logits and their gradient": logits(load)}
    # Whichever is larger: a layer's backward pass begins when the logits are gone.
    return {**kept, **max(last, at_logits, key=lambda parts: sum(parts.values())), **masks(load)}


def logits(load: Load) -> int:
    """Bytes of the logits in an update, their gradient among them.

    With flash-attn's cross-entropy: once, and their gradient. Without, log-probs are torch's, row by row: a softmax
    in fp32 is kept of each row; when all rows are done there are the logits and their gradient, in rows and whole.
    """
    e, cells = load.width, load.tokens * load.shape.vocab
    scaled = 0 if load.unit_temperature else e
    with_entropy = 2 * FP32 if load.entropy else 0
    if load.flash:
        return cells * (2 * e + scaled + with_entropy)
    rows = max(e + FP32, 3 * e) if e < FP32 else 4 * e
    return cells * (rows + scaled + with_entropy)


def device_phases(load: Load, gpu: GpuType) -> tuple[MemoryPhase, ...]:
    """Of one rank."""
    p, ranks, e, shape = load.parameters, load.settings.devices, load.width, load.shape
    adapters = {} if load.adapters is None else {"adapters, fp32": FP32 * load.adapters // ranks}
    weights = {"weights, fp32": FP32 * p // ranks, **adapters}
    moments = {"moments of AdamW": 2 * FP32 * load.learning // ranks}
    # FSDP2 shares the gradients of what lies outside the layers, and of two layers at a time.
    unshared = max(shape.embedding, 2 * shape.layer) if load.adapters is None else 2 * load.adapters // shape.layers
    gone = load.settings.offload
    waiting = {**({} if "params" in gone else weights), **({} if "optimizer" in gone else moments)}
    largest = FP32 * shape.vocab * shape.hidden
    runtime = {"CUDA and gaps": _RUNTIME}
    # FSDP2 keeps what lies outside the layers gathered, and prefetches a layer while another is computed.
    gathered = {"gathered weights": e * (shape.embedding + 2 * shape.layer)}
    entropy = 3 * FP32 * min(_ENTROPY_ROWS, load.tokens) * shape.vocab
    scaled = 0 if load.unit_temperature else e
    score = {
        "logits": load.tokens * shape.vocab * (e + scaled),
        "entropy by chunks": entropy,
        "a layer": (kept_by_layer(shape, e) * load.tokens) // 2,
    }
    return (
        MemoryPhase("load", {**weights, "the largest weight, whole": 2 * largest, **runtime}),
        MemoryPhase("sampling", {"sampler": int(load.settings.sampler_memory * gpu.memory), **waiting, **runtime}),
        MemoryPhase("log-probs", {**weights, **_unless(gone, moments), **gathered, **score, **masks(load), **runtime}),
        MemoryPhase(
            "update",
            {
                **weights,
                "gradients, fp32": FP32 * load.learning // ranks,
                **moments,
                **gathered,
                "gradients before they are shared": (e + FP32) * unshared,
                **activations(load),
                **runtime,
            },
        ),
        MemoryPhase("checkpoint", {**weights, **moments, "the largest weight, whole": largest, **runtime}),
    )


def host_phases(load: Load) -> tuple[MemoryPhase, ...]:
    """Of one machine, with as many trials as it has slots. A model with tied embeddings is loaded whole, in fp32, by
    each of its ranks (verl #7834)."""
    p, each = load.parameters, load.settings.gpus_on_node
    trials = max(1, load.settings.gpus_per_node // each)
    here, whole = each * trials, FP32 * p
    part = trials * whole // load.settings.nodes
    processes = {"processes": 2 * here * _PROCESS}
    reference = {"reference": part} if load.reference and load.adapters is None else {}
    learning = trials * FP32 * load.learning // load.settings.nodes
    copies = here if load.shape.tied else trials
    stays = dict(reference)
    if load.lags:
        stays["the sampler's weights, and once more while they are exchanged"] = 2 * learning
    if "params" in load.settings.offload:
        stays["offloaded weights"] = part
    if "optimizer" in load.settings.offload:
        stays["offloaded moments"] = 2 * learning
    loaded = {f"the model, whole, {copies} times" if copies > 1 else "the model, whole": copies * whole}
    # A model is put together on the first rank, in a module that is filled and as what fills it.
    written = {"the model, whole, and in the making": 2 * trials * load.width * p, "parts to write": 3 * learning}
    return (
        MemoryPhase("load", {**loaded, **reference, **processes}),
        MemoryPhase("training", {**stays, **processes}),
        MemoryPhase("checkpoint", {**stays, **written, **processes}),
    )


def checkpoint_bytes(parameters: int, learning: int, width: int, lags: bool, reference_moves: bool) -> int:
    """A model as wide as a pass, and to go on from, in fp32: what learns with its two moments, and what a sampler that
    lags or a reference that moves has of it; adapters once more, to be read alone."""
    alone = FP32 * learning if learning != parameters else 0
    return width * parameters + FP32 * (3 + int(lags) + int(reference_moves)) * learning + alone


def masks(load: Load) -> dict[str, int]:
    """Bytes that torch's attention holds to keep packed sequences apart; none with flash-attn."""
    if load.flash or not load.settings.remove_padding:
        return {}
    layers = 1 if load.settings.gradient_checkpointing else 1 + 2 * load.shape.layers / _MASK
    return {"mask of packed sequences": int(_MASK * load.tokens**2 * layers)}


def _unless(gone: tuple[str, ...], moments: Mapping[str, int]) -> Mapping[str, int]:
    return {} if "optimizer" in gone else moments
