"""What users of verl reported, as far as a CPU can show it and no other test does: docs/how-to/verl.md has the list."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from tensordict import TensorDict
from verl.utils.seqlen_balancing import rearrange_micro_batches

from harness.backends.example_trial import SEED, experiment_on
from harness.backends.verl.buffer import TRAIN, GroupBuffer
from harness.backends.verl.options import settings_of
from harness.base.errors import FAILED, UserError
from harness.base.registry import training_set
from harness.config.experiment import Trial
from harness.prompts.stream import PromptStream

STALL = 0.6


class Watched(GroupBuffer):
    """A buffer whose queue holds what the test says: rollouts of prompts, by the seconds since it was first asked."""

    held: Callable[[float], tuple[int, set[str], set[str]]]
    """seconds -> (rollouts there, prompts that are finished, prompts that failed)"""
    began: float | None = None

    def _sync_metadata_from_transfer_queue(self) -> None:
        self.began = self.began or time.monotonic()
        rows, finished, failed = self.held(time.monotonic() - self.began)
        self.partitions = {TRAIN: {str(row): {} for row in range(rows)}}
        self.finished_keys[TRAIN], self.failure_keys[TRAIN] = finished, failed


@pytest.fixture
def buffer() -> Watched:
    experiment = experiment_on("verl")
    settings = replace(settings_of(experiment), stall_seconds=STALL)
    experiment = replace(experiment, backend_settings=settings)
    trial = Trial(experiment, experiment.arm("grpo"), SEED)
    stream = PromptStream(training_set(experiment.train).problems, SEED)
    return Watched(trial, stream, lambda first, prompts: [], lambda: None, print)


def wait(buffer: Watched) -> float:
    """For two prompts; the seconds it took."""
    began = time.monotonic()
    buffer._wait({buffer.uid(0), buffer.uid(1)})
    return time.monotonic() - began


def test_a_queue_that_stays_empty_is_not_waited_for(buffer: Watched) -> None:
    """verl #7155."""
    buffer.held = lambda seconds: (0, set(), set())
    with pytest.raises(UserError, match=rf"no rollout came for {STALL} s; 0 of 2 groups are there") as ended:
        wait(buffer)
    assert ended.value.exit_code == FAILED and "`verl.stall_seconds` is the limit" in str(ended.value)


def test_a_group_that_stays_partial_is_neither_read_nor_waited_for(buffer: Watched) -> None:
    """verl #6437: all rollouts of one prompt and three of the other's four."""
    buffer.held = lambda seconds: (7, {buffer.uid(0)}, set())
    with pytest.raises(UserError, match="1 of 2 groups are there"):
        wait(buffer)


def test_slow_rollouts_are_waited_for(buffer: Watched) -> None:
    """One every half of the limit, four times the limit in all."""
    every = {buffer.uid(0), buffer.uid(1)}
    buffer.held = lambda seconds: (int(2 * seconds / STALL), every if seconds > 4 * STALL else set(), set())
    assert 4 * STALL < wait(buffer) < 10 * STALL


def test_a_prompt_that_failed_ends_the_trial_at_once(buffer: Watched) -> None:
    buffer.held = lambda seconds: (4, {buffer.uid(0)}, {buffer.uid(1), "another trial's"})
    with pytest.raises(UserError, match="1 of 2 prompts got no answer"):
        wait(buffer)


@pytest.mark.parametrize(
    ("lengths", "most", "together"),
    [([7] * 8, 8, 1), ([7] * 8, 15, 2), ([9, 1, 1, 1, 1, 1, 1, 1], 10, 1), ([5, 4, 3, 3, 2, 2, 1, 1], 9, 2)],
)
def test_no_micro_batch_is_longer_than_it_may_be(lengths: list[int], most: int, together: int) -> None:
    """verl #3035, 6735 and 7553: as many as the sum of tokens asks for may be too few."""
    mask = torch.tensor([[int(i < length) for i in range(max(lengths))] for length in lengths])
    batch = TensorDict({"input_ids": mask, "attention_mask": mask}, batch_size=len(lengths))
    _, rows = rearrange_micro_batches(batch, most, force_group_size=together)
    assert sorted(row for part in rows for row in part) == list(range(len(lengths)))
    assert max(sum(lengths[row] for row in part) for part in rows) <= most
