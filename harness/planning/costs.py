"""What a plan will cost, from above: every response as long as it may be, nothing filtered away."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import prod
from pathlib import Path
from typing import Any

from harness.backends.base import BackendCosts
from harness.backends.predicted import Prediction, total
from harness.backends.registry import get_backend
from harness.base.errors import UserError
from harness.config.evaluation import Evaluation
from harness.config.experiment import Arm, Experiment
from harness.models import shape, smollm
from harness.planning import predicting

STATED = {smollm.NAME: smollm.PARAMETERS, **{name: one.parameters for name, one in shape.STATED.items()}}
"""parameters of models that need not be here to be planned with; tied embeddings are counted once"""


_MOST_HEADER_BYTES = 100_000_000
"""what the format allows"""


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
    prediction: Prediction = field(default_factory=Prediction)
    """memory, and hours by type of device, as far as the backend can tell"""

    def to_json(self) -> dict[str, Any]:
        """For `rence plan --json`."""
        flat = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "prediction"}
        return {**flat, **({"prediction": self.prediction.to_json()} if self.prediction.memory else {})}


def estimate(
    experiment: Experiment, model: Path | None, problems: Mapping[str, int], response_tokens: float | None = None
) -> Costs:
    """
    Args:
        model: folder of the initial weights; None if they are not on this machine.
        problems: benchmark -> number of its problems.
        response_tokens: how long a response is expected to be; None: not known.
    """
    evaluation = experiment.evaluation
    ways = headline(evaluation, problems)
    curve = sum(problems[name] * k for name, k in evaluation.curve.items())
    seeds, trials = len(experiment.seeds), len(experiment.seeds) * len(experiment.arms)
    # The untrained model answers the headline once, under every decoding, for all trials; each trial answers it at its
    # last point, and the curve's benchmarks under the first decoding at the others.
    earlier = trials * curve * (evaluation.points - 1)
    attempts = (1 + trials) * sum(ways.values()) + earlier
    train_tokens = sum(experiment.budget_rollouts * arm.recipe.max_tokens * seeds for arm in experiment.arms)
    longest = sum(asked * evaluation.ways[name].max_tokens for name, asked in ways.items())
    evaluation_tokens = (1 + trials) * longest + earlier * evaluation.first.max_tokens

    backend = get_backend(experiment.backend).costs(experiment)
    throughput = backend.throughput
    counted = parameters(model) if model else None
    size = counted or stated(experiment.model)
    # Without a size there is no honest figure: unknown is None and not zero.
    flops = hours = disk = None
    if size is not None:
        # A forward pass takes 2 FLOPs a parameter and token: a multiplication and an addition (Kaplan et al. 2020,
        # section 2.1).
        sampling = 2.0 * size * (train_tokens + evaluation_tokens)
        training = float(
            sum(_training_flops(experiment, arm, size, backend.extra_passes) * seeds for arm in experiment.arms)
        )
        flops = sampling + training
        if throughput:
            hours = (sampling / throughput.generate_flops + training / throughput.train_flops) / 3600
        # Beside the weights, the attempts: about 150 bytes each, and 4 a response token.
        disk = _disk(experiment, trials, size, backend) + 150 * attempts + 4 * evaluation_tokens
    prediction = predicting.predict(experiment, model, size, problems, response_tokens)
    if prediction.hours:
        hours = total(prediction.hours[0].at_most)
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
        unit=throughput.unit if throughput else prediction.unit,
        devices=backend.devices,
        throughput=throughput.stated if throughput else "",
        disk_bytes=disk,
        prediction=prediction,
    )


def headline(evaluation: Evaluation, problems: Mapping[str, int]) -> dict[str, int]:
    """Decoding -> attempts of a checkpoint at the headline; the first is the headline's own.

    Args:
        problems: benchmark -> number of its problems.
    """
    return {name: sum(problems[b] * k for b, k in way.benchmarks.items()) for name, way in evaluation.ways.items()}


def sampling_hours(experiment: Experiment, size: int, tokens: int) -> float | None:
    """Core- or GPU-hours to sample so many tokens from a model of so many parameters."""
    throughput = get_backend(experiment.backend).costs(experiment).throughput
    return 2.0 * size * tokens / throughput.generate_flops / 3600 if throughput else None


def stated(model: str) -> int | None:
    """Parameters of a hub id that is known, whatever its revision."""
    return STATED.get(shape.plain_name(model))


def parameters(model: Path) -> int | None:
    """Counted from the headers of the safetensors files, without loading them."""
    shapes = [tensor["shape"] for file in sorted(model.glob("*.safetensors")) for tensor in _header(file).values()]
    return sum(prod(shape) for shape in shapes) if shapes else None


def _header(file: Path) -> dict[str, dict[str, list[int]]]:
    with file.open("rb") as f:
        try:
            (length,) = struct.unpack("<Q", f.read(8))
            header: dict[str, Any] = json.loads(f.read(min(length, _MOST_HEADER_BYTES)))
            header.pop("__metadata__", None)
            return {name: {"shape": [int(n) for n in tensor["shape"]]} for name, tensor in header.items()}
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, struct.error):
            raise UserError(
                f"{file} is no safetensors: its header cannot be read. Try the model's files again."
            ) from None


def _training_flops(experiment: Experiment, arm: Arm, size: int, extra_passes: int) -> float:
    """A parameter and token: forward and backward of every pass (6); the forwards of measuring, of a reference, and
    those that the backend adds (2 each)."""
    epochs = arm.recipe.epochs
    passes = 6 * epochs + 2 * epochs * bool(arm.algorithm.measures) + 2 * bool(arm.algorithm.reference)
    passes += 2 * extra_passes
    return float(size) * passes * experiment.budget_rollouts * arm.recipe.max_tokens


def _disk(experiment: Experiment, trials: int, size: int, backend: BackendCosts) -> int:
    """Bytes: of the model at each point, and of what is needed to resume, in fp32 (4 a parameter)."""
    weights = trials * experiment.evaluation.points
    states = trials if backend.states is None else backend.states
    return size * (backend.weight_bytes * weights + 4 * backend.state_copies * states)
