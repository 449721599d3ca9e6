"""`--regenerate SHARE`: a sample of answers generated again from the weights that are here, and compared byte by byte.

Results of fp32 matrix products depend on the number of rows, so whole chunks are generated, as the evaluation did.
Which ones follows from the generation keys of their answers: nobody chooses them, and everybody draws the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.problems import Problem
from harness.backends.registry import get_backend
from harness.base.errors import UserError
from harness.base.plugins import PluginError
from harness.config.evaluation import Evaluation
from harness.engines.base import Engine
from harness.engines.registry import ENGINES, open_engine
from harness.evaluation.evaluator import Evaluator, chunked
from harness.models.reading import read_tokenizer, reading
from harness.records import Attempt, EvalFolder, EvalRecord
from harness.verifying import machines
from harness.verifying.checkpoints_kept import EvaluatedWeights
from harness.verifying.found import ChangedText, NotComparable, RegeneratedEvaluation, VerifiedEvaluation
from harness.verifying.problems_here import ProblemsHere
from harness.verifying.scope import VerifiedFolder

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Watch = Callable[[str], None]
"""told what is being done, now and then"""
_COLUMNS = ("problem_id", "sample", "response", "finish_reason", "tokens", "generation_key")
_SHOWN = 60
"""characters of a text that differs"""


@dataclass(frozen=True)
class RegenerableEvaluation:
    """An evaluation that can be generated again here."""

    of: VerifiedEvaluation
    header: EvalRecord
    weights: Path
    problems: Sequence[Problem]
    rows: Mapping[tuple[str, int], Mapping[str, Any]]
    """(problem, sample) -> the row that is there"""

    @property
    def chunks(self) -> list[Sequence[Problem]]:
        return list(chunked(self.problems, self.header.sampling["chunk_problems"], (len(self.problems),)))

    def drawn(self, chunk: Sequence[Problem]) -> tuple[str, int]:
        """The chunk's place in the draw, by the least hash of its keys, and its answers."""
        keys = [
            row["generation_key"]
            for problem in chunk
            for sample in range(self.header.k)
            if (row := self.rows.get((problem.id, sample)))
        ]
        return min((hashlib.sha256(key.encode()).hexdigest() for key in keys), default="~"), len(keys)


@dataclass
class Regeneration:
    """All evaluations of a folder, and what is needed to generate them again."""

    scope: VerifiedFolder
    problems: ProblemsHere
    weights: EvaluatedWeights
    watch: Watch = lambda _: None
    _tokenizers: dict[Path, PreTrainedTokenizerBase] = field(default_factory=dict)

    def run(self, evaluations: Sequence[VerifiedEvaluation], share: float) -> None:
        """Say of each evaluation what came of it.

        Args:
            share: of the answers that can be generated again here, above 0 and at most 1; whole chunks, so a little
                more.
        """
        ready = []
        for one in evaluations:
            if not one.complete:
                one.regenerated = RegeneratedEvaluation(reason="it is not complete")
                continue
            try:
                ready.append(self._ready(one))
            except NotComparable as error:
                one.regenerated = RegeneratedEvaluation(reason=str(error))
        self.watch("drawing answers")
        chosen = _sample(ready, share)
        for found in ready:
            found.of.regenerated = RegeneratedEvaluation()
        # One model at a time: however many were evaluated, one is in memory.
        for weights in dict.fromkeys(found.weights for found, _ in chosen):
            self._answers(weights, [(found, chunk) for found, chunk in chosen if found.weights == weights])

    def _ready(self, one: VerifiedEvaluation) -> RegenerableEvaluation:
        """Raises: NotComparable; what is quick to know comes first."""
        folder = EvalFolder(one.folder)
        header = EvalRecord.read(folder.header)
        weights = self.weights.folder(one)
        if not isinstance(header.sampling.get("chunk_problems"), int):
            raise NotComparable("which problems were generated together is not kept")
        _check_engine(header)
        other = machines.other(self.scope, one)
        if other:
            raise NotComparable(other)
        problems = self.problems.asked(header)
        try:
            if self.weights.hash(weights) != header.model_hash:
                raise NotComparable(f"the weights in {weights} are others")
        except UserError as error:
            raise NotComparable(str(error).splitlines()[0].rstrip(".")) from None
        return RegenerableEvaluation(one, header, weights, problems, _rows(folder.attempts))

    def _answers(self, weights: Path, chosen: Sequence[tuple[RegenerableEvaluation, Sequence[Problem]]]) -> None:
        """The chosen chunks of one model's evaluations; what stops one is its reason, and stops no other."""
        self.watch(f"{chosen[0][0].of.name}: loading the weights")
        try:
            engine, tokenizer = self._open(weights, chosen[0][0]), self._tokenizer(weights)
        except (UserError, PluginError, NotComparable) as error:
            for found, _ in chosen:
                found.of.regenerated = RegeneratedEvaluation(reason=str(error).splitlines()[0].rstrip("."))
            return
        for number, (found, chunk) in enumerate(chosen, 1):
            self.watch(f"{found.of.name}: chunk {number} of {len(chosen)}")
            made = found.of.regenerated
            if made is None or made.reason:
                continue
            try:
                found.of.regenerated = _added(made, self._chunk(engine, tokenizer, found, chunk))
            except (UserError, PluginError, NotComparable) as error:
                found.of.regenerated = replace(made, reason=str(error).splitlines()[0].rstrip("."))
        for found, _ in chosen:
            self._doubt(found.of)

    def _doubt(self, one: VerifiedEvaluation) -> None:
        """Texts that differ say nothing where it is not known that this machine is like the one that answered."""
        made, unknown = one.regenerated, machines.unknown(self.scope, one)
        if made and not made.reason and unknown and any(change.what != "key" for change in made.changed):
            texts = f"{made.attempts - made.equal:,} of {made.attempts:,} answers differ"
            reason = f"{texts}, but {unknown}: another one rounds otherwise"
            one.regenerated = replace(made, reason=reason)

    def _open(self, weights: Path, found: RegenerableEvaluation) -> Engine:
        """As the evaluation's answers were made: in a run by its backend, elsewhere by the engine that it names."""
        header = found.header
        with reading("model", weights):
            if self.scope.kind == "evaluation":
                engine = open_engine(header.engine, weights)
                machines.as_then(self.scope)
            else:
                experiment = self.problems.experiment
                engine = get_backend(experiment.backend).start_engine(experiment, weights)
        if not getattr(engine, "repeatable", False):
            raise NotComparable(f"engine `{header.engine}` does not give equal answers to equal calls here")
        if (engine.name, engine.version) != (header.engine, header.engine_version):
            raise NotComparable(_other_version(header, f"{engine.name} {engine.version}"))
        return engine

    def _tokenizer(self, weights: Path) -> PreTrainedTokenizerBase:
        if weights not in self._tokenizers:
            self._tokenizers[weights] = read_tokenizer(weights)
        return self._tokenizers[weights]

    def _chunk(
        self,
        engine: Engine,
        tokenizer: PreTrainedTokenizerBase,
        found: RegenerableEvaluation,
        chunk: Sequence[Problem],
    ) -> tuple[int, list[ChangedText]]:
        """How many answers were compared, and what differed."""
        header = found.header
        sampling = {name: header.sampling[name] for name in ("temperature", "top_p", "max_tokens", "seed")}
        asked = Evaluation({header.benchmark: header.k}, chunk_problems=header.sampling["chunk_problems"], **sampling)
        fresh = Evaluator(asked, header.template, tokenizer).answer(engine, replace(header, second_marker=False), chunk)
        there = [(row, one) for one in fresh if (row := found.rows.get((one.problem_id, one.sample)))]
        return len(there), [change for row, one in there for change in _compared(row, one)]


