"""Evaluation: which numbers are drawn, what is written, and what a kill leaves."""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet
import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

import reports
from benchmarks import registry
from harness.base.errors import UserError
from harness.config.evaluation import Evaluation
from harness.engines.base import Completion, Request, Sampling
from harness.evaluation import attempts
from harness.evaluation.evaluator import Evaluator
from harness.evaluation.headers import EvaluatedCheckpoint
from harness.models import resolving
from harness.records import Attempt, EvalFolder, EvalRecord, read_jsonl
from harness.records.chain import BrokenSeal

SUMS = registry.benchmark("mini_sums")
SUBJECT = EvaluatedCheckpoint("grpo", 1, 12, 3072, 3072, "weights")
COUNTS = {"mini_sums": 3}


class Killed(BaseException):
    """As a signal would do it."""


class Guesser:
    """Answers by its seed alone; may be killed in the middle of a call."""

    name, version, positions = "guesser", "1", None

    def __init__(self, calls_to_live: int = 1000) -> None:
        self.calls: list[Sequence[Request]] = []
        self._left = calls_to_live

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
        if len(self.calls) == self._left:
            raise Killed
        self.calls.append(requests)
        return [[self._answer(seed) for seed in request.seeds] for request in requests]

    def _answer(self, seed: int) -> Completion:
        guess = random.Random(seed).randrange(30)
        return [
            Completion(f"so \\boxed{{{guess}}}", 5, "stop"),
            Completion("no idea", 2, "stop"),
            Completion("well, let me", 48, "length"),
        ][0 if guess < 20 else guess % 3]


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(resolving.resolve("quickstart-base"))


@pytest.fixture
def evaluator(tokenizer: PreTrainedTokenizerBase) -> Evaluator:
    return Evaluator(Evaluation(COUNTS, {}, chunk_problems=64, seed=7), "bare", tokenizer)


def ask(evaluator: Evaluator, engine: Guesser, root: Path, subject: EvaluatedCheckpoint = SUBJECT) -> EvalFolder:
    evaluator.ask(engine, subject, COUNTS, lambda name: EvalFolder(root / name))
    return EvalFolder(root / "mini_sums")


def content(folder: EvalFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.root.iterdir()}


def test_every_problem_is_asked_k_times_in_chunks_and_in_order(evaluator: Evaluator, tmp_path: Path) -> None:
    engine = Guesser()
    folder = ask(evaluator, engine, tmp_path)
    assert [len(call) for call in engine.calls] == [64, 64, 64, 8]
    rows = pyarrow.parquet.read_table(folder.attempts).to_pylist()
    assert [(row["problem_id"], row["sample"]) for row in rows] == [(p.id, i) for p in SUMS.problems for i in range(3)]
    assert {row["gold"] for row in rows[:3]} == {SUMS.problems[0].gold}
    assert len({row["generation_key"] for row in rows}) == 600
    assert sorted(content(folder)) == ["attempts.parquet", "eval.json", "seal.json"]


def test_marks_and_answers(evaluator: Evaluator, tmp_path: Path) -> None:
    rows = pyarrow.parquet.read_table(ask(evaluator, Guesser(), tmp_path).attempts).to_pylist()
    by_mark = {
        mark: [row for row in rows if row["mark"] == mark] for mark in ("correct", "wrong", "no_answer", "truncated")
    }
    assert sum(map(len, by_mark.values())) == 600 and all(by_mark.values())
    assert all(row["answer"] == row["gold"] for row in by_mark["correct"])
    assert all(row["answer"] is None and row["finish_reason"] == "length" for row in by_mark["truncated"])
    assert all(row["answer"] is None and row["finish_reason"] == "stop" for row in by_mark["no_answer"])
    assert all(row["mark_second"] is None for row in rows)


def test_the_header_says_who_was_asked_what(evaluator: Evaluator, tmp_path: Path) -> None:
    header = EvalRecord.read(ask(evaluator, Guesser(), tmp_path).header)
    assert (header.arm, header.seed, header.step, header.rollouts, header.grid) == ("grpo", 1, 12, 3072, 3072)
    assert (header.benchmark, header.benchmark_hash, header.problems, header.k) == ("mini_sums", SUMS.hash, 200, 3)
    assert (header.model_hash, header.engine, header.engine_version) == ("weights", "guesser", "1")
    assert header.sampling == {"temperature": 1.0, "top_p": 1.0, "max_tokens": 48, "seed": 7, "chunk_problems": 64}


