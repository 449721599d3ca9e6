"""Marking in verl's reward loop: the evaluation's own marker on every rollout. A comparison may take seconds: it waits
in a thread for the marker's worker processes, and the loop goes on."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Any

from verl import DataProto
from verl.experimental.reward_loop.reward_manager.base import RewardManagerBase

from benchmarks.marking import mark
from benchmarks.rewards import Rated, Rewarded, RewardMistake, rate
from harness.backends.verl.sampling import ASK, TRUNCATED, Ask
from harness.base.errors import UserError
from harness.records import Mark

MARK, ANSWER, GIVEN = "mark", "answer", "given"
"""entries of a rollout's `reward_extra_info`: texts, the second empty if there is no answer; the third what a reward of
the user's own made of it, as JSON, empty where there is none"""


class Marking(RewardManagerBase):
    """The reward is the label, 1 for a correct answer; what an algorithm makes of it comes later."""

    def __init__(self, config: Any, tokenizer: Any, compute_score: Any = None, **unused: Any) -> None:
        super().__init__(config, tokenizer, compute_score)
        self._decode = tokenizer.decode

    async def run_single(self, data: DataProto) -> dict[str, Any]:
        """
        Args:
            data: one rollout; `ask` and `tool_extra_fields` come from `SeededLoop`.
        """
        rollout = data[-1]
        fields = rollout.non_tensor_batch
        text = self._decode(rollout.batch["responses"], skip_special_tokens=True)
        ask = fields[ASK]
        truncated = fields["tool_extra_fields"][TRUNCATED]
        found = await asyncio.to_thread(mark, text, ask.gold, ask.rule, truncated)
        given = await asyncio.to_thread(_given, ask, text) if ask.reward else ""
        return {
            "reward_score": float(found.mark == Mark.CORRECT),
            "reward_extra_info": {MARK: str(found.mark), ANSWER: found.answer or "", GIVEN: given},
        }


def _given(ask: Ask, text: str) -> str:
    """A function that cannot be used at all here, on this node, is said where the batch is read."""
    assert ask.reward
    try:
        (found,) = rate(ask.reward, [Rated(text, ask.problem)])
    except RewardMistake as error:
        return json.dumps({"unusable": str(error)})
    return json.dumps(asdict(found))


def given_of(written: str) -> Rewarded | None:
    """What `GIVEN` says. Raises: UserError if the function could not be used where it was asked."""
    if not written:
        return None
    found = json.loads(written)
    if "unusable" in found:
        raise UserError(found["unusable"])
    return Rewarded(found["number"], found["label"] and Mark(found["label"]), found["failure"])
