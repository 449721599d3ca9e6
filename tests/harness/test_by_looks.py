"""An evaluation that stops early: what it asks does not depend on what is seen, and a kill anywhere changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet
import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from benchmarks import registry
from harness.base.errors import UserError
from harness.config.evaluation import Evaluation
from harness.engines.base import Completion, Request, Sampling
from harness.evaluation import attempts, by_looks
from harness.evaluation.by_looks import Asking, Looks
from harness.evaluation.evaluator import Evaluator
from harness.evaluation.headers import EvaluatedCheckpoint, header_of
from harness.models import resolving
from harness.records import EvalFolder, EvalRecord, OrderRecord, random_order

COUNTS = {"mini_sums": 2, "mini_chains": 1}
SUBJECT = EvaluatedCheckpoint("any", None, 0, 0, 0, "weights")
SIZES = [{"mini_sums": 40 * look, "mini_chains": 20 * look} for look in (1, 2, 3, 4, 5)]
CHUNKS = [16, 16, 8, 16, 4]
"""problems of each call of one look: 40 of one benchmark, 20 of the other"""


class Killed(BaseException):
    """As a signal would do it."""


class Echo:
    """Answers by seed; may be killed at a call."""

    name, version, positions = "echo", "1", None

    def __init__(self, calls_to_live: int = 1000) -> None:
        self.calls: list[int] = []
        self._left = calls_to_live

    def generate(self, requests: list[Request], sampling: Sampling) -> list[list[Completion]]:
        if len(self.calls) == self._left:
            raise Killed
        self.calls.append(len(requests))
        return [[Completion(f"\\boxed{{{seed % 40}}}", 3, "stop") for seed in r.seeds] for r in requests]


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(resolving.resolve("quickstart-base"))


@pytest.fixture
def evaluator(tokenizer: PreTrainedTokenizerBase) -> Evaluator:
    return Evaluator(Evaluation(COUNTS, {}, chunk_problems=16, limit=100), "bare", tokenizer)


def ask(evaluator: Evaluator, engine: Echo, root: Path, stop_at: int, order: str = "random", died: bool = False) -> int:
    """Until so many looks were made; how many it were. Killed at its end, before anything is sealed, if `died`."""
    benchmarks, looked = {}, []
    for name, k in COUNTS.items():
        limited = replace(evaluator, evaluation=replace(evaluator.evaluation, limit=5 * SIZES[0][name]))
        benchmark = limited.evaluation.benchmark(name)
        header = header_of(limited.evaluation, "bare", SUBJECT, benchmark, k, engine.name, engine.version)
        header = replace(header, order=order)
        benchmarks[name] = Asking(limited, header, benchmark.problems, EvalFolder(root / "evals" / name))

    def decided() -> bool:
        looked.append(len(looked) + 1)
        if died and len(looked) == stop_at:
            raise Killed
        return len(looked) == stop_at

    by_looks.ask(Looks(SIZES, decided), engine, benchmarks, lambda _: None)
    return len(looked)


def content(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_problems_are_asked_in_the_recorded_order_up_to_the_look(evaluator: Evaluator, tmp_path: Path) -> None:
    engine = Echo()
    assert ask(evaluator, engine, tmp_path, stop_at=2) == 2
    # chunks end where a look ends: 40 sums as 16, 16, 8 and 20 chains as 16, 4, twice
    assert engine.calls == CHUNKS * 2
    for name, k in COUNTS.items():
        folder = EvalFolder(tmp_path / "evals" / name)
        header, order = EvalRecord.read(folder.header), OrderRecord.read(folder.order)
        rows = pyarrow.parquet.read_table(folder.attempts)["problem_id"].to_pylist()
        n = SIZES[1][name]
        assert rows[::k] == order.problems[:n] and (header.problems, header.stopped_by) == (n, "gate")
        assert header.order == "random" and not folder.open_attempts.exists()
        benchmark = registry.benchmark(name).first(5 * SIZES[0][name])
        assert order.problems == random_order(benchmark.hash, [problem.id for problem in benchmark.problems])
        assert order.problems != [problem.id for problem in benchmark.problems]


def test_undecided_to_the_end_it_is_whole_and_not_stopped(evaluator: Evaluator, tmp_path: Path) -> None:
    assert ask(evaluator, Echo(), tmp_path, stop_at=9) == 4, "the last look ends it, whoever looks"
    for name in COUNTS:
        header = EvalRecord.read(EvalFolder(tmp_path / "evals" / name).header)
        assert header.problems == 5 * SIZES[0][name] and header.stopped_by == ""
        assert "stopped_by" not in header.to_json()


@pytest.mark.parametrize("calls", [0, 1, 4, 5, 7, 13])
def test_killed_in_any_chunk_and_resumed_gives_the_same_bytes(evaluator: Evaluator, tmp_path: Path, calls: int) -> None:
    ask(evaluator, Echo(), tmp_path / "whole", stop_at=3)
    with pytest.raises(Killed):
        ask(evaluator, Echo(calls), tmp_path / "cut", stop_at=3)
    resumed = Echo()
    ask(evaluator, resumed, tmp_path / "cut", stop_at=3)
    assert content(tmp_path / "cut") == content(tmp_path / "whole")
    assert len(resumed.calls) == 15 - calls, "nothing is asked twice"


def test_killed_while_it_ends(evaluator: Evaluator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(evaluator, Echo(), tmp_path / "whole", stop_at=2)
    with pytest.raises(Killed):
        ask(evaluator, Echo(), tmp_path / "looked", stop_at=2, died=True)
    real = attempts.seal
    for step in (1, 2):  # a header that says where it ends, with rows still open; one benchmark sealed, one not
        seals: list[EvalFolder] = []

        def seal(folder: EvalFolder, step: int = step, seals: list[EvalFolder] = seals) -> None:
            seals.append(folder)
            if len(seals) == step:
                raise Killed
            real(folder)

        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(attempts, "seal", seal)
            ask(evaluator, Echo(), tmp_path / f"sealing{step}", stop_at=2)
    for name in ("looked", "sealing1", "sealing2"):
        resumed = Echo(0)
        ask(evaluator, resumed, tmp_path / name, stop_at=2)
        assert content(tmp_path / name) == content(tmp_path / "whole"), name


def test_another_order_is_refused(evaluator: Evaluator, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        ask(evaluator, Echo(2), tmp_path, stop_at=2)
    path = EvalFolder(tmp_path / "evals" / "mini_sums").order
    record = OrderRecord.read(path)
    replace(record, problems=record.problems[::-1]).write(path)
    with pytest.raises(UserError, match="does not have the order that is drawn for these problems"):
        ask(evaluator, Echo(), tmp_path, stop_at=2)
    record.write(path)
    with pytest.raises(UserError, match=r"holds another evaluation: order: .random. -> \(none\)"):
        ask(evaluator, Echo(), tmp_path, stop_at=2, order="")
