"""Sampling on verl's rollout servers: in training through verl's agent loop, in evaluations as an engine.

Both send our rendered token ids with a seed of identity for every sample, so that a rollout depends neither on the
others in flight nor on the server that answers.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from concurrent.futures import CancelledError, wait
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from uuid import uuid4

from transformers import PreTrainedTokenizerBase
from verl.experimental.agent_loop.agent_loop import AgentLoopBase, AgentLoopMetrics, AgentLoopOutput
from verl.workers.rollout.llm_server import LLMServerClient
from verl.workers.rollout.replica import TokenOutput

from benchmarks.marks import Rule
from benchmarks.problems import Problem
from benchmarks.rewards import OwnReward
from harness.base.errors import FAILED, UserError
from harness.config.experiment import Trial
from harness.engines import vllm
from harness.engines.base import Completion, Request, Sampling, require_finite
from harness.prompts.stream import Prompt
from harness.prompts.templates import render

ASK = "ask"
"""the field of a prompt's row that holds its `Ask`"""
POLL_SECONDS = 1.0
"""how often a call looks whether answers still come"""
TRUNCATED = "truncated"
"""the entry of a rollout's `extra_fields`"""


@dataclass(frozen=True)
class Ask:
    """One prompt of the stream, with all that its rollouts and their marks need."""

    prompt: tuple[int, ...]
    """token ids"""
    seeds: tuple[int, ...]
    """one for each rollout"""
    gold: str
    rule: Rule
    stop: tuple[int, ...]
    """tokens that end a response"""
    problem: Problem
    reward: OwnReward | None
    """the user's own, if the recipe has one"""

    @classmethod
    def of(cls, trial: Trial, tokenizer: PreTrainedTokenizerBase, prompt: Prompt, stop: tuple[int, ...]) -> Ask:
        """A trial's group of rollouts for a prompt of its stream."""
        return cls(
            prompt=tuple(render(tokenizer, prompt.problem, trial.experiment.template)),
            seeds=tuple(prompt.sample_seed(trial.seed, k) for k in range(trial.arm.recipe.group_size)),
            gold=prompt.problem.gold,
            rule=prompt.problem.rule,
            stop=stop,
            problem=prompt.problem,
            reward=trial.arm.recipe.own_reward,
        )


class SeededLoop(AgentLoopBase):
    """One turn: the prompt as we rendered it, one response as it was sampled."""

    def __init__(self, trainer_config: Any, server_manager: LLMServerClient, **unused: Any) -> None:
        """Without the base's: its builder of conversations refuses tokenizers that lack a model family's markers."""
        self.rollout_config = trainer_config.config.actor_rollout_ref.rollout
        self.server_manager = server_manager

    async def run(self, sampling_params: dict[str, Any], *, ask: Ask, session_id: int, **row: Any) -> AgentLoopOutput:
        """
        Args:
            sampling_params: temperature and the like, from verl's config.
            session_id: the rollout's number in its group.
        """
        sampling = Sampling(self.rollout_config.response_length, sampling_params["temperature"])
        params = {**sampling_params, **vllm.sampling_params(sampling, ask.seeds[session_id], ask.stop)}
        started = time.perf_counter()
        output = await _answer(self.server_manager, ask.prompt, params)
        return AgentLoopOutput(
            prompt_ids=list(ask.prompt),
            response_ids=output.token_ids,
            response_mask=[1] * len(output.token_ids),
            response_logprobs=output.log_probs,
            num_turns=2,
            metrics=AgentLoopMetrics(generate_sequences=time.perf_counter() - started),
            extra_fields={**output.extra_fields, TRUNCATED: output.token_ids[-1] not in ask.stop},
        )


class ServersEngine:
    """The rollout servers with the weights they hold now, as an engine for evaluations."""

    name = "vllm"
    calls_at_once = 4
    """chunks whose answers the servers work at: while one ends with a long answer, the others keep them busy"""

    def __init__(
        self,
        servers: LLMServerClient,
        tokenizer: PreTrainedTokenizerBase,
        stop: Sequence[int],
        positions: int,
        stall_seconds: float,
    ) -> None:
        """
        Args:
            positions: tokens of prompt and response together that the servers take.
            stall_seconds: without an answer to any call.
        """
        self.version = version("vllm")
        self.positions: int | None = positions
        self._servers, self._tokenizer, self._stop = servers, tokenizer, tuple(stop)
        self._stall_seconds, self._moved, self._closed = stall_seconds, time.monotonic(), False
        self._loop = asyncio.new_event_loop()  # one for the calls of all threads
        threading.Thread(target=self._loop.run_forever, name="evaluation", daemon=True).start()

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
        """See the protocol. Raises: UserError if no answer came for too long; NotFinite; RayError of a server;
        CancelledError if it was closed meanwhile."""
        self._moved = time.monotonic()
        call = asyncio.run_coroutine_threadsafe(self._all(requests, sampling), self._loop)
        while not wait([call], timeout=POLL_SECONDS).done:
            if self._closed:
                raise CancelledError
            if time.monotonic() - self._moved > self._stall_seconds:
                call.cancel()
                raise UserError(
                    f"the evaluation: no answer came for {self._stall_seconds:g} s.\n`verl.stall_seconds` is the "
                    "limit. What is answered is saved: run the same again to go on.",
                    FAILED,
                )
        return call.result()

    def close(self) -> None:
        """Ends the calls that are under way, whose threads a process waits for when it ends."""
        self._closed = True
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _all(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
        answers = [self._complete(request.prompt, seed, sampling) for request in requests for seed in request.seeds]
        found = await asyncio.gather(*answers)
        require_finite(self.name, (logp for _, logp in found))
        completions = (completion for completion, _ in found)
        return [[next(completions) for _ in request.seeds] for request in requests]

    async def _complete(self, prompt: tuple[int, ...], seed: int, sampling: Sampling) -> tuple[Completion, float]:
        """With the sum of its tokens' log-probs."""
        params = {**vllm.sampling_params(sampling, seed, self._stop), "logprobs": True}
        output = await _answer(self._servers, prompt, params)
        self._moved = time.monotonic()
        ids = output.token_ids
        text = str(self._tokenizer.decode(ids, skip_special_tokens=True))
        return Completion(text, len(ids), "stop" if ids[-1] in self._stop else "length"), sum(output.log_probs or ())


async def _answer(servers: LLMServerClient, prompt: Sequence[int], params: dict[str, Any]) -> TokenOutput:
    output = await servers.generate(request_id=uuid4().hex, prompt_ids=list(prompt), sampling_params=params)
    if output.stop_reason == "aborted" or not output.token_ids:
        raise RuntimeError(f"the rollout server returned no answer (stop reason `{output.stop_reason}`)")
    return output
