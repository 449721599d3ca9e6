"""What backend verl foresees of an experiment: memory by phase, checkpoints, hours by type of GPU."""

from __future__ import annotations

from collections.abc import Iterator

from harness.backends import gpu_hours
from harness.backends.gpu_hours import Placement, learning_parameters
from harness.backends.gpus import READING, TYPES, GpuType
from harness.backends.predicted import DeviceHours, Prediction, Workload
from harness.backends.verl import memory
from harness.backends.verl.keys import most_sequences
from harness.backends.verl.memory import FP32, Load
from harness.backends.verl.options import VerlSettings, copies_of_sampler, settings_of
from harness.config.experiment import Arm, Experiment


def predict(experiment: Experiment, work: Workload) -> Prediction:
    """Empty on a CPU, where workers are there for tests. Of several arms memory is the largest's."""
    settings = settings_of(experiment)
    if settings.device == "cpu":
        return Prediction()
    load = load_of(experiment, work)
    written = [_checkpoint_bytes(experiment, arm, work) for arm in experiment.arms]

    def hours(gpu: GpuType, tokens: float | None) -> dict[str, float]:
        return gpu_hours.hours(experiment, work, placement(settings, gpu), tokens, written)

    found = []
    for gpu in TYPES:
        needed = max(phase.bytes for phase in memory.device_phases(load, gpu))
        tokens = work.response_tokens
        expected = None if tokens is None else hours(gpu, tokens)
        found.append(DeviceHours(gpu.name, gpu.memory, needed, hours(gpu, None), expected))
    return Prediction(
        unit="GPU",
        memory=memory.device_phases(load, TYPES[0]),
        host=memory.host_phases(load),
        checkpoint_bytes=max(written),
        hours=tuple(found),
        assumed=tuple(_assumed(settings)),
        response_tokens=work.response_tokens,
    )


def placement(settings: VerlSettings, gpu: GpuType) -> Placement:
    """As verl lays a trial out."""
    return Placement(
        gpu=gpu,
        width=2 if settings.precision == "bf16" else FP32,
        sampler_bytes=settings.sampler_memory * gpu.memory,
        most_sequences=most_sequences(settings),
        checkpointing=bool(settings.gradient_checkpointing),
        reading=READING,
        devices=settings.devices,
        nodes=settings.nodes,
        copy_devices=settings.tensor_parallel,
        start_copies=len(copies_of_sampler(settings, "")),
        longest_prompt=None if settings.remove_padding else settings.max_prompt_tokens,
        masked=bool(settings.remove_padding) and settings.flash_attention is False,
        group_tokens=settings.max_prompt_tokens,
        sequence_parallel=settings.sequence_parallel,
    )


def _checkpoint_bytes(experiment: Experiment, arm: Arm, work: Workload) -> int:
    """Of one that the arm's trials can go on from."""
    width = 2 if settings_of(experiment).precision == "bf16" else FP32
    lags, moves = arm.recipe.generator_sync_steps > 1, arm.algorithm.reference == "synced"
    learning = learning_parameters(experiment, arm, work)
    return memory.checkpoint_bytes(work.parameters, learning, width, lags, moves)


def load_of(experiment: Experiment, work: Workload) -> Load:
    """The largest that any arm asks for."""
    settings, arms = settings_of(experiment), experiment.arms
    return Load(
        shape=work.shape,
        parameters=work.parameters,
        settings=settings,
        tokens=max(arm.recipe.microbatch_tokens for arm in arms),
        flash=settings.flash_attention is not False,
        unit_temperature=all(arm.recipe.temperature == 1.0 for arm in arms),
        entropy=any(arm.algorithm.wants_entropy for arm in arms),
        reference=any(arm.algorithm.reference for arm in arms),
        lags=any(arm.recipe.generator_sync_steps > 1 for arm in arms),
        adapters=max(learning_parameters(experiment, arm, work) for arm in arms)
        if all(arm.recipe.lora for arm in arms)
        else None,
    )


def _assumed(settings: VerlSettings) -> Iterator[str]:
    shares = ", ".join(f"{gpu.name} {100 * gpu.training:.0f} %" for gpu in TYPES)
    yield (
        f"of the data sheets' bf16 peaks {shares} in training (A100: arXiv 2104.04473, H100: 2407.21783; the others "
        f"a guess), and of the memory's bandwidth {100 * READING:.0f} % in sampling (a guess)"
    )
    yield (
        f"{gpu_hours.PROMPT_TOKENS} tokens a prompt, {gpu_hours.START_SECONDS:.0f} s to start a trial, "
        f"{gpu_hours.STEP_SECONDS:.0f} s between sampling and learning of a step, weights sent at "
        f"{gpu_hours.SEND_BYTES / 1e9:.0f} GB a second, checkpoints written at {gpu_hours.WRITE_BYTES / 1e9:.0f} "
        "(guesses)"
    )
    if settings.flash_attention is None:
        yield "flash-attn is installed; `verl.flash_attention=false` shows what it takes without"
