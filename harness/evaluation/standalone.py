"""`rence eval`: any model on any benchmarks, into a folder of its own.

    OUT/evals/<benchmark>/{eval.json, attempts.jsonl -> attempts.parquet}

What can be wrong is found before anything is written. A folder holds one model, asked in one way; the same command
goes on where it was stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

from benchmarks.problems import Benchmark
from harness.base import registry
from harness.base.errors import UserError, need
from harness.base.locks import locked
from harness.base.plugins import PluginError
from harness.config.evaluation import Evaluation
from harness.engines.registry import ENGINES, open_engine
from harness.evaluation import attempts, by_looks
from harness.evaluation.by_looks import Asking, Looks
from harness.evaluation.display import EvaluationView, Part
from harness.evaluation.evaluator import Evaluator
from harness.evaluation.headers import EvaluatedCheckpoint, header_of
from harness.evaluation.remarking import mark_again
from harness.models import resolving
from harness.models.reading import read_tokenizer, reading
from harness.prompts import templates
from harness.records import EvalFolder, EvalRecord, chain
from harness.records.differences import differences
from harness.records.layout import SEAL
from harness.records.links import EvidenceLog, checkpoint_breaks
from harness.records.machines import MACHINES, note_machine

CHUNK_SAMPLES = 256
"""samples generated together: enough to keep a processor busy, and what a kill costs at most"""
VLLM_CHUNK_SAMPLES = 1024
"""vLLM refills its batch as answers end, but not beyond a chunk: at each one's end it waits for the longest"""
_OWN = ("benchmark", "benchmark_hash", "problems", "k", "title", "rule")
"""fields of a header that are one benchmark's; all others are the folder's"""
_MOST_DIFFERENCES = 6


