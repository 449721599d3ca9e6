"""What backend local foresees of an experiment on a GPU: memory by phase, checkpoints, hours by type of card."""

from __future__ import annotations

from collections.abc import Iterator

from harness.backends import gpu_hours
from harness.backends.gpu_hours import FP32, Placement, learning_parameters
from harness.backends.gpus import TYPES, GpuType
from harness.backends.local.memory import ROWS, RUNTIME, needed, phases, settled
from harness.backends.local.settings import settings_of
from harness.backends.predicted import DeviceHours, Prediction, Workload
from harness.config.experiment import Arm, Experiment

READING = 0.4
"""share of the memory's bandwidth that the sampler's decoding reaches: a guess; vLLM's paged attention does more"""
LAUNCH_SECONDS = 2e-4
"""that a layer of the sampler takes for a token of all its rows, at least: launches of kernels, a guess"""
START_SECONDS = 60.0
"""from a trial's start to its first step: a guess"""


def predict(experiment: Experiment, work: Workload) -> Prediction:
    """Memory by phase is of the first type of card; layers are computed again on those where they would not fit
    otherwise."""
    written = [_checkpoint_bytes(experiment, arm, work) for arm in experiment.arms]

    def hours(gpu: GpuType, tokens: float | None) -> dict[str, float]:
        return gpu_hours.hours(experiment, work, placement(experiment, work, gpu), tokens, written)

    found = []
    for gpu in TYPES:
        tokens = work.response_tokens
        expected = None if tokens is None else hours(gpu, tokens)
        takes = needed(settled(experiment, work, gpu.memory))
        found.append(DeviceHours(gpu.name, gpu.memory, takes, hours(gpu, None), expected))
    return Prediction(
        unit="GPU",
        memory=phases(settled(experiment, work, TYPES[0].memory)),
        checkpoint_bytes=max(written),
        hours=tuple(found),
        assumed=tuple(_assumed(experiment, work)),
        response_tokens=work.response_tokens,
    )


def placement(experiment: Experiment, work: Workload, gpu: GpuType) -> Placement:
    """One process on one card. The sampler has what the other phases leave: its keys and values, and its weights, which
    stay."""
    load = settled(experiment, work, gpu.memory)
    sampling = phases(load)[0].parts
    stays = sum(sampling.values()) - sampling["keys and values, at most"] - sampling["weights"]
    return Placement(
        gpu=gpu,
        width=load.width,
        sampler_bytes=gpu.memory - stays,
        most_sequences=ROWS,
        checkpointing=load.checkpointing,
        reading=READING,
        launch_seconds=LAUNCH_SECONDS,
        rescores=False,
        start_seconds=START_SECONDS,
    )


def _checkpoint_bytes(experiment: Experiment, arm: Arm, work: Workload) -> int:
    """Of one that the arm's trials can go on from: the model in fp32, two moments of what learns, and what neither the
    initial model nor the learner can restore."""
    learning = learning_parameters(experiment, arm, work)
    copies = 2 + int(arm.recipe.generator_sync_steps > 1) + int(arm.algorithm.reference == "synced")
    alone = FP32 * learning if arm.recipe.lora else 0
    return FP32 * (work.parameters + copies * learning) + alone


def _assumed(experiment: Experiment, work: Workload) -> Iterator[str]:
    shares = ", ".join(f"{gpu.name} {100 * gpu.training:.0f} %" for gpu in TYPES)
    yield (
        f"of the data sheets' bf16 peaks {shares} in training (shares that others published of larger models on A100 "
        f"and H100, else a guess), and of the memory's bandwidth {100 * READING:.0f} % in sampling (a guess)"
    )
    yield (
        f"{1e3 * LAUNCH_SECONDS:g} ms a layer and token in sampling at least, {gpu_hours.PROMPT_TOKENS} tokens a "
        f"prompt, {START_SECONDS:.0f} s to start a trial, "
        f"{gpu_hours.STEP_SECONDS:.0f} s between sampling and learning of a step, checkpoints written at "
        f"{gpu_hours.WRITE_BYTES / 1e9:.0f} GB a second, CUDA and gaps {RUNTIME / 1e9:.0f} GB (guesses)"
    )
    again = [gpu.name for gpu in TYPES if settled(experiment, work, gpu.memory).checkpointing]
    if again and settings_of(experiment).gradient_checkpointing is None:
        yield f"layers are computed again in the backward pass on {', '.join(again)}, which is slower"
    yield "`needed` is what a trial takes of a card at least: its sampler takes more where there is more"