def test_all_arms_draw_the_same_numbers_but_have_keys_of_their_own(evaluator: Evaluator, tmp_path: Path) -> None:
    one, other = Guesser(), Guesser()
    a = ask(evaluator, one, tmp_path / "a")
    b = ask(evaluator, other, tmp_path / "b", replace(SUBJECT, arm="rence", seed=2, model_hash="others"))
    assert one.calls == other.calls
    rows = [pyarrow.parquet.read_table(folder.attempts).to_pylist() for folder in (a, b)]
    assert [row["response"] for row in rows[0]] == [row["response"] for row in rows[1]]
    assert not {row["generation_key"] for row in rows[0]} & {row["generation_key"] for row in rows[1]}


def test_another_evaluation_seed_draws_other_numbers(evaluator: Evaluator, tmp_path: Path) -> None:
    one, other = Guesser(), Guesser()
    ask(evaluator, one, tmp_path / "a")
    ask(replace(evaluator, evaluation=replace(evaluator.evaluation, seed=8)), other, tmp_path / "b")
    seeds = [{seed for call in e.calls for request in call for seed in request.seeds} for e in (one, other)]
    assert len(seeds[0]) == len(seeds[1]) == 600 and not seeds[0] & seeds[1]


@pytest.mark.parametrize("calls", [0, 1, 3, 4])
def test_killed_in_any_chunk_and_resumed_gives_the_same_bytes(evaluator: Evaluator, tmp_path: Path, calls: int) -> None:
    whole = ask(evaluator, Guesser(), tmp_path / "whole")
    if calls < 4:
        with pytest.raises(Killed):
            ask(evaluator, Guesser(calls), tmp_path / "cut")
    resumed = Guesser()
    assert content(ask(evaluator, resumed, tmp_path / "cut")) == content(whole)
    assert len(resumed.calls) == 4 - (calls if calls < 4 else 0)


@pytest.mark.parametrize("lost", [1, 100, 5_000])
def test_a_torn_chunk_is_cut_away(evaluator: Evaluator, tmp_path: Path, lost: int) -> None:
    whole = ask(evaluator, Guesser(), tmp_path / "whole")
    with pytest.raises(Killed):
        ask(evaluator, Guesser(3), tmp_path / "cut")
    cut = EvalFolder(tmp_path / "cut" / "mini_sums")
    cut.open_attempts.write_bytes(cut.open_attempts.read_bytes()[:-lost])
    lines = cut.open_chunks.read_bytes().splitlines(keepends=True)
    cut.open_chunks.write_bytes(b"".join(lines[:-1]))  # a chunk's hash is written when the chunk is there
    resumed = Guesser()
    assert content(ask(evaluator, resumed, tmp_path / "cut")) == content(whole)
    assert len(resumed.calls) == 2


@pytest.mark.parametrize("lost", [1, 60_000])
def test_rows_that_were_there_and_are_not_are_no_kill(evaluator: Evaluator, tmp_path: Path, lost: int) -> None:
    with pytest.raises(Killed):
        ask(evaluator, Guesser(3), tmp_path)
    rows = EvalFolder(tmp_path / "mini_sums").open_attempts
    rows.write_bytes(rows.read_bytes()[:-lost])
    with pytest.raises(BrokenSeal, match="does not hold from line"):
        ask(evaluator, Guesser(), tmp_path)


@pytest.mark.parametrize("half", [b"{", b'{"rows": 192, "sha'])
def test_half_a_line_of_a_chunks_hash_is_cut_off(evaluator: Evaluator, tmp_path: Path, half: bytes) -> None:
    whole = ask(evaluator, Guesser(), tmp_path / "whole")
    with pytest.raises(Killed):
        ask(evaluator, Guesser(2), tmp_path / "cut")
    chunks = EvalFolder(tmp_path / "cut" / "mini_sums").open_chunks
    chunks.write_bytes(chunks.read_bytes() + half)
    for calls in (1, 4):  # it is killed once more, and what it wrote must be read again
        with suppress(Killed):
            ask(evaluator, Guesser(calls), tmp_path / "cut")
    assert content(EvalFolder(tmp_path / "cut" / "mini_sums")) == content(whole)


