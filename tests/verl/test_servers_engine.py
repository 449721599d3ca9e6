"""Rollout servers as an engine: several calls at once, and a limit on silence. The servers here are not vLLM's: they
answer, or do not, when the test wants it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from transformers import AutoTokenizer
from verl.workers.rollout.replica import TokenOutput

from harness.backends.verl.sampling import ServersEngine
from harness.base.errors import UserError
from harness.engines.base import NotFinite, Request, Sampling
from harness.models import resolving

END = 9


class Servers:
    """Answer a prompt of one token n by the token n and the end, n hundredths of a second later."""

    def __init__(self) -> None:
        self.ended: list[int] = []

    async def generate(self, *, request_id: str, prompt_ids: list[int], sampling_params: dict[str, Any]) -> TokenOutput:
        (number,) = prompt_ids
        await asyncio.sleep(number / 100)
        self.ended.append(number)
        logp = float("nan") if number == 13 else -1.0
        return TokenOutput(token_ids=[number, END], log_probs=[logp, -1.0], stop_reason="completed")


@pytest.fixture
def engine() -> Iterator[ServersEngine]:
    tokenizer = AutoTokenizer.from_pretrained(resolving.resolve("quickstart-base"))
    made = ServersEngine(Servers(), tokenizer, (END,), positions=512, stall_seconds=1.5)  # type: ignore[arg-type]
    with closing(made):
        yield made


def requests(*numbers: int) -> list[Request]:
    return [Request((number,), (0, 1)) for number in numbers]


def test_calls_share_the_servers(engine: ServersEngine) -> None:
    with ThreadPoolExecutor() as threads:
        late = threads.submit(engine.generate, requests(20, 60), Sampling(4))
        soon = threads.submit(engine.generate, requests(30, 10), Sampling(4))
        answers = [call.result() for call in (late, soon)]
    assert engine._servers.ended == [10, 10, 20, 20, 30, 30, 60, 60]  # type: ignore[attr-defined]
    texts = [[[one.text for one in each] for each in call] for call in answers]
    text = engine._tokenizer.decode
    assert texts == [[[text([n, END], skip_special_tokens=True)] * 2 for n in call] for call in ((20, 60), (30, 10))]
    assert {one.finish_reason for call in answers for each in call for one in each} == {"stop"}


def test_servers_that_fall_silent_are_not_waited_for(engine: ServersEngine) -> None:
    began = time.monotonic()
    with pytest.raises(UserError, match=r"no answer came for 1.5 s"):
        engine.generate(requests(50, 10_000), Sampling(4))
    assert 2.0 <= time.monotonic() - began < 10  # counted from the last answer


def test_an_error_of_a_server_is_the_calls(engine: ServersEngine) -> None:
    with pytest.raises(NotFinite):
        engine.generate(requests(1, 13), Sampling(4))


def test_a_call_ends_with_the_engine() -> None:
    """Else a trial that is to end would wait for its threads, `stall_seconds` for servers that are gone."""
    tokenizer = AutoTokenizer.from_pretrained(resolving.resolve("quickstart-base"))
    made = ServersEngine(Servers(), tokenizer, (END,), positions=512, stall_seconds=600)  # type: ignore[arg-type]
    with ThreadPoolExecutor() as threads:
        call = threads.submit(made.generate, requests(10_000), Sampling(4))
        time.sleep(0.2)
        began = time.monotonic()
        made.close()
        with pytest.raises(CancelledError):
            call.result(timeout=10)
    assert time.monotonic() - began < 5
