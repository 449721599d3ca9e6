"""What the backend foresees of an experiment: memory, and hours by type of device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.backends.predicted import Prediction, Workload
from harness.backends.registry import get_backend
from harness.config.evaluation import Evaluation
from harness.config.experiment import Experiment
from harness.models.shape import shape


def predict(
    experiment: Experiment,
    model: Path | None,
    parameters: int | None,
    problems: Mapping[str, int],
    tokens: float | None,
) -> Prediction:
    """Empty where the model's sizes are not known, or the backend cannot tell.

    Args:
        model: folder of the initial weights; None if they are not on this machine.
        parameters: of the model, counted or stated; None: not known.
        problems: benchmark -> number of its problems.
        tokens: how long a response is expected to be; None: not known.
    """
    sizes = shape(experiment.model, model)
    if sizes is None or parameters is None:
        return Prediction()
    evaluation = experiment.evaluation
    last = tuple(_headline(evaluation, problems))
    first = next(iter(evaluation.ways))
    curve = [(first, problems[name] * k) for name, k in evaluation.curve.items()] * (evaluation.points - 1)
    work = Workload(sizes, parameters, (*curve, *last), last, tokens, model)
    return get_backend(experiment.backend).predict(experiment, work)


def _headline(evaluation: Evaluation, problems: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Decoding and answers of each benchmark."""
    for name, way in evaluation.ways.items():
        yield from ((name, problems[benchmark] * k) for benchmark, k in way.benchmarks.items())
