"""What a trial takes of each of its machines besides CPUs and GPUs, and what a machine lacks of it.

Every limit that ends a trial has its reason beside it; where something is only risky, the finding is a note. verl waits
without end for what dies of such a lack, or Ray kills without a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

from harness.backends.verl.node import NodeFound
from harness.backends.verl.options import VerlSettings, settings_of
from harness.base.errors import UserError
from harness.base.findings import Finding, FindingState
from harness.config.experiment import Arm, Experiment
from harness.models.tensor_files import tensors

MB, GB, MIB, GIB = 10**6, 10**9, 2**20, 2**30

WORKERS_MOST = 0.95
"""of a machine's memory: above, Ray 2.60 kills workers (RAY_memory_usage_threshold)"""
CPU_CACHE = GIB
"""keys and values of each sampler on a CPU: VLLM_CPU_KVCACHE_SPACE in `platform.py`"""
BUCKET = 16 * MIB
"""of shared memory with each device on a CPU, in which weights go to the sampler (`keys.py`); GPUs share their own"""
NCCL = GIB
"""where GPUs of one machine talk to each other: NVIDIA's guide to NCCL, "Troubleshooting", Docker's `--shm-size=1g`"""
RINGS, WORKER_RINGS = 10 * 16 * MIB, 10 * 24 * MIB
"""for messages to the workers of one vLLM server, and from each worker (vLLM 0.28, `shm_broadcast.py`). They take no
memory before they are written to"""
DESCRIPTORS, DEVICE_DESCRIPTORS = 256, 32
"""of the process that has most of them, and for each device more: over twice what was counted on CPUs, 124 with two
devices (a learner's worker)"""
RAY_WARNS, RAY_ADVISES = 4096, 65536
"""descriptors: below the first Ray 2.60 warns of broken connections (`worker.py`); the second stands in its templates
of clusters"""
LEAST_SCRATCH = 100 * MB
"""sessions, sockets and logs of one start; some 1 MB on CPUs, and a log may grow to 512 MB before Ray rotates it"""
RAY_FULL = 0.95
"""of a disk: above, Ray writes no objects to it (RAY_local_fs_capacity_threshold)"""
MOST_NAMED = 4
"""machines in a message"""

MEMORY, SHARED, FILES, SCRATCH, GPUS = "host memory", "shared memory", "file descriptors", "scratch disk", "gpus"


@dataclass(frozen=True)
class NodeNeeds:
    """Of one machine; zero or false: not asked for."""

    memory: int = 0
    """bytes in the host's memory, at the worst of a trial's phases"""
    why_memory: str = ""
    shared_memory: int = 0
    """bytes without which it cannot work"""
    shared_memory_risky: int = 0
    """bytes below which it may fail"""
    descriptors: int = 0
    alone: bool = False
    """whether the machines work for nobody else, so that what is not free now will not be free later"""


