"""What a plan will cost, from above: every response as long as it may be, nothing filtered away."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from harness.config.experiment import Arm, Experiment
from harness.models import smollm


@dataclass(frozen=True)
class Throughput:
    """What a core or a device is assumed to do."""

    unit: str
    """core or GPU"""
    generate_flops: float
    """useful floating-point operations a second in sampling"""
    train_flops: float
    """in forward and backward passes of training"""
    stated: str
    """where the figures come from"""


THROUGHPUT = {
    "local": Throughput(
        "core",
        3.5e9,
        1e10,
        "one core of an AVX-512 machine with the quickstart's model, which is small; 22 November 2026",
    ),
    "verl": Throughput("GPU", 30e12, 125e12, "an A100: 40 % of its bf16 peak in training, 10 % in sampling; a guess"),
}


STATED = {
    smollm.NAME: smollm.PARAMETERS,
    "Qwen/Qwen3-0.6B": 596_049_920,
    "Qwen/Qwen3-1.7B": 1_720_574_976,
    "Qwen/Qwen3-4B": 4_022_468_096,
    "Qwen/Qwen3-8B": 8_190_735_360,
}
"""parameters of models that need not be here to be planned with, worked out from their published config.json; tied
embeddings are counted once. Base models have the same sizes"""


@dataclass(frozen=True)
class Costs:
    """Tokens are response tokens; all figures are at most."""

    trials: int
    rollouts: int
    """generated in training, all trials"""
    attempts: int
    """evaluation answers, the untrained model's included"""
    train_tokens: int
    evaluation_tokens: int
    parameters: int | None
    """of the model; None, as then FLOPs, hours and disk, if its weights are not here and its size is not stated"""
    counted: bool
    """from the weights' own headers; otherwise as stated"""
    flops: float | None
    hours: float | None
    """core- or GPU-hours at the stated throughput; None for a backend without one"""
    unit: str
    devices: int
    """cores or GPUs that a trial keeps busy"""
    throughput: str
    disk_bytes: int | None


def estimate(experiment: Experiment, model: Path | None, problems: Mapping[str, int]) -> Costs:
    """
    Args:
        model: folder of the initial weights; None if they are not on this machine.
        problems: benchmark -> number of its problems.
    """
    evaluation = experiment.evaluation
    headline = sum(problems[name] * k for name, k in evaluation.benchmarks.items())
    curve = sum(problems[name] * k for name, k in evaluation.curve.items())
    seeds, trials = len(experiment.seeds), len(experiment.seeds) * len(experiment.arms)
    attempts = headline + trials * (headline + curve * (evaluation.points - 1))
    train_tokens = sum(experiment.budget_rollouts * arm.recipe.max_tokens * seeds for arm in experiment.arms)
    evaluation_tokens = attempts * evaluation.max_tokens

    throughput = _throughput(experiment)
    counted = parameters(model) if model else None
    size = counted or stated(experiment.model)
    flops = hours = disk = None
    if size is not None:
        sampling = 2.0 * size * (train_tokens + evaluation_tokens)
        training = float(sum(_training_flops(experiment, arm, size) * seeds for arm in experiment.arms))
        flops = sampling + training
        if throughput:
            hours = (sampling / throughput.generate_flops + training / throughput.train_flops) / 3600
        disk = _disk(experiment, trials, size) + 150 * attempts + 4 * evaluation_tokens
    return Costs(
        trials=trials,
        rollouts=experiment.budget_rollouts * trials,
        attempts=attempts,
        train_tokens=train_tokens,
        evaluation_tokens=evaluation_tokens,
        parameters=size,
        counted=counted is not None,
        flops=flops,
        hours=hours,
        unit=throughput.unit if throughput else "",
        devices=experiment.verl.devices if experiment.backend == "verl" else 1,
        throughput=throughput.stated if throughput else "",
        disk_bytes=disk,
    )


def sampling_hours(experiment: Experiment, size: int, tokens: int) -> float | None:
    """Core- or GPU-hours to sample so many tokens from a model of so many parameters."""
    throughput = _throughput(experiment)
    return 2.0 * size * tokens / throughput.generate_flops / 3600 if throughput else None


def _throughput(experiment: Experiment) -> Throughput | None:
    """None for a backend that is not in the table, and for verl's workers on CPU, which are there for tests."""
    on_cpu = experiment.backend == "verl" and experiment.verl.device == "cpu"
    return None if on_cpu else THROUGHPUT.get(experiment.backend)


def stated(model: str) -> int | None:
    """Parameters of a hub id that is known, whatever its revision."""
    return STATED.get(model.partition("@")[0].removesuffix("-Base"))


def parameters(model: Path) -> int | None:
    """Counted from the headers of the safetensors files, without loading them."""
    shapes = [tensor["shape"] for file in sorted(model.glob("*.safetensors")) for tensor in _header(file).values()]
    return sum(prod(shape) for shape in shapes) if shapes else None


def _header(file: Path) -> dict[str, dict[str, list[int]]]:
    with file.open("rb") as f:
        (length,) = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(length))
    header.pop("__metadata__", None)
    return header


def _training_flops(experiment: Experiment, arm: Arm, size: int) -> float:
    """A parameter and token: forward and backward of every pass (6); the forwards of measuring, of a reference, and of
    the learner's own log-probs of what verl's sampler wrote (2 each)."""
    epochs = arm.recipe.epochs
    passes = 6 * epochs + 2 * epochs * bool(arm.algorithm.measures) + 2 * bool(arm.algorithm.reference)
    passes += 2 * (experiment.backend == "verl")
    return float(size) * passes * experiment.budget_rollouts * arm.recipe.max_tokens


def _disk(experiment: Experiment, trials: int, size: int) -> int:
    """Bytes of weights in fp32 (4 a parameter): at each point, and what is needed to resume.

    Locally each trial has one state, weights and both moments. With verl one trial at a time has all the devices; its
    state has a second copy of the weights in shards and may have a reference, and is there twice while it is written.
    """
    weights = trials * experiment.evaluation.points
    states = 2 * 5 if experiment.backend == "verl" else 3 * trials
    return 4 * size * (weights + states)
