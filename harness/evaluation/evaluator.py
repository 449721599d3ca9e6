"""Asks an engine a benchmark: fixed chunks of problems in their order, k samples of each, every answer marked.

The seed of a sample is derived from the evaluation seed, the benchmark, the problem and the sample's number, never
from the arm: all arms draw the same random numbers, which makes their differences less noisy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from benchmarks.marking import MARKER_VERSION, mark_readings
from benchmarks.marks import Mark, Marked, Reading, Response
from benchmarks.problems import Benchmark, Problem
from harness.base.fingerprint import fingerprint
from harness.base.seeds import derive
from harness.config.evaluation import Evaluation
from harness.engines.base import Completion, Engine, Request, Sampling, complete
from harness.evaluation import attempts
from harness.evaluation.remarking import by_readings
from harness.prompts import templates
from harness.records import Attempt, EvalFolder, EvalRecord

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Place = Callable[[str], EvalFolder]
"""an evaluation's name, which is its benchmark's or `<benchmark>@<decoding>` -> its folder"""
Watch = Callable[[Sequence[Attempt]], None]
"""told the rows of each chunk once they are on disk"""


@dataclass(frozen=True)
class EvaluatedCheckpoint:
    """The checkpoint that is asked."""

    arm: str
    seed: int | None
    step: int
    rollouts: int
    grid: int
    model_hash: str


@dataclass(frozen=True)
class Evaluator:
    """How an experiment asks: what is the same for all its checkpoints."""

    evaluation: Evaluation
    template: str
    tokenizer: PreTrainedTokenizerBase
    """of the model that training starts from"""
    decoding: str = ""
    """one of the plan's after the first; empty: the first, or only, one"""

    def ask_headline(self, engine: Engine, subject: EvaluatedCheckpoint, place: Place) -> None:
        """Each benchmark under every decoding, the first one first; the engine stays what it is. Raises: as `ask`."""
        for number, (name, way) in enumerate(self.evaluation.ways.items()):
            one = replace(self, evaluation=way, decoding=name if number else "")
            one.ask(engine, subject, way.benchmarks, place)

    def ask(
        self,
        engine: Engine,
        subject: EvaluatedCheckpoint,
        counts: Mapping[str, int],
        place: Place,
        watch: Watch = lambda _: None,
    ) -> None:
        """Each benchmark k times into its folder, from the first chunk that is not there yet.

        Args:
            counts: benchmark -> k.
        Raises: UserError if a folder holds an evaluation of something else.
        """
        for name, k in counts.items():
            benchmark = self.evaluation.benchmark(name)
            header = header_of(self.evaluation, self.template, subject, benchmark, k, engine.name, engine.version)
            header = replace(header, decoding=self.decoding)
            self._ask_one(engine, header, benchmark, place(header.folder), watch)

    def _ask_one(
        self, engine: Engine, header: EvalRecord, benchmark: Benchmark, folder: EvalFolder, watch: Watch
    ) -> None:
        attempts.claim(folder, header)
        if attempts.is_complete(folder):
            return
        self.ask_up_to(engine, header, benchmark.problems, folder, (len(benchmark.problems),), watch)
        attempts.seal(folder)

    def ask_up_to(
        self,
        engine: Engine,
        header: EvalRecord,
        problems: Sequence[Problem],
        folder: EvalFolder,
        ends: Sequence[int],
        watch: Watch,
        upto: int | None = None,
    ) -> None:
        """Those that are not there yet, in this order, of an evaluation that is claimed and open; it stays open.

        Args:
            ends: numbers of problems, ascending, the last that of all: where a chunk ends, however full it is.
            upto: so many of `ends`; None: all.
        """
        size = self.evaluation.chunk_problems
        done = attempts.whole_chunks(folder, [len(chunk) * header.k for chunk in chunked(problems, size, ends)])
        for chunk in list(chunked(problems, size, ends[:upto]))[done:]:
            rows = self.answer(engine, header, chunk)
            attempts.append(folder, rows)
            watch(rows)

    def answer(self, engine: Engine, header: EvalRecord, problems: Sequence[Problem]) -> list[Attempt]:
        """The k attempts at each problem of a chunk, in order, marked. Raises: what `complete` and the marker do."""
        requests = [
            Request(
                prompt=tuple(templates.render(self.tokenizer, problem, self.template)),
                seeds=tuple(
                    derive("evaluation", self.evaluation.seed, header.benchmark, problem.id, sample)
                    for sample in range(header.k)
                ),
            )
            for problem in problems
        ]
        answers = complete(engine, requests, self._sampling)
        rows = [
            (problem, request, sample, replace(completion, text=storable(completion.text)))
            for problem, request, completions in zip(problems, requests, answers, strict=True)
            for sample, completion in enumerate(completions)
        ]
        responses = [
            Response(completion.text, problem.gold, problem.rule, completion.finish_reason != "stop")
            for problem, _, _, completion in rows
        ]
        marked = mark_readings(responses)
        seconds = _second_marks(responses) if header.second_marker else [None] * len(responses)
        return [
            self._attempt(header, *row, one, second) for row, one, second in zip(rows, marked, seconds, strict=True)
        ]

    @cached_property
    def _template_hash(self) -> str:
        return templates.template_hash(self.tokenizer, self.template)

    @property
    def _sampling(self) -> Sampling:
        e = self.evaluation
        return Sampling(max_tokens=e.max_tokens, temperature=e.temperature, top_p=e.top_p)

    def _attempt(
        self,
        header: EvalRecord,
        problem: Problem,
        request: Request,
        sample: int,
        completion: Completion,
        marked: Mapping[Reading, Marked],
        second: Mark | None,
    ) -> Attempt:
        """One row. The columns are those of `harness/records/schema.py`; what the engine measured comes by name.

        Args:
            sample: 0..k-1, its place among the request's seeds.
        """
        return Attempt(
            arm=header.arm,
            seed=header.seed,
            step=header.step,
            benchmark=header.benchmark,
            problem_id=problem.id,
            sample=sample,
            response=completion.text,
            answer=marked[Reading.RULE].answer,
            gold=problem.gold,
            mark=marked[Reading.RULE].mark,
            finish_reason=completion.finish_reason,
            tokens=completion.tokens,
            template=header.template,
            engine=header.engine,
            # all that the text depends on, and nothing else: equal keys are the same answer, whoever asks
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
            mark_second=second,
            **by_readings(marked),
            **attempts.measured(header.engine, completion),
        )


def chunked(problems: Sequence[Problem], size: int, ends: Sequence[int]) -> Iterator[Sequence[Problem]]:
    """Chunks of at most so many problems, none of which reaches over one of the ends; up to the last of them."""
    for first, last in pairwise((0, *ends)):
        for start in range(first, last, size):
            yield problems[start : min(start + size, last)]


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


def storable(text: str) -> str:
    """As files can hold it: UTF-8 has no half of a surrogate pair, and some tokenizers can write one."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _second_marks(responses: Sequence[Response]) -> list[Mark]:
    from benchmarks.marking import second_marker

    return second_marker.mark_all(responses)
