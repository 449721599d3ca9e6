"""How checkpoints are asked: benchmarks, sampling, and the decodings beside the first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from annotated_types import Gt, Le, MaxLen

from benchmarks.marks import Form, Rule
from benchmarks.problems import Benchmark
from harness.base import registry
from harness.config import limits
from harness.config.limits import Attempts, Count, NonNegative, SeedNumber
from harness.config.own_files import ProblemFile
from harness.records.fields import LATER, UNWRITTEN

Share = Annotated[float, Gt(0), Le(1)]


@dataclass(frozen=True)
class Decoding:
    """One way of sampling answers. What is left out, or null, is the evaluation's."""

    temperature: NonNegative | None = None
    """0 is greedy, and takes k 1; null: the evaluation's"""
    top_p: Share | None = None
    """nucleus sampling; 1 is off; null: the evaluation's"""
    max_tokens: Count | None = None
    """response limit; null: the evaluation's"""
    k: Attempts | None = None
    """attempts a problem, on every benchmark; null: each benchmark's own"""


@dataclass(frozen=True)
class Evaluation:
    """How checkpoints are asked. None of it is a runtime setting: engine and chunks change the last digits of what is
    sampled, and an evaluation that was begun goes on in its chunks."""

    benchmarks: Annotated[Mapping[str, Attempts], MaxLen(limits.BENCHMARKS)]
    """benchmark -> k, at the headline point and for the untrained model; or, for problems of your own, name ->
    `{file: my.jsonl, k: 4}`, with `rule: choice` where answers are letters"""
    curve: Annotated[Mapping[str, Attempts], MaxLen(limits.BENCHMARKS)] = field(default_factory=dict)
    """benchmark -> k, at the earlier points of the grid; may be empty"""
    points: Annotated[Count, Le(limits.POINTS)] = 4
    """evaluations in a trial, at equal distances in rollouts; the last is the headline"""
    temperature: NonNegative = 1.0
    """0 is greedy"""
    top_p: Share = 1.0
    """nucleus sampling; 1 is off"""
    max_tokens: Count = 48
    """response limit"""
    chunk_problems: Count = 64
    """problems generated together; the unit of resume. The last digits of fp32 results depend on it"""
    seed: SeedNumber = 0
    """the same in all arms and at all points: common random numbers"""
    limit: Count | None = field(default=None, metadata=LATER)
    """problems of each benchmark, the first ones; null: all"""
    second_marker: bool = field(default=False, metadata=LATER)
    """mark every answer once more, by plain Math-Verify, to see where the two disagree; scores do not change"""
    engine: str | None = field(default=None, metadata=LATER)
    """what answers: `local` or `hf` with backend `local`, `vllm` with verl; null: what the backend samples with"""
    files: Mapping[str, ProblemFile] = field(default_factory=dict, metadata=LATER | UNWRITTEN)
    """the benchmarks that are files, by name: absolute paths, with their hashes"""

    decodings: Annotated[Mapping[str, Decoding], MaxLen(limits.DECODINGS)] | None = field(default=None, metadata=LATER)
    """ways to sample the answers of the untrained model and of the headline, by names of yours, such as `{sampled:
    {temperature: 1, k: 4}, greedy: {temperature: 0, k: 1}}`. The first one's are the scores, and the curve's; the
    others show what depends on it. null: one way, by the keys above"""

    @property
    def ways(self) -> dict[str, Evaluation]:
        """Decoding -> how it asks: its settings in the place of ours. The first is the headline's; one without a name
        where there are no decodings."""
        return {name: self._as(one) for name, one in self.decodings.items()} if self.decodings else {"": self}

    @property
    def first(self) -> Evaluation:
        """How the headline asks, and the curve, and whatever is compared."""
        return next(iter(self.ways.values()))

    @property
    def others(self) -> dict[str, Evaluation]:
        """The decodings after the first, asked at the headline and of the untrained model."""
        return dict(list(self.ways.items())[1:])

    def _as(self, decoding: Decoding) -> Evaluation:
        own = {name: value for name, value in vars(decoding).items() if name != "k" and value is not None}
        counts = dict.fromkeys(self.benchmarks, decoding.k) if decoding.k else self.benchmarks
        return replace(self, decodings=None, benchmarks=counts, **own)

    def benchmark(self, name: str) -> Benchmark:
        """As it is asked: a file's or the registry's, the limit applied.

        Raises: UnknownBenchmark; PluginError; ProblemsError if a file is gone or cannot be read.
        """
        own = self.files.get(name)
        if own is None:
            return registry.benchmark(name).first(self.limit)
        rule = Rule(Form(own.rule)) if own.rule else None
        found = Benchmark.from_file(Path(own.file), name, own.title, own.k, rule, content=own.hash)
        return found.first(self.limit)