@pytest.mark.parametrize("sealed", [True, False])
def test_killed_between_the_last_steps(evaluator: Evaluator, tmp_path: Path, sealed: bool) -> None:
    folder = ask(evaluator, Guesser(), tmp_path)
    whole = content(folder)
    folder.open_attempts.write_text("left behind\n")
    if not sealed:
        folder.seal.unlink()
    assert not folder.complete, "or it would be read without a seal, and never be given one"
    assert content(ask(evaluator, Guesser(0), tmp_path)) == whole and folder.complete


def test_a_complete_evaluation_is_not_asked_again(evaluator: Evaluator, tmp_path: Path) -> None:
    whole, engine = content(ask(evaluator, Guesser(), tmp_path)), Guesser(0)
    assert content(ask(evaluator, engine, tmp_path)) == whole and engine.calls == []


def test_other_weights_under_the_same_name_are_refused(evaluator: Evaluator, tmp_path: Path) -> None:
    ask(evaluator, Guesser(), tmp_path)
    with pytest.raises(UserError, match=r"holds another evaluation: model_hash: .weights. -> .others."):
        ask(evaluator, Guesser(), tmp_path, replace(SUBJECT, model_hash="others"))


def test_the_first_problems_alone(evaluator: Evaluator, tmp_path: Path) -> None:
    engine, limited = Guesser(), replace(evaluator, evaluation=replace(evaluator.evaluation, limit=70))
    folder = ask(limited, engine, tmp_path)
    assert [len(call) for call in engine.calls] == [64, 6]
    header = EvalRecord.read(folder.header)
    assert (header.problems, header.limit) == (70, 70) and header.benchmark_hash != SUMS.hash
    rows = pyarrow.parquet.read_table(folder.attempts).to_pylist()
    assert [row["problem_id"] for row in rows[::3]] == [problem.id for problem in SUMS.problems[:70]]


def test_whoever_watches_is_told_what_is_on_disk(evaluator: Evaluator, tmp_path: Path) -> None:
    folder, seen = EvalFolder(tmp_path / "mini_sums"), []

    def watch(rows: Sequence[Attempt]) -> None:
        seen.append(len(rows))
        assert len(list(read_jsonl(folder.open_attempts))) == sum(seen)

    evaluator.ask(Guesser(), SUBJECT, COUNTS, lambda _: folder, watch)
    assert seen == [192, 192, 192, 24]


HOSTILE = {
    "nul": "\x00 \\boxed{1\x00}",
    "half a pair": "\ud83d \\boxed{\udc00}",
    "a whole pair in halves": "\ud83d\ude00 \\boxed{5}",
    "right to left": "\u202e\u05d0\u0661 \\boxed{\u200f7}",
    "ends of lines": "a\r\nb\rc\u2028d\u2029e\x85f\x1cg \\boxed{1\n2}",
    "long": "\\boxed{" * 2000 + "9" * 100_000,
    "nothing": "",
    "json": '{"mark": "correct"}\n{"a',
}


class Hostile(Guesser):
    """Each sample of a problem is one of the texts."""

    name = "hostile"

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
        return [[Completion(text, 3, "stop") for text in HOSTILE.values()] for _ in requests]


