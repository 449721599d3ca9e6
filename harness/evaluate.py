"""Asks an engine a benchmark: fixed chunks of problems in their order, k samples of each, every answer marked.

The seed of a sample is derived from the evaluation seed, the benchmark, the problem and the sample's number, never
from the arm: all arms draw the same random numbers, which makes their differences less noisy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from benchmarks import registry
from benchmarks.marking import GRADER_VERSION, Marked, Response, mark_all
from benchmarks.problems import Benchmark, Problem
from harness import attempts, prompts
from harness.engines.base import Completion, Engine, Request, Sampling
from harness.experiment import Evaluation, fingerprint
from harness.records import Attempt, EvalFolder, EvalRecord
from harness.seeds import derive

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Place = Callable[[str], EvalFolder]
"""benchmark -> the folder of its evaluation"""


@dataclass(frozen=True)
class Subject:
    """The checkpoint that is asked."""

    arm: str
    seed: int | None
    step: int
    rollouts: int
    grid: int
    model_hash: str


@dataclass(frozen=True)
class Examiner:
    """How an experiment asks: what is the same for all its checkpoints."""

    evaluation: Evaluation
    template: str
    tokenizer: PreTrainedTokenizerBase
    """of the model that training starts from"""

    def ask(self, engine: Engine, subject: Subject, counts: Mapping[str, int], place: Place) -> None:
        """Each benchmark k times into its folder, from the first chunk that is not there yet.

        Args:
            counts: benchmark -> k.
        Raises: UserError if a folder holds an evaluation of something else.
        """
        for name, k in counts.items():
            self._ask_one(engine, subject, registry.benchmark(name), k, place(name))

    def _ask_one(self, engine: Engine, subject: Subject, benchmark: Benchmark, k: int, folder: EvalFolder) -> None:
        header = self._header(engine, subject, benchmark, k)
        attempts.claim(folder, header)
        if attempts.is_complete(folder):
            return
        size, problems = self.evaluation.chunk_problems, benchmark.problems
        chunks = [problems[i : i + size] for i in range(0, len(problems), size)]
        done = attempts.whole_chunks(folder, [len(chunk) * k for chunk in chunks])
        for chunk in chunks[done:]:
            attempts.append(folder, self._answer(engine, header, chunk))
        attempts.seal(folder)

    def _answer(self, engine: Engine, header: EvalRecord, problems: Sequence[Problem]) -> list[Attempt]:
        requests = [
            Request(
                prompt=tuple(prompts.render(self.tokenizer, problem, self.template)),
                seeds=tuple(
                    derive("evaluation", self.evaluation.seed, header.benchmark, problem.id, sample)
                    for sample in range(header.k)
                ),
            )
            for problem in problems
        ]
        answers = engine.generate(requests, self._sampling)
        rows = [
            (problem, request, sample, completion)
            for problem, request, completions in zip(problems, requests, answers, strict=True)
            for sample, completion in enumerate(completions)
        ]
        marked = mark_all(
            Response(completion.text, problem.gold, problem.rule, completion.finish_reason == "length")
            for problem, _, _, completion in rows
        )
        return [self._attempt(header, *row, one) for row, one in zip(rows, marked, strict=True)]

    @cached_property
    def _template_hash(self) -> str:
        return prompts.template_hash(self.tokenizer, self.template)

    @property
    def _sampling(self) -> Sampling:
        e = self.evaluation
        return Sampling(max_tokens=e.max_tokens, temperature=e.temperature, top_p=e.top_p)

    def _header(self, engine: Engine, subject: Subject, benchmark: Benchmark, k: int) -> EvalRecord:
        e = self.evaluation
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
            template=self.template,
            engine=engine.name,
            engine_version=engine.version,
            grader_version=GRADER_VERSION,
            sampling={
                "temperature": e.temperature,
                "top_p": e.top_p,
                "max_tokens": e.max_tokens,
                "seed": e.seed,
                "chunk_problems": e.chunk_problems,
            },
        )

    def _attempt(
        self,
        header: EvalRecord,
        problem: Problem,
        request: Request,
        sample: int,
        completion: Completion,
        marked: Marked,
    ) -> Attempt:
        return Attempt(
            arm=header.arm,
            seed=header.seed,
            step=header.step,
            benchmark=header.benchmark,
            problem_id=problem.id,
            sample=sample,
            response=completion.text,
            answer=marked.answer,
            gold=problem.gold,
            mark=marked.mark,
            finish_reason=completion.finish_reason,
            tokens=completion.tokens,
            template=header.template,
            engine=header.engine,
            generation_key=fingerprint(
                model=header.model_hash,
                template=self._template_hash,
                prompt=request.prompt,
                sampling=header.sampling,
                seed=request.seeds[sample],
                sample=sample,
                engine=f"{header.engine} {header.engine_version}",
            ),
            grader_version=header.grader_version,
        )