@dataclass(frozen=True)
class StandaloneEvaluation:
    """What is asked for."""

    model: str
    """shipped, a folder, or a hub id"""
    evaluation: Evaluation
    """`curve`, `points` and `chunk_problems` are not looked at"""
    template: str
    engine: str
    out: Path
    chunk: int | None = None
    """problems generated together; None: as many as follow from k"""
    looks: Looks | None = None
    """when to stop; None: when all problems are answered"""
    accept: str | None = None
    """why broken seals of what is there already do not matter; None: they do"""

    def of(self, k: int) -> Evaluation:
        """As a benchmark with k samples is asked."""
        samples = VLLM_CHUNK_SAMPLES if self.engine == "vllm" else CHUNK_SAMPLES
        return replace(self.evaluation, chunk_problems=self.chunk or max(1, samples // k))

    def place(self, benchmark: str) -> EvalFolder:
        return EvalFolder(self.out / "evals" / benchmark)

    @cached_property
    def benchmarks(self) -> Mapping[str, Benchmark]:
        """Limited. Raises: UserError for a name that is not in the list, or a plug-in that cannot be used."""
        try:
            return {name: self.evaluation.benchmark(name) for name in self.evaluation.benchmarks}
        except (registry.UnknownBenchmark, PluginError) as error:
            raise UserError(str(error)) from None

    @cached_property
    def folder(self) -> Path:
        """The model's, downloaded if need be. Raises: UserError."""
        return resolving.resolve(self.model)

    @cached_property
    def subject(self) -> EvaluatedCheckpoint:
        """Raises: UserError if there are no weights."""
        return EvaluatedCheckpoint(resolving.short_name(self.model), None, 0, 0, 0, resolving.model_hash(self.folder))

    def headers(self, engine_version: str) -> Iterator[EvalRecord]:
        """Raises: ProblemsError if problems cannot be had."""
        for name, k in self.evaluation.benchmarks.items():
            benchmark = self.benchmarks[name]
            header = header_of(self.of(k), self.template, self.subject, benchmark, k, self.engine, engine_version)
            yield replace(header, order="random") if self.looks else header


def evaluate(wanted: StandaloneEvaluation, view: EvaluationView) -> bool:
    """Ask whatever is not there yet; False if everything was.

    Raises: UserError; BrokenSeal; ProblemsError if problems are neither here nor to be had.
    """
    _check_names(wanted)
    _check_folder(wanted.out)
    # The engine's version is known once it is open, which a finished folder does not need.
    _check_same(wanted, None)
    if wanted.out.exists():
        with locked(wanted.out, "evaluation"):
            unfinished = chain.require(wanted.out, wanted.accept, going_on=True).unfinished
            if _finished(wanted) and not unfinished:
                return False
    _check_sealed(wanted)
    evaluator = _evaluator(wanted)
    view.loading(f"{wanted.model} ({wanted.engine})")
    with reading("model", wanted.folder):
        engine = open_engine(wanted.engine, wanted.folder)
    with locked(wanted.out, "evaluation"):
        _check_same(wanted, engine.version)
        note_machine(wanted.out, _threads())
        mark_again((wanted.place(name) for name in wanted.evaluation.benchmarks), wanted.evaluation)
        view.begin(_parts(wanted))
        if wanted.looks:
            by_looks.ask(wanted.looks, engine, _askings(wanted, evaluator, engine.version), view.answered)
            return True
        for name, k in wanted.evaluation.benchmarks.items():
            asking = replace(evaluator, evaluation=wanted.of(k))
            asking.ask(engine, wanted.subject, {name: k}, wanted.place, view.answered)
    return True


def _check_sealed(wanted: StandaloneEvaluation) -> None:
    """Raises: UserError if the model is a checkpoint whose files are not those that it was sealed with."""
    for one in checkpoint_breaks(wanted.folder, EvidenceLog(wanted.folder, None)):
        raise UserError(
            f"{one.file} {one.what}.\nCopy the checkpoint again; if it was changed on purpose, delete "
            f"{wanted.folder / SEAL}."
        )


def _threads() -> int:
    """Of torch's arithmetic, once an engine is open: sums of products depend on it."""
    import torch

    return torch.get_num_threads()


def _check_names(wanted: StandaloneEvaluation) -> None:
    templates.template(wanted.template)
    ENGINES.check(wanted.engine)
    for benchmark in wanted.benchmarks.values():
        benchmark.hash  # noqa: B018  which loads and checks the problems


def _check_folder(out: Path) -> None:
    """Raises: UserError if it is not new, empty, or one of ours."""
    if not out.exists():
        return
    if not out.is_dir():
        raise UserError(f"{out} is a file. Give a folder with `--out`.")
    if any(out.glob("evals/*/eval.json")):
        strangers = [path.name for name in ("trial.json", "plan.json") for path in out.glob(name)]
    else:
        strangers = sorted(
            path.name for path in out.iterdir() if path.name not in ("evals", MACHINES) and path.name[0] != "."
        )
    if strangers:
        raise UserError(f"{out} holds something else: {strangers[0]}. Give a new folder with `--out`.")


def _check_same(wanted: StandaloneEvaluation, engine_version: str | None) -> None:
    """
    Args:
        engine_version: None if it is not known; then a recorded one stands.
    Raises: UserError with the differences if the folder holds another model, or answers to other questions.
    """
    asked = {header.benchmark: header for header in wanted.headers(engine_version or "")}
    common = asdict(next(iter(asked.values())))
    for path in sorted(wanted.out.glob("evals/*/eval.json")):
        header = EvalRecord.read(path)
        held, same = asdict(header), asked.get(header.benchmark)
        now = asdict(attempts.in_words_of(header, same)) if same else {**common, **{name: held[name] for name in _OWN}}
        if held["benchmark"] not in asked:
            now["sampling"] = {**now["sampling"], "chunk_problems": held["sampling"].get("chunk_problems")}
        if engine_version is None:
            now["engine_version"] = held["engine_version"]
        found = list(differences(held, now))
        if found:
            raise UserError(
                f"{wanted.out} holds another evaluation ({held['benchmark']}): "
                f"{'; '.join(found[:_MOST_DIFFERENCES])}.\nAsk as before, or give another folder with `--out`."
            )


def _finished(wanted: StandaloneEvaluation) -> bool:
    return all(attempts.is_complete(wanted.place(name)) for name in wanted.evaluation.benchmarks)


def _evaluator(wanted: StandaloneEvaluation) -> Evaluator:
    """Raises: UserError if packages are missing, or the tokenizer or its chat template cannot be used."""
    need("`rence eval`", "torch", "transformers", "math_verify")
    tokenizer = read_tokenizer(wanted.folder)
    with reading("chat template", wanted.folder):
        templates.render(tokenizer, next(iter(wanted.benchmarks.values())).problems[0], wanted.template)
    return Evaluator(wanted.evaluation, wanted.template, tokenizer)


def _askings(wanted: StandaloneEvaluation, evaluator: Evaluator, engine_version: str) -> dict[str, Asking]:
    return {
        header.benchmark: Asking(
            replace(evaluator, evaluation=wanted.of(header.k)),
            header,
            wanted.benchmarks[header.benchmark].problems,
            wanted.place(header.benchmark),
        )
        for header in wanted.headers(engine_version)
    }


def _parts(wanted: StandaloneEvaluation) -> Iterator[Part]:
    for name, k in wanted.evaluation.benchmarks.items():
        chunk = 1 if wanted.looks else wanted.of(k).chunk_problems  # looks cut chunks
        marks = attempts.marks(wanted.place(name), chunk * k)
        yield Part(name, len(wanted.benchmarks[name].problems), k, Counter(marks))