def test_whatever_a_model_writes_comes_through_files_and_table(evaluator: Evaluator, tmp_path: Path) -> None:
    asked = replace(evaluator, evaluation=replace(evaluator.evaluation, limit=3))
    asked.ask(Hostile(), SUBJECT, {"mini_sums": len(HOSTILE)}, lambda name: EvalFolder(tmp_path / "evals" / name))
    rows = pyarrow.parquet.read_table(tmp_path / "evals/mini_sums/attempts.parquet").to_pylist()
    kept = dict(zip(HOSTILE, rows, strict=False))
    changed = {"half a pair": "\ufffd \\boxed{\ufffd}", "a whole pair in halves": "\U0001f600 \\boxed{5}"}
    assert {name: row["response"] for name, row in kept.items()} == {**HOSTILE, **changed}
    assert kept["nul"]["answer"] == "1\x00" and kept["half a pair"]["answer"] == "\ufffd"
    assert kept["long"]["mark"] == kept["nothing"]["mark"] == kept["json"]["mark"] == "no_answer"
    found = reports.evaluated_model(tmp_path)
    assert found.results[0].share("no_answer") == pytest.approx(3 / 8)
    assert reports.evaluation_text(found, 200).splitlines()[2].split()[-4:] == ["37.5", "0.0", "0.0", "3"]


def test_marks_that_are_there_leave_out_a_cut_off_chunk(evaluator: Evaluator, tmp_path: Path) -> None:
    folder = ask(evaluator, Guesser(), tmp_path / "whole")
    marks = attempts.marks(folder, 192)
    assert len(marks) == 600 and set(marks) == {"correct", "wrong", "no_answer", "truncated"}
    with pytest.raises(Killed):
        ask(evaluator, Guesser(2), tmp_path / "cut")
    cut = EvalFolder(tmp_path / "cut" / "mini_sums")
    cut.open_attempts.write_bytes(cut.open_attempts.read_bytes()[:-100])
    assert attempts.marks(cut, 192) == marks[:192]
    assert attempts.marks(EvalFolder(tmp_path / "nowhere"), 192) == []


def test_whole_chunks_counts_rows(tmp_path: Path) -> None:
    folder = EvalFolder(tmp_path)
    assert attempts.whole_chunks(folder, [2, 2]) == 0
    folder.open_attempts.write_text('{"a": 1}\n{"a": 2}\n{"a": 3}\n{"a"')
    assert attempts.whole_chunks(folder, [2, 2]) == 1
    assert list(read_jsonl(folder.open_attempts)) == [{"a": 1}, {"a": 2}]


MISCOUNTING = {
    "[a[:-1] for a in answers]": "gave 2 for the 3 seeds of request 1 of 64. ",
    "[*answers[:-1], answers[-1] * 2]": "gave 6 for the 3 seeds of request 64 of 64. ",
    "answers[:-1]": "gave 189 in 63 lists for the 192 seeds of 64 requests. ",
    "answers + answers[:1]": "gave 195 in 65 lists for the 192 seeds of 64 requests. ",
    "None": "gave no lists of completions for 64 requests. ",
}
MISCOUNTS = """
from rence import Completion

class Miscounts:
    name, version, positions = "mine", "1", None

    def generate(self, requests, sampling):
        answers = [[Completion("1", 1, "stop") for _ in request.seeds] for request in requests]
        return {}
"""


@pytest.mark.parametrize("returned", MISCOUNTING)
def test_an_engine_that_miscounts_is_refused_at_once_and_by_name(
    evaluator: Evaluator, tmp_path: Path, package: Callable[..., Path], returned: str
) -> None:
    source = MISCOUNTS.replace("{}", returned)
    package("other", source, "1.2", engines={"miscounts": "other:Miscounts"})
    engine = importlib.import_module("other").Miscounts()
    with pytest.raises(UserError) as refused:
        ask(evaluator, engine, tmp_path)
    said = str(refused.value)
    must = "must give one completion for each seed, but"
    assert said.startswith(f"the engine `mine` of other 1.2 (other:Miscounts) {must} {MISCOUNTING[returned]}")
    assert "`rence check miscounts`" in said
    assert list(content(EvalFolder(tmp_path / "mini_sums"))) == ["eval.json"]


def test_an_engine_of_ours_that_miscounts_has_no_package(evaluator: Evaluator, tmp_path: Path) -> None:
    class Short(Guesser):
        def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
            return [answers[:1] for answers in super().generate(requests, sampling)]

    with pytest.raises(
        UserError, match=r"the engine `guesser` must give .* but gave 1 for the 3 seeds of request 1 of"
    ):
        ask(evaluator, Short(), tmp_path)
