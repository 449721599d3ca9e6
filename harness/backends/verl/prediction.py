"""What backend verl foresees of an experiment: memory by phase, checkpoints, hours by type of GPU."""

from __future__ import annotations

from collections.abc import Iterator

from harness.backends.predicted import DeviceHours, Prediction, Workload
from harness.backends.verl import hours, memory
from harness.backends.verl.gpus import READING, TYPES
from harness.backends.verl.memory import Load
from harness.backends.verl.options import VerlSettings, settings_of
from harness.config.experiment import Experiment


def predict(experiment: Experiment, work: Workload) -> Prediction:
    """Empty on a CPU, where workers are there for tests. Of several arms memory is the largest's."""
    settings = settings_of(experiment)
    if settings.device == "cpu":
        return Prediction()
    load = load_of(experiment, work)
    found = []
    for gpu in TYPES:
        needed = max(phase.bytes for phase in memory.device_phases(load, gpu))
        tokens = work.response_tokens
        expected = None if tokens is None else hours.hours(experiment, work, gpu, tokens)
        found.append(DeviceHours(gpu.name, gpu.memory, needed, hours.hours(experiment, work, gpu, None), expected))
    return Prediction(
        unit="GPU",
        memory=memory.device_phases(load, TYPES[0]),
        host=memory.host_phases(load),
        checkpoint_bytes=max(hours.checkpoint_bytes(experiment, arm, work) for arm in experiment.arms),
        hours=tuple(found),
        assumed=tuple(_assumed(settings)),
        response_tokens=work.response_tokens,
    )


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
    )


def _assumed(settings: VerlSettings) -> Iterator[str]:
    shares = ", ".join(f"{gpu.name} {100 * gpu.training:.0f} %" for gpu in TYPES)
    yield (
        f"of the data sheets' bf16 peaks {shares} in training (A100: arXiv 2104.04473, H100: 2407.21783; L40S and B200 "
        f"a guess), and of the memory's bandwidth {100 * READING:.0f} % in sampling (a guess)"
    )
    yield (
        f"{hours.PROMPT_TOKENS} tokens a prompt, {hours.START_SECONDS:.0f} s to start a trial, "
        f"{hours.STEP_SECONDS:.0f} s between sampling and learning of a step, weights sent at "
        f"{hours.SEND_BYTES / 1e9:.0f} GB a second, checkpoints written at {hours.WRITE_BYTES / 1e9:.0f} (guesses)"
    )
    if settings.flash_attention is None:
        yield "flash-attn is installed; `verl.flash_attention=false` shows what it takes without"
