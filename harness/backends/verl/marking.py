"""Marking in verl's reward loop: the evaluation's own marker on every rollout. A comparison may take seconds: it waits
in a thread for the marker's worker processes, and the loop goes on."""

from __future__ import annotations

import asyncio
from typing import Any

from verl import DataProto
from verl.experimental.reward_loop.reward_manager.base import RewardManagerBase

from benchmarks.marking import mark
from harness.backends.verl.sampling import ASK, TRUNCATED
from harness.records import Mark

MARK, ANSWER = "mark", "answer"
"""entries of a rollout's `reward_extra_info`: texts, the second empty if there is no answer"""


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
        return {
            "reward_score": float(found.mark == Mark.CORRECT),
            "reward_extra_info": {MARK: str(found.mark), ANSWER: found.answer or ""},
        }