def needs_of(experiment: Experiment, arms: Sequence[Arm], model: Path | None, alone: bool) -> NodeNeeds:
    """Of a trial.

    Args:
        arms: of which it may be one.
        model: folder of its initial weights; None: not here, so the host's memory is not asked for.
        alone: see `NodeNeeds`.
    """
    settings = settings_of(experiment)
    each, servers = settings.gpus_on_node, -(-settings.gpus_on_node // settings.tensor_parallel)
    rings = servers * RINGS + each * WORKER_RINGS
    on_cpu = settings.device == "cpu"
    least = each * BUCKET if on_cpu else NCCL if each > 1 else 0
    memory, why = host_memory(settings, arms, *_weights(model)) if model else (0, "")
    files = DESCRIPTORS + DEVICE_DESCRIPTORS * settings.devices
    return NodeNeeds(memory, why, least, 0 if on_cpu else least + rings, files, alone)


def host_memory(settings: VerlSettings, arms: Sequence[Arm], weights: int, tied: bool) -> tuple[int, str]:
    """Bytes on the machine that takes most, of weights and what is kept beside them, at the worst phase; and in words
    what they are: what is sure to be needed, by one trial. `memory.host_phases` is what a plan expects, with programs,
    what may be held besides, and the trials of all slots.

    Args:
        weights: bytes of the whole model in fp32.
        tied: whether its embeddings are also its last layer. verl 0.9.1 then loads the whole model on every rank, else
            on the first alone (`engine/fsdp/transformer_impl.py`, `_build_module`).
    """
    ranks, share = settings.gpus_on_node, weights * settings.gpus_on_node // settings.devices
    on_cpu = settings.device == "cpu"
    reference = any(arm.algorithm.reference for arm in arms)
    lags = any(arm.recipe.generator_sync_steps > 1 for arm in arms)
    offloaded = ("params" in settings.offload) + 2 * ("optimizer" in settings.offload)
    kept = {
        # On a CPU everything is there: weights, gradients and AdamW's two moments, and the samplers.
        "the learner": share * (4 if on_cpu else offloaded),
        "the reference": share * reference,
        "the weights of a sampler that lags": share * lags,
        "the samplers": on_cpu * (ranks // settings.tensor_parallel or 1) * (weights + CPU_CACHE),
    }
    loading = weights * (ranks if tied else 1)
    start = f"{ranks} ranks that each load the whole model in fp32, as its embeddings are tied"
    start = start if tied else "the first rank, which loads the whole model in fp32"
    phases = [(loading, start)]
    if reference:  # it is built first, and then the learner
        phases = [(loading + kept["the reference"], f"{start}, beside the reference")]
    rest = [name for name, size in kept.items() if size]
    # The first rank gathers the model in the precision of the passes; a sampler that lags is exchanged for a moment.
    written = weights // 2 if settings.precision == "bf16" else weights
    saved = " and ".join(["the whole model as a checkpoint is written", *([", ".join(rest)] if rest else [])])
    phases.append((sum(kept.values()) + max(written, share * lags), saved))
    return max(phases, key=lambda phase: phase[0])


def findings(needs: NodeNeeds, found: NodeFound) -> Iterator[Finding]:
    """One row for each resource of a machine."""
    yield _memory(needs, found)
    if found.shared_memory:
        yield _shared_memory(needs, found)
    yield _descriptors(needs, found)
    for space in found.scratch:
        share = 1 - space.free / space.total if space.total else 1.0
        said = f"{found.host}: {_size(space.free)} free at {space.folder}, {share:.0%} full"
        mend = "delete old sessions there, or set RAY_TMPDIR to a folder of another disk before Ray starts"
        if space.free < LEAST_SCRATCH:
            yield Finding(SCRATCH, FindingState.LACKS, f"{said}; at least {_size(LEAST_SCRATCH)} are needed", mend)
        elif share > RAY_FULL:
            said += f": above {RAY_FULL:.0%} Ray writes no objects to it"
            yield Finding(SCRATCH, FindingState.NOTE, said, mend)
        else:
            yield Finding(SCRATCH, FindingState.OK, said)


def of_one_kind(settings: VerlSettings, found: Iterable[NodeFound]) -> Iterator[Finding]:
    """Whether the GPUs that a trial may get are of one kind. Ranks of another kind have other memory and other kernels:
    the smallest and slowest would decide, and gradients be sums of differently rounded parts."""
    kinds = {one.host: Counter(one.gpus) for one in found if len(one.gpus) >= settings.gpus_on_node}
    models = {model for kind in kinds.values() for model in kind}
    if settings.device == "cpu" or len(models) < 2:
        return
    listed = "; ".join(f"{host} has {_counted(kind)}" for host, kind in list(kinds.items())[:MOST_NAMED])
    mixed = settings.nodes > 1 or any(len(kind) > 1 for kind in kinds.values())
    if mixed:
        mend = "start Ray on machines of one kind, and where kinds are mixed with CUDA_VISIBLE_DEVICES set to one kind"
        yield Finding(GPUS, FindingState.LACKS, f"a trial's GPUs must be of one kind: {listed}", mend)
    else:
        yield Finding(GPUS, FindingState.NOTE, f"trials get different GPUs, and their seconds do not compare: {listed}")


def check(rows: Iterable[Finding], who: str, warn: Callable[[str], None]) -> None:
    """
    Args:
        who: the trial, for the message.
        warn: told of what is only risky.
    Raises: UserError with all that is short.
    """
    rows = list(rows)
    for row in rows:
        if row.state is FindingState.NOTE:
            warn(f"{row.part}: {row.found}{f'. To mend it: {row.mend}' if row.mend else ''}")
    short = [row for row in rows if row.state is FindingState.LACKS]
    if not short:
        return
    lines = []
    for part in dict.fromkeys(row.part for row in short):
        own = [row for row in short if row.part == part]
        more = f" (and {len(own) - MOST_NAMED} more machines)" if len(own) > MOST_NAMED else ""
        lines.append(f"{part}: {'; '.join(row.found for row in own[:MOST_NAMED])}{more}. To mend it: {own[0].mend}.")
    raise UserError("\n".join([f"{who} cannot start:", *lines]))


def _memory(needs: NodeNeeds, found: NodeFound) -> Finding:
    said = f"{found.host}: {_size(found.memory_free)} free of {_size(found.memory_total)}"
    if not needs.memory:
        return Finding(MEMORY, FindingState.OK, said)
    usable = found.memory_total * WORKERS_MOST
    free = found.memory_free - found.memory_total * (1 - WORKERS_MOST)
    said += f", and a trial takes {_size(needs.memory)} besides its programs: {needs.why_memory}"
    mend = (
        "give the job more (SLURM: --mem), ask for fewer `verl.gpus_per_node` and more `verl.nodes`, or leave out "
        "`verl.offload`"
    )
    if needs.memory > usable or (needs.alone and needs.memory > free):
        return Finding(MEMORY, FindingState.LACKS, f"{said}. Above {WORKERS_MOST:.0%} Ray kills workers", mend)
    if needs.memory > free:
        return Finding(MEMORY, FindingState.NOTE, f"{said}. Others hold the rest now", mend)
    return Finding(MEMORY, FindingState.OK, said)


def _shared_memory(needs: NodeNeeds, found: NodeFound) -> Finding:
    space = found.shared_memory
    assert space is not None
    said = f"{found.host}: {_size(space.free)} free of {_size(space.total)} at {space.folder}"
    wanted = max(needs.shared_memory_risky, needs.shared_memory)
    mend = (
        f"start the container with --shm-size={-(-wanted // GIB) or 1}g (Kubernetes: an emptyDir with `medium: Memory` "
        f"at {space.folder}), or delete what is left there"
    )
    if space.free < needs.shared_memory:
        return Finding(SHARED, FindingState.LACKS, f"{said}, and a trial takes {_size(needs.shared_memory)}", mend)
    if space.free < wanted:
        return Finding(SHARED, FindingState.NOTE, f"{said}, and a trial may take {_size(wanted)}", mend)
    return Finding(SHARED, FindingState.OK, said)


def _descriptors(needs: NodeNeeds, found: NodeFound) -> Finding:
    said = f"{found.host}: a process may have {found.descriptors} files and connections open"
    mend = f"`ulimit -n {RAY_ADVISES}` before `ray start` or `rence run` (Docker: --ulimit nofile={RAY_ADVISES})"
    if found.descriptors < needs.descriptors:
        return Finding(FILES, FindingState.LACKS, f"{said}, and a trial takes up to {needs.descriptors}", mend)
    if found.descriptors < RAY_WARNS:
        return Finding(FILES, FindingState.NOTE, f"{said}; below {RAY_WARNS} Ray warns of broken connections", mend)
    return Finding(FILES, FindingState.OK, said)


def _weights(model: Path) -> tuple[int, bool]:
    """Bytes in fp32, and whether its embeddings are tied, as verl asks."""
    from transformers import AutoConfig

    weights = 4 * sum(prod(tensor.shape) for tensor in tensors(model).values())
    return weights, bool(AutoConfig.from_pretrained(model).tie_word_embeddings)


def _counted(kind: Counter[str]) -> str:
    return ", ".join(f"{count} x {model}" for model, count in kind.items())


def _size(count: float) -> str:
    return f"{count / GB:.1f} GB" if count >= GB else f"{count / MB:.0f} MB"
