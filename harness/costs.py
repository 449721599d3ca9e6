"""What a plan will cost, from above: every response as long as it may be, nothing filtered away."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from harness.experiment import Arm, Experiment


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
    """of the model; None if its weights are not here to be counted, and then what follows is None as well"""
    flops: float | None
    hours: float | None
    """core- or GPU-hours at the stated throughput; None for a backend without one"""
    unit: str
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

    throughput = THROUGHPUT.get(experiment.backend)
    size = parameters(model) if model else None
    flops = hours = disk = None
    if size is not None:
        sampling = 2.0 * size * (train_tokens + evaluation_tokens)
        training = float(sum(_training_flops(arm, size, experiment.budget_rollouts) * seeds for arm in experiment.arms))
        flops = sampling + training
        if throughput:
            hours = (sampling / throughput.generate_flops + training / throughput.train_flops) / 3600
        disk = _disk(trials, evaluation.points, size, attempts, evaluation_tokens)
    return Costs(
        trials=trials,
        rollouts=experiment.budget_rollouts * trials,
        attempts=attempts,
        train_tokens=train_tokens,
        evaluation_tokens=evaluation_tokens,
        parameters=size,
        flops=flops,
        hours=hours,
        unit=throughput.unit if throughput else "",
        throughput=throughput.stated if throughput else "",
        disk_bytes=disk,
    )


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


def _training_flops(arm: Arm, size: int, rollouts: int) -> float:
    """Forward and backward of every pass (6 a parameter and token), a reference's forward (2)."""
    passes = 6 * arm.recipe.epochs + (2 if arm.algorithm.reference else 0) + (2 if arm.algorithm.measures else 0)
    return float(size) * passes * rollouts * arm.recipe.max_tokens


def _disk(trials: int, points: int, size: int, attempts: int, tokens: int) -> int:
    """Weights in fp32 at each point, one state to resume from (weights and both moments), attempt rows."""
    return trials * 4 * size * (points + 3) + 150 * attempts + 4 * tokens
