"""Whole groups from verl's queue: the algorithm's filter, refill with a cap, selection by place in the prompt stream.

verl's own buffer evicts groups whose rewards are all equal and no others, has no cap, and picks its surplus by random
ids; ours leaves the choice to `collect`, so that both backends keep the same groups of the same rollouts.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import transfer_queue as tq  # type: ignore[import-not-found]
from torch import Tensor
from transfer_queue import KVBatchMeta  # type: ignore[import-not-found]
from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer

from harness.backends.collect import Collected, collect
from harness.backends.diverged import Diverged
from harness.backends.groups import Group, Rollout
from harness.backends.verl.marking import ANSWER, GIVEN, MARK, given_of
from harness.backends.verl.options import settings_of
from harness.backends.verl.sampling import TRUNCATED
from harness.base.errors import FAILED, UserError
from harness.config.experiment import Trial
from harness.prompts.stream import Prompt, PromptStream
from harness.records import Mark

TRAIN = "train"
"""verl's partition of the queue"""
POLL_SECONDS, PULSE_SECONDS = 0.1, 5.0
"""how often the queue is looked at, and the workers"""


class GroupBuffer(ReplayBuffer):
    """`sample` makes one rollout batch; `collected` and `places` then say what is in it."""

    def __init__(
        self,
        trial: Trial,
        stream: PromptStream,
        submit: Callable[[int, Sequence[Prompt]], list[tuple[int, ...]]],
        pulse: Callable[[], None],
        warn: Callable[[str], None],
    ) -> None:
        """
        Args:
            submit: sends prompts to the samplers, given the place of the first in the stream; returns their tokens.
            pulse: raises if a worker has died.
        """
        super().__init__(
            trainer_mode="sync",
            trainer_config={},  # type: ignore[arg-type]
            max_off_policy_threshold=None,
            max_off_policy_strategy="drop",
            sampler_kwargs={},  # type: ignore[arg-type]
            poll_interval=POLL_SECONDS,
        )
        self.trial, self.stream, self.submit, self.pulse, self.warn = trial, stream, submit, pulse, warn
        self._owner = secrets.token_hex(4)  # no draw of the trial depends on it
        self.cursor = 0
        """prompts of the stream that earlier steps have consumed; the trainer sets it"""
        self.collected = Collected([], [], 0)
        self.places: list[int] = []
        """in the stream: of `collected.groups`, and behind them of the groups that only fill the batch up"""

    def uid(self, place: int) -> str:
        """verl's name of a prompt: its place in the stream, and a word of this process, for other trials ask the same
        prompts at the same places."""
        return f"{place}.{self._owner}"

    def key(self, place: int, sample: int) -> str:
        """verl's name of a rollout: of its prompt, and its number in the group."""
        return f"{self.uid(place)}_{sample}_0"

    def sample(self, global_steps: int, partition_id: str, batch_size: int) -> tuple[KVBatchMeta, dict[str, Any]]:
        """`batch_size` groups: those to be learnt from, filled up with others where the cap on refill left too few,
        since verl's batches have a fixed size. All the others are cleared from the queue.

        Raises: UserError if a rollout failed, or none came for too long; Diverged if log-probs are not finite.
        """
        self._first = self.cursor
        self.collected = collect(self.trial, self.stream, self.cursor, self._generate, self.warn)
        place = {id(group): self.cursor + i for i, group in enumerate(self.collected.generated)}
        kept = [place[id(group)] for group in self.collected.groups]
        others = [at for at in place.values() if at not in set(kept)]
        self.places = [*kept, *others][:batch_size]
        self._sync_metadata_from_transfer_queue()
        unused = set(place.values()) - set(self.places)
        self._clear_groups(partition_id, {self.uid(at) for at in unused})
        uids = [self.uid(at) for at in self.places]
        return self._materialize_batch(partition_id, uids, self.partitions[partition_id]), {}

    def _generate(self, prompts: Sequence[Prompt]) -> list[Group]:
        first = self._first
        self._first += len(prompts)
        asked = self.submit(first, prompts)
        self._wait({self.uid(first + i) for i in range(len(prompts))})
        return self._read(first, prompts, asked)

    def _wait(self, uids: set[str]) -> None:
        """Until all of these groups are finished."""
        stall_seconds = settings_of(self.trial.experiment).stall_seconds
        seen, moved, pulse = -1, time.monotonic(), time.monotonic()
        while True:
            self._sync_metadata_from_transfer_queue()
            if failed := self.failure_keys[TRAIN] & uids:
                raise UserError(
                    f"{self.trial.name}: {len(failed)} of {len(uids)} prompts got no answer: a rollout server or the "
                    "marker failed.\nIts error is in this log, above. Run the same again to go on from the newest "
                    "checkpoint.",
                    FAILED,
                )
            finished = len(self.finished_keys[TRAIN] & uids)
            if finished == len(uids):
                return
            now = time.monotonic()
            if len(self.partitions[TRAIN]) > seen:
                seen, moved = len(self.partitions[TRAIN]), now
            elif now - moved > stall_seconds:
                raise UserError(
                    f"{self.trial.name}: no rollout came for {stall_seconds:g} s; {finished} of {len(uids)} groups are "
                    "there.\n`verl.stall_seconds` is the limit. Run the same again to go on from the newest "
                    "checkpoint.",
                    FAILED,
                )
            if now - pulse > PULSE_SECONDS:
                self.pulse()
                pulse = now
            time.sleep(self.poll_interval)

    def _read(self, first: int, prompts: Sequence[Prompt], asked: Sequence[tuple[int, ...]]) -> list[Group]:
        """A group for each prompt, in their order, from verl's queue: its K rollouts, each of as many tokens as it has.

        Args:
            first: place of the first prompt in the stream.
            asked: tokens of each prompt, as they were sent.
        Raises: UserError if a rollout answers another prompt; Diverged if a log-prob is not finite.
        """
        size = self.trial.arm.recipe.group_size
        keys = [self.key(first + i, sample) for i in range(len(prompts)) for sample in range(size)]
        fields = ["uid", "prompts", "responses", "rollout_log_probs", "extra_fields"]
        rows = tq.kv_batch_get(keys=keys, partition_id=TRAIN, select_fields=fields)
        self._check_asked(first, asked, [str(uid) for uid in _objects(rows["uid"])], rows["prompts"].unbind(0))
        # Marks and rewards were made in verl's reward loop, on whichever node; what failed there is said in them.
        rollouts = [
            Rollout(
                tokens,
                logp,
                extra[TRUNCATED],
                *_marked(extra["reward_extra_info"]),
                given=given_of(extra["reward_extra_info"][GIVEN]),
            )
            for tokens, logp, extra in zip(
                rows["responses"].unbind(0),
                rows["rollout_log_probs"].unbind(0),
                _objects(rows["extra_fields"]),
                strict=True,
            )
        ]
        if not all(rollout.logp.isfinite().all() for rollout in rollouts):
            raise Diverged("the sampler's log-probs are not finite")
        return [
            Group(prompt, tokens, tuple(rollouts[i * size : (i + 1) * size]))
            for i, (prompt, tokens) in enumerate(zip(prompts, asked, strict=True))
        ]

    def _check_asked(
        self, first: int, asked: Sequence[tuple[int, ...]], uids: Sequence[str], prompts: Sequence[Tensor]
    ) -> None:
        """Rows come back under the keys that we gave; whether they answer what we asked, they say themselves.

        Args:
            first, asked: as of `_read`.
            uids, prompts: of the rows.
        """
        size = self.trial.arm.recipe.group_size
        wrong = [
            (row, uid)
            for row, (uid, tokens) in enumerate(zip(uids, prompts, strict=True))
            if uid != self.uid(first + row // size) or tuple(tokens.tolist()) != asked[row // size]
        ]
        if wrong:
            row, uid = wrong[0]
            raise UserError(
                f"{self.trial.name}: {len(wrong)} of {len(uids)} rollouts answer another prompt than the one that was "
                f"asked: rollout {row % size} of prompt {self.uid(first + row // size)} is of {uid}.\n"
                "Does another program write to this Ray cluster's rollout queue? Give the trial a cluster of its own, "
                "and run the same again to go on from the newest checkpoint.",
                FAILED,
            )


def _marked(said: Mapping[str, str]) -> tuple[Mark, str | None]:
    return Mark(said[MARK]), said[ANSWER] or None


def _objects(column: Any) -> list[Any]:
    """A column that holds no tensors; the queue hands them back wrapped, or as they are."""
    return [getattr(value, "data", value) for value in column]