def _check_engine(header: EvalRecord) -> None:
    """What can be known before a model is loaded."""
    try:
        known = ENGINES.get(header.engine) if header.engine in ENGINES.names() else None
    except PluginError as error:
        raise NotComparable(str(error).splitlines()[0].rstrip(".")) from None
    if known is None:
        return
    if not getattr(known, "repeatable", False):
        raise NotComparable(f"engine `{header.engine}` does not promise equal answers to equal calls")
    version = getattr(known, "version", header.engine_version)
    if isinstance(version, str) and version != header.engine_version:
        raise NotComparable(_other_version(header, f"{header.engine} {version}"))


def _other_version(header: EvalRecord, here: str) -> str:
    return f"another engine answered ({header.engine} {header.engine_version}), here is {here}"


def _rows(path: Path) -> dict[tuple[str, int], dict[str, Any]]:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path, columns=list(_COLUMNS))
    return {(row["problem_id"], row["sample"]): row for row in table.to_pylist()}


def _sample(
    ready: Sequence[RegenerableEvaluation], share: float
) -> list[tuple[RegenerableEvaluation, Sequence[Problem]]]:
    """Whole chunks, in the order of the draw, until the share is reached; each model's together."""
    chunks = [(found.drawn(chunk), place, found, chunk) for place, found in enumerate(ready) for chunk in found.chunks]
    chunks = sorted(chunks, key=lambda one: (one[0], one[1]))
    wanted, chosen = share * sum(size for (_, size), *_ in chunks), []
    for (_, size), _, found, chunk in chunks:
        if wanted <= 0:
            break
        chosen.append((found, chunk))
        wanted -= size
    return chosen


def _compared(row: Mapping[str, Any], one: Attempt) -> Iterable[ChangedText]:
    """At most one change of a row's text or length, and one of its key."""
    if row["response"] != one.response:
        old, new = _excerpts(row["response"] or "", one.response)
        yield ChangedText(one.problem_id, one.sample, "text", old, new)
    elif (row["tokens"], row["finish_reason"]) != (one.tokens, one.finish_reason):
        old, new = f"{row['tokens']} tokens, {row['finish_reason']}", f"{one.tokens} tokens, {one.finish_reason}"
        yield ChangedText(one.problem_id, one.sample, "length", old, new)
    if row["generation_key"] != one.generation_key:
        yield ChangedText(one.problem_id, one.sample, "key", str(row["generation_key"]), one.generation_key)


def _excerpts(old: str, new: str) -> tuple[str, str]:
    """Of two texts from where they part, with a little of what comes before."""
    place = next(
        (i for i, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), min(len(old), len(new))
    )
    first = max(0, place - _SHOWN // 4)
    return tuple(f"{'...' if first else ''}{text[first : first + _SHOWN]}" for text in (old, new))  # type: ignore[return-value]


def _added(made: RegeneratedEvaluation, found: tuple[int, list[ChangedText]]) -> RegeneratedEvaluation:
    compared, changed = found
    rows = len({(one.problem_id, one.sample) for one in changed})
    return replace(
        made,
        attempts=made.attempts + compared,
        equal=made.equal + compared - rows,
        changed=(*made.changed, *changed),
    )
