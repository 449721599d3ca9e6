"""Asks an engine a benchmark: fixed chunks of problems in their order, k samples of each, every answer marked.

The seed of a sample is derived from the evaluation seed, the benchmark, the problem and the sample's number, never
from the arm: all arms draw the same random numbers, which makes their differences less noisy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import pairwise
from typing import TYPE_CHECKING

from benchmarks.marking import mark_readings
from benchmarks.marks import Mark, Marked, Reading, Response
from benchmarks.problems import Problem
from harness.base.fingerprint import fingerprint
from harness.base.seeds import derive
from harness.config.evaluation import Evaluation
from harness.engines.base import Completion, Engine, Request, Sampling, calls_at_once, complete
from harness.evaluation import attempts
from harness.evaluation.ahead import in_order
from harness.evaluation.headers import EvaluatedCheckpoint, header_of
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
        begun: list[Begun] = []
        for number, (name, way) in enumerate(self.evaluation.ways.items()):
            one = replace(self, evaluation=way, decoding=name if number else "")
            begun += one.begin(engine, subject, way.benchmarks, place)
        go_on(engine, begun)

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
        go_on(engine, self.begin(engine, subject, counts, place), watch)

    def begin(
        self, engine: Engine, subject: EvaluatedCheckpoint, counts: Mapping[str, int], place: Place
    ) -> list[Begun]:
        """Claim a folder for each benchmark, for `go_on`. For the arguments, and what it raises, see `ask`."""
        begun = []
        for name, k in counts.items():
            benchmark = self.evaluation.benchmark(name)
            header = header_of(self.evaluation, self.template, subject, benchmark, k, engine.name, engine.version)
            header = replace(header, decoding=self.decoding)
            folder = place(header.folder)
            attempts.claim(folder, header)
            if not attempts.is_complete(folder):
                begun.append(Begun(self, header, folder, self.left(header, benchmark.problems, folder), closes=True))
        return begun

    def left(
        self,
        header: EvalRecord,
        problems: Sequence[Problem],
        folder: EvalFolder,
        ends: Sequence[int] | None = None,
        upto: int | None = None,
    ) -> list[Sequence[Problem]]:
        """The chunks that are not there yet, in this order, of an evaluation that is claimed and open.

        Args:
            ends: numbers of problems, ascending, the last that of all: where a chunk ends, however full it is. None:
                at the last problem.
            upto: so many of `ends`; None: all.
        """
        size, ends = self.evaluation.chunk_problems, (len(problems),) if ends is None else ends
        done = attempts.whole_chunks(folder, [len(chunk) * header.k for chunk in chunked(problems, size, ends)])
        return list(chunked(problems, size, ends[:upto]))[done:]

    def answer(self, engine: Engine, header: EvalRecord, problems: Sequence[Problem]) -> list[Attempt]:
        """The k attempts at each problem of a chunk, in order, marked. Raises: what `complete` and the marker do."""
        requests = self.requests(header, problems)
        return self.mark(header, problems, requests, complete(engine, requests, self.sampling))

    def requests(self, header: EvalRecord, problems: Sequence[Problem]) -> list[Request]:
        """What an engine is asked for a chunk: each problem's prompt, and k seeds."""
        return [
            Request(
                prompt=tuple(templates.render(self.tokenizer, problem, self.template)),
                seeds=tuple(
                    derive("evaluation", self.evaluation.seed, header.benchmark, problem.id, sample)
                    for sample in range(header.k)
                ),
            )
            for problem in problems
        ]

    def mark(
        self,
        header: EvalRecord,
        problems: Sequence[Problem],
        requests: Sequence[Request],
        answers: Sequence[Sequence[Completion]],
    ) -> list[Attempt]:
        """
        Args:
            problems, requests, answers: of one chunk: each problem's request, and its completions.
        """
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
    def sampling(self) -> Sampling:
        """How every answer is drawn."""
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


_Answered = tuple[list[Request], list[list[Completion]]]


@dataclass(frozen=True)
class Begun:
    """An evaluation that is claimed, and what it lacks."""

    evaluator: Evaluator
    header: EvalRecord
    folder: EvalFolder
    chunks: Sequence[Sequence[Problem]]
    closes: bool
    """it is complete with these"""


def go_on(engine: Engine, evaluations: Sequence[Begun], watch: Watch = lambda _: None) -> None:
    """Ask what each lacks and write it, chunk by chunk in their order.

    An engine that takes several calls at once is asked for chunks that follow while one is under way, of the next
    evaluation too: no device waits for the longest answer of a chunk. What is written, and in which order, is the same.

    Raises: what `complete` and the marker do.
    """

    def calls() -> Iterator[Callable[[], _Answered]]:
        for one in evaluations:
            for chunk in one.chunks:
                yield partial(_asked, engine, one.evaluator.requests(one.header, chunk), one.evaluator.sampling)

    answers = in_order(calls(), calls_at_once(engine))
    for one in evaluations:
        for chunk in one.chunks:
            rows = one.evaluator.mark(one.header, chunk, *next(answers))
            attempts.append(one.folder, rows)
            watch(rows)
        if one.closes:
            attempts.seal(one.folder)


def _asked(engine: Engine, requests: list[Request], sampling: Sampling) -> _Answered:
    return requests, complete(engine, requests, sampling)


def chunked(problems: Sequence[Problem], size: int, ends: Sequence[int]) -> Iterator[Sequence[Problem]]:
    """Chunks of at most so many problems, none of which reaches over one of the ends; up to the last of them."""
    for first, last in pairwise((0, *ends)):
        for start in range(first, last, size):
            yield problems[start : min(start + size, last)]


def storable(text: str) -> str:
    """As files can hold it: UTF-8 has no half of a surrogate pair, and some tokenizers can write one."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _second_marks(responses: Sequence[Response]) -> list[Mark]:
    from benchmarks.marking import second_marker

    return second_marker.mark_all(responses)
