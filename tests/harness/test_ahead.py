"""Calls under way together: results keep their order, and files their bytes."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from harness.base.errors import UserError
from harness.config.evaluation import Decoding, Evaluation
from harness.engines.base import Completion, EngineFailed, NotFinite, Request, Sampling, calls_at_once
from harness.engines.registry import open_engine
from harness.engines.replicas import Replicas
from harness.evaluation.ahead import AHEAD, in_order
from harness.evaluation.evaluator import Evaluator
from harness.evaluation.headers import EvaluatedCheckpoint
from harness.models import resolving
from harness.records import EvalFolder

SUBJECT = EvaluatedCheckpoint("grpo", 1, 12, 3072, 3072, "weights")
COUNTS = {"mini_sums": 2, "mini_stories": 1}


@pytest.mark.parametrize("at_once", [1, 2, 5, 40])
def test_results_come_in_the_order_of_the_calls(at_once: int) -> None:
    def call(number: int) -> int:
        time.sleep(0.02 * (number % 3 == 0))
        return number

    assert list(in_order((partial(call, i) for i in range(30)), at_once)) == list(range(30))


def test_a_long_call_holds_up_no_other_until_enough_wait() -> None:
    drawn, ended, gate = [], [], threading.Event()

    def call(number: int) -> int:
        if number == 0:
            assert gate.wait(30)
        ended.append(number)
        return number

    def calls() -> Iterator[partial[int]]:
        for number in range(100):
            drawn.append(number)
            yield partial(call, number)

    results = in_order(calls(), 2)
    late = threading.Timer(1, gate.set)
    late.start()
    assert next(results) == 0
    assert ended[: 2 * AHEAD - 1] == list(range(1, 2 * AHEAD)) and drawn == list(range(2 * AHEAD))
    assert list(results) == list(range(1, 100))


@pytest.mark.parametrize("at_once", [1, 3])
def test_what_came_before_an_error_is_there(at_once: int) -> None:
    def call(number: int) -> int:
        if number == 5:
            raise NotFinite("guesser", 1, 2)
        return number

    results, seen = in_order((partial(call, i) for i in range(30)), at_once), []
    with pytest.raises(NotFinite):
        seen.extend(iter(lambda: next(results), None))
    assert seen == list(range(5))


class Company:
    """Answers by the seeds alone, chunks in any order, the first call last."""

    name, version = "company", "1"
    positions: int | None = None

    def __init__(self, calls_at_once: int) -> None:
        self.calls_at_once = calls_at_once
        self.at_once = self.most = self.calls = 0
        self._together = threading.Barrier(calls_at_once)
        self._lock = threading.Lock()

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
        with self._lock:
            self.at_once, self.calls = self.at_once + 1, self.calls + 1
            self.most, first = max(self.most, self.at_once), self.calls <= self.calls_at_once
        if first:  # however busy the machine is
            self._together.wait(60)
        time.sleep(0.001 * (requests[0].seeds[0] % 20))
        with self._lock:
            self.at_once -= 1
        return [
            [Completion(f"\\boxed{{{seed % 30}}} {sampling.temperature}", 3, "stop") for seed in request.seeds]
            for request in requests
        ]


def evaluation(folder: Path, engine: Company) -> dict[str, bytes]:
    greedy = Decoding(temperature=0, k=1)
    evaluator = Evaluator(
        Evaluation(COUNTS, {}, chunk_problems=16, seed=7, decodings={"sampled": Decoding(), "greedy": greedy}),
        "bare",
        AutoTokenizer.from_pretrained(resolving.resolve("quickstart-base")),
    )
    evaluator.ask_headline(engine, SUBJECT, lambda name: EvalFolder(folder / name))
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_evaluation_has_the_same_bytes_and_no_barrier(tmp_path: Path) -> None:
    alone, together = Company(1), Company(6)
    found = evaluation(tmp_path / "together", together)
    assert found == evaluation(tmp_path / "alone", alone)
    assert {name.partition("/")[0] for name in found} == {
        "mini_sums", "mini_stories", "mini_sums@greedy", "mini_stories@greedy"
    }  # fmt: skip
    assert (alone.most, together.most) == (1, 6)


def test_copies_in_processes_answer_as_one() -> None:
    model = resolving.resolve("quickstart-base")
    tokenizer = AutoTokenizer.from_pretrained(model)
    requests = [Request(tuple(tokenizer.encode(f"{i} + {i} =")), (i, 7 * i)) for i in range(12)]
    copies = Replicas("local", model, ["3", "5"], "RENCE_TEST_DEVICES")
    try:
        one = open_engine("local", model)
        assert (copies.name, copies.version, copies.positions) == (one.name, one.version, one.positions)
        chunks = [requests[i : i + 3] for i in range(0, 12, 3)]
        calls = [partial(copies.generate, chunk, Sampling(24)) for chunk in chunks]
        assert list(in_order(calls, copies.calls_at_once)) == [one.generate(chunk, Sampling(24)) for chunk in chunks]
        with pytest.raises(UserError, match="`max_tokens` must be at most"):
            copies.generate(requests[:1], Sampling(10**6))
    finally:
        copies.close()


HOLDER = """
import multiprocessing, os, signal, sys
from harness.engines.base import Request, Sampling
from harness.engines.replicas import Replicas
from harness.models import resolving

def work(end):
    copies = Replicas("local", resolving.resolve("quickstart-base"), ["3"], "RENCE_TEST_DEVICES")
    copies.generate([Request((1, 2, 3), (0,))], Sampling(4))
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    if end == "error":
        raise RuntimeError("as of a kernel")
    os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    process = multiprocessing.get_context("spawn").Process(target=work, args=(sys.argv[1],))
    process.start()
    process.join()
    print(process.exitcode)
"""


@pytest.mark.parametrize("end, code", [("error", 1), ("killed", -9)])
def test_copies_end_with_the_process_that_has_them(tmp_path: Path, end: str, code: int) -> None:
    """They hold GPUs. Its parent is a process of the launcher's."""
    script = tmp_path / "holder.py"
    script.write_text(HOLDER)
    done = subprocess.run([sys.executable, script, end], stdout=subprocess.PIPE, text=True, timeout=90, check=True)
    child, found = done.stdout.split()
    assert int(found) == code
    deadline = time.monotonic() + 10
    while Path("/proc", child).exists():
        assert time.monotonic() < deadline, "a copy is left"
        time.sleep(0.05)


def test_a_call_under_way_ends_with_the_copies() -> None:
    copies = Replicas("local", resolving.resolve("quickstart-base"), ["3"], "RENCE_TEST_DEVICES")
    with ThreadPoolExecutor() as threads:
        long = threads.submit(copies.generate, [Request((1, 2, 3), tuple(range(4000)))] * 20, Sampling(200))
        time.sleep(1.0)
        began = time.monotonic()
        copies.close()
        with pytest.raises(EngineFailed, match="BrokenProcessPool"):
            long.result(timeout=10)
    assert time.monotonic() - began < 10


def test_an_error_crosses_processes_as_it_is() -> None:
    import pickle

    for error in (NotFinite("vllm", 3, 8), UserError("one\ntwo", 3)):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), again.exit_code) == (type(error), str(error), error.exit_code)


@pytest.mark.parametrize("odd", [0, -1, 2.0, "4", True, None])
def test_an_odd_number_of_calls_is_refused(odd: object) -> None:
    engine = Company(1)
    engine.calls_at_once = odd  # type: ignore[assignment]
    with pytest.raises(UserError, match="`calls_at_once` must be a whole number"):
        calls_at_once(engine)
