"""What an evaluation is: all that its attempts depend on."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.marking import MARKER_VERSION
from benchmarks.problems import Benchmark
from harness.config.evaluation import Evaluation
from harness.records import EvalRecord


@dataclass(frozen=True)
class EvaluatedCheckpoint:
    """The checkpoint that is asked."""

    arm: str
    seed: int | None
    step: int
    rollouts: int
    grid: int
    model_hash: str


def header_of(
    evaluation: Evaluation,
    template: str,
    subject: EvaluatedCheckpoint,
    benchmark: Benchmark,
    k: int,
    engine: str,
    engine_version: str,
) -> EvalRecord:
    """What an evaluation is: all that its attempts depend on.

    Args:
        benchmark: as it is asked, a limit applied.
    """
    # A resumed evaluation is compared with this field by field, so nothing of the machine stands here but the engine's
    # version, on which the last digits depend.
    return EvalRecord(
        arm=subject.arm,
        seed=subject.seed,
        step=subject.step,
        rollouts=subject.rollouts,
        grid=subject.grid,
        benchmark=benchmark.name,
        benchmark_hash=benchmark.hash,
        problems=len(benchmark.problems),
        k=k,
        model_hash=subject.model_hash,
        template=template,
        engine=engine,
        engine_version=engine_version,
        grader_version=MARKER_VERSION,
        sampling={
            "temperature": evaluation.temperature,
            "top_p": evaluation.top_p,
            "max_tokens": evaluation.max_tokens,
            "seed": evaluation.seed,
            "chunk_problems": evaluation.chunk_problems,
        },
        limit=evaluation.limit,
        second_marker=evaluation.second_marker,
        title=benchmark.title,
        rule=benchmark.rule_in_words,
        readings=MARKER_VERSION,
        seals=1,
    )
